"""Rows played one after the other on a subject, each with an outcome."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from cluster.conformance.bench import Bench, bench
from cluster.conformance.claims import NotHeld
from cluster.conformance.pods import LIMIT_SECONDS
from cluster.conformance.row import Row
from cluster.conformance.served import Declared, declared
from cluster.conformance.subject import Subject
from cluster.ended import Outlook, dead_of, log_tail
from cluster.errors import ClusterError, ClusterStartFailed
from cluster.interface import Cluster
from cluster.waiting import Seen, wait_for

TRIAL_SECONDS = 6.0  # for a claim that is neither expected to hold nor refused at once
RETURN_SECONDS = 60.0  # for parts that are started again
_REFUSED = range(400, 500)  # HTTP: by another status the API does not refuse, it fails

# How a cluster says no: by what it does, in time, or by its API.
_REFUSALS = (NotHeld, ClusterError, ApiException)
# What else it can do to a row: break off, or leave out what it should say.
_SURPRISES = (HTTPError, OSError, LookupError, ValueError, subprocess.TimeoutExpired)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a row did not hold. `surprise`: neither claim, limit nor refusal, so it shows nothing.

    `controlled`: all that its claim stands on had held, so it is the claim that did not.
    """

    text: str
    surprise: bool = False
    controlled: bool = False


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
    """The outcome of each row, as it ends; one that fails names the parts that died meanwhile, and
    of what is declared nothing is shown by a cluster without them.

    Parts that are started again are waited for before the next row. Raises `ClusterStartFailed`
    once a row has failed on a cluster of which a part has ended and does not return: no later row
    would show anything.
    """
    cluster = subject.cluster
    for row in rows:
        seen = max((incident.number for incident in cluster.incidents()), default=0)
        last = outcome(subject, row)
        died = dead_of([each for each in cluster.incidents() if each.number > seen])
        if last.state is State.DECLARED and died:
            text = f"is declared ({last.text}), and its trial shows nothing"
            last = replace(last, state=State.FAILS, text=text)
        if last.ok:
            yield last
            continue
        yield replace(last, text="; meanwhile ".join([last.text, *died]))
        _await_parts(cluster, row)


def _await_parts(cluster: Cluster, row: Row) -> None:
    def look() -> Seen:
        away = cluster.ended()
        lost = [part for part in away if part.outlook is not Outlook.RETURNS]
        if lost:
            raise ClusterStartFailed(
                f"after {row.name}: {', '.join(map(str, lost))}", hint=log_tail(lost[0].log)
            )
        return Seen(not away, ", ".join(map(str, away)))

    wait_for(f"the cluster's parts after {row.name}", look, RETURN_SECONDS, every_seconds=0.1)


def outcome(subject: Subject, row: Row) -> Outcome:
    """Play one row in a namespace of its own; what is declared is tried all the same."""
    said = declared(subject.cluster.name, row.name, subject.conditions)
    began = time.monotonic()
    at_length = said is None or said.refused
    failure = failure_of(subject, row, LIMIT_SECONDS if at_length else TRIAL_SECONDS)
    state, text = judged(said, failure)
    return Outcome(row, state, time.monotonic() - began, text)


def judged(said: Declared | None, failure: Failure | None) -> tuple[State, str]:
    """What follows from a declaration and how a row ended."""
    if said is None:
        return (State.HOLDS, "") if failure is None else (State.FAILS, failure.text)
    if failure is None:
        return State.FAILS, f"holds, though it is declared not to: {said.reason}"
    if failure.surprise:
        return State.FAILS, f"is declared ({said.reason}), and its trial broke off: {failure.text}"
    if said.refused not in failure.text:
        return State.FAILS, f"is to be refused with {said.refused!r}, seen: {failure.text}"
    if not said.refused and not failure.controlled:
        return (
            State.FAILS,
            f"is declared ({said.reason}), and its trial did not come so far: {failure.text}",
        )
    return State.DECLARED, said.reason


def failure_of(subject: Subject, row: Row, claim_seconds: float = LIMIT_SECONDS) -> Failure | None:
    """Why a row does not hold; None where it does."""
    own: Bench | None = None
    try:
        with bench(subject, claim_seconds) as own:
            row.body(own)
    except _REFUSALS as error:
        controlled = own is not None and own.controlled
        return Failure(_told(error), _is_surprise(error, controlled=controlled), controlled)
    except _SURPRISES as error:
        return Failure(_told(error), surprise=True)
    return None


def _is_surprise(error: BaseException, *, controlled: bool) -> bool:
    """An API that fails refuses nothing, and no claim that is controlled is one of its words."""
    return isinstance(error, ApiException) and (controlled or error.status not in _REFUSED)


def _told(error: BaseException) -> str:
    if isinstance(error, ApiException):
        return f"the API said {error.status} {error.reason}: {error.body}"
    if isinstance(error, NotHeld | ClusterError):
        return str(error)
    return f"{type(error).__name__}: {error}"
