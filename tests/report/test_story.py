"""What is told of a run: rows and figures from its record."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from devnet.report.cycles import read_cycles
from devnet.report.events import Told
from devnet.report.incidents import read_incidents
from devnet.report.ledger import read_ledger
from devnet.report.prices import dynamic_price
from devnet.report.story import Story
from tests.report.fabricated import ADDRESSES, BLOCK_SECONDS, GENESIS, KOMP, SUPPLY


class TestTheStory:
    def test_the_ledger_adds_up(self, story: Story) -> None:
        ledger = story.ledger
        assert ledger.supply == SUPPLY
        assert ledger.total == SUPPLY
        assert ledger.adds_up
        balances = {story.name(holder.address): holder.balance for holder in ledger.holders}
        assert balances["alice"] == 990 * KOMP
        assert balances["company"] == KOMP
        assert balances["Staking"] == 975 * KOMP
        assert balances["Slashing"] == 0

    def test_rewards_follow_the_rule(self, story: Story) -> None:
        first, second = story.cycles.cycles
        one, two = ADDRESSES["worker-1"], ADDRESSES["worker-2"]
        assert first.shares == {one: 1_000 * KOMP // 3, two: 2_000 * KOMP // 3}
        assert second.v == {one: 10**18 + 1}
        assert second.shares == {one: 34 * KOMP}
        assert (first.ended, second.ended) == (True, True)
        assert story.cycles.paid == {one: 1_000 * KOMP // 3}
        assert story.cycles.added == {
            ADDRESSES["treasury"]: 1_000 * KOMP,
            ADDRESSES["Market"]: 9 * KOMP,
            ADDRESSES["Slashing"]: 25 * KOMP,
        }

    def test_the_incident(self, story: Story) -> None:
        (incident,) = story.incidents
        assert story.name(incident.node) == "worker-2"
        assert (incident.end - incident.start, incident.amount) == (43_200, 25 * KOMP)
        assert incident.executed_at == incident.reported_at

    def test_orders(self, story: Story) -> None:
        first, second = story.orders
        assert (first.consumed, first.fee, first.reward, first.refund) == (
            10 * KOMP,
            KOMP,
            9 * KOMP,
            10 * KOMP,
        )
        assert (first.state, first.kind, first.most_replicas) == ("finalized", "container", 2)
        assert (second.kind, second.invoked, second.completed) == ("serverless", 2, 1)
        assert first.adds_up
        assert second.adds_up

    def test_a_price_follows_utilization_until_that_is_stale(self, story: Story) -> None:
        points = story.prices.points["vcpu_hour"]
        median = 42 * 10**15
        assert [(p.utilization, p.price) for p in points] == [
            (0, median * 75 // 100),
            (5 * 10**17, median * 80 // 100),
            (None, median * 95 // 100),
            (None, median * 95 // 100),
        ]
        assert points[2].timestamp - points[1].timestamp == 21_601
        assert points[3].timestamp == GENESIS + 145 * BLOCK_SECONDS
        assert story.prices.vendors["vcpu_hour"] == {
            "aws": 40 * 10**15,
            "gcp": 42 * 10**15,
            "azure": 50 * 10**15,
        }

    def test_steps(self, story: Story) -> None:
        assert [step.verb for step in story.steps] == [
            "stake",
            "order",
            "advance",
            "claim",
            "expect",
        ]
        assert story.steps[2].end - story.steps[2].start == 70 * BLOCK_SECONDS
        assert story.planned == 5


def told(name: str, **args: int | str) -> Told:
    return Told(
        block=1,
        timestamp=1,
        transaction="0x",
        contract="Kompute",
        name=name,
        text={key: value for key, value in args.items() if isinstance(value, str)},
        number={key: value for key, value in args.items() if isinstance(value, int)},
    )


class TestRules:
    def test_a_missing_event_shows(self) -> None:
        ledger = read_ledger([told("Transfer", **{"from": "0xa", "to": "0xb", "value": 5})])
        assert ledger.total == 0
        assert not ledger.adds_up

    def test_a_reward_nobody_could_share_moves_on(self) -> None:
        cycles = read_cycles(
            [
                told("RewardAdded", **{"from": "0xa", "cycle": 0, "amount": 7}),
                told("RewardRolled", **{"from": 0, "to": 2, "amount": 7}),
                told("Published", node="0xb", cycle=2, sequence=1, v=3),
            ],
            running=3,
        )
        assert [(cycle.number, cycle.reward) for cycle in cycles.cycles] == [(0, 0), (2, 7)]
        assert cycles.earned("0xb") == 7

    def test_a_running_cycle_has_no_shares_yet(self) -> None:
        events = [
            told("RewardAdded", **{"from": "0xa", "cycle": 0, "amount": 7}),
            told("Published", node="0xb", cycle=0, sequence=1, v=3),
        ]
        assert read_cycles(events, running=0).earned("0xb") == 0
        assert read_cycles(events, running=None).earned("0xb") == 0
        assert read_cycles(events, running=1).earned("0xb") == 7

    @settings(deadline=None)
    @given(
        v=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10**20), min_size=1),
        reward=st.integers(0, 10**26),
    )
    def test_shares_leave_less_than_one_unit_a_publisher(
        self, v: dict[str, int], reward: int
    ) -> None:
        events = [told("RewardAdded", **{"from": "0xa", "cycle": 0, "amount": reward})]
        events += [told("Published", node=n, cycle=0, sequence=1, v=x) for n, x in v.items()]
        (cycle,) = read_cycles(events, running=1).cycles
        assert 0 <= reward - sum(cycle.shares.values()) < len(v)  # §11.4

    def test_c7_voided_v_has_no_share(self) -> None:
        events = [
            told("RewardAdded", **{"from": "0xa", "cycle": 0, "amount": 9}),
            told("Published", node="0xb", cycle=0, sequence=1, v=5),
            told("Published", node="0xc", cycle=0, sequence=1, v=5),
            told("Voided", node="0xb", cycle=0, v=5),
        ]
        (cycle,) = read_cycles(events, running=1).cycles
        assert dict(cycle.shares) == {"0xb": 0, "0xc": 9}

    def test_l6_how_incidents_ended(self) -> None:
        charge = {"node": "0xb", "level": 2, "from": 10, "to": 20}
        seizure = {"node": "0xb", "level": 3, "from": 0, "to": 0}
        events = [
            told("IncidentReported", id=1, **charge),
            told("IncidentReported", id=2, **seizure),
            told("Appealed", id=2, payer="0xc", bond=5),
            told("IncidentExecuted", id=1, node="0xb", amount=7),
            told("IncidentOverturned", id=2, node="0xb"),
        ]
        executed, overturned = read_incidents(events)
        assert (executed.executed_at, executed.amount, executed.bond) == (1, 7, None)
        assert (overturned.overturned_at, overturned.amount, overturned.bond) == (1, 0, 5)
        assert (executed.has_interval, overturned.has_interval) == (True, False)

    @settings(deadline=None)
    @given(
        moves=st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(0, 10**27))
        )
    )
    def test_transfers_never_change_the_sum(self, moves: list[tuple[str, str, int]]) -> None:
        mint = told("Transfer", **{"from": "0x" + "0" * 40, "to": "a", "value": 10**27})
        ledger = read_ledger(
            [mint, *(told("Transfer", **{"from": f, "to": t, "value": v}) for f, t, v in moves)]
        )
        assert ledger.total == ledger.supply == 10**27

    @settings(deadline=None)
    @given(st.integers(0, 10**24), st.integers(0, 2 * 10**18))
    def test_the_price_stays_within_its_bounds(self, median: int, u: int) -> None:
        assert 75 * median // 100 <= dynamic_price(median, u) <= 95 * median // 100  # §11.12
