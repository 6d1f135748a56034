"""The model: every transaction of the chain in, acceptance and ledger out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from devnet.base.errors import DevnetError
from devnet.chain.signer import recover as recover_signer
from devnet.model import (
    appeals,
    feeds,
    gatekeepers,
    governance,
    market,
    pools,
    pricing,
    rewards,
    shares,
    slashing,
    staking,
    token,
    vault,
)
from devnet.model.calls import Call
from devnet.model.ledger import (
    ConfigLedger,
    CycleLedger,
    Ledger,
    MemberLedger,
    NodeLedger,
    PoolLedger,
    PriceLedger,
    VaultLedger,
)
from devnet.model.parameters import Parameters
from devnet.model.slashing import MALICIOUS, OFFLINE
from devnet.model.state import BlockHash, Emitted, Recover, State
from devnet.model.tables import Refused
from devnet.protocol.deployment import CHAINLINK
from devnet.protocol.messages import Domains
from devnet.protocol.observed import ObservedTransaction
from devnet.spec.feeds import FEED_PREFIX

Rule = Callable[[State, Call], None]
T = TypeVar("T")

RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("Kompute", "transfer"): token.transfer,
    ("Kompute", "transferFrom"): token.transfer_from,
    ("Kompute", "approve"): token.approve,
    ("Kompute", "permit"): token.permit,
    ("Kompute", "arm"): token.arm,
    ("Gatekeepers", "change"): gatekeepers.change,
    ("Gatekeepers", "remove"): gatekeepers.remove,
    ("Staking", "stake"): staking.stake,
    ("Staking", "restake"): staking.restake,
    ("Staking", "topUp"): staking.top_up,
    ("Staking", "requestExit"): staking.request_exit,
    ("Staking", "withdraw"): staking.withdraw,
    ("Staking", "slash"): staking.by_slashing_only,
    ("Staking", "suspend"): staking.by_slashing_only,
    ("Staking", "resume"): staking.by_slashing_only,
    ("Staking", "seize"): staking.by_slashing_only,
    ("Staking", "restore"): staking.by_slashing_only,
    ("Staking", "forfeit"): staking.by_slashing_only,
    ("Rewards", "publish"): rewards.publish,
    ("Rewards", "addReward"): rewards.add_reward,
    ("Rewards", "claim"): rewards.claim,
    ("Rewards", "claimAll"): rewards.claim_all,
    ("Rewards", "setMaxV"): rewards.set_max_v,
    ("Rewards", "voidV"): rewards.void_v,
    ("Slashing", "report"): slashing.report,
    ("Slashing", "execute"): appeals.execute,
    ("Slashing", "appeal"): appeals.appeal,
    ("Slashing", "rule"): appeals.rule,
    ("Slashing", "setArbiter"): appeals.set_arbiter,
    ("PoolFactory", "create"): pools.create,
    ("Pricing", "poke"): pricing.poke,
    ("Pricing", "setContingency"): pricing.set_contingency,
    ("ExecutionQueue", "queue"): governance.queue,
    ("ExecutionQueue", "queueRemoval"): governance.queue_removal,
    ("ExecutionQueue", "execute"): governance.execute,
    ("ExecutionQueue", "veto"): governance.veto,
    ("ExecutionQueue", "setGuardian"): governance.set_guardian,
    ("IncentiveVault", "release"): vault.release,
    ("Market", "createOrder"): market.create_order,
    ("Market", "accept"): market.accept,
    ("Market", "close"): market.close,
    ("Market", "scale"): market.scale,
    ("Market", "reportRunning"): market.report_running,
    ("Market", "reportCounters"): market.report_counters,
    ("Market", "settle"): market.settle,
    ("Market", "finalize"): market.finalize,
    ("Market", "invoke"): market.invoke,
    ("Market", "complete"): market.complete,
}
FEED_RULES: Final[Mapping[str, Callable[[State, Call, str], None]]] = {
    "transmit": feeds.transmit,
    "setConfig": feeds.set_config,
    "script": feeds.script,
}


class NoSuchRule(DevnetError):
    """The model was given a function it has no rule for; it must learn it before it can agree."""

    exit_code = 1

    def __init__(self, contract: str, function: str, transaction: str) -> None:
        super().__init__(
            f"the model has no rule for {contract}.{function} (transaction {transaction})",
            hint="add it to devnet/model/model.py",
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the rules accept a transaction, with which events, else the contracts' error."""

    ok: bool
    error: str | None = None
    events: tuple[Emitted, ...] = ()


