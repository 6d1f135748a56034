"""`--unsandboxed`: asked for where it is needed, said everywhere, refused where it is of no use."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COMMAND, Ended, Shell, environment

NATIVE = ("--cluster", "native", "--block-time", "0.2")
# A machine that allows neither sandboxes nor namespaces: nothing may be mounted, none be made.
JAIL = (
    *("unshare", "--user", "--map-root-user", "sh", "-c"),
    "echo 0 > /proc/sys/user/max_user_namespaces && "
    'exec setpriv --bounding-set=-all --inh-caps=-all -- "$@"',
    "jail",
)


def jailed(folder: Path, *words: str) -> Ended:
    done = subprocess.run(
        [*JAIL, *COMMAND, *words],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def native(devnet: Shell) -> Iterator[Shell]:
    yield devnet
    devnet("down")


def manifest(bundle: str) -> dict[str, Any]:
    with zipfile.ZipFile(bundle) as archive:
        document: dict[str, Any] = json.loads(archive.read("manifest.json"))
        return document


@pytest.mark.parametrize("asked", ["flag", "set", "variable"])
@pytest.mark.parametrize("verb", ["up", "run"])
def test_sim_refuses_it(devnet: Shell, verb: str, asked: str) -> None:
    words = [verb, "tiny" if verb == "up" else "full-loop", "--cluster", "sim"]
    words += {"flag": ["--unsandboxed"], "set": ["--set", "unsandboxed=true"]}.get(asked, [])
    if asked == "variable":
        ended = devnet(*words, KOMPUTE_SET_UNSANDBOXED="true")
    else:
        ended = devnet(*words)
    assert ended.code == 2, ended.err
    assert "sim cannot be unsandboxed: it has no sandbox that could be left out" in ended.err
    assert "play it with --cluster native, or leave it out" in ended.err


def test_it_is_said_once(devnet: Shell) -> None:
    ended = devnet("up", "tiny", "--unsandboxed", "--set", "unsandboxed=false")
    assert ended.code == 2
    assert "--unsandboxed and --set unsandboxed" in ended.err
    wrong = devnet("up", "tiny", "--set", "unsandboxed=perhaps")
    assert wrong.code == 2
    assert "unsandboxed" in wrong.err
    assert not (devnet.folder / ".devnet" / "default" / "runs").exists()


@pytest.mark.timeout(240)
def test_an_unsandboxed_devnet_says_so_to_its_end(native: Shell) -> None:
    started = native("up", "tiny", *NATIVE, "--unsandboxed", "--json")
    assert started.code == 0, started.err
    assert "raising it with 1 workers, unsandboxed" in started.err
    status = started.json()
    assert status["unsandboxed"] is True
    assert any(line.startswith("UNSANDBOXED, as asked: ") for line in status["narrowed"])
    shown = native("status").out
    assert "native (unsandboxed: its pods are plain processes of yours)" in shown
    assert "UNSANDBOXED, as asked: " in shown
    assert native("stake", "all").code == 0

    down = native("down", "--json").json()
    told = manifest(down["bundle"])
    assert (told["cluster"], told["unsandboxed"]) == ("native", True)
    with zipfile.ZipFile(down["bundle"]) as archive:
        assert "unsandboxed: true" in archive.read("network.yaml").decode()
    report = (Path(status["run"]) / "report.html").read_text()
    assert "native, unsandboxed: pods were plain processes" in report
    replayed = native("replay", down["bundle"], "--json")
    assert replayed.json()["verdict"] == "equal"
    assert "its workloads ran unsandboxed" in replayed.err
    native.wait_until_nothing_is_left()


@pytest.mark.timeout(240)
def test_where_no_sandbox_can_be_made_it_is_asked_for_and_works(native: Shell) -> None:
    refused = jailed(native.folder, "up", "tiny", *NATIVE)
    assert refused.code not in (0, 1)
    assert "no sandbox for pods can be made here" in refused.err
    assert "--unsandboxed (of up, run and load) has pods be plain processes" in refused.err

    said = jailed(native.folder, "doctor", "--json").json()["native"]
    assert "no sandbox for pods can be made here" in said["refused"][0]
    assert said["unsandboxed"][0] == "--unsandboxed would do:"
    assert any(line.startswith("UNSANDBOXED, as asked: ") for line in said["unsandboxed"])

    started = jailed(native.folder, "up", "tiny", *NATIVE, "--unsandboxed", "--json")
    assert started.code == 0, started.err
    status = started.json()
    assert status["narrowed"] == [
        line for line in said["unsandboxed"] if line in status["narrowed"]
    ]
    assert native("stake", "all").code == 0
    down = native("down", "--json")
    assert manifest(down.json()["bundle"])["unsandboxed"] is True
