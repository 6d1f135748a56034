"""The protocol's formulas once more, so that the checkers take none of them from the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ZERO_ADDRESS: Final = "0x" + 40 * "0"
FULL_STAKE: Final = 500_000_000_000_000_000_000  # S1, wei
NO_BONUS: Final = 10_000  # S in bps
BONUS: Final[Mapping[int, int]] = {1: 10_000, 3: 10_500, 6: 11_000, 12: 12_000}  # S2, by months
DAY: Final = 24 * 60 * 60
# L1, L2, L4: by level, wei for 24 hours, and the seconds of an incident that count at most.
A_DAY: Final[Mapping[int, int]] = {1: FULL_STAKE // 10, 2: FULL_STAKE // 2}
MOST_SECONDS: Final[Mapping[int, int]] = {1: 10 * DAY, 2: 2 * DAY}
BOND_PART: Final = 10  # L6


def cycle_at(block: int, genesis: int, length: int) -> int:
    """C1: the cycle a block is in."""
    return (block - genesis) // length


def due_v(factors: Mapping[str, int], bps: int) -> int:
    """W1: V of a result with factors at 1e6 = 1.0, under a multiplier S."""
    performance = factors["c1"] + factors["c2"] + factors["c3"]
    return factors["sgx"] * factors["b"] * performance * bps // NO_BONUS


def due_share(reward: int, v: int, total_v: int) -> int:
    """C3: wei of a cycle's reward for one publisher's V."""
    if not v:
        return 0
    return reward * v // total_v


def due_release(total: int, cycles: int, k: int) -> int:
    """I1: wei of the first k of N falling parts; the i-th weighs N - i + 1."""
    weights = cycles * (cycles + 1) // 2
    rest = (cycles - k) * (cycles - k + 1) // 2
    return total * (weights - rest) // weights


def due_contingency(cost: int, multiplier: int) -> int:
    """O4: the contingency price of an unused network, USD at 1e18."""
    return cost * multiplier // 10**18


def due_slash(level: int, seconds: int, left: int) -> int:
    """L4: wei an incident takes where `left` is staked or in escrow; level 3 takes all of it."""
    if level not in A_DAY:
        return left
    return min(A_DAY[level] * min(seconds, MOST_SECONDS[level]) // DAY, left)
