"""The same signed transactions for both sides of the throughput benchmark."""

from __future__ import annotations

import json
from pathlib import Path

from devnet.chain import DEFAULT_MNEMONIC, derive, read_raw
from loadtests.transfers import in_turn, read_lanes, send_body, write_lanes

TOKEN = "0x" + "ab" * 20


def test_each_account_has_a_lane_of_rising_nonces(tmp_path: Path) -> None:
    accounts = list(derive(DEFAULT_MNEMONIC, ["a", "b"]).values())
    path = tmp_path / "lanes.jsonl"
    write_lanes(path, accounts, TOKEN, b"\x01\x02", 3, 31_337)

    lanes = read_lanes(path)

    assert [[read_raw(raw).nonce for raw in lane] for lane in lanes] == [[0, 1, 2], [0, 1, 2]]
    assert {read_raw(raw).to for lane in lanes for raw in lane} == {TOKEN}
    assert len({raw for lane in lanes for raw in lane}) == 6


def test_one_of_each_lane_in_turn() -> None:
    assert list(in_turn([[b"a0", b"a1", b"a2"], [b"b0"]])) == [b"a0", b"b0", b"a1", b"a2"]


def test_the_request_sends_the_raw_transaction() -> None:
    assert json.loads(send_body(b"\xf8\x01")) == {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "eth_sendRawTransaction",
        "params": ["0xf801"],
    }
