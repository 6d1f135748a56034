"""Devnets whose chain drops its old blocks, or keeps them, as a whole."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from devnet.actors.operations import Send
from devnet.base import DevnetFolder, Toolchain
from devnet.chain import Refusal, Rpc, RpcError, pruning, transaction_hash
from devnet.chain.errors import DropFailed
from devnet.chain.pruning import Pruning
from devnet.record.replay import replay
from devnet.runs.life import BROKEN, ENDED, Facts, Life
from devnet.runs.load import LoadWorld
from devnet.runs.world import World
from devnet.spec import load_network

ROOT = Path(__file__).parents[2]
KEPT, EVERY = 260, 40


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "KEPT_BLOCKS", KEPT)
    monkeypatch.setattr(pruning, "DROP_EVERY", EVERY)


@pytest.fixture
def life(tmp_path: Path) -> Life:
    folder = DevnetFolder.open("drops", tmp_path)
    return Life.begin(folder, "up", Facts("up", "sim", 1, BROKEN), lambda remains: None)


@contextmanager
def raised(
    life: Life,
    toolchain: Toolchain,
    kind: type[World] = World,
    settings: Mapping[str, str] | None = None,
    **more: Any,
) -> Iterator[World]:
    spec = load_network(ROOT / "e2e" / "networks" / "tiny.yaml", settings)
    with (
        life,
        kind(
            spec,
            cluster="sim",
            run=life.record,
            state=life.state,
            devnet_id="drops",
            toolchain=toolchain,
            seed=1,
            say=lambda text: None,
            **more,
        ) as world,
    ):
        yield world
        life.facts.verdict = ENDED


def told(life: Life) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((life.path / "manifest.json").read_text())
    return manifest


def test_a_devnet_drops_blocks_while_others_ask_and_its_bundle_replays(
    life: Life, toolchain: Toolchain
) -> None:
    """Nobody sees the node in between: the head never goes back, no block is missing."""
    over, heads, missed = threading.Event(), [], []

    def look(url: str) -> None:
        with Rpc(url) as rpc:
            while not over.is_set():
                heads.append(int(rpc.call("eth_blockNumber"), 16))
                if rpc.call("eth_getBlockByNumber", hex(heads[-1]), False) is None:
                    missed.append(heads[-1])

    with raised(life, toolchain) as world, Rpc(world.rpc_url) as rpc:
        looker = threading.Thread(target=look, args=[world.rpc_url])
        looker.start()
        try:
            for _ in range(15):
                world.scheduler.advance(100)
        finally:
            over.set()
            looker.join(30)
        assert world.chain.first > 1_000
        with pytest.raises(RpcError, match=f"blocks before {world.chain.first} are not kept"):
            rpc.call("eth_getBlockByNumber", "0x2", False)
        assert world.chain.foreign == []
        assert world.checks.after_step() == []
        head = world.chain.head
    assert heads == sorted(heads)
    assert len(set(heads)) > 10
    assert missed == []
    again = replay(life.remains.bundle, toolchain, say=lambda text: None)
    assert (again.last_block.number, again.last_block.hash) == (head.number, head.hash)


@pytest.mark.parametrize(
    ("kind", "settings", "more"),
    [
        (World, {"chain.open_rpc": "true"}, {}),
        (World, {"chain.prune_history": "false"}, {}),
        (LoadWorld, {}, {"users": ()}),
    ],
    ids=["open", "whole history", "load"],
)
def test_who_may_need_old_blocks_keeps_them(
    life: Life,
    toolchain: Toolchain,
    kind: type[World],
    settings: dict[str, str],
    more: dict[str, Any],
) -> None:
    """Whoever goes back to a snapshot of his own, and users that are at the node itself."""
    with raised(life, toolchain, kind, settings, **more) as world, Rpc(world.rpc_url) as rpc:
        world.scheduler.advance(KEPT + 3 * EVERY)
        assert world.chain.first == 0
        assert rpc.call("eth_getBlockByNumber", "0x2", False)["number"] == "0x2"
        head = world.chain.head.number
        for number in (head - 15, head):  # and some states, for those whom a block overtakes
            assert world.chain.rpc.call("eth_getCode", "0x" + "00" * 20, hex(number)) == "0x"


def test_an_actor_s_transaction_that_the_node_takes_not_again_is_sent_again(
    life: Life, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = []

    def offering_nothing(waiting: Sequence[bytes]) -> list[Refusal]:
        refused.extend(waiting)
        return [
            Refusal(place, transaction_hash(raw), "somebody was faster")
            for place, raw in enumerate(waiting)
        ]

    with raised(life, toolchain) as world:
        assert world.chain._pruning is not None
        monkeypatch.setattr(world.chain._pruning._pool, "offer", offering_nothing)
        world.scheduler.advance(KEPT + EVERY - world.chain.head.number)
        assert world.chain.first == 0
        treasury = world.directory.accounts["treasury"].address
        world.scheduler.send(Send("treasury", "Kompute", "approve", (treasury, 5), 77))
        world.scheduler.drain()
        assert world.chain.first > 0
        assert len(refused) == 1
        state = world.scheduler.wishes[77]
        assert (state.outcome, state.error) == ("ok", "")
        (foreign,) = world.chain.foreign
        assert f"{transaction_hash(refused[0])} (somebody was faster)" in foreign.seen
    assert told(life)["verdict"] == ENDED
    assert [item["seen"] for item in told(life)["foreign"]] == [foreign.seen]
    replay(life.remains.bundle, toolchain, say=lambda text: None)


def test_a_drop_that_fails_ends_it_as_broken_by_that_name(
    life: Life, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(self: Pruning, first: int, waiting: Sequence[bytes]) -> list[Refusal]:
        self._rpc.call("anvil_reset")
        raise RpcError("anvil_loadState", -32603, "no")

    monkeypatch.setattr(Pruning, "_renew", half)
    with (
        pytest.raises(DropFailed, match="blocks before .* could not be dropped: RpcError: anvil"),
        raised(life, toolchain) as world,
    ):
        world.scheduler.advance(KEPT + 2 * EVERY)
    assert told(life)["verdict"] == BROKEN
    assert "foreign" not in told(life)
    replay(life.remains.bundle, toolchain, say=lambda text: None)
