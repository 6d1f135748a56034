"""The end of a run, also where the disk does not take all of it: a file-size limit is the disk."""

from __future__ import annotations

import contextlib
import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.base import DevnetFolder, MachineLacks
from devnet.record.bundle import open_bundle
from devnet.runs.life import CUT_SHORT, PASSED, Facts, Life, Remains

BLOCK = {"number": 7, "hash": "0x" + "7" * 64}
LINE = {**BLOCK, "timestamp": 84, "run": 7, "transactions": []}


@pytest.fixture
def folder(tmp_path: Path) -> DevnetFolder:
    return DevnetFolder.open(start=tmp_path)


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What is longer cannot be written in this process: OSError, as of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def live(life: Life) -> None:
    """A run of one block that passes, with a part's log."""
    life.record.line("blocks.jsonl", LINE)
    log = life.state / "etcd" / "etcd.log"
    log.parent.mkdir(parents=True)
    log.write_text("served\n")
    life.facts.verdict, life.facts.last_block = PASSED, BLOCK


def begin(folder: DevnetFolder, told: list[Remains]) -> Life:
    return Life.begin(folder, "of a test", Facts("of a test", "native", 3), told.append)


def test_what_is_told_inside_stands_in_bundle_and_report(folder: DevnetFolder) -> None:
    told: list[Remains] = []
    with begin(folder, told) as life:
        live(life)

    assert told == [life.remains]
    assert life.remains.not_written == ()
    with open_bundle(life.remains.bundle) as bundle:
        assert set(bundle.manifest["made"]) == {"version", "commit", "anvil", "python", "date"}
        assert dict(bundle.manifest) | {"files": {}, "made": {}} == {
            "version": 1,
            "scenario": "of a test",
            "cluster": "native",
            "seed": 3,
            "verdict": "passed",
            "last_block": BLOCK,
            "made": {},
            "files": {},
        }
        assert bundle.text("logs/etcd-etcd.log") == "served\n"
    assert life.remains.report == life.path / "report.html"
    page = life.remains.report.read_text()
    assert "<dt>cluster</dt><dd>native</dd>" in page
    assert not life.state.exists()


def test_many_logs_of_a_kind_become_one_and_none_is_lost(folder: DevnetFolder) -> None:
    with begin(folder, []) as life:
        live(life)
        pods = life.state / "nodes" / "worker-1" / "pods"
        pods.mkdir(parents=True)
        for number in range(900):
            (pods / f"kompute_invocation-{number}-x7pqz.log").write_text(f"served {number}")
        (pods / "kompute_web-7d9f.log").write_text("GET /\n")
        for worker in (1, 2, 3):
            (life.state / "etcd" / f"worker-{worker}.log").write_text("ready\n")
    with open_bundle(life.remains.bundle) as bundle:
        assert {name for name in bundle.manifest["files"] if name.startswith("logs/")} == {
            "logs/etcd-etcd.log",
            *(f"logs/etcd-worker-{worker}.log" for worker in (1, 2, 3)),
            "logs/nodes-worker-1-pods-kompute_invocation.log",
            "logs/nodes-worker-1-pods-kompute_web-7d9f.log",
        }
        merged = bundle.text("logs/nodes-worker-1-pods-kompute_invocation.log")
    for number in range(900):
        assert f"--- kompute_invocation-{number}-x7pqz ---\nserved {number}\n" in merged


def test_an_interrupted_run_is_sealed_as_cut_short(folder: DevnetFolder) -> None:
    told: list[Remains] = []
    with pytest.raises(KeyboardInterrupt), begin(folder, told) as life:
        life.record.line("blocks.jsonl", LINE)
        raise KeyboardInterrupt
    (remains,) = told
    with open_bundle(remains.bundle) as bundle:
        assert bundle.manifest["verdict"] == CUT_SHORT


def test_a_report_that_does_not_fit_takes_no_verdict_away(folder: DevnetFolder) -> None:
    told: list[Remains] = []
    with files_of_at_most(2_000), begin(folder, told) as life:
        live(life)

    assert life.remains.report is None
    assert life.remains.not_written == (f"report: File too large ({life.path})",)
    with open_bundle(life.remains.bundle) as bundle:
        assert (bundle.manifest["verdict"], bundle.manifest["last_block"]) == (PASSED, BLOCK)
    assert list(life.path.glob("*report*")) == []


def test_a_log_that_does_not_fit_is_named(folder: DevnetFolder) -> None:
    told: list[Remains] = []
    with begin(folder, told) as life:
        live(life)
        (life.state / "etcd" / "etcd.log").write_text("served\n" * 1_000)
        limit = files_of_at_most(2_000)
        limit.__enter__()
    limit.__exit__(None, None, None)

    logs, report = life.remains.not_written
    assert logs == f"logs: File too large ({life.path / 'logs'})"
    assert report.startswith("report: File too large")
    with open_bundle(life.remains.bundle) as bundle:
        assert bundle.manifest["verdict"] == PASSED


def test_where_no_bundle_fits_the_verdict_is_said_and_the_folder_keeps_it(
    folder: DevnetFolder,
) -> None:
    told: list[Remains] = []
    said = "the verdict is 'passed', but the bundle of .* cannot be written: File too large"
    with (
        pytest.raises(MachineLacks, match=said),
        files_of_at_most(1_100),  # a manifest of 1000 bytes fits
        begin(folder, told) as life,
    ):
        live(life)
    assert told == []
    assert json.loads((life.path / "manifest.json").read_text())["verdict"] == PASSED
    with open_bundle(life.path) as bundle:
        assert bundle.manifest["last_block"] == BLOCK
    assert list(folder.runs.glob("*.zip")) == []


def test_an_error_of_the_run_is_not_hidden_by_a_disk_that_is_full_too(
    folder: DevnetFolder,
) -> None:
    with (
        pytest.raises(OSError, match="File too large") as caught,
        files_of_at_most(300),
        begin(folder, []) as life,
    ):
        for _ in range(4):
            life.record.line("blocks.jsonl", LINE)
    assert not isinstance(caught.value, MachineLacks)
    assert (life.path / "blocks.jsonl").read_text() == (
        json.dumps(LINE, separators=(",", ":")) + "\n"
    ) * 2


def test_what_was_no_run_yet_leaves_nothing(folder: DevnetFolder) -> None:
    with begin(folder, []) as life:
        live(life)
        life.kept = False
    assert list(folder.runs.iterdir()) == []
    assert not life.state.exists()
