"""Rows, what is declared of them, what was once tried, and the page of it agree."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from kubernetes.client.exceptions import ApiException

from cluster.conformance.bench import Bench
from cluster.conformance.claims import NotHeld
from cluster.conformance.page import page
from cluster.conformance.row import Row, register, registered
from cluster.conformance.rows import rows
from cluster.conformance.served import NO_CONTROL_GROUPS, NOT_SERVED, Declared, declared
from cluster.conformance.subject import Subject
from cluster.conformance.suite import Failure, Outcome, State, failure_of, judged, play
from cluster.conformance.tried import ELSEWHERE, TRIED
from cluster.ended import Ended, Incident, Outlook
from cluster.errors import ClusterError, ClusterStartFailed, NodeLost
from cluster.providers import kinds

ROOT = Path(__file__).parents[3]


def test_only_rows_are_declared_and_only_of_clusters_with_an_api() -> None:
    names = {row.name for row in rows()}
    for cluster, found in NOT_SERVED.items():
        assert cluster in {kind.name for kind in kinds() if not kind.modelled}
        assert sorted(set(found) - names) == []
        assert [name for name, each in found.items() if len(each.reason.split()) < 5] == []


def test_a_row_has_one_name_and_says_what_it_shows() -> None:
    assert len({row.name for row in rows()}) == len(rows())
    assert [row.name for row in rows() if "." not in row.name or len(row.says.split()) < 3] == []


def test_all_that_was_once_tried_is_a_row_or_shown_by_a_test_there_is() -> None:
    by_rows = {number for row in rows() for number in row.tried}
    assert sorted(by_rows - set(TRIED)) == []
    assert sorted(set(TRIED) - by_rows - set(ELSEWHERE)) == []
    assert sorted(set(TRIED)) == list(range(1, 110))
    for number, test in ELSEWHERE.items():
        assert number in TRIED
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test


def test_a_second_row_of_a_name_is_refused() -> None:
    first = registered()[0]
    with pytest.raises(ValueError, match=f"a row named '{first.name}' is registered already"):
        register(Row(first.name, "again and again", (), first.body))


def test_rows_that_disturb_others_come_last() -> None:
    disturbs = [row.disturbs for row in rows()]
    assert disturbs == sorted(disturbs)


@pytest.mark.parametrize(
    ("said", "failure", "state", "text"),
    [
        (None, None, State.HOLDS, ""),
        (None, Failure("seen 3"), State.FAILS, "seen 3"),
        (
            Declared("no such part"),
            Failure("anything", controlled=True),
            State.DECLARED,
            "no such part",
        ),
        (
            Declared("no such part"),
            Failure("pod: Running: not within 6 s"),
            State.FAILS,
            "is declared (no such part), and its trial did not come so far: "
            "pod: Running: not within 6 s",
        ),
        (Declared("none", refused="spec.x"), Failure("has spec.x: no"), State.DECLARED, "none"),
        (
            Declared("none", refused="spec.x"),
            Failure("seen 3"),
            State.FAILS,
            "is to be refused with 'spec.x', seen: seen 3",
        ),
        (
            Declared("no such part"),
            None,
            State.FAILS,
            "holds, though it is declared not to: no such part",
        ),
        (
            Declared("no such part"),
            Failure("KeyError: 'x'", surprise=True),
            State.FAILS,
            "is declared (no such part), and its trial broke off: KeyError: 'x'",
        ),
    ],
    ids=[
        "holds",
        "fails",
        "declared",
        "not come so far",
        "refused by name",
        "refused otherwise",
        "holds after all",
        "broken off",
    ],
)
def test_what_follows_from_a_declaration_and_a_trial(
    said: Declared | None, failure: Failure | None, state: State, text: str
) -> None:
    assert judged(said, failure) == (state, text)


def test_what_is_declared_without_a_refusal_has_a_control() -> None:
    """Its failure counts from there on alone."""
    by_name = {row.name: row for row in rows()}
    unnamed = [
        name
        for found in NOT_SERVED.values()
        for name, said in found.items()
        if not said.refused and "bench.control()" not in inspect.getsource(by_name[name].body)
    ]
    assert unnamed == []


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (NotHeld("seen 3"), Failure("seen 3", controlled=True)),
        (ClusterError("not within 6 s"), Failure("not within 6 s", controlled=True)),
        (NodeLost("gone"), Failure("gone", controlled=True)),
        (
            ApiException(503, "no etcd"),
            Failure("the API said 503 no etcd: None", surprise=True, controlled=True),
        ),
        (
            ApiException(404, "no pod"),
            Failure("the API said 404 no pod: None", surprise=True, controlled=True),
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_after_its_control_a_row_fails_by_its_claim(
    monkeypatch: pytest.MonkeyPatch, error: Exception, failure: Failure
) -> None:
    assert failure_of_row(monkeypatch, error, controlled=True) == failure


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (NotHeld("seen 3"), Failure("seen 3")),
        (ApiException(422, "no"), Failure("the API said 422 no: None")),
        (ApiException(500, "no"), Failure("the API said 500 no: None", surprise=True)),
        (ApiException(0, "cut"), Failure("the API said 0 cut: None", surprise=True)),
        (ConnectionError("cut"), Failure("ConnectionError: cut", surprise=True)),
    ],
)
def test_before_it_a_refusal_is_one_and_a_broken_api_is_none(
    monkeypatch: pytest.MonkeyPatch, error: Exception, failure: Failure
) -> None:
    assert failure_of_row(monkeypatch, error, controlled=False) == failure


class Parts:
    """Stands for a cluster whose parts die as a test says: what a real one's do is in
    `tests/cli/test_conformance.py`."""

    name = "none"

    def __init__(self) -> None:
        self.away: list[tuple[Ended, ...]] = []  # look by look
        self.happened: list[Incident] = []

    def ended(self) -> tuple[Ended, ...]:
        return self.away.pop(0) if self.away else ()

    def incidents(self) -> tuple[Incident, ...]:
        return tuple(self.happened)


ETCD = "was killed by SIGKILL"
BACK = Ended("etcd", f"{ETCD}; it is started again", outlook=Outlook.RETURNS)


def played(monkeypatch: pytest.MonkeyPatch, parts: Parts, *states: State) -> Iterator[Outcome]:
    """Rows that end so, while etcd dies in each."""

    def outcome(subject: Subject, row: Row) -> Outcome:
        parts.happened.append(Incident(len(parts.happened) + 1, "etcd", ETCD, 0, died=True))
        return Outcome(row, State(row.says), 0.1, "seen 3")

    monkeypatch.setattr("cluster.conformance.suite.outcome", outcome)
    made = [Row(f"made.{state}", state, (), lambda bench: None) for state in states]
    return play(cast(Subject, SimpleNamespace(cluster=parts)), made)


def test_a_failing_row_names_who_died_and_the_next_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = Parts()
    parts.away = [(BACK,), (BACK,), ()]
    outcomes = played(monkeypatch, parts, State.FAILS, State.HOLDS)
    assert next(outcomes).text == f"seen 3; meanwhile etcd {ETCD}"
    assert next(outcomes).text == "seen 3"
    assert parts.away == []


def test_a_part_that_died_shows_nothing_of_what_is_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (only,) = played(monkeypatch, Parts(), State.DECLARED)
    assert only.state is State.FAILS
    why = f"is declared (seen 3), and its trial shows nothing; meanwhile etcd {ETCD}"
    assert only.text == why


@pytest.mark.parametrize("outlook", [Outlook.GONE, Outlook.STOPPED])
def test_a_part_that_does_not_return_ends_the_table(
    monkeypatch: pytest.MonkeyPatch, outlook: Outlook
) -> None:
    parts = Parts()
    parts.away = [(BACK,), (Ended("etcd", ETCD, outlook=outlook), BACK)]
    outcomes = played(monkeypatch, parts, State.HOLDS, State.FAILS, State.HOLDS)
    assert [next(outcomes).state, next(outcomes).state] == [State.HOLDS, State.FAILS]
    with pytest.raises(ClusterStartFailed) as caught:
        next(outcomes)
    assert str(caught.value) == f"after made.fails: etcd {ETCD}"


def failure_of_row(
    monkeypatch: pytest.MonkeyPatch, error: Exception, *, controlled: bool
) -> Failure | None:
    """Of a row that raises this. The bench stands on no cluster: what a real one answers to rows is
    `test_rows`' matter, and none fails in all these ways when it is asked to."""
    own = Bench(cast(Subject, SimpleNamespace(api=None)), "nowhere", 30.0, 6.0)

    @contextmanager
    def bench(subject: Subject, claim_seconds: float) -> Iterator[Bench]:
        assert (subject, claim_seconds) == (own.subject, 6.0)
        yield own

    def body(bench: Bench) -> None:
        assert bench.limit_seconds == 30.0
        if controlled:
            bench.control()
            assert bench.limit_seconds == 6.0
        raise error

    monkeypatch.setattr("cluster.conformance.suite.bench", bench)
    return failure_of(own.subject, Row("made.up", "water runs uphill", (), body), 6.0)


def test_a_declaration_counts_where_its_condition_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    row = rows()[0].name
    said = Declared("nothing is counted there", where=NO_CONTROL_GROUPS)
    monkeypatch.setattr("cluster.conformance.served.NOT_SERVED", {"native": {row: said}})
    assert declared("native", row, frozenset()) is None
    assert declared("native", row, frozenset({NO_CONTROL_GROUPS})) == said
    assert declared("kind", row, frozenset({NO_CONTROL_GROUPS})) is None


def test_the_page_is_the_table() -> None:
    said = (ROOT / "docs" / "reference" / "conformance.md").read_text(encoding="utf-8")
    assert said == page(), "python -m cluster.conformance.page"
