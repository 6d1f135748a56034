"""Where files named on the command line lie: as paths, or by the names of those that come along."""

from __future__ import annotations

import difflib
from pathlib import Path

from devnet.base import UsageError

BUNDLE_SUFFIX = ".kompute.zip"
DEFAULT_NETWORK = "small"
FULL_LOOP = "full-loop"


def network_file(named: str) -> Path:
    """The network file `named`: a path, or the name of one that comes with devnet."""
    return _file(named, "networks")


def scenario_files(named: tuple[str, ...]) -> list[Path]:
    """The scenarios: files, all below a folder in the order of their paths, or names of those that
    come with devnet.

    Raises UsageError for a folder without any.
    """
    found: list[Path] = []
    for name in named:
        path = Path(name)
        if not path.is_dir():
            found.append(_file(name, "scenarios"))
            continue
        inside = sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
        if not inside:
            raise UsageError(f"no scenario in {path}: no .yaml file lies there")
        found += inside
    return found


def bundle_path(named: str | None) -> Path:
    """A bundle or a run's folder; without a name the newest of the nearest `.devnet`.

    Raises UsageError when there is none.
    """
    if named is not None:
        path = Path(named)
        if not path.exists():
            raise UsageError(f"no bundle at {path}", hint="devnet run leaves one, and says where")
        return path
    from devnet.base.folder import nearest_home

    home = nearest_home()
    bundles = list(home.glob(f"*/runs/*{BUNDLE_SUFFIX}")) if home else []
    if not bundles:
        raise UsageError("no bundle here yet", hint="devnet run SCENARIO leaves one")
    return max(bundles, key=lambda path: path.stat().st_mtime_ns)


def _file(named: str, kind: str) -> Path:
    path = Path(named)
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path
    from devnet.base import assets

    known = {file.stem: file for file in sorted((assets.root() / "e2e" / kind).glob("*.yaml"))}
    if named in known:
        return known[named]
    close = difflib.get_close_matches(named, known, n=1)
    raise UsageError(
        f"{named}: no such file, and no {kind[:-1]} of that name comes with devnet",
        hint=f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}",
    )
