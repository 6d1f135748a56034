"""Control groups, tried: one is made where a native node makes its own, limited and taken away."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLACE: Final = Path("/sys/fs/cgroup")
CONTROLLERS: Final = ("cpu", "memory", "pids")
_OWN: Final = Path("/proc/self/cgroup")
# What is written for a core, a GiB and 64 processes, by controller.
_SEPARATE: Final = {  # v1
    "cpu": ("cpu.cfs_quota_us", "100000"),
    "memory": ("memory.limit_in_bytes", str(1 << 30)),
    "pids": ("pids.max", "64"),
}
_UNIFIED: Final = {  # v2
    "cpu": ("cpu.max", "100000 100000"),
    "memory": ("memory.max", str(1 << 30)),
    "pids": ("pids.max", "64"),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """`version` is `v1` or `v2`, empty without either; `refused` what the machine said, empty where
    the limits were taken."""

    version: str
    place: Path
    refused: str = ""


def try_group(place: Path = PLACE, own: Path = _OWN) -> Tried:
    """Make a group with limits of cpu, memory and pids below `place`, and remove it again.

    `own` says which groups of v1 this process is in.
    """
    name = f"kompute-doctor-{os.getpid()}"
    there = place / "cgroup.controllers"
    if there.is_file():
        lacking = [each for each in CONTROLLERS if each not in there.read_text().split()]
        if lacking:
            return Tried("v2", place, f"there is no controller {', '.join(lacking)}")
        folder = place / name
        return Tried("v2", place, _limited(dict.fromkeys(CONTROLLERS, folder), _UNIFIED))
    if not all((place / each).is_dir() for each in CONTROLLERS):
        return Tried("", place, f"there are no controllers {', '.join(CONTROLLERS)}")
    groups = _groups_of(own)
    roots = {each: place / each / groups.get(each, "") for each in CONTROLLERS}
    folders = {
        each: (root if root.is_dir() else place / each) / name for each, root in roots.items()
    }
    return Tried("v1", place, _limited(folders, _SEPARATE))


def _limited(folders: Mapping[str, Path], files: Mapping[str, tuple[str, str]]) -> str:
    """Empty where each controller has taken its limit; else what was refused."""
    try:
        with _made(set(folders.values())):
            for controller, folder in folders.items():
                name, limit = files[controller]
                if files is _UNIFIED:
                    _delegate(folder.parent)
                _write(folder / name, limit)
    except OSError as error:
        return f"{error.strerror}: {error.filename}"
    return ""


@contextlib.contextmanager
def _made(folders: set[Path]) -> Iterator[None]:
    made: list[Path] = []
    try:
        for folder in folders:
            folder.mkdir()
            made.append(folder)
        yield
    finally:
        for folder in made:
            folder.rmdir()


def _delegate(above: Path) -> None:
    """As a node has it; a group below has a controller's files once the one above hands it on."""
    control = above / "cgroup.subtree_control"
    wished = [each for each in CONTROLLERS if each not in control.read_text().split()]
    if wished:
        _write(control, " ".join(f"+{each}" for each in wished))


def _write(file: Path, text: str) -> None:
    """Into a file of the kernel's: none is made."""
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(file)) from None
    finally:
        os.close(descriptor)


def _groups_of(own: Path) -> dict[str, str]:
    """By controller of v1, without the slash at the beginning."""
    found: dict[str, str] = {}
    for line in own.read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        found |= dict.fromkeys(controllers.split(","), group.lstrip("/"))
    return found
