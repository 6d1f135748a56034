"""What a scenario of an attack claims: what was tried, what stopped it, who lost what."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from devnet.spec import units
from devnet.spec.expectation import Comparison, compared
from devnet.spec.fields import Name, SpecModel, Text
from devnet.spec.subjects import known_of
from devnet.spec.units import UnitError, did_you_mean

_RULE = re.compile(r"[A-Z][0-9]{1,2}")


def signed_komp(text: object) -> int:
    """`20 KOMP`, `-0.5 KOMP` as wei; who gained has lost less than nothing."""
    if isinstance(text, str) and text.strip().startswith("-"):
        return -units.komp(text.strip()[1:].strip())
    return units.komp(text)


def signed_komp_text(wei: int) -> str:
    return f"-{units.komp_text(-wei)}" if wei < 0 else units.komp_text(wei)


def _rule(value: object) -> str:
    if not isinstance(value, str) or not _RULE.fullmatch(value):
        raise UnitError("not the id of a rule", value, "for example S5")
    return value


def _known_accounts(lost: dict[str, Comparison], info: ValidationInfo) -> dict[str, Comparison]:
    known = known_of(info).accounts()
    for name in lost:
        if known is not None and name not in known:
            raise UnitError("unknown account", name, did_you_mean(name, known))
    return lost


class OfLoss(Comparison):
    """Of an amount that may be below nothing."""

    __slots__ = ()

    @staticmethod
    def write(value: int) -> str:
        return signed_komp_text(value)


Loss = Annotated[Comparison, *compared(signed_komp, OfLoss, "20 KOMP")]
RuleId = Annotated[
    str,
    BeforeValidator(_rule),
    WithJsonSchema({"type": "string", "pattern": f"^{_RULE.pattern}$"}),
]


class Attack(SpecModel):
    """An attack, its report line, and what it must have cost whom."""

    line: Name = Field(description="the attack this shows, such as re-registered-key")
    attempt: Text = Field(description="what is tried, in one sentence")
    stopped_by: tuple[RuleId, ...] = Field(min_length=1, description="the rules that stop it")
    lost: Annotated[dict[str, Loss], AfterValidator(_known_accounts)] = Field(
        min_length=1,
        description="by account: what it held before the first step less what it holds after the "
        "last (balance, stake, claimable rewards, deposits, parts of pools, bonds of appeals); a "
        "worker stands for its owner",
    )


def attack_mapping(attack: Attack) -> dict[str, Any]:
    """As a file writes it."""
    return attack.model_dump(mode="json", by_alias=True, exclude_defaults=True)
