"""The year itself: cycle after cycle, every act at its own block."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from devnet.base.telling import Passing
from devnet.economics import books
from devnet.economics.agenda import Act, Agenda
from devnet.economics.chance import Chance
from devnet.economics.clients import Clients
from devnet.economics.economy import BLOCK_HASH, Economy, added
from devnet.economics.founding import found
from devnet.economics.incidents import Incidents
from devnet.economics.outside import Outside
from devnet.economics.owners import Owners
from devnet.economics.population import Group, population
from devnet.economics.result import Result, result_of
from devnet.economics.tally import INCENTIVES, CycleFigures, Running, Tally
from devnet.model import rewards, staking
from devnet.model.gatekeepers import Quorum
from devnet.spec.economics import SECONDS_PER_YEAR, WHOLE_PPM
from devnet.spec.network import NetworkSpec
from devnet.spec.rules import IDLE_BLOCKS

PUBLISHING: Final = 3  # the first block of a cycle in which nodes publish
SAY_EVERY_SECONDS: Final = 2

Say = Callable[[str], None]


def cycles_in(spec: NetworkSpec, years: int) -> int:
    """Whole cycles in so many years of 365 days, one at least."""
    cycle_seconds = spec.cycle.blocks * spec.chain.block_seconds
    return max(1, years * SECONDS_PER_YEAR // cycle_seconds)


def simulate(spec: NetworkSpec, *, years: int = 1, seed: int = 0, say: Say) -> Result:
    """Live through so many years of a network; the same seed gives the same result."""
    year = Year(spec, seed)
    cycles = cycles_in(spec, years)
    say(
        f"{len(year.workers):,} nodes, {cycles:,} cycles of {spec.cycle.blocks:,} blocks, "
        f"seed {seed}"
    )
    said = time.monotonic()
    for cycle in range(cycles):
        year.live(cycle)
        if time.monotonic() - said >= SAY_EVERY_SECONDS:
            said = time.monotonic()
            say(Passing(f"cycle {cycle + 1} of {cycles}: {year.economy.sent:,} calls"))
    return year.end(cycles, seed)


class Year:
    """Everybody of one network, and what was counted."""

    def __init__(self, spec: NetworkSpec, seed: int) -> None:
        self.economy = economy = Economy(spec)
        self.workers = population(spec, economy, Chance(seed, "pools"))
        self.tally = tally = Tally(self.workers)
        self._spec = spec
        self._agenda = Agenda()
        self._spread = Chance(seed, "measured")
        outside = Outside(economy, seed)
        self._owners = Owners(economy, self.workers, tally, seed)
        self._clients = Clients(economy, self.workers, tally, outside, seed)
        self._incidents = Incidents(economy, self.workers, tally, self._agenda, seed)
        self._violations: list[str] = []
        self._begin()

    def _begin(self) -> None:
        economy = self.economy
        economy.allow(economy.accounts["treasury"], "Rewards")
        self._clients.fund()
        if self._spec.incentives is not None:  # I1: the vault begins with its total
            filled = {"to": economy.address("IncentiveVault"), "value": self._spec.incentives.total}
            economy.require(economy.accounts["treasury"], "Kompute", "transfer", filled)
        for worker in self.workers:
            found(economy, worker)

    def live(self, cycle: int) -> None:
        """All of one cycle, in the order of its blocks."""
        economy = self.economy
        first = economy.start_of(cycle)
        for offset, act in self._acts():
            self._catch_up(first + offset)
            economy.block = first + offset
            act()
        self._catch_up(economy.start_of(cycle + 1))
        economy.block = economy.start_of(cycle + 1)
        self._close(cycle)

    def end(self, cycles: int, seed: int) -> Result:
        """What it came to, at the first block after the last cycle."""
        self._violations += books.at_the_end(self.economy, self.workers, self.tally)
        return result_of(
            self.economy, self.workers, self.tally, seed, cycles, tuple(self._violations)
        )

    def _acts(self) -> list[tuple[int, Act]]:
        """Offsets within a cycle, ascending."""
        length, count = self._spec.cycle.blocks, self._spec.economics.publications
        acts: list[tuple[int, Act]] = [
            (1, self._incentive),
            (1, self._owners.act),
            (2, self._clients.finish),
            (2, self._clients.order),
            (length // 2, self._incidents.happen),
            (length - 1, self._clients.settle),
        ]
        apart = (length - IDLE_BLOCKS) // count
        acts += [(PUBLISHING + place * apart, self._publish) for place in range(count)]
        return sorted(acts, key=lambda entry: entry[0])

    def _catch_up(self, before: int) -> None:
        """What the agenda has for blocks before that one."""
        while due := self._agenda.next(before):
            self.economy.block, act = due
            act()

    def _incentive(self) -> None:
        economy, treasury = self.economy, self.economy.accounts["treasury"]
        vault, amount = self._spec.incentives, self._spec.incentive_per_cycle
        if amount:
            given = economy.send(treasury, "Rewards", "addReward", {"amount": amount})
            self.tally.reward(INCENTIVES, added(given))
        left = vault is not None and economy.state.released.value < vault.total
        if vault is not None and left and economy.cycle >= vault.start:
            released = economy.send(treasury, "IncentiveVault", "release", {})  # I1
            self.tally.reward(INCENTIVES, added(released))

    def _publish(self) -> None:
        economy, published = self.economy, self.tally.published
        state, cycle, measured = economy.state, economy.cycle, economy.block - 1
        signatures = economy.signatures(Quorum.PERF)
        ppm, around = self._spec.economics.spread, self._spread.around
        nodes, publishers = state.nodes, state.publishers
        for worker in self.workers:
            node, machine = worker.node, worker.machine
            if not staking.is_live(nodes[node]):
                continue
            c1, c2, c3 = machine.c
            met = around(WHOLE_PPM, ppm)  # how much of its profile this measurement finds
            result = {
                "node": node,
                "cycle": cycle,
                "sequence": publishers[node].sequence + 1,
                "measuredBlock": measured,
                "measuredHash": BLOCK_HASH,
                "sgx": machine.sgx,
                "b": machine.b,
                "c1": c1 * met // WHOLE_PPM,
                "c2": c2 * met // WHOLE_PPM,
                "c3": c3 * met // WHOLE_PPM,
            }
            sent = {"result": result, "signatures": signatures}
            if economy.send(node, "Rewards", "publish", sent).ok:
                published[worker.index] += 1

    def _close(self, cycle: int) -> None:
        """The figures of the cycle that has just ended."""
        economy, tally = self.economy, self.tally
        state = economy.state
        shares: Counter[Group] = Counter()
        publishers = 0
        reward, total_v = state.cycle_reward[cycle], state.cycle_total_v[cycle]
        for worker in self.workers:
            if v := state.account_v[cycle, worker.node]:
                publishers += 1
                due = rewards.share(reward, v, total_v)
                tally.earned[worker.index] += due
                shares[worker.group] += due
        running, tally.running = tally.running, Running()
        tally.cycles.append(
            CycleFigures(
                cycle=cycle,
                publishers=publishers,
                staked=state.total_stake.value,
                total_v=total_v,
                reward=reward if total_v else 0,
                added=dict(running.added),
                shares=dict(shares),
                slashed=dict(running.slashed),
                utilization=running.quote.utilization,
                median_usd=running.quote.median_usd,
                price_usd=running.quote.price_usd,
                price_komp=running.quote.price_komp,
                komp_usd=running.quote.komp_usd,
                unmet=running.quote.unmet,
            )
        )
        self._violations += books.each_cycle(economy, tally)
