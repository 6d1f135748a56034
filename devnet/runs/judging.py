"""The verdict over a load run: what Locust counted against what the chain holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from cluster.ended import how_ended
from devnet.protocol import Event
from devnet.record.history import History
from loadtests.plan import UserAccounts

P95_MILLISECONDS: Final = 5_000
MOST_STALLED_PERCENT: Final = 10  # of the load's time, in which no user ran
LEAST_BEGUN_PERCENT: Final = 75  # of the steps that were due; steps longer than their pace lag


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the loop: Locust's entry, and the chain's event with the argument that says
    whose it is (`role`: an account of the user, or `order`: one of the users' orders)."""

    name: str
    entry: str
    event: str
    key: str
    role: str
    required: bool = True


STAGES: Final = (
    Stage("stake", "TX stake", "Staked", "node", "node"),
    Stage("publish", "TX publish", "Published", "node", "node"),
    Stage("order", "TX createOrder", "OrderCreated", "client", "client"),
    Stage("accept", "STAGE accept", "OrderAccepted", "id", "order"),
    Stage("run", "STAGE running", "UsageReported", "id", "order"),
    Stage("close", "TX close", "OrderClosed", "id", "order"),
    Stage("invoke", "TX invoke", "Invoked", "id", "order"),
    Stage("complete", "TX complete", "Completed", "id", "order"),
    Stage("incident", "STAGE report", "IncidentReported", "node", "node"),
    Stage("slash", "STAGE execute", "IncidentExecuted", "node", "node"),
    Stage("top up", "TX topUp", "ToppedUp", "node", "node"),
    Stage("claim", "TX claimAll", "ClaimedAll", "node", "node"),
)


@dataclass(frozen=True, slots=True)
class ServiceLevels:
    """`p95_milliseconds` by stage, `default_p95_milliseconds` for the rest; failures allowed."""

    default_p95_milliseconds: int = P95_MILLISECONDS
    p95_milliseconds: Mapping[str, int] = field(default_factory=dict)
    failures: int = 0

    def p95(self, stage: str) -> int:
        return self.p95_milliseconds.get(stage, self.default_p95_milliseconds)


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """`on_chain` events against `succeeded` of Locust; times in milliseconds."""

    stage: str
    on_chain: int
    succeeded: int
    failed: int
    p50_milliseconds: int
    p95_milliseconds: int
    limit_milliseconds: int

    @property
    def timed(self) -> bool:
        """Whether the times are any: of what Locust did not count there are none."""
        return self.succeeded + self.failed > 0

    def faults(self) -> list[str]:
        found: list[str] = []
        if not self.on_chain:
            found.append(f"{self.stage}: nothing on chain")
        if self.on_chain != self.succeeded:
            found.append(f"{self.stage}: {self.on_chain} on chain, {self.succeeded} by Locust")
        if self.p95_milliseconds > self.limit_milliseconds:
            found.append(
                f"{self.stage}: p95 {self.p95_milliseconds} ms, at most {self.limit_milliseconds}"
            )
        return found


@dataclass(frozen=True, slots=True)
class LoadVerdict:
    """`faults` is empty when everything held. Rates are per 1000 seconds' worth: integers."""

    stages: tuple[StageOutcome, ...]
    requests: int
    failures: int
    dropped: int
    transactions: int
    load_milliseconds: int
    stalled_milliseconds: int
    steps_intended: int
    steps_begun: int
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.faults

    @property
    def word(self) -> str:
        return "passed" if self.ok else "failed"

    def to_json(self) -> dict[str, Any]:
        return {"verdict": self.word, **asdict(self)}


def judge(
    history: History,
    accounts: Sequence[UserAccounts],
    statistics: Mapping[str, Any],
    levels: ServiceLevels,
    ledger_faults: Sequence[str],
) -> LoadVerdict:
    """Compare. `statistics` is `stats.json` of the load process with its `exit_code`;
    `ledger_faults` what invariants and model found at the end."""
    entries: Mapping[str, Any] = statistics.get("entries", {})
    mine = {account.address for user in accounts for account in user.all()}
    stages = _stages([seen.event for seen in history.events], accounts, entries, levels)
    sent = sum(count for sender, count in history.sent.items() if sender.lower() in mine)
    failures = sum(int(entry["failed"]) for entry in entries.values())
    faults = [fault for stage in stages for fault in stage.faults()]
    faults += _process_faults(statistics, entries)
    if entries:
        faults += _faults_of_nothing(statistics, len(accounts))
    faults += _transaction_faults(statistics.get("transactions", {}), sent)
    dropped = int(statistics.get("dropped", 0))
    if failures + dropped > levels.failures:
        faults += _failure_texts(entries)
        faults.append(f"{failures} failures and {dropped} dropped steps, at most {levels.failures}")
    faults += ledger_faults
    return LoadVerdict(
        stages=stages,
        requests=sum(int(entry["ok"]) + int(entry["failed"]) for entry in entries.values()),
        failures=failures,
        dropped=dropped,
        transactions=sent,
        load_milliseconds=int(statistics.get("seconds", 0) * 1000),
        stalled_milliseconds=int(statistics.get("stalled_seconds", 0) * 1000),
        steps_intended=int(statistics.get("steps_intended", 0)),
        steps_begun=int(statistics.get("steps_begun", 0)),
        faults=tuple(faults),
    )


