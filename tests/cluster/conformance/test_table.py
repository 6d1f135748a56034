"""Rows, what is declared of them, what was once tried, and the page of it agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.conformance.page import page
from cluster.conformance.row import Row, register, registered
from cluster.conformance.rows import rows
from cluster.conformance.served import NO_CONTROL_GROUPS, NOT_SERVED, Declared, declared
from cluster.conformance.suite import Failure, State, judged
from cluster.conformance.tried import ELSEWHERE, TRIED
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
        (Declared("no such part"), Failure("anything"), State.DECLARED, "no such part"),
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
