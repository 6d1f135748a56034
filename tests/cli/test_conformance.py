"""`conformance` as a process: its table, its object, its refusals, its interruption."""

from __future__ import annotations

import signal

import pytest

from tests.cli.conftest import Shell, python

ROWS = ("env.value", "volumes.hostPath")
FALSE_ROW = """
import os, sys
os.chdir(sys.argv[1])
from cluster.conformance.claims import equal
from cluster.conformance.row import row

@row("made.up")
def water_runs_uphill(bench):
    equal(bench.ran("echo down"), "up")

from devnet.cli.ape import cli
cli(["conformance", "made.*", "--cluster", "native"])
"""

DYING = """
import os, sys
os.chdir(sys.argv[1])
from cluster.conformance.claims import NotHeld
from cluster.conformance.row import row
from cluster.native.supervisor import Backoff

@row("made.killing")
def etcd_is_killed(bench):
    supervisor = bench.subject.cluster._provider._supervisor
    supervisor._backoff = Backoff({pauses})
    supervisor.process("etcd")._popen.kill()
    raise NotHeld("etcd is killed")

@row("made.later")
def the_next_one_finds_it_back(bench):
    bench.ran("true")

from devnet.cli.ape import cli
cli(["conformance", "made.*", "--cluster", "native", "--json"])
"""


def test_rows_are_told_in_80_columns_with_a_verdict(devnet: Shell) -> None:
    ended = devnet("conformance", *ROWS, "--cluster", "native", COLUMNS="80")
    assert ended.code == 0, ended.out + ended.err
    first, second, reason, verdict = ended.out.splitlines()
    assert first.startswith("holds ") and first.endswith(" s  env.value: a plain value")
    assert second.startswith("declared ") and second.endswith(
        "volumes.hostPath: a path of the host"
    )
    assert reason.strip() == "the host's files are not the node's"
    assert verdict.startswith("passed: of 2 rows on native, 1 hold, 1 declared, 0 failed, ")
    assert max(map(len, (ended.out + ended.err).splitlines())) <= 80
    devnet.wait_until_nothing_is_left()


def test_rows_as_one_object(devnet: Shell) -> None:
    ended = devnet("conformance", "env.v*", "--cluster", "native", "--json")
    assert ended.code == 0, ended.err
    document = ended.json()
    (row,) = document.pop("rows")
    assert document == {
        "ok": True,
        "cluster": "native",
        "asked": 1,
        "counts": {"holds": 1, "declared": 0, "fails": 0},
    }
    assert row.pop("seconds") > 0
    assert row == {"name": "env.value", "says": "a plain value", "state": "holds", "text": ""}
    assert "env.value: a plain value" in ended.err


def test_a_row_that_fails_is_exit_1_and_says_what_was_seen(devnet: Shell) -> None:
    ended = python(FALSE_ROW, str(devnet.folder), COLUMNS="80")
    assert ended.code == 1, ended.err
    first, seen, verdict = ended.out.splitlines()
    assert first.startswith("fails ") and first.endswith("made.up: water runs uphill")
    assert seen.strip() == "wanted 'up', seen 'down\\n'"
    assert verdict.startswith("failed: of 1 row on native, 0 hold, 0 declared, 1 failed, ")
    logs = devnet.folder / ".devnet" / "conformance" / "state" / "logs"
    assert "what its parts said is in" in ended.err
    assert (logs / "worker-1.log").is_file()
    devnet.wait_until_nothing_is_left()


def test_a_part_that_dies_and_is_back_costs_its_row_alone(devnet: Shell) -> None:
    ended = python(DYING.format(pauses="(0.0,)"), str(devnet.folder))
    assert ended.code == 1, ended.err
    killing, after = ended.json()["rows"]
    assert (killing["state"], after["state"]) == ("fails", "holds"), ended.err
    assert killing["text"].endswith("; meanwhile etcd was killed by SIGKILL")
    devnet.wait_until_nothing_is_left()


def test_what_was_shown_before_a_part_was_given_up_is_told(devnet: Shell) -> None:
    ended = python(DYING.format(pauses="()"), str(devnet.folder))
    assert ended.code == 4, ended.err
    document = ended.json()
    (killing,) = document["rows"]
    assert (document["ok"], document["exit_code"], document["asked"]) == (False, 4, 2)
    assert document["error"] == "after made.killing: etcd was killed by SIGKILL"
    assert killing["text"].endswith("; meanwhile etcd was killed by SIGKILL")
    assert "error: after made.killing: etcd was killed by SIGKILL\n" in ended.err
    assert f"what its parts said is in {devnet.folder}/.devnet/conformance/state/logs" in ended.err
    devnet.wait_until_nothing_is_left()


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (
            ("env.valu", "env.value", "logs.tai", "nothing.*"),
            "no row of the conformance table is 'env.valu' or 'logs.tai' or 'nothing.*'",
            "did you mean 'env.value' or 'logs.tail'?",
        ),
        (("env.valu",), "no row of the conformance table is 'env.valu'", "'env.value'"),
        (("nothing.*",), "no row of the conformance table is 'nothing.*'", "conformance.md"),
        (("--cluster", "sim"), "sim has no Kubernetes API", "--cluster native"),
        (("--cluster", "nativ"), "no cluster named 'nativ'", "did you mean 'native'?"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    devnet: Shell, words: tuple[str, ...], error: str, hint: str
) -> None:
    cluster = () if "--cluster" in words else ("--cluster", "native")
    ended = devnet("conformance", *words, *cluster)
    assert (ended.code, ended.out) == (2, "")
    assert error in ended.err
    assert hint in ended.err
    assert not (devnet.folder / ".devnet").exists()


def test_an_interruption_leaves_nothing(devnet: Shell) -> None:
    running = devnet.start("conformance", "signals.*", "--cluster", "native", "--json")
    devnet.said("signals.term")
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    devnet.wait_until_nothing_is_left()
