"""Exact counts and times of everything Locust is told, for a verdict that hides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

MOST_EXAMPLES: Final = 5


@dataclass(slots=True)
class Entry:
    """One kind of request; every success's time in microseconds."""

    failed: int = 0
    microseconds: list[int] = field(default_factory=list)
    response_length: int = 0
    errors: dict[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return {
            "ok": len(self.microseconds),
            "failed": self.failed,
            "p50_us": percentile(self.microseconds, 50),
            "p95_us": percentile(self.microseconds, 95),
            "max_us": max(self.microseconds, default=0),
            "response_length": self.response_length,
            "errors": self.errors,
        }


def percentile(values: list[int], percent: int) -> int:
    """The nearest rank; 0 of nothing."""
    if not values:
        return 0
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


class Tally:
    """Listens to Locust's `request` event; also counts what becomes of transactions."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.submitted = 0
        self.mined = 0
        self.refused = 0
        self.lost = 0  # no receipt in time: the outcome is unknown
        self.dropped = 0
        self.busy = 0  # users within a step
        self.in_flight: dict[str, int] = {}  # requests without an answer: Locust counts none

    def on_request(
        self,
        request_type: str,
        name: str,
        response_time: float,
        response_length: int,
        exception: BaseException | None = None,
        **_: object,
    ) -> None:
        entry = self.entries.setdefault(f"{request_type} {name}", Entry())
        if exception is None:
            entry.microseconds.append(int(response_time * 1000))
            entry.response_length += response_length
            return
        entry.failed += 1
        text = str(exception)
        if text in entry.errors or len(entry.errors) < MOST_EXAMPLES:
            entry.errors[text] = entry.errors.get(text, 0) + 1

    @contextmanager
    def asking(self, name: str) -> Iterator[None]:
        """Around a request, from its first byte to its answer's last."""
        self.in_flight[name] = self.in_flight.get(name, 0) + 1
        try:
            yield
        finally:
            self.in_flight[name] -= 1

    def document(self) -> dict[str, Any]:
        return {
            "in_flight": {name: count for name, count in self.in_flight.items() if count},
            "entries": {name: entry.document() for name, entry in sorted(self.entries.items())},
            "transactions": {
                "submitted": self.submitted,
                "mined": self.mined,
                "refused": self.refused,
                "lost": self.lost,
            },
            "dropped": self.dropped,
            "unfinished": self.busy,
        }
