"""Whoever dies is named, in the error that leaves the devnet and in the verdict of its bundle."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.ended import Ended, Outlook
from devnet.base import CheckFailed, DevnetFolder, Toolchain, UsageError
from devnet.runs.life import Facts, Life
from devnet.runs.parts import PartDied, blamed, require
from devnet.runs.world import World
from devnet.spec import load_network

ROOT = Path(__file__).parents[2]


def kill_anvil(world: World) -> None:
    pid = world._anvil.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def stop_price_servers(world: World) -> None:
    loop = world.sources.servers._loop
    assert loop is not None
    loop.stop()


def stop_gateway(world: World) -> None:
    world.gateway._thread.stop()


def stop_door(world: World) -> None:
    world._door._thread.stop()


DEATHS: dict[str, tuple[Callable[[World], None], str]] = {
    "anvil": (kill_anvil, "anvil was killed by SIGKILL"),
    "price servers": (stop_price_servers, "the price servers have lost their thread"),
    "door": (stop_door, "the chain's door has lost its thread"),
    "gateway": (stop_gateway, "the gateway has lost its thread"),
}


@pytest.mark.parametrize("kind", DEATHS)
def test_the_next_block_names_it_and_the_bundle_says_so(
    kind: str, tmp_path: Path, toolchain: Toolchain
) -> None:
    kill, sentence = DEATHS[kind]
    spec = load_network(ROOT / "e2e" / "networks" / "tiny.yaml")
    folder = DevnetFolder.open("parts", tmp_path)
    life = Life.begin(folder, "up", Facts("up", "sim", 1), lambda remains: None)
    with pytest.raises(PartDied) as caught, life:
        with World(
            spec,
            cluster="sim",
            run=life.record,
            state=life.state,
            devnet_id=folder.id,
            toolchain=toolchain,
            seed=1,
            say=lambda text: None,
        ) as world:
            assert world.ended() == ()
            kill(world)
            world.scheduler.advance(3)

    assert [str(part) for part in caught.value.ended] == [sentence]
    assert str(caught.value).startswith(f"{sentence}: the devnet cannot go on")
    manifest = json.loads((life.path / "manifest.json").read_text())
    assert (manifest["verdict"], manifest["ended"]) == ("broken", [sentence])


@pytest.mark.parametrize("error", [UsageError("no such worker"), CheckFailed("12 is not 13")])
def test_an_error_while_all_are_alive_stays_what_it_is(
    error: Exception, tmp_path: Path, toolchain: Toolchain
) -> None:
    spec = load_network(ROOT / "e2e" / "networks" / "tiny.yaml")
    folder = DevnetFolder.open("parts", tmp_path)
    life = Life.begin(folder, "up", Facts("up", "sim", 1), lambda remains: None)
    with pytest.raises(type(error)) as caught, life:
        with World(
            spec,
            cluster="sim",
            run=life.record,
            state=life.state,
            devnet_id=folder.id,
            toolchain=toolchain,
            seed=1,
            say=lambda text: None,
        ):
            raise error
    assert caught.value is error
    assert "ended" not in json.loads((life.path / "manifest.json").read_text())


LOG = Path("/nowhere/part.log")
RETURNS = Ended("etcd", "was killed by SIGKILL; it is started again", LOG, "", Outlook.RETURNS)
STOPPED = Ended("etcd", "is stopped by a signal", LOG, "", Outlook.STOPPED, 12)
MACHINE = Ended("kubelet of worker-1", "was killed by SIGKILL", LOG, "worker-1")
GONE = Ended("etcd", "was killed by SIGKILL", LOG)


@pytest.mark.parametrize("part", [RETURNS, STOPPED, MACHINE], ids=str)
def test_an_error_while_a_part_is_away_names_it_once(part: Ended) -> None:
    error = UsageError("no answer within 60 s")
    assert blamed(error, lambda: (part,)) is error
    assert error.__notes__ == [str(part)]
    require([part])  # the devnet goes on

    knowing = UsageError(f"{part}: no answer")
    assert blamed(knowing, lambda: (part,)) is knowing
    assert not hasattr(knowing, "__notes__")


def test_an_error_of_a_part_that_is_gone_is_its_end() -> None:
    error = UsageError("no answer within 60 s")
    died = blamed(error, lambda: (MACHINE, RETURNS, GONE))
    assert isinstance(died, PartDied)
    assert died.ended == (GONE,)
    assert died.__cause__ is error
    with pytest.raises(PartDied, match="etcd was killed by SIGKILL: the devnet cannot go on"):
        require([STOPPED, GONE])
