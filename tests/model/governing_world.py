"""What tests of governance ask of a world: proposals queued, executed, vetoed (G2)."""

from __future__ import annotations

from typing import Any

from model_world import DAY, World, address

from devnet.chain.keccak import keccak
from devnet.model.governance import GOVERNED
from devnet.protocol.deployment import abi_name
from devnet.protocol.messages import SNAPSHOT_SPACE

DELAY = 2 * DAY
PROPOSAL = keccak(b"more value")
ALL = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3")
Calls = tuple[dict[str, Any], ...]


def call(contract: str, function: str, *args: Any) -> dict[str, Any]:
    kind = abi_name(contract)
    known = next(g for g in GOVERNED if (g.contract, g.function) == (kind, function))
    return {"to": address(contract), "data": known.selector + known.inputs.encode(args)}


def queue(
    world: World,
    calls: Calls,
    *signers: str,
    proposal: bytes = PROPOSAL,
    deadline: int | None = None,
) -> str | None:
    """The error it is refused with."""
    deadline = world.now + DELAY if deadline is None else deadline
    digest = world.domains.execution(SNAPSHOT_SPACE, proposal, calls, deadline)
    signatures = world.signed(digest, *(signers or ALL))
    args = {"proposal": proposal, "calls": calls, "deadline": deadline, "signatures": signatures}
    return world.send("mallory", "ExecutionQueue", "queue", **args).error


def execute(world: World, calls: Calls, proposal: bytes = PROPOSAL) -> str | None:
    return world.send("bob", "ExecutionQueue", "execute", proposal=proposal, calls=calls).error


def veto(world: World, sender: str = "guardian") -> str | None:
    return world.send(sender, "ExecutionQueue", "veto", proposal=PROPOSAL).error


def passed(world: World, *calls: dict[str, Any]) -> str | None:
    """Queued, waited for and executed."""
    assert queue(world, calls) is None
    world.wait(DELAY)
    return execute(world, calls)
