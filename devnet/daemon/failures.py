"""What a person is told of an error, and the exit code it stands for: the README's table, once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from devnet.base import DevnetError, Interrupted, obstacles

USAGE, LACKS, START = 2, 3, 4


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
    if isinstance(error, OSError):
        return Failure(obstacles.told(error), obstacles.hint(error), LACKS)
    if isinstance(error, DevnetError):
        return _caused(error, Failure(str(error), error.hint, error.exit_code))
    if (failure := _of_cluster(error)) is not None:
        return _caused(error, failure)
    return _of_lack(error) or Failure(
        f"a fault of devnet itself: {type(error).__name__}: {error}",
        "KOMPUTE_DEBUG=1 shows where; please report it",
        START,
    )


def _caused(error: BaseException, failure: Failure) -> Failure:
    """With the obstacle's own hint, where one is behind the error."""
    found = obstacles.of_error(error)
    if found is None or (failure.hint and not found[0].lacking):
        return failure
    obstacle, cause = found
    named = obstacle.name.lower() in failure.message.lower()
    message = failure.message if named else f"{failure.message}: {obstacles.told(cause)}"
    return Failure(message, obstacle.hint, failure.exit_code)


def _of_lack(error: BaseException) -> Failure | None:
    """Of a library's error, when the machine has no more of something."""
    found = obstacles.of_error(error)
    if found is None or not found[0].lacking:
        return None
    return Failure(obstacles.told(found[1]), found[0].hint, LACKS)


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
