"""Rewards by cycles and their claims (C1 to C7), and the attacks of §12 on them."""

from __future__ import annotations

import pytest
from contracts_stage import HOUR, KOMP, NO_SHRINKING, PARAMETERS, Stage, address
from hypothesis import given, settings
from hypothesis import strategies as st

NODE, OTHER = address("node-1"), address("node-2")
L = PARAMETERS.cycle_blocks
NONE = 2**256 - 1


def add(stage: Stage, amount: int, sender: str = "treasury") -> None:
    stage.send(sender, "Rewards", "addReward", amount)


def worked(stage: Stage, cycles: int, reward: int = KOMP) -> None:
    """Node 1 publishes in so many cycles, each with that reward."""
    for _ in range(cycles):
        add(stage, reward)
        stage.publish(1)
        stage.next_cycle()


def claim_all(stage: Stage, n: int = 1) -> int:
    sent = stage.send(f"owner-{n}", "Rewards", "claimAll", address(f"node-{n}"))
    return int(sent.event("ClaimedAll")["amount"])


def claim(stage: Stage, cycle: int, n: int = 1) -> int:
    sent = stage.send(f"owner-{n}", "Rewards", "claim", address(f"node-{n}"), cycle)
    return int(sent.event("Claimed")["amount"])


@pytest.mark.parametrize("sender", ["treasury", "mallory"])
def test_c2_anyone_adds(stage: Stage, sender: str) -> None:
    before = stage.balance(sender)
    sent = stage.send(sender, "Rewards", "addReward", 7 * KOMP)
    assert sent.event("RewardAdded") == {
        "from": address(sender),
        "cycle": 0,
        "amount": 7 * KOMP,
    }
    add(stage, 1)
    assert stage.read("Rewards", "cycleReward", 0) == stage.balance("Rewards") == 7 * KOMP + 1
    assert stage.balance(sender) == before - 7 * KOMP - (sender == "treasury")
    assert stage.refused(sender, "Rewards", "addReward", 0).name == "ZeroAmount"


def test_c4_nothing_rolls_within_a_cycle(stage: Stage) -> None:
    add(stage, KOMP)
    sent = stage.send("treasury", "Rewards", "addReward", KOMP)
    assert sent.names == ["RewardAdded", "Transfer"]
    assert stage.read("Rewards", "cycleReward", 0) == 2 * KOMP


def test_c2_without_tokens_nothing_is_added(stage: Stage) -> None:
    refused = stage.refused("mallory", "Rewards", "addReward", 10_001 * KOMP)
    assert refused.name == "ERC20InsufficientBalance"
    assert stage.read("Rewards", "cycleReward", 0) == 0
    refused = stage.refused("treasury", "Rewards", "addReward", 2**128)
    assert refused.name == "SafeCastOverflowedUintDowncast"


@pytest.mark.parametrize(
    ("offset", "cycle"), [(L - 1, 0), (L, 1), (L + 1, 1)], ids=["L-1", "L", "L+1"]
)
def test_c1_c2_at_a_boundary(stage: Stage, offset: int, cycle: int) -> None:
    stage.stake(1)
    stage.publish(1)
    stage.until_block(stage.deployment.genesis.block + offset)
    add(stage, 5)
    assert stage.read("Rewards", "cycleReward", cycle) == 5
    stage.next_cycle()
    assert stage.read("Rewards", "claimable", NODE, 0) == (5 if cycle == 0 else 0)


@pytest.mark.parametrize(
    ("offset", "name"),
    [(L - 1, "CycleNotEnded"), (L, None), (L + 1, None)],
    ids=["L-1", "L", "L+1"],
)
def test_c3_a_claim_at_a_boundary(stage: Stage, offset: int, name: str | None) -> None:
    stage.stake(1)
    add(stage, KOMP)
    stage.publish(1)
    stage.until_block(stage.deployment.genesis.block + offset)
    if name:
        refused = stage.refused("owner-1", "Rewards", "claim", NODE, 0)
        assert (refused.name, refused.values) == (name, {"cycle": 0, "current": 0})
        # `refused` took the block; the next one is in the next cycle.
        assert claim_all(stage) == KOMP
    else:
        assert claim(stage, 0) == KOMP


