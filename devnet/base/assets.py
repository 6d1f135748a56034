"""The project's files that are not Python: contracts, npm lock, Go sources, networks, scenarios.

In a checkout they lie where they are written. In an installed package they travel as data and
are copied to the cache, keyed by their hash, so that compilers may write beside them.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from devnet.base.errors import MachineLacks
from devnet.base.store import Store, default_cache, key_of

NAMES = (
    "ape-config.yaml",
    "package.json",
    "package-lock.json",
    "contracts",
    "cluster/controlplane",
    "scripts",
    "e2e/networks",
    "e2e/scenarios",
    "e2e/services",
)
LEFT_BY_TOOLS = {".build", ".cache", "__pycache__", "node_modules"}
PACKAGED = Path(__file__).parent.parent / "assets"


def checkout() -> Path | None:
    """The root of the checkout this code runs from; None for an installed package."""
    root = Path(__file__).parent.parent.parent
    return root if (root / "ape-config.yaml").is_file() and (root / "run").is_file() else None


@cache
def root() -> Path:
    """The folder that holds NAMES: the checkout, else an unpacked copy in the cache.

    Raises MachineLacks when the installed package has lost its data.
    """
    return checkout() or unpacked(PACKAGED, Store(default_cache()))


def unpacked(source: Path, store: Store) -> Path:
    """A writable copy of `source` in the cache, made once for each content."""
    if not (source / "ape-config.yaml").is_file():
        raise MachineLacks(
            f"the installed package has no data at {source}", hint="install it again"
        )
    files = _files(source)
    parts: list[str | bytes | Path] = []
    for path in files:
        parts += [path.relative_to(source).as_posix(), path]
    return store.make(
        "assets", key_of(parts), lambda into: _copy(source, files, into), limit_seconds=120.0
    )


def _files(source: Path) -> list[Path]:
    """The files below NAMES, without what tools leave there."""
    found = [path for name in NAMES for path in ((source / name), *(source / name).rglob("*"))]
    return sorted(
        path
        for path in found
        if path.is_file() and not LEFT_BY_TOOLS & set(path.relative_to(source).parts)
    )


def _copy(source: Path, files: list[Path], into: Path) -> None:
    for path in files:
        copy = into / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
