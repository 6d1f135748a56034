"""No false green: everything Locust counts must be on chain, and whatever it hides is a fault."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from devnet.chain import DEFAULT_MNEMONIC
from devnet.protocol import Event
from devnet.record.history import History
from devnet.runs.judging import STAGES, LoadVerdict, ServiceLevels, judge
from loadtests.plan import user_accounts

USERS = user_accounts(DEFAULT_MNEMONIC, 10, 2)
STRANGER = "0x" + "99" * 20
EVENTS_OF_A_USER = (
    ("Staked", "node"),
    ("Published", "node"),
    ("OrderCreated", "client"),
    ("OrderAccepted", "order"),
    ("UsageReported", "order"),
    ("OrderClosed", "order"),
    ("Invoked", "order"),
    ("Completed", "order"),
    ("IncidentReported", "node"),
    ("IncidentExecuted", "node"),
    ("ToppedUp", "node"),
    ("ClaimedAll", "node"),
)


def events() -> list[Event]:
    """One of each stage for both users, and as much of a stranger."""
    found: list[Event] = []
    whose = [(user.node.address, user.client.address) for user in USERS]
    for order, (node, client) in enumerate([*whose, (STRANGER, STRANGER)], start=1):
        for name, role in EVENTS_OF_A_USER:
            args: dict[str, object] = {"id": order}
            args |= {"node": node} if role == "node" else {}
            args |= {"client": client} if role == "client" else {}
            found.append(Event("", name, args, 1, ""))
    return found


def history(kept: list[Event], transactions: int = 20) -> History:
    sent = Counter({USERS[0].owner.address: transactions, STRANGER: 3})
    seen = [SimpleNamespace(event=event) for event in kept]
    return cast(History, SimpleNamespace(events=seen, sent=sent))


def statistics(**changes: Any) -> dict[str, Any]:
    entry = {"ok": 2, "failed": 0, "p50_us": 200_000, "p95_us": 400_000, "errors": {}}
    found: dict[str, Any] = {
        "exit_code": 0,
        "log": "locust.log",
        "seconds": 30.5,
        "exceptions": [],
        "unfinished": 0,
        "planned_seconds": 30,
        "users_started": 2,
        "steps_begun": 75,
        "steps_intended": 100,
        "stalled_seconds": 3.0,
        "in_flight": {},
        "dropped": 0,
        "transactions": {"submitted": 20, "mined": 20, "refused": 0, "lost": 0},
        "entries": {stage.entry: dict(entry) for stage in STAGES},
    }
    return found | changes


def verdict(counted: dict[str, Any], kept: list[Event] | None = None, **rest: Any) -> LoadVerdict:
    levels = rest.get("levels", ServiceLevels())
    return judge(
        history(events() if kept is None else kept, rest.get("transactions", 20)),
        USERS,
        counted,
        levels,
        rest.get("ledger", []),
    )


def test_all_that_locust_counts_is_on_chain_and_a_stranger_s_is_not_counted() -> None:
    found = verdict(statistics())
    assert found.faults == ()
    assert found.word == "passed"
    assert {stage.on_chain for stage in found.stages} == {2}
    assert (found.requests, found.transactions, found.load_milliseconds) == (24, 20, 30_500)
    assert found.to_json()["verdict"] == "passed"


@pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])
def test_a_stage_with_one_event_missing_is_a_fault(stage: Any) -> None:
    kept = events()
    kept.remove(next(event for event in kept if event.name == stage.event))
    found = verdict(statistics(), kept)
    assert f"{stage.name}: 1 on chain, 2 by Locust" in found.faults


def test_a_stage_that_never_happened_is_a_fault() -> None:
    found = verdict(statistics(), [event for event in events() if event.name != "ClaimedAll"])
    assert "claim: nothing on chain" in found.faults


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            {"exit_code": -9, "entries": {}},
            "locust was killed by SIGKILL after 0 kinds of request; its log: locust.log",
        ),
        (
            {"exit_code": 1},
            "locust ended with exit code 1 after 12 kinds of request; its log: locust.log",
        ),
        (
            {"exceptions": [{"count": 50, "message": "KeyError: 'x'"}]},
            "a user crashed 50 times: KeyError: 'x'",
        ),
        ({"unfinished": 3}, "3 users did not finish their last step"),
        ({"dropped": 7}, "0 failures and 7 dropped steps, at most 0"),
        (
            {"transactions": {"submitted": 21, "mined": 20, "refused": 0, "lost": 1}},
            "21 transactions submitted: 20 mined, 0 refused, 1 lost",
        ),
        (
            {"transactions": {"submitted": 19, "mined": 19, "refused": 0, "lost": 0}},
            "20 transactions of users on chain, 19 receipts by Locust",
        ),
        (
            {"exit_code": -9, "killed_after": 120.0, "seen_as": "stopped"},
            "locust was not at its end after 120 s and was killed; it was stopped",
        ),
        ({"users_started": 1}, "1 of 2 users began"),
        (
            {"stalled_seconds": 3.1},
            "no user ran for 3.1 s of a load of 30 s: locust was stopped or had no processor; "
            "at most 10 %",
        ),
        ({"steps_begun": 74}, "users began 74 of 100 intended steps, at least 75 %"),
        (
            {"steps_begun": 0, "steps_intended": 0},
            "users began 0 of 0 intended steps, at least 75 %",
        ),
        (
            {"in_flight": {"RPC eth_call": 2}},
            "RPC eth_call: 2 requests had no answer at the end",
        ),
    ],
    ids=[
        *("dead", "exit code", "crash", "unfinished", "dropped", "lost", "uncounted"),
        *("killed", "users", "stalled", "few steps", "no steps", "in flight"),
    ],
)
def test_what_a_load_process_may_hide_is_a_fault(change: dict[str, Any], fault: str) -> None:
    found = verdict(statistics(**change))
    assert found.word == "failed"
    assert fault in found.faults


def test_failures_are_told_with_their_reasons_and_none_is_allowed_by_default() -> None:
    counted = statistics()
    counted["entries"]["TX publish"] |= {"failed": 1, "errors": {"reverted with WrongCycle": 1}}
    assert verdict(counted).faults == (
        "TX publish: 1 times: reverted with WrongCycle",
        "1 failures and 0 dropped steps, at most 0",
    )
    assert verdict(counted, levels=ServiceLevels(failures=1)).faults == ()


def test_service_levels_are_held_stage_by_stage() -> None:
    levels = ServiceLevels(500, {"claim": 399})
    assert verdict(statistics(), levels=levels).faults == ("claim: p95 400 ms, at most 399",)


def test_what_the_ledger_lacks_fails_the_load() -> None:
    missing = "1: balances sum to 99 KOMP, the supply is 100"
    assert verdict(statistics(), ledger=[missing]).faults == (missing,)