class Model:
    """The protocol in exact integers; it never looks at what the chain made of a transaction, but
    for whether it ran out of gas."""

    def __init__(
        self,
        parameters: Parameters,
        block_hash: BlockHash,
        recover: Recover = recover_signer,
        domains: Domains | None = None,
    ) -> None:
        """`domains` and `recover` are those of a chain, unless what is signed is taken on trust."""
        domains = domains or Domains(parameters.chain_id, parameters.addresses)
        self.parameters = parameters
        self.state = State(parameters, domains, recover, block_hash)

    def apply(self, transaction: ObservedTransaction) -> Outcome | None:
        """Decide one transaction of the chain, in its order; refused ones change nothing.

        None for what the rules do not decide: creations, plain transfers, foreign contracts, calls
        nobody can read, views, and what the chain ran out of gas for, which counts as never sent:
        gas is no rule of the protocol. Raises `NoSuchRule` for an unknown function.
        """
        if not transaction.contract or transaction.view or transaction.ran_out_of_gas:
            return None
        if transaction.contract in CHAINLINK:
            return None
        if transaction.value:
            return Outcome(ok=False, error="NoReason")  # no function takes ETH
        rule = self._rule(transaction.contract, transaction.function, transaction.hash)
        call = Call(transaction.sender, transaction.block, transaction.timestamp, transaction.args)
        return self._decide(rule, call, transaction.hash)

    def decide(self, contract: str, function: str, call: Call) -> Outcome:
        """Decide a call that no chain has seen; raises `NoSuchRule` as `apply` does."""
        return self._decide(self._rule(contract, function), call)

    def _decide(self, rule: Rule, call: Call, transaction: str = "none") -> Outcome:
        state = self.state
        try:
            rule(state, call)
        except Refused as refused:
            state.refuse()
            return Outcome(ok=False, error=refused.name)
        except governance.NotGoverned as queued:
            state.refuse()
            raise NoSuchRule(queued.contract, queued.selector, transaction) from None
        except BaseException:
            state.refuse()
            raise
        return Outcome(ok=True, events=state.accept())

    def _rule(self, contract: str, function: str, transaction: str = "none") -> Rule:
        rule = RULES.get((contract, function))
        if rule is not None:
            return rule
        if contract.startswith(FEED_PREFIX) and function in FEED_RULES:
            feed_rule = FEED_RULES[function]
            return lambda state, call: feed_rule(state, call, contract)
        pool_rule = pools.rule_of(contract, function)
        if pool_rule is not None:
            return pool_rule
        raise NoSuchRule(contract, function, transaction)

    def ledger(self, block: int, timestamp: int) -> Ledger:
        """All values as they are at a block, the last transaction's or a later one."""
        state, now = self.state, timestamp
        cycle = rewards.cycle_of(block, self.parameters.genesis_block, self.parameters.cycle_blocks)
        pot, registry = state.pot.value, state.registry.value
        return Ledger(
            block=block,
            timestamp=timestamp,
            cycle=cycle,
            supply=self.parameters.supply,
            balances={account: amount for account, amount in state.balances.items() if amount},
            gatekeepers=len(registry.members),
            perf_quorum=registry.perf_quorum,
            nodes={name: self._node(name, cycle, now) for name in state.nodes},
            total_stake=state.total_stake.value,
            pools=self._pools(),
            cycles=self._cycles(),
            max_v=pot.max_v,
            incidents=dict(state.incidents.items()),
            arbiter=state.arbiter.value,
            feeds={name: state.rounds[name] for name in self.parameters.feeds},
            configs={
                name: ConfigLedger(state.configs[name].digest, state.epochs[name])
                for name, feed in self.parameters.feeds.items()
                if not feed.operator
            },
            prices={r: self._price(r, now) for r in self.parameters.cloud_feeds},
            utilization=pricing.utilization(state, now),
            orders=dict(state.orders.items()),
            invocations=len(state.invocations),
            escrowed=state.escrowed.value,
            guardian=state.guardian.value,
            proposals={"0x" + key.hex(): record for key, record in state.proposals.items()},
            vault=self._vault(cycle),
        )

    def _vault(self, cycle: int) -> VaultLedger | None:
        given, released = self.parameters.vault, self.state.released.value
        if given is None:
            return None
        return VaultLedger(released, vault.due(given, cycle) - released)

    def _node(self, name: str, cycle: int, now: int) -> NodeLedger:
        state = self.state
        node, publisher = state.nodes[name], state.publishers[name]
        return NodeLedger(
            owner=node.owner,
            stake=node.stake,
            registered_at=node.registered_at,
            unlock_at=node.unlock_at,
            exit_requested_at=node.exit_requested_at,
            exit_at=node.exit_at,
            active=staking.is_active(node),
            live=staking.is_live(node),
            ejected=node.ejected,
            forfeited=node.forfeited,
            suspensions=node.suspensions,
            seized=state.escrow[name],
            multiplier_bps=staking.multiplier_bps(node, now),
            accrued=publisher.accrued,
            claimable=rewards.settled(state, name, cycle).accrued,
            claimed_before=publisher.claimed_before,
            sequence=publisher.sequence,
            last_published=publisher.last_block,
            pending_incidents=state.pending_incidents[name],
            cursor=state.cursors[name, OFFLINE] or node.registered_at,
            malicious_cursor=state.cursors[name, MALICIOUS] or node.registered_at,
        )

    def _pools(self) -> dict[str, PoolLedger]:
        state = self.state
        members: dict[str, dict[str, MemberLedger]] = {}
        for (address, account), member in state.members.items():
            pool = state.pools[address]
            uncollected = shares.due(member, pool.rewards_per_share)
            commission = pool.commission if account == pool.operator else 0
            if member.shares or uncollected or commission:
                row = MemberLedger(member.shares, uncollected, commission)
                members.setdefault(address, {})[account] = row
        return {
            name: PoolLedger(
                operator=pool.operator,
                commission_bps=pool.commission_bps,
                node=pool.node,
                assets=shares.assets_of(state, pool),
                closed=shares.is_closed(state, pool),
                withdrawn=pool.withdrawn,
                total_shares=pool.total_shares,
                rewards_per_share=pool.rewards_per_share,
                members=members.get(address, {}),
            )
            for name, address in shares.names(state).items()
            for pool in (state.pools[address],)
        }

    def _cycles(self) -> dict[int, CycleLedger]:
        state = self.state
        v: dict[int, dict[str, int]] = {}
        for (cycle, name), amount in state.account_v.items():
            if amount:  # C7: voided is none
                v.setdefault(cycle, {})[name] = amount
        reward = {cycle: amount for cycle, amount in state.cycle_reward.items() if amount}
        return {
            cycle: CycleLedger(reward.get(cycle, 0), state.cycle_total_v[cycle], v.get(cycle, {}))
            for cycle in sorted(reward.keys() | v.keys())
        }

    def _price(self, resource: int, now: int) -> PriceLedger:
        state = self.state

        def read(view: Callable[[State, int, int], T]) -> T | None:
            try:
                return view(state, resource, now)
            except Refused:
                return None

        return PriceLedger(
            stored=state.prices[resource],
            contingency=state.contingencies[resource],
            market=read(pricing.market_price),
            dynamic=read(pricing.price),
            komp=read(pricing.price_in_komp),
            beats=read(pricing.beats_all),
        )
