"""Signed transactions by lanes, as a file: what the throughput benchmark and its peer both send."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from devnet.chain import Account, Transaction, sign

GAS = 100_000


def write_lanes(
    path: Path, accounts: Sequence[Account], to: str, data: bytes, each: int, chain_id: int
) -> None:
    """`each` calls of every account, nonces from 0: one line of raw transactions an account."""
    with path.open("w") as stream:
        for account in accounts:
            raws = (
                sign(account, Transaction(n, to, data, GAS, gas_price=0, chain_id=chain_id))
                for n in range(each)
            )
            stream.write(json.dumps([raw.hex() for raw in raws]) + "\n")


def read_lanes(path: Path) -> list[list[bytes]]:
    """Raw transactions by account, in the order of their nonces."""
    return [
        [bytes.fromhex(raw) for raw in json.loads(line)] for line in path.read_text().splitlines()
    ]


def in_turn(lanes: Sequence[Sequence[bytes]]) -> Iterator[bytes]:
    """One of each lane, again and again: as many users would send them."""
    for row in zip_longest(*lanes):
        yield from (raw for raw in row if raw is not None)


def send_body(raw: bytes) -> bytes:
    """The JSON-RPC request that sends a transaction."""
    return (
        b'{"jsonrpc":"2.0","id":0,"method":"eth_sendRawTransaction","params":["0x'
        + raw.hex().encode()
        + b'"]}'
    )
