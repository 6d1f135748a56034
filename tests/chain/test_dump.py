"""The node's dump: trimmed to its last blocks, whatever is in its accounts."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from devnet.chain.dump import trimmed


def test_a_dump_loses_old_blocks_their_transactions_and_the_accounts() -> None:
    def block(number: int) -> dict[str, Any]:
        header = {"number": hex(number), "parentHash": f"hash of {number - 1}", "x": "[],{}"}
        return {"header": header, "transactions": [], "ommers": []}

    def row(name: str, number: int) -> dict[str, Any]:
        return {"info": {"transaction_hash": name, "traces": [{}]}, "block_number": number}

    document = {
        "block": {"number": "0x4"},
        "accounts": {"0x1": {"code": "0x"}},
        "best_block_number": 4,
        "blocks": [block(number) for number in (3, 0, 4, 1, 2)],
        "transactions": [row("a", 4), row("b", 1), row("c", 3), row("d", 2)],
        "historical_states": None,
    }
    text, gone = trimmed(json.dumps(document, separators=(",", ":")), 3)
    assert json.loads(text) == {
        **document,
        "accounts": {},
        "blocks": [block(3), block(4)],
        "transactions": [row("a", 4), row("c", 3)],
    }
    assert sorted(gone) == ["b", "d", "hash of 1", "hash of 2"]


def test_twenty_thousand_accounts_cost_no_memory() -> None:
    """They are gone past, not read: what they hold may look like anything."""
    account = {"nonce": 1, "balance": "0x1", "code": "0x", "storage": {"0x1": "0x2"}}
    odd = account | {"code": '}],"blocks":[{' + chr(92) + '"'}
    accounts = {f"0x{number:040x}": account for number in range(20_000)} | {"0xodd": odd}
    document = {"accounts": accounts, "blocks": [], "transactions": [], "last": [1]}
    dump = json.dumps(document, separators=(",", ":"))
    assert len(dump) > 2_000_000
    tracemalloc.start()
    text, gone = trimmed(dump, 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert json.loads(text) == document | {"accounts": {}}
    assert gone == []
    assert most < 100_000


@pytest.mark.parametrize(
    "dump", ["", "{", "[]", "7", '{"accounts":{"a":1', '{"blocks":[', '{"blocks":[{}', '{"x":1']
)
def test_what_is_no_dump_is_refused(dump: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        trimmed(dump, 1)
