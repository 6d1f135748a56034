"""Kubernetes quantities (`50m`, `32Mi`, `220G`) as exact numbers."""

from __future__ import annotations

import re
from fractions import Fraction

_FORM = re.compile(r"(\d+)(?:\.(\d+))?([mkKMGTPE]?i?)")
_FACTORS = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{letter: Fraction(1000**power) for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", start=1)},
}


def parse_quantity(text: str | int) -> Fraction:
    """The exact value of a quantity; raises `ValueError` on any other text."""
    match = _FORM.fullmatch(str(text))
    if match is None or match[3] not in _FACTORS:
        raise ValueError(f"{text!r} is not a quantity like 2, 50m, 32Mi or 220G")
    whole, fraction, suffix = match[1], match[2] or "", match[3]
    return Fraction(int(whole + fraction), 10 ** len(fraction)) * _FACTORS[suffix]


def milli(text: str | int) -> int:
    """A CPU quantity in milli-CPU, rounded up as Kubernetes does."""
    return -(-parse_quantity(text) * 1000 // 1)


def whole(text: str | int) -> int:
    """A quantity of bytes, bits or pieces, rounded up as Kubernetes does."""
    return -(-parse_quantity(text) // 1)
