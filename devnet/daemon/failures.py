"""What a person is told of an error, and the exit code it stands for: DESIGN's table, once."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace

from devnet.base import DevnetError, Interrupted

USAGE, LACKS, START = 2, 3, 4
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Failure:
    """One error: its message, the next step, the exit code."""

    message: str
    hint: str
    exit_code: int


def failure_of(error: BaseException) -> Failure:
    """Of any error, with its notes; one that nobody foresaw is said to be ours."""
    failure = _of(error)
    notes = getattr(error, "__notes__", ())
    return replace(failure, message="; ".join((failure.message, *notes))) if notes else failure


def _of(error: BaseException) -> Failure:
    if isinstance(error, KeyboardInterrupt):
        return Failure("interrupted", "", Interrupted.exit_code)
    if isinstance(error, DevnetError):
        return Failure(str(error), error.hint, error.exit_code)
    if isinstance(error, OSError):
        return _of_system(error)
    return _of_cluster(error) or Failure(
        f"a fault of devnet itself: {type(error).__name__}: {error}",
        "KOMPUTE_DEBUG=1 shows where; please report it",
        START,
    )


def _of_system(error: OSError) -> Failure:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _NO_SPACE:
        hint = "make room, or point KOMPUTE_CACHE and the working folder at another disk"
        return Failure(f"the disk is full{where}", hint, LACKS)
    return Failure(f"{error.strerror or error}{where}", "", LACKS)


def _of_cluster(error: BaseException) -> Failure | None:
    from cluster import errors
    from cluster.profiles import BadProfile, UnknownProfile

    codes: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
        ((errors.ClusterLacks,), LACKS),
        ((errors.ClusterStartFailed,), START),
        ((BadProfile, UnknownProfile), USAGE),
        ((errors.ClusterError,), 1),
    )
    for kinds, code in codes:
        if isinstance(error, kinds):
            return Failure(str(error), str(getattr(error, "hint", "")), code)
    return None
