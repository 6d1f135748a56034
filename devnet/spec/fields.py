"""Field types of the spec's models: how a text of the file becomes an exact value, and back.

The Python value is an integer in the unit the field's name or comment says; dumping in JSON mode
gives the text again, so a dumped model reads back as itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from devnet.spec import units
from devnet.spec.units import UnitError

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 63
_ERROR_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_TEXT_OR_NUMBER = ["string", "number"]
MAX_NUMBER = 2**64 - 1  # of a cycle, an incident: no contract takes more of what is counted
MAX_REPLICAS = 2**32 - 1  # M1
MAX_SEED = 2**64 - 1
MAX_BLOCKS = 10_000_000  # of a cycle, of an advance
MAX_SECONDS = 3650 * 86400  # D1: of any duration
MAX_MILLI_CPU = MAX_MIB = 2**32 - 1  # M1
MAX_CHANGE_BPS = 10**6
MAX_PERCENT = 10**6  # of a use: ten thousand replicas
LEAST_SCALE = Fraction(1, 10**6)


class SpecModel(BaseModel):
    """A frozen value of a spec; unknown keys are faults."""

    # Schemas are built on first use, so that importing the models is quick.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _field(
    read: Callable[[Any], Any],
    write: Callable[[Any], object] | None,
    schema: dict[str, Any],
    *more: Any,
) -> tuple[Any, ...]:
    back = [PlainSerializer(write, when_used="json")] if write else []
    return (BeforeValidator(read), *back, WithJsonSchema(schema), *more)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a number of a file lies between, both ends included; faults name an end as `write`
    writes it. Every numeric field has at least one (a test walks them all)."""

    least: int | Fraction | None = None
    most: int | Fraction | None = None
    write: Callable[[Any], object] = int

    def check(self, value: Any) -> Any:
        if self.least is not None and value < self.least:
            raise UnitError(f"must be at least {self.write(self.least)}", self.write(value))
        if self.most is not None and value > self.most:
            raise UnitError(f"must be at most {self.write(self.most)}", self.write(value))
        return value

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Of a plain whole number; of an amount with its unit no schema can say it."""
        known = handler(schema)
        if known.get("type") == "integer":
            ends = {"minimum": self.least, "maximum": self.most}
            known |= {key: end for key, end in ends.items() if end is not None}
        return known


def whole_number(least: int, most: int) -> tuple[Any, ...]:
    """Annotations of a whole number from `least` to `most`."""
    return _field(units.integer, None, {"type": "integer"}, Bounds(least, most))


def at_most(most: int, write: Callable[[Any], object] = int) -> Bounds:
    """An upper bound."""
    return Bounds(None, most, write)


def _name(value: object) -> str:
    """A DNS label, since names become Kubernetes objects."""
    if not isinstance(value, str):
        raise UnitError("not a name", value)
    if not _NAME.fullmatch(value) or len(value) > _LONGEST_NAME:
        better = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:_LONGEST_NAME]
        hint = f"did you mean '{better}'?" if better else ""
        what = "a name is at most 63 of a-z, 0-9 and -, and starts and ends without -"
        raise UnitError(what, value, hint)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UnitError("not a text", value)
    return value


def _error_name(value: object) -> str:
    if not isinstance(value, str) or not _ERROR_NAME.fullmatch(value):
        raise UnitError("not the name of an error", value, "for example NothingToClaim")
    return value


def _version(value: object) -> int:
    if str(value) != "1":
        raise UnitError("only version 1 is known", value)
    return 1


def _pattern(text: str, *examples: str) -> dict[str, Any]:
    return {"type": _TEXT_OR_NUMBER, "pattern": text, "examples": list(examples)}


_DURATION = r"^([0-9_.]+\s*[smhd]\s*)+$"
_AMOUNT = r"^[0-9_.]+([eE][0-9]+)?\s*(KOMP|wei)$"

Wei = Annotated[
    int,
    *_field(
        units.komp,
        units.komp_text,
        {"type": "string", "pattern": _AMOUNT, "examples": ["20 KOMP", "1 wei"]},
        Bounds(0, units.MAX_WEI, units.komp_text),
    ),
]
Seconds = Annotated[
    int,
    *_field(
        units.duration,
        units.duration_text,
        {"type": "string", "pattern": _DURATION, "examples": ["30s", "12h", "15d"]},
        Bounds(0, MAX_SECONDS, units.duration_text),
    ),
]
PositiveSeconds = Annotated[Seconds, Bounds(1, None, units.duration_text)]
MilliCpu = Annotated[
    int,
    *_field(
        units.milli_cpu,
        units.milli_cpu_text,
        _pattern("^[0-9.]+m?$", "50m", "0.5"),
        Bounds(1, MAX_MILLI_CPU, units.milli_cpu_text),
    ),
]


def _of_bytes(parse: Callable[[object], int]) -> tuple[Any, ...]:
    """Written in units of bytes, whatever a fault calls it."""
    pattern = _pattern("^[0-9.]+([kMGT]|[KMGT]i)?$", "32Mi", "1Gi")
    bounds = Bounds(1, MAX_MIB * 2**20, units.memory_text)
    return _field(parse, units.memory_text, pattern, bounds)


Bytes = Annotated[int, *_of_bytes(units.memory_bytes)]
StorageBytes = Annotated[int, *_of_bytes(units.storage_bytes)]
Rate = Annotated[int, *_of_bytes(units.rate)]
Ratio = Annotated[
    Fraction,
    *_field(
        units.ratio,
        units.ratio_text,
        _pattern(r"^[0-9.]+(/[0-9.]+)?$", "1/16", "1"),
        Bounds(LEAST_SCALE, Fraction(1), units.ratio_text),
    ),
]
Usd1e8 = Annotated[
    int,
    *_field(
        units.usd_1e8,
        units.usd_text,
        _pattern(r"^\$?[0-9.]+( ?USD)?$", "0.50"),
        Bounds(1, units.MAX_USD_1E8, units.usd_text),
    ),
]
ChangeBps = Annotated[
    int,
    *_field(
        units.change_bps,
        units.change_text,
        {"type": "string", "pattern": r"^[+-][0-9.]+%$", "examples": ["+30%", "-12.5%"]},
        Bounds(-9_999, MAX_CHANGE_BPS, units.change_text),
    ),
]
Ppm = Annotated[
    int,
    *_field(
        units.share_ppm,
        units.share_text,
        {"type": "string", "pattern": r"^[0-9.]+ ?%$", "examples": ["2.5%", "0.01%"]},
        Bounds(0, 1_000_000, units.share_text),
    ),
]
Percent = Annotated[
    int,
    *_field(
        units.whole_percent,
        units.percent_text,
        {"type": "string", "pattern": r"^[0-9.]+ ?%$", "examples": ["50%"]},
        Bounds(0, MAX_PERCENT, units.percent_text),
    ),
]
Natural = Annotated[int, *whole_number(0, MAX_NUMBER)]
Positive = Annotated[int, *whole_number(1, MAX_NUMBER)]
Seed = Annotated[Natural, at_most(MAX_SEED)]
Truth = Annotated[bool, *_field(units.truth, None, {"type": "boolean"})]
Text = Annotated[str, *_field(_text, None, {"type": _TEXT_OR_NUMBER})]
Name = Annotated[
    str, *_field(_name, None, {"type": "string", "pattern": f"^{_NAME.pattern}$", "maxLength": 63})
]
ErrorName = Annotated[
    str, *_field(_error_name, None, {"type": "string", "pattern": f"^{_ERROR_NAME.pattern}$"})
]
Version = Annotated[int, *_field(_version, None, {"const": 1})]


def _known(kind: str, value: object, known: Collection[str]) -> str:
    if not isinstance(value, str) or value not in known:
        hint = units.did_you_mean(str(value), known) or f"known: {', '.join(known)}"
        raise UnitError(f"unknown {kind}", value, hint)
    return value


def one_of(kind: str, *known: str) -> tuple[Any, ...]:
    """Annotations of a text that must be one of `known`; `kind` names it in the fault."""

    def read(value: object) -> str:
        return _known(kind, value, known)

    return (BeforeValidator(read), WithJsonSchema({"enum": list(known)}))


@dataclass(frozen=True, slots=True)
class _TableSchema:
    """The names of a table as they are when a schema is asked for."""

    names: Callable[[], Collection[str]]
    describe: Callable[[], str]

    def __get_pydantic_json_schema__(self, _schema: object, _handler: object) -> dict[str, Any]:
        return {"enum": list(self.names()), "description": self.describe()}


def one_of_table(
    kind: str, names: Callable[[], Collection[str]], describe: Callable[[], str]
) -> tuple[Any, ...]:
    """Annotations of a text that must be a name of a table which others may add to.

    `describe` says what the names mean, for schema and help.
    """

    def read(value: object) -> str:
        return _known(kind, value, names())

    return (BeforeValidator(read), _TableSchema(names, describe))


def one_of_numbers(kind: str, *known: int) -> tuple[Any, ...]:
    """Annotations of a whole number that must be one of `known`."""

    def read(value: object) -> int:
        number = units.integer(value)
        if number not in known:
            listed = ", ".join(map(str, known))
            raise UnitError(f"unknown {kind}", value, f"known: {listed}")
        return number

    return (BeforeValidator(read), WithJsonSchema({"enum": list(known)}))


PERIODS_MONTHS = (1, 3, 6, 12)  # S2
Months = Annotated[int, *one_of_numbers("staking period in months (S2)", *PERIODS_MONTHS)]
