"""Tests in a process of their own: which fails first, in which order, and when time is over."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.mutation.killing import (
    SHORTEST_SECONDS,
    Fate,
    Outcome,
    limit_of,
    remembered,
)
from analysis.mutation.mutants import Mutant
from analysis.mutation.playing import Order, play
from devnet.protocol.artifacts import Artifacts

NOTHING = Artifacts({})
TESTS = """
import time
import pytest

def test_first():
    pass

@pytest.mark.parametrize("what", ["a", "b - c"])
def test_second(what):
    assert what == "a"

def test_third():
    assert False

def test_slow():
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own; each test of it may take a second."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -ra -p pytest_timeout\ntimeout = 1\ntimeout_method = thread\n"
    )
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_own.py").write_text("def test_passes():\n    pass\n")
    (tmp_path / "test_all.py").write_text(TESTS)
    return tmp_path


def test_the_first_failed_test_by_its_whole_id(folder: Path) -> None:
    played = play(NOTHING, ["own", "test_all.py"], folder, 30)

    assert (played.by, played.late) == ("test_all.py::test_second[b - c]", False)


def test_all_pass(folder: Path) -> None:
    played = play(NOTHING, ["own"], folder, 30, ["test_all.py::test_first"])

    assert (played.by, played.late) == (None, False)


def test_those_named_first_come_first_even_from_elsewhere(folder: Path) -> None:
    played = play(NOTHING, ["own"], folder, 30, ["test_all.py::gone", "test_all.py::test_third"])

    assert (played.by, played.late) == ("test_all.py::test_third", False)


def test_time_that_is_over_is_no_failed_test(folder: Path) -> None:
    """Nor does the limit of a single test end it, here of one second."""
    played = play(NOTHING, ["own"], folder, 3, ["test_all.py::test_slow"])

    assert (played.by, played.late) == (None, True)
    assert played.seconds >= 3


def test_pytest_that_cannot_say_what_failed_is_an_error(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="pytest ended with 4 and no failed test"):
        play(NOTHING, ["nowhere"], folder, 30)


def test_the_order_is_those_first_then_as_collected_and_nothing_of_other_modules() -> None:
    order = Order(["t/own", "t/test_b.py"], ["t/else/test_c.py::z", "t/own/test_a.py::y"])
    items = [
        SimpleNamespace(nodeid=name)
        for name in (
            "t/own/test_a.py::x",
            "t/own/test_a.py::y",
            "t/test_b.py::w",
            "t/else/test_c.py::v",
            "t/else/test_c.py::z",
        )
    ]
    order.pytest_collection_modifyitems(items)

    assert order.paths == ["t/own", "t/test_b.py", "t/else/test_c.py"]
    assert [item.nodeid for item in items] == [
        "t/else/test_c.py::z",
        "t/own/test_a.py::y",
        "t/own/test_a.py::x",
        "t/test_b.py::w",
    ]


def test_the_last_tests_that_noticed_something_are_remembered_once() -> None:
    mutant = Mutant("A.sol", "A", "A.f", "a -> b", 1, 0, 0, "")
    killers: tuple[str, ...] = ()
    for name in "abcdefgc":
        killers = remembered(killers, Outcome(mutant, Fate.KILLED, 1.0, name))

    assert killers == ("c", "g", "f", "e", "d", "b")
    assert remembered(killers, Outcome(mutant, Fate.SURVIVED)) == killers


def test_a_mutant_has_three_times_what_the_tests_took_for_each_that_runs_beside() -> None:
    assert limit_of(100.0, 2) == 600.0
    assert limit_of(1.0, 2) == SHORTEST_SECONDS
