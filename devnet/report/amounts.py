"""Exact integers as people read them: KOMP, dollars, V, spans and moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

WAD: Final = 10**18
_SPANS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def decimal(value: int, places: int = 18, digits: int | None = None) -> str:
    """`value` · 10^-places, exactly, thousands apart; `digits` cuts (never rounds) the fraction.

    A cut that hides something ends in `…`.
    """
    sign, value = ("-" if value < 0 else ""), abs(value)
    whole, rest = divmod(value, 10**places)
    fraction = str(rest).zfill(places).rstrip("0") if rest else ""
    if digits is not None and len(fraction) > digits:
        fraction = fraction[:digits] + "…"
    return f"{sign}{whole:,}" + (f".{fraction}" if fraction else "")


def komp(wei: int) -> str:
    """KOMP to the last unit."""
    return decimal(wei)


def komp_short(wei: int) -> str:
    """KOMP, cut after four places."""
    return decimal(wei, digits=4)


def usd(price_1e18: int) -> str:
    """Dollars, cut after eight places."""
    return decimal(price_1e18, digits=8)


def percent(ratio_1e18: int) -> str:
    """A ratio at 1e18 as per cent, cut after two places."""
    return decimal(ratio_1e18, places=16, digits=2)


def span(seconds: int) -> str:
    """`43200` is `12 h`; at most the two largest units that are not zero."""
    parts: list[str] = []
    for unit, size in _SPANS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def moment(timestamp: int) -> str:
    """Protocol time, UTC, to the minute; `?` where it lies outside the calendar."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return "?"


def plotted(value: int, places: int = 18) -> float:
    """For the eye only: a chart has no more pixels than a float has digits."""
    return float(value) / float(10**places)
