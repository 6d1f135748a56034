"""One promise: a ratio of two figures of the same run."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Ratio:
    """`ours` over `peer`, held at least or at most to `target`; `unit` is of both figures."""

    what: str
    ours: Fraction
    peer: Fraction
    unit: str
    target: Fraction
    at_least: bool = True

    @property
    def value(self) -> Fraction:
        return self.ours / self.peer

    @property
    def held(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target

    def line(self) -> str:
        """For people."""
        word = "at least" if self.at_least else "at most"
        verdict = "held" if self.held else "MISSED"
        return (
            f"{verdict}: {self.what}: {float(self.value):.2f}, {word} {float(self.target):g} "
            f"({float(self.ours):.4g} against {float(self.peer):.4g} {self.unit})"
        )
