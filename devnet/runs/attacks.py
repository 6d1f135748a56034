"""The report line of an attack: whether it was defeated, what stopped it, who lost what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from devnet.spec.attack import Attack, signed_komp_text
from devnet.steps.readings import Readings

DEFEATED: Final = "defeated"
NOT_DEFEATED: Final = "not defeated"


@dataclass(frozen=True, slots=True)
class AttackOutcome:
    """`lost` in wei by account; `faults` says where a claim of the scenario does not hold."""

    line: str
    attempt: str
    stopped_by: tuple[str, ...]
    lost: Mapping[str, int]
    faults: tuple[str, ...]
    verdict: str

    @property
    def defeated(self) -> bool:
        return self.verdict == DEFEATED

    def losses(self) -> str:
        """`mallory 0 KOMP, worker-2 25 KOMP`; who gained has lost less than nothing."""
        return ", ".join(f"{name} {signed_komp_text(wei)}" for name, wei in self.lost.items())

    def to_json(self) -> dict[str, Any]:
        """As `--json` and the manifest have it; amounts in wei as decimal strings."""
        return {
            "line": self.line,
            "attempt": self.attempt,
            "stopped_by": list(self.stopped_by),
            "lost": {name: str(wei) for name, wei in self.lost.items()},
            "faults": list(self.faults),
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the accounts of an attack hold at one moment, wei by account."""

    wei: Mapping[str, int]

    @classmethod
    def of(cls, attack: Attack | None, readings: Readings) -> Holdings:
        """Of nobody where there is no attack."""
        names = attack.lost if attack else ()
        return cls({name: readings.holdings(name) for name in names})


def judged(attack: Attack, before: Holdings, after: Holdings, *, held: bool) -> AttackOutcome:
    """Defeated is an attack whose every step `held` and whose losses are those it claims."""
    lost = {name: before.wei[name] - after.wei[name] for name in attack.lost}
    faults = tuple(
        f"{name}: lost: expected {claim}, saw {signed_komp_text(lost[name])}"
        for name, claim in attack.lost.items()
        if not claim.holds(lost[name])
    )
    return AttackOutcome(
        attack.line,
        attack.attempt,
        attack.stopped_by,
        lost,
        faults,
        DEFEATED if held and not faults else NOT_DEFEATED,
    )
