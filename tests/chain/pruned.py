"""A node that drops its old blocks, behind its door, and what is sent to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp

from devnet.chain import Account, Anvil, Chain, Rpc, Transaction, sign
from devnet.chain.door import RpcDoor
from devnet.chain.kept import Kept

KEPT, EVERY = 260, 40
LOGS = bytes.fromhex("5f5fa000")  # an event without topics


@dataclass
class Node:
    """`chain` speaks with the node itself, everybody else with `door`."""

    chain: Chain
    kept: Kept
    door: RpcDoor
    anvil: Anvil

    @property
    def rpc(self) -> Rpc:
        return self.chain.rpc


def created(code: bytes) -> bytes:
    """What deploys it."""
    size = len(code)
    return bytes([0x60, size, 0x60, 11, 0x5F, 0x39, 0x60, size, 0x5F, 0xF3, 0x00]) + code


def transfer(sender: Account, to: Account, nonce: int) -> bytes:
    return sign(sender, Transaction(nonce, to.address, gas=21_000, value=1))


async def said(url: str, *calls: list[object]) -> list[Any]:
    heard = []
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        for identity, (method, *params) in enumerate(calls):
            await socket.send_json(request(identity, method, *params))
            heard.append(await socket.receive_json(timeout=20))
    return heard


def request(identity: object, method: object, *params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": list(params)}
