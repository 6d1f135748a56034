"""The moves: for each verb of the protocol a way to draw a call of it, mostly a sensible one.

About one in seven is wrong on purpose: a wrong sender, sequence, amount or interval, or signatures
that are too few, doubled, unsorted, high-s, an outsider's, or of another chain or contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..action import Action
from ..sight import Draw, Sight

Made = Action | Iterable[Action] | None
Make = Callable[[Draw, Sight], Made]


@dataclass(frozen=True, slots=True)
class Move:
    """`weight` is how often it is tried, relative to the others; it gives None to pass."""

    name: str
    weight: int
    make: Make


MOVES: list[Move] = []


def move(weight: int) -> Callable[[Make], Make]:
    """Register a move."""

    def register(make: Make) -> Make:
        MOVES.append(Move(make.__name__, weight, make))
        return make

    return register


from . import (  # noqa: E402
    emptied,
    governance,
    market,
    pools,
    pricing,
    rewards,
    slashing,
    staking,
    time,
    token,
    vault,
)

__all__ = [
    "MOVES",
    "Move",
    "emptied",
    "governance",
    "market",
    "move",
    "pools",
    "pricing",
    "rewards",
    "slashing",
    "staking",
    "time",
    "token",
    "vault",
]
