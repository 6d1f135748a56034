"""What a load came to, as its own verdict and Locust's counts say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MICROSECONDS = 1000


@dataclass(frozen=True, slots=True)
class LoadStage:
    """A stage of the loop; times in milliseconds, `limit` of the 95th percentile."""

    name: str
    on_chain: int
    succeeded: int
    failed: int
    p50: int
    p95: int
    limit: int

    @property
    def timed(self) -> bool:
        """Whether the times are any: of what Locust did not count there are none."""
        return self.succeeded + self.failed > 0

    @property
    def held(self) -> bool:
        """Whether chain and Locust agree, something happened, and it was quick enough."""
        return 0 < self.on_chain == self.succeeded and self.p95 <= self.limit


@dataclass(frozen=True, slots=True)
class Requests:
    """One kind of request as Locust counted it; times in milliseconds."""

    name: str
    ok: int
    failed: int
    p50: int
    p95: int
    longest: int
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """The load of a run; `milliseconds` is how long Locust drove it by the wall clock."""

    stages: tuple[LoadStage, ...]
    requests: tuple[Requests, ...]
    count: int
    failures: int
    dropped: int
    transactions: int
    milliseconds: int
    faults: tuple[str, ...]

    def a_second(self, count: int) -> str:
        """Of something counted, cut after one place; `-` where no time passed."""
        if self.milliseconds <= 0:
            return "-"
        tenths = count * 10_000 // self.milliseconds
        return f"{tenths // 10:,}.{tenths % 10}"


def read_load(verdict: Mapping[str, Any], statistics: Mapping[str, Any]) -> Load | None:
    """From `verdict.json` and `load.json`; None for a run that was no load.

    A load cut short has no verdict: its requests are all there is to tell.
    """
    if not verdict and not statistics:
        return None
    entries = statistics.get("entries", {})
    requests = tuple(_requests(name, entry) for name, entry in sorted(entries.items()))
    seconds = float(statistics.get("seconds", 0))
    return Load(
        stages=tuple(_stage(stage) for stage in _list(verdict.get("stages"))),
        requests=requests,
        count=sum(kind.ok + kind.failed for kind in requests),
        failures=sum(kind.failed for kind in requests),
        dropped=int(statistics.get("dropped", 0)),
        transactions=int(verdict.get("transactions", 0)),
        milliseconds=int(verdict.get("load_milliseconds", seconds * 1000)),
        faults=tuple(str(fault) for fault in _list(verdict.get("faults"))),
    )


def _stage(stage: Mapping[str, Any]) -> LoadStage:
    return LoadStage(
        name=str(stage["stage"]),
        on_chain=int(stage["on_chain"]),
        succeeded=int(stage["succeeded"]),
        failed=int(stage["failed"]),
        p50=int(stage["p50_milliseconds"]),
        p95=int(stage["p95_milliseconds"]),
        limit=int(stage["limit_milliseconds"]),
    )


def _requests(name: str, entry: Mapping[str, Any]) -> Requests:
    errors = entry.get("errors", {})
    return Requests(
        name=name,
        ok=int(entry["ok"]),
        failed=int(entry["failed"]),
        p50=int(entry["p50_us"]) // MICROSECONDS,
        p95=int(entry["p95_us"]) // MICROSECONDS,
        longest=int(entry["max_us"]) // MICROSECONDS,
        errors=tuple(f"{count} times: {text}" for text, count in errors.items()),
    )


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
