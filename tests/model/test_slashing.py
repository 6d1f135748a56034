"""L1, L4 to L7."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from model_world import DAY, GATEKEEPERS, KOMP, World, address

from devnet.model.slashing import interval, nominal_amount

SECONDS = st.integers(0, 240 * 3600)


@given(SECONDS, st.integers(0, 10**6))
def test_l4_split_incidents_equal_the_merged_one_within_one_wei(whole: int, part: int) -> None:
    first = part % (whole + 1)
    split = nominal_amount(1, first) + nominal_amount(1, whole - first)
    assert split in (nominal_amount(1, whole) - 1, nominal_amount(1, whole))


@given(SECONDS)
def test_l4_the_amount_grows_with_time_up_to_the_cap(seconds: int) -> None:
    assert nominal_amount(1, seconds) <= nominal_amount(1, seconds + 1) <= 500 * KOMP
    assert nominal_amount(1, 240 * 3600 + seconds) == 500 * KOMP


def test_l1_twelve_hours_offline_cost_25_komp() -> None:
    assert nominal_amount(1, DAY // 2) == 25 * KOMP


@given(*(st.integers(0, 1000) for _ in range(5)))
def test_l5_an_interval_counts_only_uncharged_seconds_before_the_exit_request(
    start: int, end: int, cursor: int, registered: int, exit_request: int
) -> None:
    counted = set(interval(1, start, end, cursor, registered, exit_request))
    assert counted == {
        second
        for second in range(start, end)
        if second >= cursor and second >= registered
        if not exit_request or second < exit_request
    }


def test_l5_overlapping_reports_are_charged_once(world: World) -> None:
    world.stake("worker-1")
    start = world.now
    world.wait(DAY)
    assert world.report("worker-1", start, start + 3_600).ok
    assert world.report("worker-1", start + 1_800, start + 7_200).ok
    assert world.report("worker-1", start, start + 7_200).error == "IntervalEmpty"
    incidents = world.ledger().incidents
    assert [(i.from_ - start, i.to - start) for i in incidents.values()] == [
        (0, 3_600),
        (3_600, 7_200),
    ]


def test_l5_the_bounds_of_a_report(world: World) -> None:
    assert world.report("worker-1", world.now, world.now).error == "NotLive"
    world.stake("worker-1")
    start = world.now
    assert world.report("worker-1", start, start + 1).error == "IntervalInFuture"
    assert world.report("worker-1", start - 100, start, level=4).error == "UnknownLevel"
    assert world.report("worker-1", start - 100, start).error == "IntervalEmpty"
    world.wait(15 * DAY)
    assert world.report("worker-1", start, start + 60).error == "IntervalTooOld"
    world.owner("worker-1", "requestExit")
    requested = world.now
    world.wait(DAY)
    assert world.report("worker-1", requested, world.now).error == "IntervalEmpty"
    world.wait(15 * DAY)
    assert world.report("worker-1", world.now - 60, world.now).error == "AfterExit"


def test_l5_the_cursor_rises_to_where_the_exit_request_cut_the_interval(world: World) -> None:
    world.stake("worker-1")
    start = world.now
    world.wait(DAY)
    assert world.owner("worker-1", "requestExit").ok
    requested = world.now
    world.wait(DAY)
    assert world.report("worker-1", start, world.now).ok
    ledger = world.ledger()
    assert ledger.incidents[1].to == requested
    node = ledger.nodes[address("worker-1")]
    assert (node.cursor, node.malicious_cursor) == (requested, start)


def test_l6_a_report_needs_a_slash_quorum_and_execution_its_window(world: World) -> None:
    world.stake("worker-1")
    start = world.now
    world.wait(DAY)
    one = world.report("worker-1", start, start + 60, "gatekeeper-1")
    assert one.error == "TooFewSignatures"
    assert world.report("worker-1", start, start + 60).ok
    assert world.execute(2).error == "UnknownIncident"
    assert world.execute(1).error == "WindowOpen"
    world.wait(6 * 3600)
    assert world.execute(1).ok
    assert world.execute(1).error == "AlreadyExecuted"


def test_l7_the_slash_becomes_reward_of_the_cycle_it_executes_in(world: World) -> None:
    world.stake("worker-1")
    start = world.now
    world.wait(DAY // 2)
    world.report("worker-1", start, start + DAY // 2)
    world.wait(6 * 3600)
    world.execute(1)
    ledger = world.ledger()
    assert ledger.incidents[1].amount == 25 * KOMP
    assert ledger.nodes[address("worker-1")].stake == 475 * KOMP
    assert ledger.cycles[world.cycle].reward == 25 * KOMP
    assert (world.balance("Rewards"), world.balance("Slashing")) == (25 * KOMP, 0)


def test_l4_never_more_than_the_stake_is_taken(world: World) -> None:
    world.stake("worker-1")
    for _ in range(2):
        start = world.now
        world.wait(10 * DAY)
        assert world.report("worker-1", start, start + 10 * DAY).ok
        world.wait(6 * 3600)
        assert world.execute(len(world.ledger().incidents)).ok
    assert [i.amount for i in world.ledger().incidents.values()] == [500 * KOMP, 0]


def test_l2_half_of_the_stake_a_day_up_to_48_hours() -> None:
    days = [nominal_amount(2, seconds) for seconds in (DAY // 2, DAY, 2 * DAY, 3 * DAY)]
    assert days == [125 * KOMP, 250 * KOMP, 500 * KOMP, 500 * KOMP]


def test_l5_level_2_is_not_cut_by_the_exit_request_and_raises_milder_cursors(world: World) -> None:
    assert interval(1, 0, 100, 0, 0, 60) == range(60)
    assert interval(2, 0, 100, 0, 0, 60) == range(100)
    world.stake("worker-1")
    start = world.now
    world.wait(DAY)
    assert world.report("worker-1", start, start + 7_200, level=2).ok
    assert world.report("worker-1", start, start + 7_200).error == "IntervalEmpty"
    assert world.report("worker-1", start, start + 9_000).ok
    assert world.report("worker-1", start, start + 7_200, level=2).error == "IntervalEmpty"
    node = world.ledger().nodes[address("worker-1")]
    assert (node.cursor - start, node.malicious_cursor - start) == (9_000, 7_200)


def test_c7_level_2_suspends_until_it_executes_and_voids_v(world: World) -> None:
    world.stake("worker-1")
    world.mine()
    start = world.now - world.block_seconds
    assert world.report("worker-1", start, world.now, level=2).ok
    assert world.ledger().nodes[address("worker-1")].suspensions == 1
    assert world.publish("worker-1").error == "Suspended"
    world.wait(6 * 3600)
    assert world.execute(1).ok
    node = world.ledger().nodes[address("worker-1")]
    assert (node.suspensions, node.active) == (0, False)
    assert world.owner("worker-1", "topUp", amount=500 * KOMP - node.stake).ok
    assert world.publish("worker-1").ok


def test_c7_level_2_voids_v_also_where_nothing_is_left_to_take() -> None:
    world = World(cycle_blocks=140)
    assert world.stake("worker-1").ok
    assert world.stake("worker-2").ok
    start = world.now
    world.wait(10 * DAY)
    world.next_cycle()
    world.mine()
    assert world.publish("worker-1").ok
    assert world.publish("worker-2").ok
    end = start + 10 * DAY
    assert world.report("worker-1", start, end).ok
    assert world.report("worker-1", end - 3_600, end, level=2).ok
    published = world.cycle
    world.wait(6 * 3600)
    assert world.execute(1).ok
    ledger = world.ledger()
    assert ledger.nodes[address("worker-1")].stake == 0
    assert ledger.cycles[published].v[address("worker-1")] == 10**18
    outcome = world.execute(2)
    assert [e.name for e in outcome.events][-2:] == ["Resumed", "Voided"]
    ledger = world.ledger()
    assert world.cycle == published
    assert [i.amount for i in ledger.incidents.values()] == [500 * KOMP, 0]
    assert dict(ledger.cycles[published].v) == {address("worker-2"): 10**18}
    assert ledger.cycles[published].total_v == 10**18


def test_c7_only_the_current_cycle_is_voided(world: World) -> None:
    world.stake("worker-1")
    world.add_reward(KOMP)
    world.mine()
    assert world.publish("worker-1").ok
    world.next_cycle()
    world.mine()
    assert world.publish("worker-1").ok
    assert world.report_level_3("worker-1").ok
    ledger = world.ledger()
    assert ledger.cycles[0].total_v == 10**18
    assert 1 not in ledger.cycles  # neither V nor reward is left in it
    assert ledger.nodes[address("worker-1")].claimable == KOMP


def test_l6_level_3_seizes_ejects_and_comes_once(world: World) -> None:
    assert world.report_level_3("worker-1").error == "NotLive"
    world.stake("worker-1")
    now, keepers = world.now, GATEKEEPERS
    assert world.report("worker-1", now, now, level=3).error == "TooFewSignatures"
    span = (now - 1, now)
    assert world.report("worker-1", *span, *keepers, level=3).error == "IntervalUnexpected"
    ahead = (now + 1, now + 1)
    assert world.report("worker-1", *ahead, *keepers, level=3).error == "IntervalInFuture"
    old = now - 14 * DAY - 1
    assert world.report("worker-1", old, old, *keepers, level=3).error == "IntervalTooOld"
    before = world.ledger().nodes[address("worker-1")].registered_at - 1
    assert world.report("worker-1", before, before, *keepers, level=3).error == "IntervalEmpty"
    assert world.report_level_3("worker-1").ok
    node = world.ledger().nodes[address("worker-1")]
    assert (node.stake, node.seized, node.ejected, node.live) == (0, 500 * KOMP, True, True)
    assert node.exit_at == max(world.now + 15 * DAY, node.unlock_at)
    assert world.report_level_3("worker-1").error == "AlreadyReported"
    assert world.publish("worker-1").error == "NotActive"
    world.wait(6 * 3600)
    assert world.execute(1).ok
    node = world.ledger().nodes[address("worker-1")]
    assert (node.live, node.forfeited, node.seized) == (False, True, 0)
    assert world.owner("worker-1", "withdraw").error == "NotLive"
    assert world.report_level_3("worker-1").error == "NotLive"
    assert world.stake("worker-2", hardware="worker-1").ok  # S6: the machine is free again


def test_only_slashing_moves_stakes_and_v(world: World) -> None:
    node = {"node": address("worker-1")}
    for function in ("slash", "suspend", "resume", "seize", "restore", "forfeit"):
        assert world.send("mallory", "Staking", function, **node).error == "NotSlashing"
    assert world.send("mallory", "Rewards", "voidV", **node).error == "NotSlashing"
