"""Promises that are no ratio: a figure within a limit, or within a limit over its peer."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Bound:
    """`ours` is at most `target`; `peer` is the floor of the same machine, for the reader."""

    what: str
    ours: Fraction
    peer: Fraction | None
    unit: str
    target: Fraction

    @property
    def value(self) -> Fraction:
        return self.ours

    @property
    def limit(self) -> str:
        return f"<= {float(self.target):g} {self.unit}"

    @property
    def held(self) -> bool:
        return self.value <= self.target


@dataclass(frozen=True, slots=True)
class Excess:
    """`ours` is at most `target` above `peer`, all in `unit`."""

    what: str
    ours: Fraction
    peer: Fraction
    unit: str
    target: Fraction

    @property
    def value(self) -> Fraction:
        return self.ours - self.peer

    @property
    def limit(self) -> str:
        return f"<= peer + {float(self.target):g} {self.unit}"

    @property
    def held(self) -> bool:
        return self.value <= self.target