def test_c3_shares_round_down(stage: Stage) -> None:
    for n, months in ((1, 1), (2, 3), (3, 12)):
        stage.stake(n, months)
        stage.publish(n)
    add(stage, 100)
    stage.next_cycle()
    # V 1.00, 1.05, 1.20 of 3.25
    shares = [claim_all(stage, n) for n in (1, 2, 3)]
    assert shares == [100 * 100 // 325, 100 * 105 // 325, 100 * 120 // 325] == [30, 32, 36]
    assert stage.balance("Rewards") == 2 < 3  # C5: dust stays


def test_c3_once_per_cycle(stage: Stage) -> None:
    stage.stake(1)
    worked(stage, 2)
    before = stage.balance("owner-1")
    assert claim(stage, 0) == KOMP
    assert stage.balance("owner-1") == before + KOMP
    again = stage.refused("owner-1", "Rewards", "claim", NODE, 0)
    assert (again.name, again.values) == ("AlreadyClaimed", {"node": NODE, "cycle": 0})
    assert stage.read("Rewards", "isClaimed", NODE, 0)
    assert not stage.read("Rewards", "isClaimed", NODE, 1)
    assert claim_all(stage) == KOMP
    for cycle in (0, 1):
        refused = stage.refused("owner-1", "Rewards", "claim", NODE, cycle)
        assert refused.name == "AlreadyClaimed"
    assert stage.refused("owner-1", "Rewards", "claimAll", NODE).name == "NothingToClaim"


def test_c3_settling_happens_once(stage: Stage) -> None:
    stage.stake(1)
    worked(stage, 1)
    stage.mine()
    assert stage.read("Rewards", "openCycle", NODE) == 0
    assert stage.read("Rewards", "accrued", NODE) == 0
    assert stage.read("Rewards", "claimableAll", NODE) == KOMP
    stage.publish(1)
    assert stage.read("Rewards", "openCycle", NODE) == 1
    assert stage.read("Rewards", "accrued", NODE) == KOMP
    stage.next_cycle()
    assert claim_all(stage) == KOMP  # cycle 1 had no reward
    assert stage.read("Rewards", "openCycle", NODE) == NONE
    assert stage.read("Rewards", "claimedBefore", NODE) == 2
    assert stage.read("Rewards", "claimableAll", NODE) == 0


def test_c3_claim_all_publish_then_the_old_cycle_again(stage: Stage) -> None:
    stage.stake(1)
    worked(stage, 1)
    assert claim_all(stage) == KOMP
    add(stage, KOMP)
    stage.publish(1)
    refused = stage.refused("owner-1", "Rewards", "claim", NODE, 0)
    assert refused.name == "AlreadyClaimed"
    stage.next_cycle()
    assert stage.refused("owner-1", "Rewards", "claim", NODE, 0).name == "AlreadyClaimed"
    assert claim(stage, 1) == KOMP
    assert stage.refused("owner-1", "Rewards", "claimAll", NODE).name == "NothingToClaim"


def test_c3_claim_all_leaves_the_running_cycle(stage: Stage) -> None:
    stage.stake(1)
    worked(stage, 1)
    add(stage, 3 * KOMP)
    stage.publish(1)
    assert claim_all(stage) == KOMP
    assert stage.read("Rewards", "openCycle", NODE) == 1
    stage.next_cycle()
    assert claim_all(stage) == 3 * KOMP
    assert stage.balance("Rewards") == 0


def test_c3_a_single_claim_before_the_open_cycle_is_settled(stage: Stage) -> None:
    stage.stake(1)
    worked(stage, 3)
    assert claim(stage, 2) == KOMP  # the open one itself
    assert stage.read("Rewards", "accrued", NODE) == 2 * KOMP
    assert claim(stage, 0) == KOMP
    assert claim_all(stage) == KOMP


def test_c3_nothing_due(stage: Stage) -> None:
    stage.stake(1)
    stage.stake(2)
    worked(stage, 1)
    assert stage.refused("owner-2", "Rewards", "claimAll", OTHER).name == "NothingToClaim"
    assert stage.refused("owner-2", "Rewards", "claim", OTHER, 0).name == "NothingToClaim"
    stage.next_cycle()
    refused = stage.refused("owner-1", "Rewards", "claim", NODE, 1)
    assert (refused.name, refused.values) == ("NothingToClaim", {"node": NODE})
    refused = stage.refused("owner-1", "Rewards", "claim", NODE, 2**200)
    assert refused.name == "CycleNotEnded"


@pytest.mark.parametrize("cycles", [1, 5_000, 10**7])
def test_c3_after_thousands_of_cycles(stage: Stage, cycles: int) -> None:
    stage.stake(1)
    worked(stage, 1)
    call = stage.contracts.encode("Rewards", "claimAll", NODE)
    request = {"from": address("owner-1"), "to": call.to, "data": "0x" + call.data.hex()}
    # Not mined: only the block's number differs for this call.
    number = {"number": hex(stage.block + cycles * L)}
    answer = stage.chain.rpc.call("eth_call", request, "latest", {}, number)
    assert int(answer, 16) == KOMP


@pytest.mark.parametrize("by", ["addReward", "publish"])
def test_c4_a_reward_nobody_could_share_moves_on(stage: Stage, by: str) -> None:
    stage.stake(1)
    add(stage, 5 * KOMP)
    stage.next_cycle(3, offset=1)
    if by == "addReward":
        sent = stage.send("treasury", "Rewards", "addReward", KOMP)
    else:
        sent = stage.publish(1)
    assert sent.event("RewardRolled") == {"from": 0, "to": 3, "amount": 5 * KOMP}
    assert stage.read("Rewards", "cycleReward", 0) == 0
    added = KOMP if by == "addReward" else 0
    assert stage.read("Rewards", "cycleReward", 3) == 5 * KOMP + added


def test_c4_it_rolls_again_until_somebody_publishes(stage: Stage) -> None:
    stage.stake(1)
    add(stage, KOMP)
    for cycle in (1, 2, 3):
        stage.next_cycle()
        add(stage, KOMP)
        assert stage.read("Rewards", "cycleReward", cycle) == (cycle + 1) * KOMP
        assert stage.read("Rewards", "cycleReward", cycle - 1) == 0
    stage.publish(1)
    stage.next_cycle()
    add(stage, KOMP)  # cycle 3 had V: nothing rolls
    assert stage.read("Rewards", "cycleReward", 3) == 4 * KOMP
    assert claim_all(stage) == 4 * KOMP


def test_c4_cycles_without_reward_do_not_hide_the_last_bucket(stage: Stage) -> None:
    stage.stake(1)
    worked(stage, 1)
    add(stage, 2 * KOMP)  # cycle 1, nobody publishes
    stage.next_cycle(5, offset=1)
    stage.publish(1)
    assert stage.read("Rewards", "cycleReward", 6) == 2 * KOMP
    stage.next_cycle()
    assert claim_all(stage) == 3 * KOMP


def test_c6_only_the_owner_claims(stage: Stage) -> None:
    stage.stake(1)
    stage.stake(2)
    worked(stage, 1)
    for sender in ("node-1", "owner-2", "governance", "mallory"):
        refused = stage.refused(sender, "Rewards", "claimAll", NODE)
        assert refused.values == {"caller": address(sender), "owner": address("owner-1")}
        assert stage.refused(sender, "Rewards", "claim", NODE, 0).name == "NotOwner"
    refused = stage.refused("mallory", "Rewards", "claimAll", address("node-4"))
    assert refused.values["owner"] == "0x" + "00" * 20


def test_c7_a_slashed_node_keeps_what_it_earned(stage: Stage) -> None:
    stage.stake(1)
    worked(stage, 2)
    start = stage.now
    stage.until(start + HOUR)
    reported = stage.send("mallory", "Slashing", "report", *stage.incident(1, start, start + HOUR))
    assert not stage.read("Staking", "isSuspended", NODE)
    stage.publish(1)  # level 1 suspends nobody
    stage.until(reported.timestamp + 6 * HOUR)
    stage.send("mallory", "Slashing", "execute", 1)
    assert stage.refused("node-1", "Rewards", "publish", *stage.attested(stage.result())).name == (
        "NotActive"
    )
    assert claim_all(stage) == 2 * KOMP


def test_sniping_just_before_add_reward_takes_a_fair_share(stage: Stage) -> None:
    """A late publisher shares a reward by its V alone, whenever it was added."""
    stage.stake(1)
    stage.stake(2)
    stage.publish(1)
    stage.publish(2)
    add(stage, 10 * KOMP)
    stage.next_cycle()
    assert (claim_all(stage), claim_all(stage, 2)) == (5 * KOMP, 5 * KOMP)


def test_sums_near_the_limits(stage: Stage) -> None:
    """The whole supply in one cycle, V at its bound."""
    stage.stake(1)
    stage.stake(2, 12)
    everything = stage.balance("treasury")
    add(stage, everything)
    stage.publish(1, c1=10**8, c2=0, c3=0)
    stage.publish(2, sgx=1, b=1, c1=1, c2=0, c3=0)
    stage.next_cycle()
    expected = everything * 10**20 // (10**20 + 1)
    assert claim_all(stage) == expected
    assert claim_all(stage, 2) == everything // (10**20 + 1)


STEP = st.one_of(
    st.tuples(st.just("publish"), st.integers(1, 3)),
    st.tuples(st.just("add"), st.integers(1, 10**20)),
    st.tuples(st.just("next"), st.integers(1, 3)),
    st.tuples(st.just("all"), st.integers(1, 3)),
    st.tuples(st.just("claim"), st.integers(1, 3)),
)


@settings(max_examples=10, phases=NO_SHRINKING)
@given(steps=st.lists(STEP, min_size=8, max_size=25))
def test_invariants_2_to_7(base: Stage, steps: list[tuple[str, int]]) -> None:
    snapshot = base.chain.snapshot()
    stage = Stage(base.chain, base.artifacts, base.deployment)
    try:
        for n, months in ((1, 1), (2, 3), (3, 12)):
            stage.stake(n, months)
        added, paid = 0, dict.fromkeys((1, 2, 3), 0)
        for kind, number in steps:
            if kind == "add":
                add(stage, number)
                added += number
            elif kind == "next":
                stage.next_cycle(number, offset=1)
            else:
                paid[min(number, 3)] += _did(stage, kind, number)
        _check(stage, added, paid)
    finally:
        base.chain.revert(snapshot)


def _did(stage: Stage, kind: str, n: int) -> int:
    """Publishes or claims where that is allowed; what was paid."""
    node = address(f"node-{n}")
    if kind == "publish":
        last = stage.read("Rewards", "lastPublishedBlock", node)
        stage.until_block(max(stage.block + 1, last + PARAMETERS.gap_blocks))
        if (stage.block + 1 - stage.deployment.genesis.block) % L == 0:
            stage.mine()
        stage.publish(n)
        return 0
    stage.mine()
    due = stage.read("Rewards", "claimableAll", node)
    if kind == "all":
        if due == 0:
            return 0
        assert claim_all(stage, n) == due  # 6: to the last unit
        return int(due)
    current = stage.cycle
    shares = {c: stage.read("Rewards", "claimable", node, c) for c in range(current)}
    assert sum(shares.values()) == due  # 5, 6
    first = next((c for c, share in shares.items() if share), None)
    if first is None:
        return 0
    assert claim(stage, first, n) == shares[first]
    return int(shares[first])


def _check(stage: Stage, added: int, paid: dict[int, int]) -> None:
    stage.next_cycle()
    stage.mine()
    cycles = range(stage.cycle + 1)
    rewards = [stage.read("Rewards", "cycleReward", c) for c in cycles]
    totals = [stage.read("Rewards", "cycleTotalV", c) for c in cycles]
    assert sum(rewards) == added  # 7
    assert stage.balance("Rewards") == added - sum(paid.values())  # 2
    empty = [c for c in cycles[:-1] if rewards[c] and not totals[c]]
    assert len(empty) <= 1  # 7
    earned = dict.fromkeys(paid, 0)
    for cycle in cycles[:-1]:
        v = {n: stage.read("Rewards", "cycleAccountV", cycle, address(f"node-{n}")) for n in paid}
        assert sum(v.values()) == totals[cycle]  # 3
        if totals[cycle]:
            shares = {n: rewards[cycle] * v[n] // totals[cycle] for n in paid}
            assert 0 <= rewards[cycle] - sum(shares.values()) < 3  # 4
            for n, share in shares.items():
                earned[n] += share
    for n, share in earned.items():  # 5
        assert paid[n] + stage.read("Rewards", "claimableAll", address(f"node-{n}")) == share
