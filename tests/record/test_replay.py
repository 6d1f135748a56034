from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devnet.base.errors import ReplayDiverged
from devnet.base.toolchain import Toolchain
from devnet.chain import keccak
from devnet.record.bundle import BundleAltered, NotABundle
from devnet.record.replay import BlockDiverged, replay
from tests.record.recorded import COUNTER, GENESIS, Recording, change_line, genesis, repack


@pytest.fixture()
def bundle(recording: Recording) -> Path:
    """Payments, a contract, calls of it, empty blocks between them; line 3 has transactions."""
    recording.wait(9)
    recording.pay(0)
    recording.wait(70)
    created = recording.call(None, 1, COUNTER)
    counter = created.receipts[0].contract_address
    assert counter is not None
    recording.call(counter, 2)
    recording.call(counter, 3)
    recording.pay(1, senders=("account-1", "account-2"))
    recording.wait(1)
    return recording.seal()


def flip(raw: str, byte: int) -> str:
    data = bytearray.fromhex(raw[2:])
    data[byte] ^= 1
    return "0x" + data.hex()


class TestEqual:
    def test_every_block_comes_out_again(
        self, bundle: Path, recording: Recording, toolchain: Toolchain
    ) -> None:
        result = replay(bundle, toolchain)
        assert result.last_block == recording.chain.head
        assert (result.blocks, result.transactions) == (86, 8)
        assert result.to_json()["last_block"] == {
            "number": 86,
            "hash": recording.chain.head.hash,
        }

    def test_the_folder_replays_like_its_bundle(
        self, bundle: Path, recording: Recording, toolchain: Toolchain
    ) -> None:
        assert replay(recording.path, toolchain).last_block == recording.chain.head

    def test_a_run_without_a_manifest_and_with_half_a_line_replays_and_says_so(
        self, recording: Recording, toolchain: Toolchain
    ) -> None:
        recording.pay(0)
        head = recording.chain.head
        with (recording.path / "blocks.jsonl").open("a") as stream:
            stream.write('{"number":3,"times')
        said: list[str] = []
        assert replay(recording.path, toolchain, said.append).last_block == head
        assert any("no manifest" in line for line in said)
        assert "blocks.jsonl:3, the last line, was cut off and is left out" in said

    def test_a_run_cut_short_while_mining_replays_what_was_recorded(
        self, recording: Recording, toolchain: Toolchain
    ) -> None:
        recorded = recording.pay(0).block
        recording.chain.mine(())
        said: list[str] = []
        result = replay(recording.seal("cut short"), toolchain, said.append)
        assert result.last_block == recorded
        assert said == ["the run was cut short in block 3; the record ends at 2"]

    def test_a_year_of_empty_blocks_is_fast(
        self, recording: Recording, toolchain: Toolchain
    ) -> None:
        for _ in range(10):
            recording.wait(1000)
        bundle = recording.seal()
        started = time.monotonic()
        assert replay(bundle, toolchain).blocks == 10_001
        # 0.6 s on an idle core with --prune-history; the bound is for a busy one without.
        assert time.monotonic() - started < 60


