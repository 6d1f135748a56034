"""Exact readers of the amounts people write: KOMP, durations, CPU, memory, ratios, dollars.

Every reader takes the text as it stands in the file and returns an integer (or a `Fraction`), or
raises `UnitError`. No float is ever made, so a value means the same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from fractions import Fraction

PPM_PER_BPS = 100
WEI_PER_KOMP = 10**18
MAX_WEI = 2**128 - 1  # T1: the supply stays below 2^128
MAX_USD_1E8 = 10**17

_LONGEST_TEXT = 80
_NUMBER = re.compile(r"([+-]?)(\d[\d_]*)(?:\.(\d+))?(?:[eE](\d{1,2}))?")
_KOMP_UNITS = {"KOMP": WEI_PER_KOMP, "wei": 1}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION_PART = re.compile(r"([+-]?[\d_]+(?:\.\d+)?)\s*([^\d\s.+-]*)\s*")
_CPU_UNITS = {"": 1000, "m": 1}
_DECIMAL_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY_BYTES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_BYTES = _DECIMAL_BYTES | _BINARY_BYTES
# What people write instead of a unit, by the unit they mean.
_MEANT = {
    "s": "sec secs second seconds",
    "m": "min mins minute minutes",
    "h": "hr hrs hour hours",
    "d": "day days",
    "Ki": "kb kib",
    "Mi": "mb mib",
    "Gi": "gb gib",
    "Ti": "tb tib",
    "": "b byte bytes cpu cpus core cores",
    "KOMP": "token tokens kompute",
}
_SPELLINGS = {word: unit for unit, words in _MEANT.items() for word in words.split()}


class UnitError(ValueError):
    """A text that is no amount of its kind: `what` is wrong, `seen`, and a `hint` to mend it."""

    def __init__(self, what: str, seen: object, hint: str = "") -> None:
        super().__init__(f"{what}; seen {_shown(seen)}")
        self.hint = hint


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` for the closest of the names in `known`, else empty."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[close[0]]}'?" if close else ""


def komp(text: object) -> int:
    """`20 KOMP`, `0.5 KOMP`, `1 wei` as wei (1e-18 KOMP); never negative, below 2^128 (T1)."""
    number, unit = _split(text, "an amount of KOMP")
    if not unit:
        raise UnitError("an amount needs its unit", text, f"did you mean '{text} KOMP'?")
    wei = number * _factor(unit, _KOMP_UNITS, text)
    if wei < 0:
        raise UnitError("an amount cannot be negative", text)
    if wei.denominator != 1:
        raise UnitError("finer than one wei (1e-18 KOMP)", text)
    if wei > MAX_WEI:
        raise UnitError("more than the supply can be, 2^128 wei (T1)", text)
    return int(wei)


def komp_text(wei: int) -> str:
    """The shortest text that `komp` reads back as `wei`: `25 KOMP`, `0.5 KOMP`, `1 wei`."""
    if 0 < wei < 10**9:
        return f"{wei} wei"
    return f"{_decimal(wei, 18)} KOMP"


def duration(text: object) -> int:
    """`12h`, `30s`, `1d12h`, `1.5h` as whole seconds; units s, m, h, d."""
    shown = _text(text, "a duration")
    total, at = Fraction(0), 0
    while at < len(shown):
        part = _DURATION_PART.match(shown, at)
        if part is None or not part[1].strip("+-_"):
            raise UnitError("not a duration", text, "for example '90s', '12h', '15d'")
        if not part[2]:
            raise UnitError("a duration needs its unit: s, m, h or d", text)
        total += Fraction(part[1].replace("_", "")) * _factor(part[2], _SECONDS, text)
        if part[1].startswith("-"):
            raise UnitError("a duration cannot be negative", text)
        at = part.end()
    if total.denominator != 1:
        raise UnitError("finer than one second", text)
    return int(total)


def duration_text(seconds: int) -> str:
    """The text in the largest unit that divides `seconds`: 43200 is `12h`, 0 is `0s`."""
    for unit, factor in reversed(_SECONDS.items()):
        if seconds and seconds % factor == 0:
            return f"{seconds // factor}{unit}"
    return "0s"


def milli_cpu(text: object) -> int:
    """`50m`, `0.5`, `2` as thousandths of a CPU, as Kubernetes writes them; above 0."""
    return _quantity(text, "an amount of CPU", _CPU_UNITS, "1m")


def memory_bytes(text: object) -> int:
    """`32Mi`, `1Gi`, `500M` as bytes, as Kubernetes writes them; above 0."""
    return _quantity(text, "an amount of memory", _BYTES, "one byte")


def storage_bytes(text: object) -> int:
    """As `memory_bytes`, of a disk."""
    return _quantity(text, "an amount of storage", _BYTES, "one byte")


def rate(text: object) -> int:
    """`20M`, `1Gi` of something a second, in the units of bytes; above 0."""
    return _quantity(text, "a rate", _BYTES, "one a second")


def milli_cpu_text(milli: int) -> str:
    return f"{milli // 1000}" if milli % 1000 == 0 else f"{milli}m"


def memory_text(size: int) -> str:
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}"
    return str(size)


def ratio(text: object) -> Fraction:
    """`1/16`, `0.5`, `2` as an exact fraction above 0."""
    shown = _text(text, "a ratio")
    above, slash, below = shown.partition("/")
    try:
        number = _number(above.strip(), text)
        if slash:
            number /= _number(below.strip(), text)
    except ZeroDivisionError:
        raise UnitError("a ratio cannot be divided by 0", text) from None
    if number <= 0:
        raise UnitError("a ratio must be above 0", text)
    return number


def ratio_text(value: Fraction) -> str:
    return str(value)


def usd_1e8(text: object) -> int:
    """`0.50` dollars as units of 1e-8 dollar, the scale of a price feed; above 0 (O2),
    at most 1e9 dollars."""
    shown = _text(text, "an amount of dollars").removeprefix("$").removesuffix("USD").strip()
    scaled = _number(shown, text) * 10**8
    if scaled <= 0:
        raise UnitError("a price must be above 0 (O2)", text)
    if scaled.denominator != 1:
        raise UnitError("finer than 1e-8 dollar", text)
    if scaled > MAX_USD_1E8:
        raise UnitError("more than a feed reports, 1e9 dollars", text)
    return int(scaled)


def usd_text(value_1e8: int) -> str:
    return _decimal(value_1e8, 8)


def change_bps(text: object) -> int:
    """`+30%`, `-12.5%` as signed basis points, above -100 %."""
    shown = _text(text, "a change")
    if not shown.endswith("%") or shown[:1] not in {"+", "-"}:
        raise UnitError("a change is a signed percentage", text, "for example '+30%' or '-12.5%'")
    bps = _number(shown[:-1].strip(), text) * 100
    if bps <= -10_000:
        raise UnitError("a change must leave a price above 0 (O2)", text)
    if bps.denominator != 1:
        raise UnitError("finer than one basis point", text)
    return int(bps)


def change_text(bps: int) -> str:
    return f"{'-' if bps < 0 else '+'}{_decimal(abs(bps), 2)}%"


def share_ppm(text: object) -> int:
    """`2.5%`, `0.01%` as millionths, from 0 to 100 %."""
    shown = _text(text, "a share")
    if not shown.endswith("%"):
        raise UnitError("a share is a percentage", text, f"did you mean '{shown}%'?")
    ppm = _number(shown[:-1].strip(), text) * 10_000
    if not 0 <= ppm <= 1_000_000:
        raise UnitError("a share lies between 0% and 100%", text)
    if ppm.denominator != 1:
        raise UnitError("finer than a millionth, 0.0001%", text)
    return int(ppm)


def whole_percent(text: object) -> int:
    """`50%`, from 0."""
    shown = _text(text, "a use")
    if not shown.endswith("%"):
        hint = f"did you mean '{shown}%'?" if shown.isdecimal() else "for example '50%'"
        raise UnitError("a use is a percentage", text, hint)
    percent = _number(shown[:-1].strip(), text)
    if percent < 0 or percent.denominator != 1:
        raise UnitError("a use is a whole percentage, from 0%", text)
    return int(percent)


def percent_text(percent: int) -> str:
    return f"{percent}%"


def share_text(ppm: int) -> str:
    return f"{_decimal(ppm, 4)}%"


def integer(text: object) -> int:
    """`7`, `50_400`, `1e20` as an integer."""
    number = _number(_text(text, "a whole number"), text)
    if number.denominator != 1:
        raise UnitError("not a whole number", text)
    return int(number)


def truth(text: object) -> bool:
    """`true` or `false`."""
    if isinstance(text, bool):
        return text
    word = _text(text, "true or false")
    if word not in {"true", "false"}:
        other = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(word.lower())
        other = other or {"true": "true", "false": "false"}.get(word.lower())
        raise UnitError("neither true nor false", text, f"did you mean '{other}'?" if other else "")
    return word == "true"


def _text(value: object, kind: str) -> str:
    """The text to read. A float has lost digits already, so it is refused."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnitError(f"not {kind}", value)
    if isinstance(value, int):
        return str(value)
    if len(value) > _LONGEST_TEXT:
        raise UnitError(f"not {kind}: longer than {_LONGEST_TEXT} characters", value)
    if not value.strip() or not value.isascii():
        raise UnitError(f"not {kind}", value)
    return value.strip()


