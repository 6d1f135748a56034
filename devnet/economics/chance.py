"""Seeded chance in whole numbers: the same seed gives the same year on every machine."""

from __future__ import annotations

from random import Random
from typing import Final

from devnet.spec.economics import WHOLE_PPM

_BITS: Final = 64


class Chance:
    """One stream of chance. Each purpose has its own, so that a change of one leaves the others."""

    __slots__ = ("_bits",)

    def __init__(self, seed: int, purpose: str) -> None:
        # Python seeds a text by its SHA-512, on every machine alike.
        self._bits = Random(f"{seed}/{purpose}").getrandbits

    def below(self, count: int) -> int:
        """Any of 0 … count-1, evenly (but for 2^-64 of it)."""
        return (self._bits(_BITS) * count) >> _BITS

    def happens(self, ppm: int) -> bool:
        """True with a probability of so many millionths."""
        return self.below(WHOLE_PPM) < ppm

    def around(self, value: int, ppm: int) -> int:
        """`value` changed by at most so many millionths, up or down, rounded down."""
        change = self.below(2 * ppm + 1) - ppm
        return value * (WHOLE_PPM + change) // WHOLE_PPM