class TestDiverged:
    @pytest.mark.parametrize("byte", [1, 5, 40, -1])
    def test_one_byte_of_one_transaction(
        self, bundle: Path, toolchain: Toolchain, byte: int
    ) -> None:
        seen: dict[str, str] = {}

        def change(record: dict[str, Any]) -> None:
            item = record["transactions"][1]
            item["raw"] = flip(item["raw"], byte)
            seen["recorded"] = item["hash"]
            seen["recomputed"] = "0x" + keccak(bytes.fromhex(item["raw"][2:])).hex()

        altered = repack(bundle, lambda files: change_line(files, 3, change))
        with pytest.raises(BlockDiverged) as raised:
            replay(altered, toolchain)
        error = raised.value
        assert error.exit_code == 5
        assert (error.block, error.transaction) == (11, 1)
        assert (error.recorded, error.recomputed) == (seen["recorded"], seen["recomputed"])
        for part in ("block 11", "transaction 1", seen["recorded"], seen["recomputed"]):
            assert part in str(error)

    @pytest.mark.parametrize("byte", [1, 5, 40, -1])
    def test_one_byte_with_its_hash_made_to_fit(
        self, bundle: Path, toolchain: Toolchain, byte: int
    ) -> None:
        def change(record: dict[str, Any]) -> None:
            item = record["transactions"][1]
            item["raw"] = flip(item["raw"], byte)
            item["hash"] = "0x" + keccak(bytes.fromhex(item["raw"][2:])).hex()

        altered = repack(bundle, lambda files: change_line(files, 3, change))
        with pytest.raises(BlockDiverged, match="block 11, transaction 1") as raised:
            replay(altered, toolchain)
        assert raised.value.recomputed.startswith("refused: ")

    def test_a_manifest_that_was_not_rehashed_names_the_file(
        self, bundle: Path, toolchain: Toolchain
    ) -> None:
        def change(record: dict[str, Any]) -> None:
            record["timestamp"] += 1

        altered = repack(bundle, lambda files: change_line(files, 3, change), rehash=False)
        with pytest.raises(BundleAltered, match="blocks.jsonl was altered") as raised:
            replay(altered, toolchain)
        assert raised.value.exit_code == 5
        assert raised.value.recorded in str(raised.value)
        assert raised.value.found in str(raised.value)

    CHANGES: tuple[tuple[str, int, Callable[[dict[str, Any]], None], int, str], ...] = (
        ("hash", 3, lambda r: r.update(hash="0x" + "ab" * 32), 11, "0x" + "ab" * 32),
        ("timestamp", 3, lambda r: r.update(timestamp=r["timestamp"] + 1), 11, "another time"),
        ("number", 3, lambda r: r.update(number=12), 12, "number 12"),
        ("run", 2, lambda r: r.update(run=10**15), 10, "ends at"),
        ("swapped", 3, lambda r: r["transactions"].reverse(), 11, "leave another state"),
        ("dropped", 8, lambda r: r["transactions"].pop(), 85, "leave another state"),
    )

    @pytest.mark.parametrize(
        ("line", "change", "block", "said"),
        [case[1:] for case in CHANGES],
        ids=[case[0] for case in CHANGES],
    )
    def test_any_change_of_a_block(
        self,
        bundle: Path,
        toolchain: Toolchain,
        line: int,
        change: Callable[[dict[str, Any]], None],
        block: int,
        said: str,
    ) -> None:
        altered = repack(bundle, lambda files: change_line(files, line, change))
        with pytest.raises(BlockDiverged) as raised:
            replay(altered, toolchain)
        assert raised.value.block == block
        assert said in str(raised.value)

    def test_a_missing_last_block(self, bundle: Path, toolchain: Toolchain) -> None:
        def shorten(files: dict[str, bytes]) -> None:
            files["blocks.jsonl"] = b"\n".join(files["blocks.jsonl"].splitlines()[:-1]) + b"\n"

        with pytest.raises(BlockDiverged, match="the record ends at block 85") as raised:
            replay(repack(bundle, shorten), toolchain)
        assert raised.value.recomputed == "no such block"

    @pytest.mark.parametrize(
        "setting",
        [{"genesis_timestamp": GENESIS + 1}, {"block_seconds": 721}, {"accounts": 9}],
        ids=lambda value: next(iter(value)),
    )
    def test_other_settings_give_another_chain(
        self, bundle: Path, toolchain: Toolchain, setting: dict[str, int]
    ) -> None:
        def change(files: dict[str, bytes]) -> None:
            files["genesis.json"] = json.dumps(genesis(**setting)).encode()

        with pytest.raises(ReplayDiverged, match="block 1:"):
            replay(repack(bundle, change), toolchain)


class TestNothingToReplay:
    def test_no_blocks(self, recording: Recording, toolchain: Toolchain) -> None:
        (recording.path / "blocks.jsonl").write_text("")
        with pytest.raises(NotABundle, match="no block was recorded"):
            replay(recording.path, toolchain)

    def test_no_genesis(self, recording: Recording, toolchain: Toolchain) -> None:
        (recording.path / "genesis.json").unlink()
        with pytest.raises(NotABundle, match=r"genesis\.json is missing"):
            replay(recording.path, toolchain)
