"""Sums over the events of one transaction."""

from __future__ import annotations

from collections.abc import Iterable

from devnet.protocol import Event


def tokens_between(events: Iterable[Event], sender: str, to: str) -> int:
    """Wei of KOMP that moved from one address to the other."""
    return summed(events, "Transfer", "value", **{"from": sender, "to": to})


def summed(events: Iterable[Event], name: str, key: str, **matching: object) -> int:
    """The sum of an argument of all events of that name whose other arguments match."""
    return sum(
        int(event.args[key])
        for event in events
        if event.name == name and all(event.args[k] == v for k, v in matching.items())
    )
