"""What the system refuses for want of room, rights or limits: its name, and what helps.

Standard library only: `run` needs it on a bare Python.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devnet.base.errors import MachineLacks

_ELSEWHERE: Final = "point KOMPUTE_CACHE and the working folder at another disk"
_OWN: Final = "point KOMPUTE_CACHE and the working folder at places that are yours to write"
_FILES: Final = "raise the limit on file sizes, then run the command again: ulimit -f unlimited"
_OPEN: Final = "raise the limit on open files, then run the command again: ulimit -n 4096"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """`lacking`: the machine has no more of it, whatever else an error says about its cause."""

    number: int
    name: str
    hint: str
    lacking: bool = True


LEAST_OPEN_FILES: Final = 256
_MANY_OPEN_FILES: Final = 4096
OBSTACLES: Final = {
    obstacle.number: obstacle
    for obstacle in (
        Obstacle(errno.ENOSPC, "the disk is full", f"make room, or {_ELSEWHERE}"),
        Obstacle(errno.EDQUOT, "the disk quota is used up", f"make room, or {_ELSEWHERE}"),
        Obstacle(errno.EROFS, "the disk is read-only", _OWN),
        Obstacle(errno.EFBIG, "a file would be larger than the limit allows", _FILES),
        Obstacle(errno.EMFILE, "too many open files", _OPEN),
        Obstacle(errno.ENFILE, "too many open files on this machine", "end other programs"),
        Obstacle(errno.EACCES, "permission denied", _OWN, lacking=False),
        Obstacle(errno.EPERM, "not permitted", _OWN, lacking=False),
    )
}


def of_error(error: BaseException | None) -> tuple[Obstacle, OSError] | None:
    """The obstacle behind an error, itself or any of its causes; and that cause."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in OBSTACLES:
            return OBSTACLES[error.errno], error
        error = error.__cause__ or error.__context__
    return None


def told(error: OSError) -> str:
    """`the disk is full (/a/path)`; the system's words for what has no name here."""
    known = OBSTACLES.get(error.errno or 0)
    where = f" ({error.filename})" if error.filename else ""
    return f"{known.name if known else error.strerror or error}{where}"


def hint(error: OSError, otherwise: str = "") -> str:
    known = OBSTACLES.get(error.errno or 0)
    return known.hint if known else otherwise


def in_words(lines: Iterable[str]) -> Obstacle | None:
    """The obstacle that a tool's output names, in the system's words or by its number's name."""
    text = "\n".join(lines)
    lower = text.lower()
    for obstacle in OBSTACLES.values():
        name = errno.errorcode[obstacle.number]
        words = os.strerror(obstacle.number).lower()
        if words in lower or f"{name}:" in text or f"code {name}" in text:
            return obstacle
    return None


def of_code(code: int) -> Obstacle | None:
    """The obstacle that ended a process."""
    return OBSTACLES[errno.EFBIG] if code == -signal.SIGXFSZ else None


def ended(code: int) -> str:
    """`ended with 1`, `was ended by SIGKILL`."""
    if code >= 0:
        return f"ended with {code}"
    known = of_code(code)
    return f"was ended by {signal.Signals(-code).name}" + (f" ({known.name})" if known else "")


def require_open_files(least: int = LEAST_OPEN_FILES) -> None:
    """Raise this process's limit on open files as far as a devnet may need and it is allowed to.

    Below `least` an oracle's price would seem to be late and a worker to be lost.
    Raises MachineLacks when even the hard limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _MANY_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    if soft != resource.RLIM_INFINITY and soft < least:
        raise MachineLacks(
            f"too many open files: a devnet needs {least}, this shell allows {soft}", hint=_OPEN
        )


@contextmanager
def at(path: Path | str) -> Iterator[None]:
    """Names the path in an error of writing, which has none where a stream is written to."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