def _stages(
    events: Sequence[Event],
    accounts: Sequence[UserAccounts],
    entries: Mapping[str, Any],
    levels: ServiceLevels,
) -> tuple[StageOutcome, ...]:
    clients = {user.client.address for user in accounts}
    whose: dict[str, set[object]] = {
        "node": {user.node.address for user in accounts},
        "client": set(clients),
        "order": {
            event.args["id"]
            for event in events
            if event.name == "OrderCreated" and event.args["client"] in clients
        },
    }
    by_name = {stage.event: stage for stage in STAGES}
    on_chain: Counter[str] = Counter()
    for event in events:
        stage = by_name.get(event.name)
        if stage is not None and event.args[stage.key] in whose[stage.role]:
            on_chain[stage.name] += 1
    outcomes: list[StageOutcome] = []
    for stage in STAGES:
        entry = entries.get(stage.entry, {"ok": 0, "failed": 0, "p50_us": 0, "p95_us": 0})
        outcomes.append(
            StageOutcome(
                stage.name,
                on_chain[stage.name],
                int(entry["ok"]),
                int(entry["failed"]),
                int(entry["p50_us"]) // 1000,
                int(entry["p95_us"]) // 1000,
                levels.p95(stage.name),
            )
        )
    return tuple(outcomes)


def _process_faults(statistics: Mapping[str, Any], entries: Mapping[str, Any]) -> list[str]:
    """A dead process, a crashed user or a load of nothing is no success."""
    faults: list[str] = []
    code = statistics.get("exit_code")
    if "killed_after" in statistics:
        faults.append(
            f"locust was not at its end after {statistics['killed_after']:.0f} s and was killed; "
            f"it was {statistics['seen_as']}"
        )
    if code != 0 or not entries:
        ended = "has not ended" if code is None else how_ended(int(code))
        faults.append(
            f"locust {ended} after {len(entries)} kinds of request; its log: "
            f"{statistics.get('log')}"
        )
    for exception in statistics.get("exceptions", ()):
        faults.append(f"a user crashed {exception['count']} times: {exception['message']}")
    if statistics.get("unfinished"):
        faults.append(f"{statistics['unfinished']} users did not finish their last step")
    return faults


def _faults_of_nothing(statistics: Mapping[str, Any], users: int) -> list[str]:
    """A load that did not happen has fine figures: what was to happen is counted (Locust #3010)."""
    faults: list[str] = []
    started, planned = statistics.get("users_started", 0), statistics.get("planned_seconds", 0)
    if started != users:
        faults.append(f"{started} of {users} users began")
    stalled = float(statistics.get("stalled_seconds", 0))
    if stalled * 100 > planned * MOST_STALLED_PERCENT:
        faults.append(
            f"no user ran for {stalled:.1f} s of a load of {planned} s: locust was stopped or had "
            f"no processor; at most {MOST_STALLED_PERCENT} %"
        )
    begun, intended = statistics.get("steps_begun", 0), statistics.get("steps_intended", 0)
    if begun * 100 < intended * LEAST_BEGUN_PERCENT or not begun:
        faults.append(
            f"users began {begun} of {intended} intended steps, at least {LEAST_BEGUN_PERCENT} %"
        )
    for name, count in statistics.get("in_flight", {}).items():
        faults.append(f"{name}: {count} requests had no answer at the end")
    return faults


def _transaction_faults(counts: Mapping[str, int], sent: int) -> list[str]:
    """Every transaction a user submitted is accounted for."""
    faults: list[str] = []
    submitted, mined = counts.get("submitted", 0), counts.get("mined", 0)
    refused, lost = counts.get("refused", 0), counts.get("lost", 0)
    if lost or submitted != mined + refused:
        faults.append(
            f"{submitted} transactions submitted: {mined} mined, {refused} refused, {lost} lost"
        )
    if mined != sent:
        faults.append(f"{sent} transactions of users on chain, {mined} receipts by Locust")
    return faults


def _failure_texts(entries: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: {count} times: {text}"
        for name, entry in entries.items()
        for text, count in entry["errors"].items()
    ]