def _number(digits: str, seen: object) -> Fraction:
    match = _NUMBER.fullmatch(digits)
    if match is None:
        raise UnitError("not a number", seen)
    return _fraction(match)


def _fraction(match: re.Match[str]) -> Fraction:
    sign, whole, part, power = match.groups()
    scale: int = 10 ** int(power or 0)
    value = Fraction(whole.replace("_", "") + (f".{part}" if part else "")) * scale
    return -value if sign == "-" else value


def _split(text: object, kind: str) -> tuple[Fraction, str]:
    shown = _text(text, kind)
    match = _NUMBER.match(shown)
    if match is None:
        raise UnitError(f"not {kind}", text)
    return _fraction(match), shown[match.end() :].strip()


def _factor(unit: str, units: dict[str, int], seen: object) -> int:
    if unit in units:
        return units[unit]
    spelled = _SPELLINGS.get(unit.lower())
    if spelled is not None and spelled in units:
        hint = f"did you mean '{spelled}'?" if spelled else "leave the unit out"
    else:
        hint = did_you_mean(unit, units)
    known = ", ".join(name for name in units if name)
    raise UnitError(f"unknown unit '{unit}'", seen, hint or f"known: {known}")


def _quantity(text: object, kind: str, units: dict[str, int], smallest: str) -> int:
    number, unit = _split(text, kind)
    value = number * _factor(unit, units, text)
    if value <= 0:
        raise UnitError(f"{kind} must be above 0", text)
    if value.denominator != 1:
        raise UnitError(f"finer than {smallest}", text)
    return int(value)


def _decimal(value: int, digits: int) -> str:
    whole, part = divmod(value, 10**digits)
    return f"{whole}.{part:0{digits}d}".rstrip("0").rstrip(".") if part else str(whole)


def _shown(seen: object) -> str:
    text = repr(seen) if isinstance(seen, str) else str(seen)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
