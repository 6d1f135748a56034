"""Where files named on the command line lie: as paths, or by the names of those that come along."""

from __future__ import annotations

import difflib
from pathlib import Path

from devnet.base import UsageError

BUNDLE_SUFFIX = ".kompute.zip"
FULL_LOOP = "full-loop"


def network_file(named: str) -> Path:
    """The network file `named`: a path, or the name of one that comes with devnet."""
    return _file(named, "networks")


def scenario_files(named: tuple[str, ...]) -> list[Path]:
    """The scenarios: files, all below a folder in the order of their paths, or names of those that
    come with devnet.

    Of a folder, hidden folders (runs keep copies in `.devnet`) and networks are left out. Raises
    UsageError for a folder without any.
    """
    found: list[Path] = []
    for name in named:
        path = Path(name)
        if not path.is_dir():
            found.append(_file(name, "scenarios"))
            continue
        inside = [file for file in _yaml_files(path) if not _is_network(file)]
        if not inside:
            known = ", ".join(sorted(_that_come_along("scenarios")))
            raise UsageError(
                f"no scenario in {path}: no .yaml file with steps lies there",
                hint=f"name a file, or one that comes with devnet: {known}",
            )
        found += inside
    return found


def _yaml_files(folder: Path) -> list[Path]:
    """All below the folder by their paths, but for what is hidden in it."""
    files = (file for kind in ("*.yaml", "*.yml") for file in folder.rglob(kind))
    return sorted(
        file
        for file in files
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def _is_network(file: Path) -> bool:
    """Whether it has neither steps nor a network; what cannot be read is told when it is loaded."""
    from devnet.spec.document import SpecError, read_document

    try:
        tree = read_document(file).tree
    except SpecError:
        return False
    return isinstance(tree, dict) and not {"steps", "network"} & tree.keys()


def bundle_path(named: str | None) -> Path:
    """A bundle or a run's folder; without a name the newest of the nearest `.devnet`.

    Raises UsageError when there is none.
    """
    if named is not None:
        path = Path(named)
        from devnet.spec.document import kind_of

        if not path.exists():
            raise UsageError(f"no bundle at {path}", hint="devnet run leaves one, and says where")
        if (kind := kind_of(path)) not in ("file", "folder"):
            raise UsageError(f"{path} is no bundle: not a file but a {kind}")
        return path
    from devnet.base.folder import nearest_home

    home = nearest_home()
    bundles = list(home.glob(f"*/runs/*{BUNDLE_SUFFIX}")) if home else []
    if not bundles:
        raise UsageError("no bundle here yet", hint="devnet run SCENARIO leaves one")
    return max(bundles, key=lambda path: path.stat().st_mtime_ns)


def _that_come_along(kind: str) -> dict[str, Path]:
    """By their names."""
    from devnet.base import assets

    return {file.stem: file for file in sorted((assets.root() / "e2e" / kind).glob("*.yaml"))}


def _file(named: str, kind: str) -> Path:
    path = Path(named)
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path
    known = _that_come_along(kind)
    if named in known:
        return known[named]
    close = difflib.get_close_matches(named, known, n=1)
    raise UsageError(
        f"{named}: no such file, and no {kind[:-1]} of that name comes with devnet",
        hint=f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}",
    )
