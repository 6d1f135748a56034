"""M1 to M6."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from model_world import DAY, KOMP, World, address

from devnet.model.market import end_of, fee
from devnet.model.usage import Statement, replica_seconds
from devnet.protocol import OrderState

STATEMENTS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 5)), max_size=8)


def running(world: World) -> World:
    """Order 1 of alice, accepted by worker-1."""
    world.stake("worker-1")
    world.prices()
    assert world.order().ok
    assert world.accept(1).ok
    return world


def order(world: World, identity: int = 1) -> OrderState:
    return world.ledger().orders[identity]


@given(STATEMENTS, st.integers(0, 200), st.integers(0, 200))
def test_m6_every_second_counts_the_replicas_of_its_last_statement(
    made: list[tuple[int, int]], start: int, until: int
) -> None:
    statements = [Statement(at, n) for at, n in sorted(made, key=lambda pair: pair[0])]
    expected = 0
    for second in range(start, until):
        in_force = [s.replicas for s in statements if s.at <= second]
        expected += in_force[-1] if in_force else 0
    assert replica_seconds(statements, start, until) == expected


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4), st.booleans()), max_size=12),
    st.integers(1, 40 * KOMP),
)
def test_m3_settling_often_costs_what_settling_once_costs(
    moves: list[tuple[int, int, bool]], deposit: int
) -> None:
    often, once = World(), World()
    for world in (often, once):
        world.stake("worker-1")
        world.prices()
        assert world.order(deposit=deposit).ok
        world.accept(1)
        for seq, (blocks, replicas, settles) in enumerate(moves, start=1):
            world.mine(blocks)
            world.running(1, seq, replicas, world.now)
            if settles and world is often:
                assert world.client("settle", 1).ok
        world.wait(10 * DAY + 7200)
        assert world.client("finalize", 1).ok
    assert order(often) == order(once)
    c = order(often).consumed
    assert c <= deposit
    for world in (often, once):
        assert world.balance("company") == fee(c)
        assert world.balance("Rewards") == c - fee(c)
        assert world.balance("alice") == 10_000 * KOMP - c
        assert world.balance("Market") == 0


def test_m1_an_order_is_checked_and_locks_its_rates(world: World) -> None:
    assert world.order().error == "KompUsdStale"
    world.prices()
    refused = {
        "DurationOutOfRange": world.order(duration=30 * DAY + 1),
        "ReplicasOutOfRange": world.order(maxReplicas=0),
        "ZeroDeposit": world.order(deposit=0),
        "RateAboveMaximum": world.order(maxRate=1),
        "ERC20InsufficientBalance": world.order(deposit=10_001 * KOMP),
        "StorageUnexpected": world.order(storageGib=1),
        "NoReason": world.order(kind=3),
    }
    assert {name: outcome.error for name, outcome in refused.items()} == {n: n for n in refused}
    assert world.order().ok
    cpu, memory = (world.ledger().prices[resource].komp for resource in (0, 1))
    assert cpu and memory
    assert order(world).rate == 500 * cpu // 1000 + memory
    assert world.ledger().escrowed == 20 * KOMP


def test_m2_only_an_active_node_accepts_and_only_once(world: World) -> None:
    world.prices()
    world.order()
    assert world.accept(2).error == "UnknownOrder"
    assert world.accept(1).error == "NodeNotActive"
    world.stake("worker-1")
    assert world.accept(1).ok
    assert world.accept(1).error == "AlreadyAccepted"


def test_m2_closing_an_unaccepted_order_refunds_in_full_at_once(world: World) -> None:
    world.stake("worker-1")
    world.prices()
    world.order()
    assert world.client("close", 1, "bob").error == "NotClient"
    assert world.client("close", 1).ok
    assert world.balance("alice") == 10_000 * KOMP
    assert order(world).finalized
    assert world.accept(1).error == "AlreadyFinalized"


def test_m3_serverless_counters_are_charged_once(world: World) -> None:
    running(world)
    world.order("bob", kind=1)
    world.accept(2)
    assert world.counters(1, 1, 1).error == "WrongKind"
    assert world.counters(2, 1_000_000, 1024 * 1000).ok
    assert world.counters(2, 999_999, 1024 * 1000).error == "CounterDecreased"
    assert world.client("settle", 2).ok
    assert world.counters(2, 1_000_000, 1024 * 1000).ok
    assert world.client("settle", 2).ok
    found = order(world, 2)
    assert found.consumed == found.rate + found.rate2
    assert world.counters(2, 2**64, 2**64).error == "SafeCastOverflowedUintDowncast"


def test_m4_a_tenth_of_c_goes_to_the_company_in_total(world: World) -> None:
    running(world)
    assert world.running(1, 1, 1, world.now).ok
    for _ in range(7):
        world.mine(11)
        assert world.client("settle", 1).ok
    c = order(world).consumed
    assert world.balance("company") == c // 10
    assert (
        world.ledger().cycles[world.cycle].reward
        + sum(cycle.reward for n, cycle in world.ledger().cycles.items() if n != world.cycle)
        == c - c // 10
    )


def test_m5_an_invocation_starts_and_ends_at_the_client(world: World) -> None:
    running(world)
    payload = {"payloadHash": bytes(32)}
    assert world.client("invoke", 1, **payload).error == "WrongKind"
    world.order("bob", kind=1)
    assert world.client("invoke", 2, "bob", **payload).error == "NotAccepted"
    world.accept(2)
    assert world.client("invoke", 2, **payload).error == "NotClient"
    assert world.client("invoke", 2, "bob", **payload).ok
    done = {"invocation": 1, "exitCode": 0, "resultHash": bytes(32)}
    assert world.send("alice", "Market", "complete", **done).error == "NotClient"
    assert world.send("bob", "Market", "complete", **done).ok
    assert world.send("bob", "Market", "complete", **done).error == "AlreadyCompleted"
    assert world.send("bob", "Market", "complete", **{**done, "invocation": 2}).error == (
        "UnknownInvocation"
    )


def test_m6_a_statement_is_checked(world: World) -> None:
    running(world)
    accepted = world.now
    world.mine(5)
    refused = [
        world.running(1, 1, 5, world.now),
        world.running(1, 0, 1, world.now),
        world.running(1, 1, 1, accepted - 1),
        world.running(1, 1, 1, world.now + 1),
        world.running(1, 1, 1, world.now, "gatekeeper-1"),
    ]
    assert [outcome.error for outcome in refused] == [
        "ReplicasOutOfRange",
        "SequenceNotAbove",
        "StatementTimeOutOfRange",
        "StatementTimeOutOfRange",
        "TooFewSignatures",
    ]
    assert world.running(1, 3, 1, world.now).ok
    assert world.running(1, 4, 1, world.now - 1).error == "StatementTimeOutOfRange"


def test_m6_a_halt_can_be_filed_within_the_delay(world: World) -> None:
    running(world)
    start = world.now
    world.running(1, 1, 2, start)
    world.mine(20)
    assert world.client("settle", 1).ok
    settled = order(world).settledUntil
    assert settled == world.now - 7200
    assert order(world).total == 2 * (settled - start)
    assert world.running(1, 2, 0, settled - 1).error == "StatementTimeOutOfRange"
    assert world.running(1, 2, 0, settled).ok
    world.wait(7200 + 7200)
    assert world.client("settle", 1).ok
    assert order(world).total == 2 * (settled - start)


def test_m6_a_halt_is_filed_between_the_end_and_its_delay(world: World) -> None:
    running(world)
    start = world.now
    assert world.running(1, 1, 2, start).ok
    world.mine(20)
    assert world.client("close", 1).ok
    end = world.now
    world.wait(3600)
    assert world.client("settle", 1).ok
    settled = order(world).settledUntil
    assert settled == world.now - 7200 < end
    assert order(world).total == 2 * (settled - start)
    assert world.running(1, 2, 0, settled).ok
    world.wait(3600)
    assert world.client("finalize", 1).ok
    assert order(world).total == 2 * (settled - start)


def test_m6_the_client_closes_and_anyone_finalizes_after_the_delay(world: World) -> None:
    running(world)
    start = world.now
    world.running(1, 1, 1, start)
    world.mine(10)
    assert world.client("close", 1).ok
    assert world.client("close", 1).error == "OrderEnded"
    assert end_of(order(world)) == world.now
    assert world.running(1, 2, 0, world.now).error == "StatementTimeOutOfRange"
    assert world.client("finalize", 1, "mallory").error == "FinalizeNotDue"
    world.wait(7200)
    assert world.client("finalize", 1, "mallory").ok
    assert world.client("finalize", 1).error == "AlreadyFinalized"
    assert order(world).total == 7200
    assert order(world).node == address("worker-1")


def test_m1_an_order_nobody_accepted_within_30_days_has_ended(world: World) -> None:
    world.stake("worker-1", months=12)
    world.prices()
    for _ in range(2):
        assert world.order(duration=30 * DAY).ok
    created = order(world).createdAt
    assert created == world.now
    world.wait(30 * DAY - world.block_seconds)
    assert world.accept(1).ok
    world.mine()
    assert world.now == created + 30 * DAY
    assert world.accept(2).error == "OrderEnded"
    assert world.client("close", 2).ok  # the deposit is not lost
    assert end_of(order(world)) == created + 30 * DAY
    assert world.client("scale", 1, replicas=1).error == "OrderEnded"
    world.wait(7200)
    assert world.client("finalize", 1).ok


def test_m6_of_two_statements_for_one_second_the_later_holds(world: World) -> None:
    running(world)
    start = world.now
    for seq, replicas in enumerate((4, 0, 3, 1), start=1):
        assert world.running(1, seq, replicas, start).ok
    assert len(world.model.state.usage[1].pending) == 1
    assert world.running(1, 4, 2, start).error == "SequenceNotAbove"
    world.wait(7200)
    world.mine()
    assert world.client("settle", 1).ok
    settled = order(world).settledUntil
    assert order(world).total == settled - start
    for seq, replicas in ((5, 2), (6, 0)):  # for the second up to which is settled, too
        assert world.running(1, seq, replicas, settled).ok
    world.mine()
    assert world.client("settle", 1).ok
    assert order(world).total == settled - start


def test_m6_a_settlement_applies_200_statements_and_the_next_goes_on(world: World) -> None:
    running(world)
    start = world.now
    world.wait(7200)
    for n in range(450):
        assert world.running(1, n + 1, n % 2, start + n).ok
    world.wait(7200)
    reached = [start + 199, start + 399, world.now - 7200]
    for second in reached:
        assert world.client("settle", 1).ok
        assert order(world).settledUntil == second
    assert order(world).total == 225 + (reached[-1] - start - 450)


def test_m6_what_is_finalized_is_settled_but_for_200_statements(world: World) -> None:
    running(world)
    start = world.now
    world.wait(7200)
    for n in range(401):
        assert world.running(1, n + 1, n % 2, start + n).ok
    world.wait(10 * DAY + 7200)
    assert world.client("finalize", 1).error == "SettleFirst"
    assert world.client("settle", 1).ok
    assert world.client("finalize", 1).error == "SettleFirst"
    assert world.client("settle", 1).ok
    assert world.client("finalize", 1).ok
    assert order(world).total == 200


def test_m1_a_machine_is_billed_like_a_container_and_for_its_storage(world: World) -> None:
    world.prices(utilization=0)
    assert world.stake("worker-1").ok
    assert world.order().ok
    assert world.order(kind=2, storageGib=90).ok
    assert world.order(kind=2, maxReplicas=0).error == "ReplicasOutOfRange"
    month = 12 * 10**16  # 0.08 USD * 0.75 at half a dollar
    assert order(world, 2).rate == order(world, 1).rate + 90 * month // 720
    assert world.accept(2).ok
    start = world.now
    assert world.running(2, 1, 2, start).ok
    world.wait(3600)
    halt = world.now
    assert world.running(2, 2, 0, halt).ok
    world.wait(3600)
    assert world.running(2, 3, 1, world.now).ok
    world.wait(1800)
    ended, two = world.now, 2 * (halt - start)
    assert world.client("close", 2).ok
    assert world.client("invoke", 2, payloadHash=bytes(32)).error == "WrongKind"
    world.wait(7200)
    assert world.client("finalize", 2).ok
    one = ended - start - (halt - start) * 2
    assert order(world, 2).consumed == order(world, 2).rate * (two + one) // 3600


def test_c7_a_suspended_node_accepts_nothing(world: World) -> None:
    world.prices()
    assert world.stake("worker-1").ok
    start = world.now
    world.wait(3600)
    assert world.order().ok
    assert world.report("worker-1", start, start + 60, level=2).ok
    assert world.accept(1).error == "NodeSuspended"
    assert world.stake("worker-2").ok
    assert world.accept(1, "worker-2").ok
