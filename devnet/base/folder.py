"""A devnet's folder `.devnet/<name>/`: its id, its state, its lock, its socket, its runs.

Nothing of a devnet lies elsewhere, so two never meet and deleting the folder deletes it all.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from devnet.base import obstacles
from devnet.base.errors import MachineLacks, UsageError

HOME_NAME = ".devnet"
DEFAULT_NAME = "default"
STATE = "state"  # below a devnet's folder: where the parts of a run keep their own files
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_IGNORE = ".gitignore"
_IGNORED = "*\n"
_OF_EVERY_FOLDER = {"id", "lock", "starting"}
DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class DevnetFolder:
    """One devnet's folder; `path` exists."""

    path: Path

    @classmethod
    def open(cls, name: str = DEFAULT_NAME, start: Path | None = None) -> DevnetFolder:
        """The folder `.devnet/<name>` of the nearest ancestor that has a `.devnet`, made in
        `start` (the current folder) when there is none.

        Raises UsageError for a bad name and MachineLacks when it cannot be written.
        """
        check_name(name)
        home = nearest_home(start) or (start or Path.cwd()).resolve() / HOME_NAME
        path = home / name
        try:
            path.mkdir(parents=True, exist_ok=True)
            ignore = home / _IGNORE
            if not ignore.exists():
                ignore.write_text(_IGNORED)
            with _alone_in(path):  # of two that make it at once, one gives it its id
                if not (path / "id").exists():
                    write_atomically(path / "id", secrets.token_hex(8))
        except OSError as error:
            raise MachineLacks(
                f"the devnet's folder {path} cannot be written: {obstacles.told(error)}",
                hint=obstacles.hint(error, "run from a folder of your own"),
            ) from error
        return cls(path)

    @classmethod
    def existing(cls, name: str = DEFAULT_NAME, start: Path | None = None) -> DevnetFolder:
        """The same, but it must be there.

        Raises UsageError that names the devnets there are.
        """
        check_name(name)
        home = nearest_home(start)
        if home is None or not (home / name / "id").is_file():
            there = ", ".join(names(start)) or "none"
            raise UsageError(
                f"there is no devnet `{name}` here; there is: {there}",
                hint="devnet up" + ("" if name == DEFAULT_NAME else f" --name {name}"),
            )
        return cls(home / name)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def id(self) -> str:
        """Random, made with the folder; the mark on every process of this devnet."""
        return (self.path / "id").read_text().strip()

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def socket(self) -> Path:
        """The control socket; `socket_address` is how to bind and to reach it."""
        return self.path / "control.sock"

    def is_new(self) -> bool:
        """Whether nothing is in it but what `open` and the locks make."""
        return {path.name for path in self.path.iterdir()} <= _OF_EVERY_FOLDER

    def drop(self) -> None:
        """Take the folder away, and the home when no other devnet is in it: nothing began here."""
        shutil.rmtree(self.path, ignore_errors=True)
        home = self.path.parent
        if {path.name for path in home.iterdir()} == {_IGNORE}:
            (home / _IGNORE).unlink(missing_ok=True)
            try:
                home.rmdir()
            except OSError:  # another devnet was made in it meanwhile
                (home / _IGNORE).write_text(_IGNORED)

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Be the only one who starts this devnet; raises UsageError where somebody else does."""
        lock = FileLock(self.path / "starting")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(
                f"the devnet `{self.name}` is being started by another `devnet up`",
                hint="devnet status shows it once it is up; another --name starts a second one",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def state(self) -> dict[str, Any]:
        """What was last written by `write_state`; empty when nothing was."""
        try:
            state: dict[str, Any] = json.loads((self.path / "state.json").read_text())
        except FileNotFoundError:
            return {}
        return state

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Replace the state whole; a reader sees the old or the new."""
        write_atomically(self.path / "state.json", json.dumps(dict(state), indent=2) + "\n")

    def clear_state(self) -> None:
        (self.path / "state.json").unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Own the devnet for as long as the block runs; the kernel lets go when the owner dies.

        Raises UsageError when another process owns it.
        """
        lock = FileLock(self.path / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(
                f"the devnet `{self.name}` in {self.path.parent} is in use by another process",
                hint="devnet status, devnet down, or another --name",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def is_held(self) -> bool:
        """Whether another process owns the devnet."""
        try:
            with FileLock(self.path / "lock").acquire(timeout=0):
                return False
        except Timeout:
            return True


@contextlib.contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """A text that names the unix socket at `path` and is short enough for the kernel's 107 bytes,
    however deep the folder lies: through a descriptor of the folder, where the system has them."""
    if not DESCRIPTORS.is_dir():
        yield os.fspath(path)
        return
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"{DESCRIPTORS}/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait for whoever else holds the folder itself, which leaves no file behind."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def check_name(name: str) -> None:
    """Raises UsageError for a name that is no lower-case DNS label of at most 40 characters."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"`{name}` cannot name a devnet: lower-case letters, digits and inner hyphens, "
            "at most 40 characters"
        )


def nearest_home(start: Path | None = None) -> Path | None:
    """The `.devnet` of the nearest ancestor folder, `start` included."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / HOME_NAME).is_dir():
            return folder / HOME_NAME
    return None


def home_above(path: Path) -> tuple[Path, ...]:
    """The `.devnet` that the path is in, with the keys of every devnet in it; none elsewhere."""
    return tuple(each for each in path.resolve().parents if each.name == HOME_NAME)


def names(start: Path | None = None) -> list[str]:
    """The devnets of the nearest home, sorted."""
    home = nearest_home(start)
    return sorted(path.parent.name for path in home.glob("*/id")) if home else []


def write_atomically(path: Path, text: str) -> None:
    """Write beside, then rename: nobody ever reads half a file."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
