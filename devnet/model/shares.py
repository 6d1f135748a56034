"""What a pool's shares are worth: its row, its members', and the arithmetic between (S7)."""

from __future__ import annotations

from typing import Final

from devnet.model.calls import ZERO_ADDRESS
from devnet.model.parameters import STAKE_WEI
from devnet.model.rows import Member, Pool
from devnet.model.state import State
from devnet.protocol.deployment import pool_name

BPS: Final = 10_000
LEAST_OPERATOR_BPS: Final = 2_000
LEAST_ASSETS_WEI: Final = 5 * 10**18
LEAST_SHARES: Final = 5 * 10**18  # of the 500 KOMP that one share a wei is
LEAST_PART: Final = 100  # 5 of 500 KOMP
ONE: Final = 10**18


def room(funding: int) -> int:
    """How much may still join."""
    return STAKE_WEI - funding


def minted(amount: int, total_shares: int, assets: int) -> int:
    """The shares a top-up buys: floor(amount * shares / assets)."""
    return amount * total_shares // assets


def most_minted(operator: int, total: int) -> int:
    """How many shares others than the operator may get until it has but its 20 %."""
    return operator * BPS // LEAST_OPERATOR_BPS - total


def least_worth(total_shares: int) -> int:
    """How many of so many shares stand for 5 KOMP of a full stake."""
    return total_shares // LEAST_PART


def split(gross: int, commission_bps: int) -> tuple[int, int]:
    """A harvest's commission and what is left to share."""
    commission = gross * commission_bps // BPS
    return commission, gross - commission


def per_share(net: int, total_shares: int) -> int:
    """What a harvest adds to the rewards per share: floor(net * 1e18 / shares)."""
    return net * ONE // total_shares


def due(member: Member, rewards_per_share: int) -> int:
    """A member's part of the rewards, not collected yet."""
    return member.shares * (rewards_per_share - member.settled_at) // ONE


def redeemable(pool: Pool, shares: int) -> int:
    """The part of the returned stake behind so many shares, whoever redeems first."""
    return pool.returned * shares // pool.shares_at_return


def holds_enough(shares: int, total: int) -> bool:
    """Whether an operator has its 20 %."""
    return shares * BPS >= total * LEAST_OPERATOR_BPS


def assets_of(state: State, pool: Pool) -> int:
    """What the shares stand for: funding, then stake, at last what is not redeemed yet."""
    if pool.node == ZERO_ADDRESS:
        return pool.total_shares
    return pool.unredeemed if pool.withdrawn else staked(state, pool)


def is_closed(state: State, pool: Pool) -> bool:
    """Under 5 KOMP after an executed slash, for ever; a seizure alone closes nothing."""
    left = pool.returned if pool.withdrawn else staked(state, pool)
    return pool.node != ZERO_ADDRESS and left < LEAST_ASSETS_WEI


def staked(state: State, pool: Pool) -> int:
    """What an active pool has at stake, seized or not (L6), wei."""
    return state.nodes[pool.node].stake + state.escrow[pool.node]


def names(state: State) -> dict[str, str]:
    """Every pool's address by its contract name, in the order of their creation."""
    return {pool_name(n): address for n, address in enumerate(state.pools, start=1)}


def name_at(state: State, address: str) -> str | None:
    """The contract name of the pool at an address; None where there is none."""
    return next((name for name, pool in names(state).items() if pool == address), None)
