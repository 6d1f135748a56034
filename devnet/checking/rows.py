"""What happened, one frozen row each, with all that must have held at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Registration:
    """A `Staked` event. `holder` is the live node that held the hardware before, if any."""

    transaction: str
    node: str
    hardware_id: bytes
    again: bool
    holder: str | None


@dataclass(frozen=True, slots=True)
class Publication:
    """A `Published` event; `previous…` are those of the node's last one, None at the first.

    `stake_wei`, `exiting` and `severe` (pending incidents of levels 2 and 3) are the node's at
    that moment, `due_v` what W1 and S give for the result that was sent.
    """

    transaction: str
    node: str
    cycle: int
    sequence: int
    v: int
    block: int
    in_cycle: int
    previous_block: int | None
    previous_cycle: int
    previous_sequence: int
    stake_wei: int
    exiting: bool
    severe: int
    due_v: int


@dataclass(frozen=True, slots=True)
class Claiming:
    """A `Claimed` (one cycle) or `ClaimedAll` event; `due` is the sum of the shares it pays.

    `paid_before` is the number of its cycles that were paid already.
    """

    transaction: str
    node: str
    cycles: tuple[int, ...]
    amount: int
    due: int
    paid_before: int


@dataclass(frozen=True, slots=True)
class Charge:
    """An `IncidentReported` event; `charged_until` is where earlier ones of its level end.

    `again`: of level 3, which comes once per node.
    """

    transaction: str
    id: int
    node: str
    level: int
    start: int
    end: int
    charged_until: int
    again: bool


@dataclass(frozen=True, slots=True)
class Slash:
    """An `IncidentExecuted` event and everything that moved with it, in wei.

    `left` was staked or in escrow, `taken` left it. `received` and `reward_rise` are what rewards
    got and the cycle's reward rose by, less the `lost_bond`. `bond` is what its appeal took;
    `again` where it was decided before.
    """

    transaction: str
    id: int
    node: str
    amount: int
    due: int
    left: int
    taken: int
    received: int
    reward_rise: int
    bond: int
    lost_bond: int
    returned_bond: int
    upheld: bool
    again: bool


@dataclass(frozen=True, slots=True)
class Overturn:
    """An `IncidentOverturned` event: what was `seized` is `restored`, nothing `slashed`, in wei."""

    transaction: str
    id: int
    seized: int
    restored: int
    slashed: int
    bond: int
    returned_bond: int
    again: bool


@dataclass(frozen=True, slots=True)
class Bond:
    """An `Appealed` or `BondReturned` event, what was `due` and the tokens that moved, in wei."""

    transaction: str
    id: int
    amount: int
    due: int
    moved: int


@dataclass(frozen=True, slots=True)
class Voiding:
    """Where an incident must void V (C7): by cycle, what `Voided` events say and what is due."""

    transaction: str
    node: str
    voided: Mapping[int, int]
    due: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A `Withdrawn` event; `stake_wei` is what was left, `pending` the incidents open then."""

    transaction: str
    node: str
    amount: int
    stake_wei: int
    pending: int
    timestamp: int
    exit_at: int
    unlock_at: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """A `Settled` event, and the tokens that left the market with it."""

    transaction: str
    order: int
    consumed: int
    consumed_before: int
    fee: int
    reward: int
    to_company: int
    to_rewards: int
    company_total: int
    rewards_total: int
    deposit: int


@dataclass(frozen=True, slots=True)
class Ending:
    """A `Finalized` event: where an order's deposit has gone."""

    transaction: str
    order: int
    deposit: int
    consumed: int
    company_total: int
    rewards_total: int
    refund: int
    refunded: int


@dataclass(frozen=True, slots=True)
class Unrolled:
    """A reward or publication that left an ended, V-less cycle its reward (C4)."""

    transaction: str
    event: str
    cycle: int
    left: tuple[int, ...]
