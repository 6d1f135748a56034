"""What rows claim of what they see; a claim that does not hold says what was there instead."""

from __future__ import annotations

from collections.abc import Iterable


class NotHeld(Exception):
    """A behaviour is not what it should be."""


def equal(seen: object, wanted: object) -> None:
    if seen != wanted:
        raise NotHeld(f"wanted {wanted!r}, seen {seen!r}")


def contains(whole: Iterable[object], part: object) -> None:
    """A text contains a text, a collection a value."""
    if part not in whole:
        raise NotHeld(f"wanted {part!r} in {whole!r}")


def lacks(whole: Iterable[object], part: object) -> None:
    if part in whole:
        raise NotHeld(f"did not want {part!r} in {whole!r}")


def any_says(texts: Iterable[str], part: str) -> None:
    """One of several texts contains it."""
    texts = list(texts)
    if not any(part in text for text in texts):
        raise NotHeld(f"wanted {part!r} in one of {texts!r}")


def between(low: float, seen: float, high: float) -> None:
    if not low < seen < high:
        raise NotHeld(f"wanted more than {low} and less than {high}, seen {seen}")


def below(seen: float, high: float) -> None:
    if not seen < high:
        raise NotHeld(f"wanted less than {high}, seen {seen}")


def holds(what: str, seen: object) -> None:
    """What cannot be said as one of the others."""
    if not seen:
        raise NotHeld(f"wanted {what}, seen {seen!r}")
