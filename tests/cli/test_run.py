"""`run` as a process: verdicts, exit codes, bundles; interrupted and killed at any moment."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import COMMAND, RUN_SECONDS, Shell, environment

NETWORK = "version: 1\nname: mine\nscale: 1/16\nworkers: [{name: worker-1}, {name: worker-2}]\n"
PASSING = "- stake: {worker: all}\n- expect: {worker: all, stake: 500 KOMP}\n"
FAILING = "- stake: {worker: all}\n- expect: {worker: all, stake: 1 KOMP}\n- advance: {blocks: 1}\n"
FEW_FEEDS = ("--set", "oracles.mocked=[aws, gcp, azure]")  # their code is most of a run's blocks
LONG = "- stake: {worker: all}\n- advance: {cycles: 5000}\n"
RESULT = {"verdict", "cluster", "steps", "last_block", "bundle", "report", "seconds"}


def scenario(shell: Shell, steps: str, name: str = "mine") -> Path:
    (shell.folder / "network.yaml").write_text(NETWORK)
    path = shell.folder / f"{name}.yaml"
    path.write_text(f"version: 1\nname: {name}\nnetwork: network.yaml\nseed: 3\nsteps:\n{steps}")
    return path


def run(shell: Shell, *paths: Path, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    return ("run", *map(str, paths), "--cluster", "sim", *more)


def test_a_passing_run(devnet: Shell) -> None:
    ended = devnet(*run(devnet, scenario(devnet, PASSING), more=("--json",)))
    assert ended.code == 0, ended.err
    result = ended.json()
    assert set(result) >= RESULT
    assert (result["verdict"], result["cluster"]) == ("passed", "sim")
    assert [(step["verb"], step["ok"]) for step in result["steps"]] == [
        ("stake", True),
        ("expect", True),
    ]
    assert Path(result["report"]).is_file()
    assert zipfile.is_zipfile(result["bundle"])
    assert devnet("replay", "--json").json()["last_block"] == result["last_block"]
    report = devnet("report", "-o", "page.html")
    assert (report.code, report.out) == (0, "page.html\n")
    assert "<html" in (devnet.folder / "page.html").read_text()
    assert "clean" in devnet("gc").out


def test_a_report_that_the_disk_does_not_take_leaves_verdict_and_bundle(devnet: Shell) -> None:
    path = scenario(devnet, PASSING)
    whole = Path(devnet(*run(devnet, path, more=("--json", *FEW_FEEDS))).json()["report"])
    others = max(file.stat().st_size for file in whole.parent.iterdir() if file != whole)
    between = (whole.stat().st_size + others) // 2
    assert others < between, "the report is no longer the largest file"
    limited = f'ulimit -f {between // 512}; exec {shlex.join(COMMAND)} "$@"'  # blocks of 512 bytes
    ended = subprocess.run(
        ["sh", "-c", limited, "sh", *run(devnet, path, more=("--json", *FEW_FEEDS))],
        cwd=devnet.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert (result["verdict"], result["report"]) == ("passed", None)
    (missing,) = result["not_written"]
    assert missing.startswith("report: File too large (")
    assert f"not written: {missing}" in ended.stderr
    assert devnet("replay", result["bundle"], "--json").json()["last_block"] == result["last_block"]


def test_an_up_that_is_refused_leaves_the_runs_of_its_name(devnet: Shell) -> None:
    result = devnet(*run(devnet, scenario(devnet, PASSING), more=("--json",))).json()
    refused = devnet("up", "network.yaml", "--name", "run", "--set", "cycle.blocks=1")
    assert refused.code == 2
    assert Path(result["report"]).is_file()
    assert zipfile.is_zipfile(result["bundle"])


def test_a_failing_run_is_exit_1_and_names_the_step(devnet: Shell) -> None:
    ended = devnet(*run(devnet, scenario(devnet, FAILING)))
    assert ended.code == 1
    assert ended.out.startswith("failed: mine on sim, 1 of 2 steps held")
    assert "FAIL  expect" in ended.err
    assert "worker-1: stake: expected 1 KOMP, saw 500 KOMP" in ended.err
    assert "in line 7: expect" in ended.err
    assert "error" not in ended.err


def test_the_seed_changes_the_chain_and_nothing_else_does(devnet: Shell) -> None:
    path = scenario(devnet, PASSING)
    hashes = [
        devnet(*run(devnet, path, more=("--json", *more))).json()["last_block"]["hash"]
        for more in ((), (), ("--seed", "4"), ("--set", "cycle.blocks=140"))
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_a_folder_runs_all_of_it_and_junit_tells_each_step(devnet: Shell) -> None:
    folder = devnet.folder / "scenarios"
    folder.mkdir()
    (folder / "network.yml.txt").write_text("not a scenario")
    for name, steps in (("one", PASSING), ("two", FAILING)):
        path = scenario(devnet, steps, name)
        (folder / path.name).write_text(path.read_text().replace("network.yaml", "../network.yaml"))
    ended = devnet(*run(devnet, folder, more=("--json", "--junit", "junit.xml")))
    assert ended.code == 1
    result = ended.json()
    assert result["verdict"] == "failed"
    assert [each["verdict"] for each in result["runs"]] == ["passed", "failed"]
    suites = ElementTree.parse(devnet.folder / "junit.xml").getroot()  # noqa: S314  our own
    assert [suite.get("failures") for suite in suites.iter("testsuite")] == ["0", "1"]


ATTACK = (
    "attack:\n  line: early-exit\n  attempt: A stranger withdraws.\n  stopped_by: [S5]\n"
    "  lost: {worker-1: 0 KOMP}\n"
)
STRANGER = (
    "- stake: {worker: all}\n- send: {from: alice, to: Staking, function: withdraw, "
    "args: {node: worker-1}, expect_error: NotOwner}\n"
)


def test_a_folder_of_attacks_gets_a_line_each_and_exit_1_where_one_is_not_defeated(
    devnet: Shell,
) -> None:
    folder = devnet.folder / "attacks"
    (folder / "inner").mkdir(parents=True)
    texts = {
        "inner/defeated": ATTACK,
        "wrong-loss": ATTACK.replace("0 KOMP", "1 KOMP"),
    }
    for place, attack in texts.items():
        path = scenario(devnet, STRANGER, place.rpartition("/")[2])
        text = path.read_text().replace("network.yaml", f"{devnet.folder}/network.yaml") + attack
        (folder / f"{place}.yaml").write_text(text)
        path.unlink()
    ended = devnet(*run(devnet, folder))
    assert ended.code == 1
    assert ended.out.splitlines()[-4:] == [
        "defeated      early-exit: A stranger withdraws; stopped by S5; lost: worker-1 0 KOMP",
        "not defeated  early-exit: A stranger withdraws; stopped by S5; lost: worker-1 0 KOMP",
        "              worker-1: lost: expected 1 KOMP, saw 0 KOMP",
        next(line for line in ended.out.splitlines() if "scenarios passed" in line),
    ]
    assert ended.out.endswith(" s, 1 of 2 attacks defeated\n")
    result = devnet(*run(devnet, folder, more=("--json",))).json()
    assert [attack["verdict"] for attack in result["attacks"]] == ["defeated", "not defeated"]
    assert [each["verdict"] for each in result["runs"]] == ["passed", "failed"]
    page = Path(result["runs"][1]["report"]).read_text()
    assert "Attack not defeated:" in page
    assert "worker-1: lost: expected 1 KOMP, saw 0 KOMP" in page


def test_one_attack_ends_with_its_line(devnet: Shell) -> None:
    path = scenario(devnet, STRANGER)
    path.write_text(path.read_text() + ATTACK)
    ended = devnet(*run(devnet, path))
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[-1] == (
        "defeated      early-exit: A stranger withdraws; stopped by S5; lost: worker-1 0 KOMP"
    )


def test_a_folder_is_run_again_without_what_its_first_run_left(devnet: Shell) -> None:
    scenario(devnet, PASSING)
    for _ in range(2):
        ended = devnet("run", ".", "--cluster", "sim", "--json")
        assert ended.code == 0, ended.err
        assert ended.json()["verdict"] == "passed"


def test_two_runs_side_by_side(devnet: Shell) -> None:
    path = scenario(devnet, LONG)
    first = devnet.start(*run(devnet, path))
    devnet.said("ok    stake")
    ended = devnet(*run(devnet, scenario(devnet, PASSING, "other"), more=("--json",)))
    assert ended.code == 0, ended.err
    assert "/.devnet/run-2/runs/" in ended.json()["bundle"]
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_130_and_leaves_a_bundle(
    devnet: Shell, number: signal.Signals
) -> None:
    process = devnet.start(*run(devnet, scenario(devnet, LONG)))
    devnet.said("ok    stake")
    process.send_signal(number)
    assert process.wait(60) == 130
    assert (devnet.folder / "out").read_text() == ""
    *_, cut, interrupted = (devnet.folder / "err").read_text().splitlines()
    assert interrupted == "error: interrupted"
    bundle = cut.removeprefix("cut short; what happened is in ")
    assert devnet("replay", bundle).code == 0
    assert devnet.marked() == []
    assert "clean" in devnet("gc").out


def test_a_killed_run_is_cleared_by_gc_and_its_bundle_can_be_read(devnet: Shell) -> None:
    process = devnet.start(*run(devnet, scenario(devnet, LONG)))
    devnet.said("ok    stake")
    process.kill()
    process.wait(10)
    collected = devnet("gc", "--json")
    assert collected.code == 0, collected.err
    (cleared,) = collected.json()["devnets"]
    (bundle,) = cleared["bundles"]
    devnet.wait_until_nothing_is_left()
    assert devnet("replay", bundle).code == 0
    assert devnet("report", bundle).code == 0
    assert list(devnet.folder.rglob("*.partial")) == []


def test_the_next_run_clears_up_after_a_killed_one(devnet: Shell) -> None:
    process = devnet.start(*run(devnet, scenario(devnet, LONG)))
    devnet.said("cluster sim")
    process.kill()
    process.wait(10)
    ended = devnet(*run(devnet, scenario(devnet, PASSING), more=("--json",)))
    assert ended.code == 0, ended.err
    assert "/.devnet/run/runs/" in ended.json()["bundle"]
    devnet.wait_until_nothing_is_left()


def test_a_kept_run_stays_until_ctrl_c(devnet: Shell) -> None:
    process = devnet.start(*run(devnet, scenario(devnet, PASSING), more=("--keep",)))
    devnet.said("kept as it is until Ctrl-C")
    assert len(devnet.marked()) >= 1
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert "passed: mine on sim" in (devnet.folder / "out").read_text()


def test_one_flipped_byte_is_exit_5(devnet: Shell) -> None:
    ended = devnet(*run(devnet, scenario(devnet, PASSING), more=("--json",)))
    bundle = Path(ended.json()["bundle"])
    altered = devnet.folder / "altered.kompute.zip"
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(altered, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "blocks.jsonl":
                data = data.replace(b'"raw":"0x', b'"raw":"0y', 1)
            target.writestr(name, data)
    replayed = devnet("replay", altered)
    assert (replayed.code, replayed.out) == (5, "")
    assert "blocks.jsonl was altered after the run" in replayed.err
