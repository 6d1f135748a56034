"""Incentives that fall linearly over N cycles (I1)."""

from __future__ import annotations

from devnet.model import rewards
from devnet.model.calls import Call
from devnet.model.parameters import VaultParameters
from devnet.model.state import State
from devnet.model.tables import Refused


def released_of(total: int, cycles: int, k: int) -> int:
    """I1: E(k) in wei, cumulative over the first k of N cycles; E(N) = total exactly."""
    k = min(k, cycles)
    return total * k * (2 * cycles - k + 1) // (cycles * (cycles + 1))


def begun(vault: VaultParameters, cycle: int) -> int:
    """I1: k, how many of the vault's cycles have begun, at most N."""
    return min(max(cycle - vault.start_cycle + 1, 0), vault.cycles)


def due(vault: VaultParameters, cycle: int) -> int:
    """I1: what is to be released in total once `cycle` has begun, wei."""
    return released_of(vault.total, vault.cycles, begun(vault, cycle))


def release(state: State, call: Call) -> None:
    """I1: what is due, of missed cycles too, becomes reward of the current cycle."""
    vault, before = state.parameters.vault, state.released.value
    assert vault is not None  # the call reached it
    cycle = rewards.cycle_of(
        call.block, state.parameters.genesis_block, state.parameters.cycle_blocks
    )
    amount = due(vault, cycle) - before
    if amount == 0:
        raise Refused("NothingToRelease")
    state.released.value = before + amount
    released = {"cycle": cycle, "k": begun(vault, cycle), "amount": amount}
    state.emit("IncentiveVault", "Released", released)
    rewards.put_in(state, state.parameters.addresses["IncentiveVault"], amount, call.block)
