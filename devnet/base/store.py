"""The cache of made things: each made once, under a file lock, and put in place by one rename.

A folder `<cache>/<kind>/<key>` exists only when it is complete, so asking for it is one `stat`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout
from platformdirs import user_cache_dir

from devnet.base import obstacles
from devnet.base.errors import MachineLacks

KEY_LENGTH = 16


def default_cache() -> Path:
    """`KOMPUTE_CACHE`, else the user's cache folder."""
    return Path(os.environ.get("KOMPUTE_CACHE") or user_cache_dir("kompute-devnet"))


def key_of(parts: Iterable[str | bytes | Path]) -> str:
    """The key of what is made from these: texts count as they are, files by their bytes."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part
        data = data.encode() if isinstance(data, str) else data
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:KEY_LENGTH]


@dataclass(frozen=True, slots=True)
class Store:
    """Made folders under `root`, by kind and key."""

    root: Path

    def path(self, kind: str, key: str) -> Path:
        return self.root / kind / key

    def found(self, kind: str, key: str) -> Path | None:
        """The folder when it has been made, else None."""
        folder = self.path(kind, key)
        return folder if folder.is_dir() else None

    def make(
        self,
        kind: str,
        key: str,
        build: Callable[[Path], None],
        *,
        limit_seconds: float = 1800.0,
        say: Callable[[str], None] = lambda line: None,
    ) -> Path:
        """The folder, made by `build(empty folder)` when it is not there yet.

        One process builds, the others wait for it up to `limit_seconds`. What `build` raises
        passes through and leaves nothing behind.

        Raises MachineLacks when the cache cannot be written, is full afterwards, or the other
        build takes too long.
        """
        if (folder := self.found(kind, key)) is not None:
            return folder
        folder = self.path(kind, key)
        partial = folder.with_name(f".{key}.partial")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder.with_name(f".{key}.lock"))
            with _patiently(lock, f"{kind}/{key}", limit_seconds, say):
                if folder.is_dir():
                    return folder
                shutil.rmtree(partial, ignore_errors=True)  # left by a SIGKILL
                partial.mkdir()
                try:
                    build(partial)
                    _require_room(partial)
                    partial.rename(folder)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise MachineLacks(
                f"the cache {self.root} cannot be written: {obstacles.told(error)}",
                hint=obstacles.hint(
                    error, "point KOMPUTE_CACHE at a folder of your own with 6 GB of space"
                ),
            ) from error
        return folder


def _require_room(folder: Path) -> None:
    """What filled the disk is hardly whole, whatever its maker says of it."""
    disk = shutil.disk_usage(folder)
    if disk.total and not disk.free:  # some file systems tell neither
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


@contextmanager
def _patiently(
    lock: BaseFileLock, what: str, limit_seconds: float, say: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock; says so when another process holds it first."""
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        minutes = limit_seconds / 60
        say(f"another process is making {what}; waiting for it (up to {minutes:.0f} min)")
        try:
            lock.acquire(timeout=limit_seconds)
        except Timeout:
            raise MachineLacks(
                f"another process has held {lock.lock_file} for more than {limit_seconds:g} s",
                hint="end that process, then run the command again",
            ) from None
    try:
        yield
    finally:
        lock.release()
