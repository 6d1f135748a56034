"""A year by the model's rules: its books, its chance, what follows from what is assumed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devnet.checking import Facts
from devnet.checking.invariants import check_all
from devnet.economics import books
from devnet.economics.economy import Economy
from devnet.economics.founding import parts
from devnet.economics.result import Result, yearly_return
from devnet.economics.year import Year, cycles_in, simulate
from devnet.model import Outcome
from devnet.model.parameters import STAKE_WEI
from devnet.model.pricing import WAD, dynamic_price
from devnet.protocol import Event, IncidentStatus, ObservedTransaction
from devnet.spec import NetworkSpec
from devnet.spec.economics import PooledStakes
from tests.economics.networks import network

CYCLES = 50
DAY = 86_400


def lived(spec: NetworkSpec, cycles: int = CYCLES, seed: int = 3) -> Year:
    year = Year(spec, seed)
    for cycle in range(cycles):
        year.live(cycle)
    return year


def result(spec: NetworkSpec, cycles: int = CYCLES, seed: int = 3) -> Result:
    return lived(spec, cycles, seed).end(cycles, seed)


@pytest.fixture(scope="module")
def eventful() -> Result:
    return result(network())


def test_the_balances_sum_to_the_supply_and_nothing_is_violated(eventful: Result) -> None:
    assert eventful.violations == ()
    assert sum(eventful.balances.values()) == eventful.supply == 10**26
    assert eventful.ok


def test_everything_happened(eventful: Result) -> None:
    assert eventful.incidents > 20
    assert eventful.slashed > 0
    assert all(eventful.added[source] > 0 for source in ("incentives", "consumption", "slashes"))
    assert {row.cycle for row in eventful.cycles} == set(range(CYCLES))
    assert min(row.publishers for row in eventful.cycles) < 12
    assert eventful.bonds_lost > 0
    assert eventful.added["slashes"] == eventful.slashed + eventful.bonds_lost
    by_level = {level for row in eventful.cycles for level, wei in row.slashed.items() if wei}
    assert by_level == {1, 2, 3}


def test_pools_share_what_they_harvest(eventful: Result) -> None:
    pools = eventful.pools
    assert pools.pools == sum(row.nodes for row in eventful.groups if row.group.pooled) > 0
    assert 0 < pools.harvested < eventful.total
    # S7: a tenth each time, rounded down
    assert 0 <= pools.harvested // 10 - pools.commission < 10**6
    assert eventful.balances["pool members"] > 0


@given(
    members=st.integers(1, 100),
    operator=st.integers(200_000, 1_000_000),
)
def test_a_pool_is_filled_to_the_last_unit(members: int, operator: int) -> None:
    given_parts = list(parts(PooledStakes(members=str(members), operator=f"{operator / 10_000}%")))
    assert len(given_parts) == members
    assert sum(given_parts) == STAKE_WEI
    assert given_parts[0] * 5 >= STAKE_WEI


def test_what_groups_earned_are_the_shares_of_all_cycles(eventful: Result) -> None:
    for row in eventful.groups:
        assert row.earned == sum(cycle.shares.get(row.group, 0) for cycle in eventful.cycles)
    dust = eventful.cycles[-1].reward - sum(eventful.cycles[-1].shares.values())
    assert 0 <= dust < 12


def test_the_same_seed_gives_the_same_text(eventful: Result) -> None:
    again = json.dumps(result(network()).to_json())
    assert again == json.dumps(eventful.to_json())
    assert again != json.dumps(result(network(), seed=4).to_json())


def test_one_assumption_leaves_the_chance_of_the_others(eventful: Result) -> None:
    spec = network()
    walks = spec.economics.prices.model_copy(update={"vendors": 0})
    still = spec.model_copy(
        update={"economics": spec.economics.model_copy(update={"prices": walks})}
    )
    other = result(still)
    assert len({row.median_usd for row in other.cycles}) == 1
    assert len({row.median_usd for row in eventful.cycles}) > 10
    assert [row.slashed for row in other.cycles] == [row.slashed for row in eventful.cycles]
    assert [row.komp_usd for row in other.cycles] == [row.komp_usd for row in eventful.cycles]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    nodes=st.integers(3, 9),
    publications=st.integers(1, 4),
    rates=st.tuples(*(st.integers(0, 1000) for _ in range(4))),
)
def test_any_network_adds_up(
    seed: int, nodes: int, publications: int, rates: tuple[int, int, int, int]
) -> None:
    level_1, leave, top_up, used = (f"{rate / 10}%" for rate in rates)
    assumed = {
        "publications": str(publications),
        "incidents": {"level_1": level_1, "level_2": "3%", "level_3": "1%", "appeal": "50%"},
        "stakes": {"renew": "0%", "leave": leave, "top_up": top_up, "claim_every": "2"},
        "demand": {"utilization": used, "orders": "3", "exchange": "50 KOMP"},
        "pools": {"share": "50%", "members": "2"},
    }
    came_to = result(network(nodes, economics=assumed), cycles=35, seed=seed)
    assert came_to.violations == ()
    assert came_to.total == came_to.supply


class Witness:
    """What the checkers of a run see of a year: every call as if a chain had reported it."""

    def __init__(self) -> None:
        self.facts: Facts | None = None
        self.seen = 0

    def saw(self, economy: Economy, outcome: Outcome, sender: str, *call: Any) -> None:
        contract, function, args = call
        self.facts = self.facts or Facts(economy.parameters)
        self.seen += 1
        name = f"0x{self.seen:064x}"
        events = tuple(
            Event(e.contract, e.name, e.args, economy.block, name) for e in outcome.events
        )
        self.facts.observe(
            [
                ObservedTransaction(
                    block=economy.block,
                    timestamp=economy.now,
                    index=self.seen,
                    hash=name,
                    sender=sender,
                    to=None,
                    contract=contract,
                    function=function,
                    args=args,
                    ok=outcome.ok,
                    events=events,
                    gas_used=0,
                    error=outcome.error,
                )
            ]
        )


def test_the_checkers_of_a_run_find_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    witness, send = Witness(), Economy.send

    def seen(economy: Economy, sender: str, *call: Any) -> Outcome:
        outcome = send(economy, sender, *call)
        witness.saw(economy, outcome, sender, *call)
        return outcome

    monkeypatch.setattr(Economy, "send", seen)
    year = lived(network())
    ledger = year.economy.model.ledger(year.economy.block, year.economy.now)
    assert witness.facts is not None
    assert witness.seen == year.economy.sent > 1000
    assert [str(violation) for violation in check_all(ledger, witness.facts)] == []


def wrong(year: Year, spoil: str) -> None:
    state = year.economy.state
    node = year.workers[0].node
    if spoil == "balance":
        state.balances[node] += 1
    elif spoil == "stake":
        state.nodes[node] = replace(state.nodes[node], stake=state.nodes[node].stake - 1)
    elif spoil == "v":
        state.account_v[0, node] += 1
    elif spoil == "reward":
        state.cycle_reward[0] += 10**18
    elif spoil == "accrued":
        publisher = state.publishers[node]
        state.publishers[node] = replace(publisher, accrued=publisher.accrued + 1)
    elif spoil == "sequence":
        publisher = state.publishers[node]
        state.publishers[node] = replace(publisher, sequence=publisher.sequence + 1)
    elif spoil == "vault":
        state.released.value += 1
    elif spoil == "pool":
        pool = next(iter(state.pools))
        state.balances[pool] = 0
        state.pools[pool] = replace(state.pools[pool], commission=1)
    elif spoil == "shares":
        pool = next(iter(state.pools))
        state.pools[pool] = replace(state.pools[pool], total_shares=1)
    elif spoil == "escrow":
        state.escrow[node] += 1
    elif spoil == "machine":
        other = state.nodes[year.workers[1].node]
        state.nodes[node] = replace(state.nodes[node], hardware_id=other.hardware_id)
    elif spoil == "order":
        state.orders[1] = replace(state.orders[1], consumed=state.orders[1].consumed + 100)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ("balance", 1),
        ("stake", 2),
        ("v", 3),
        ("reward", 7),
        ("accrued", 5),
        ("sequence", 8),
        ("vault", 14),
        ("pool", 11),
        ("shares", 11),
        ("escrow", 2),
        ("machine", 16),
        ("order", 13),
    ],
)
def test_a_wrong_book_is_found(spoil: str, found: int) -> None:
    year = lived(network(incentives={"total": "4200 KOMP", "cycles": "20"}), 6)
    wrong(year, spoil)
    violations = tuple(books.at_the_end(year.economy, year.workers, year.tally))
    assert any(text.startswith(f"invariant {found}:") for text in violations), violations
    assert not year.end(6, 3).ok


def test_a_longer_period_earns_more_by_its_s() -> None:
    workers = [{"name": f"m{months}", "stake_months": str(months)} for months in (1, 3, 6, 12)]
    calm = {
        "spread": "0%",
        "incidents": {"level_1": "0%", "level_2": "0%", "level_3": "0%"},
        "demand": {"orders": "0"},
    }
    came_to = result(network(workers=workers, economics=calm), cycles=5)
    earned = {row.group.months: row.earned for row in came_to.groups}
    assert came_to.slashed == 0
    # S2, within the dust of five cycles
    for months, bps in ((3, 10_500), (6, 11_000), (12, 12_000)):
        assert abs(earned[months] * 10_000 - earned[1] * bps) < 10_000 * 10 * 5


def test_a_return_is_what_was_earned_of_the_stake_in_a_year() -> None:
    year = 365 * 86_400
    assert yearly_return(STAKE_WEI, 0, year) == 10_000
    assert yearly_return(STAKE_WEI // 2, STAKE_WEI, year) == -5_000
    assert yearly_return(STAKE_WEI // 10, 0, year // 2) == 2_000


@pytest.mark.parametrize(
    ("blocks", "seconds", "years", "cycles"),
    [(50_400, 12, 1, 52), (50_400, 12, 2, 104), (70, 720, 1, 625), (10**7, 12, 1, 1)],
)
def test_a_year_has_whole_cycles(blocks: int, seconds: int, years: int, cycles: int) -> None:
    spec = network(
        cycle={"blocks": str(blocks), "gap_blocks": "1"}, chain={"block_seconds": str(seconds)}
    )
    assert cycles_in(spec, years) == cycles


def test_a_year_of_a_network_says_how_far_it_is() -> None:
    said: list[str] = []
    came_to = simulate(
        network(3, cycle={"blocks": "7300", "gap_blocks": "6"}), years=1, seed=0, say=said.append
    )
    assert said[0] == "3 nodes, 6 cycles of 7,300 blocks, seed 0"
    assert len(came_to.cycles) == 6


def test_the_mean_is_of_all_the_time_and_a_few_days_are_no_year() -> None:
    year = lived(network(3), CYCLES)
    first, second, _ = year.workers
    state, tally = year.economy.state, year.tally
    for worker, days in ((first, 1), (second, CYCLES)):
        node = state.nodes[worker.node]
        until = 0 if days == CYCLES else node.registered_at + days * DAY
        state.nodes[worker.node] = replace(node, exit_requested_at=until)
        tally.earned[worker.index], tally.lost[worker.index] = 0, days * STAKE_WEI // 100
    alike = replace(first.group, pooled=False)
    year.workers = tuple(replace(worker, group=alike) for worker in (first, second))
    (row,) = year.end(CYCLES, 3).groups
    # The first lost 1% of its stake in one day, the second 50% in fifty.
    assert (row.nodes, row.earned, row.lost) == (2, 0, 51 * STAKE_WEI // 100)
    assert row.mean == -36_500  # 1% a day
    assert row.low == -36_500
    assert row.high == -730  # 1% in fifty days


def test_walks_stay_within_what_feeds_take() -> None:
    wild = {"prices": {"vendors": "90%", "komp_usd": "90%"}}
    came_to = result(network(3, economics=wild), cycles=400)
    assert came_to.ok
    komp_usd = [row.komp_usd for row in came_to.cycles]
    assert (min(komp_usd), max(komp_usd) <= 10**12) == (100, True)
    assert min(row.median_usd for row in came_to.cycles) >= 0


def test_l6_appealed_incidents_that_nobody_rules_on_are_executed() -> None:
    often = {"level_1": "10%", "level_2": "4%", "level_3": "1%", "appeal": "50%"}
    idle = {"incidents": {**often, "ignore": "100%", "overturn": "0%"}}
    year = lived(network(parameters={"arbiter_window": "1s"}, economics=idle))
    incidents = [incident for _, incident in year.economy.state.incidents.items()]
    appealed = [incident for incident in incidents if incident.appealedAt]
    assert len(appealed) > 10
    assert {incident.state for incident in appealed} == {IncidentStatus.EXECUTED}


def test_utilization_is_what_was_sold() -> None:
    nobody = result(network(3, economics={"demand": {"orders": "0"}}), cycles=4)
    assert {row.utilization for row in nobody.cycles} == {0}
    assert {row.price_usd * 100 // row.median_usd for row in nobody.cycles} <= {74, 75}
    assert min(row.unmet for row in nobody.cycles) > 0
    calm = {"incidents": {"level_1": "0%", "level_2": "0%", "level_3": "0%"}}
    demand = {"utilization": "60%", "growth": "0%", "step": "0%", "elasticity": "0%"}
    sold = result(network(3, economics=calm | {"demand": demand}), cycles=4)
    assert sold.cycles[0].utilization == 0
    assert {row.utilization * 100 // WAD for row in sold.cycles[1:]} <= {59, 60}
    for row in sold.cycles:
        assert row.price_usd == dynamic_price(row.median_usd, row.utilization)


def test_no_demand_stays_none() -> None:
    none = {"demand": {"utilization": "0%", "growth": "0%"}}
    came_to = result(network(3, economics=none), cycles=4)
    assert [(row.utilization, row.unmet) for row in came_to.cycles] == [(0, 0)] * 4
    assert came_to.added["consumption"] == 0


def test_c4_a_cycle_without_v_pays_nothing_itself() -> None:
    came_to = result(network(3, parameters={"max_v": "1"}), cycles=4)
    assert came_to.ok
    assert [(row.total_v, row.reward) for row in came_to.cycles] == [(0, 0)] * 4
    assert min(row.added["incentives"] for row in came_to.cycles) > 0


def test_no_feeds_of_containers_no_orders() -> None:
    came_to = result(network(3, oracles={"resources": ["million_requests"]}), cycles=4)
    assert came_to.ok
    assert came_to.added["consumption"] == 0
    assert came_to.cycles[0].price_usd == 0


def test_incentives_of_a_vault_fall_to_nothing() -> None:
    vault = {"total": "4200 KOMP", "cycles": "6", "start": "2"}
    came_to = result(network(3, incentives=vault, incentive_per_cycle="0 KOMP"), cycles=10)
    assert came_to.ok
    # I1: 2·total/(N(N+1)) = 200 KOMP less each cycle
    released = [row.added.get("incentives", 0) // 10**18 for row in came_to.cycles]
    assert released == [0, 0, 1200, 1000, 800, 600, 400, 200, 0, 0]
    assert "IncentiveVault" not in came_to.balances


def test_mocked_vendors_tell_their_prices_too() -> None:
    came_to = result(network(3, oracles={"mocked": ["aws"]}), cycles=4)
    assert came_to.ok
    assert came_to.added["consumption"] > 0
