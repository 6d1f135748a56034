"""Rows played one after the other on a subject, each with an outcome."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from cluster.conformance.bench import LIMIT_SECONDS, bench
from cluster.conformance.claims import NotHeld
from cluster.conformance.row import Row
from cluster.conformance.served import Declared, declared
from cluster.conformance.subject import Subject
from cluster.ended import log_tail
from cluster.errors import ClusterError, ClusterStartFailed

TRIAL_SECONDS = 6.0  # for a row that is not expected to hold

# What a cluster can do to a row: refuse, hang, answer otherwise, or leave out what it should say.
_FAILURES = (
    NotHeld,
    ClusterError,
    ApiException,
    HTTPError,
    OSError,
    LookupError,
    ValueError,
    subprocess.TimeoutExpired,
)


class State(StrEnum):
    HOLDS = "holds"
    DECLARED = "declared"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`text`: why a declared row cannot hold, or what was seen of one that fails."""

    row: Row
    state: State
    seconds: float
    text: str = ""

    @property
    def ok(self) -> bool:
        return self.state is not State.FAILS


def play(subject: Subject, rows: Iterable[Row]) -> Iterator[Outcome]:
    """The outcome of each row, as it ends.

    Raises `ClusterStartFailed` once a row has failed on a cluster of which a part has ended: no
    later row would show anything.
    """
    for row in rows:
        yield (last := outcome(subject, row))
        if not last.ok and (ended := subject.cluster.ended()):
            raise ClusterStartFailed(
                f"after {row.name}: {', '.join(map(str, ended))}", hint=log_tail(ended[0].log)
            )


def outcome(subject: Subject, row: Row) -> Outcome:
    """Play one row in a namespace of its own; what is declared is tried all the same."""
    said = declared(subject.cluster.name, row.name, subject.conditions)
    began = time.monotonic()
    failure = _failure(subject, row, LIMIT_SECONDS if said is None else TRIAL_SECONDS)
    state, text = judged(said, failure)
    return Outcome(row, state, time.monotonic() - began, text)


def judged(said: Declared | None, failure: str) -> tuple[State, str]:
    """What follows from a declaration and a failure; an empty one is none."""
    if said is None:
        return (State.FAILS, failure) if failure else (State.HOLDS, "")
    if not failure:
        return State.FAILS, f"holds, though it is declared not to: {said.reason}"
    if said.refused not in failure:
        return State.FAILS, f"is to be refused with {said.refused!r}, seen: {failure}"
    return State.DECLARED, said.reason


def _failure(subject: Subject, row: Row, limit_seconds: float) -> str:
    try:
        with bench(subject, limit_seconds) as own:
            row.body(own)
    except _FAILURES as error:
        return _told(error)
    return ""


def _told(error: BaseException) -> str:
    if isinstance(error, ApiException):
        return f"the API said {error.status} {error.reason}: {error.body}"
    if isinstance(error, NotHeld | ClusterError):
        return str(error)
    return f"{type(error).__name__}: {error}"
