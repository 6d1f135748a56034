"""Transactions of pools: many members stake one node together (S7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from devnet.model import rewards, staking, token
from devnet.model.calls import ZERO_ADDRESS, Call
from devnet.model.parameters import STAKE_WEI
from devnet.model.rows import Member, Pool
from devnet.model.shares import (
    LEAST_ASSETS_WEI,
    LEAST_SHARES,
    due,
    holds_enough,
    is_closed,
    least_worth,
    minted,
    most_minted,
    per_share,
    redeemable,
    room,
    split,
    staked,
)
from devnet.model.state import State
from devnet.model.tables import Refused, add, narrow
from devnet.protocol.deployment import POOL_FACTORY, pool_address, pool_number
from devnet.protocol.states import UNLIMITED

MOST_COMMISSION_BPS: Final = 2_000


def create(state: State, call: Call) -> None:
    """R3: whoever is no gatekeeper opens a pool and operates it."""
    commission_bps = call.args["commissionBps"]
    if commission_bps > MOST_COMMISSION_BPS:
        raise Refused("CommissionTooHigh")
    if call.sender in state.registry.value.members:
        raise Refused("OwnerIsGatekeeper")
    addresses = state.parameters.addresses
    pool = pool_address(addresses[POOL_FACTORY], len(state.pools) + 1)
    state.pools[pool] = Pool(call.sender, commission_bps)
    token.allow(state, pool, addresses["Staking"], UNLIMITED)
    created = {"pool": pool, "operator": call.sender, "commissionBps": commission_bps}
    state.emit(POOL_FACTORY, "PoolCreated", created)


class _Visit:
    """One transaction of a pool: its name and address, its row and the sender's."""

    def __init__(self, state: State, call: Call, contract: str) -> None:
        self.state, self.call, self.contract = state, call, contract
        number = pool_number(contract)
        assert number is not None
        self.address = pool_address(state.parameters.addresses[POOL_FACTORY], number)
        self.sender = call.sender

    @property
    def pool(self) -> Pool:
        return self.state.pools[self.address]

    @property
    def member(self) -> Member:
        return self.state.members[self.address, self.sender]

    def change(self, **fields: Any) -> None:
        self.state.pools[self.address] = replace(self.pool, **fields)

    def change_member(self, **fields: Any) -> None:
        self.state.members[self.address, self.sender] = replace(self.member, **fields)

    def emit(self, name: str, args: Mapping[str, Any]) -> None:
        self.state.emit(self.contract, name, args)

    def pay(self, amount: int) -> None:
        token.move(self.state, self.address, self.sender, amount)

    def take(self, amount: int) -> None:
        token.pull(self.state, self.address, self.sender, self.address, amount)

    def ask(self, rule: Callable[[State, Call], None], **args: Any) -> None:
        """What the pool itself asks of another contract."""
        rule(self.state, replace(self.call, sender=self.address, args=args))


Rule = Callable[[_Visit], None]


def visit(state: State, call: Call, contract: str, rule: Rule) -> None:
    """Carry out a transaction of the pool of that contract name."""
    rule(_Visit(state, call, contract))


def join(at: _Visit) -> None:
    """One share a wei, up to exactly 500 KOMP (S7)."""
    pool, amount = at.pool, at.call.args["amount"]
    if pool.node != ZERO_ADDRESS:
        raise Refused("PoolActive")
    if amount == 0:
        raise Refused("ZeroAmount")
    left = room(pool.total_shares)
    joined = min(amount, left)
    if joined == 0:
        raise Refused("PoolFull")
    _mint(at, joined)
    if at.member.shares < LEAST_SHARES:
        raise Refused("TooFewShares")
    _require_operator_share(at)
    at.emit("Joined", {"member": at.sender, "amount": joined})
    at.take(joined)


def leave(at: _Visit) -> None:
    """Freely, before activation (S7)."""
    pool, amount = at.pool, at.call.args["amount"]
    if pool.node != ZERO_ADDRESS:
        raise Refused("PoolActive")
    if amount == 0:
        raise Refused("ZeroAmount")
    if amount > at.member.shares:
        raise Refused("SharesExceeded")
    left = at.member.shares - amount
    if 0 < left < LEAST_SHARES:
        raise Refused("TooFewShares")
    at.change_member(shares=left)
    at.change(total_shares=pool.total_shares - amount)
    _require_operator_share(at)
    at.emit("Left", {"member": at.sender, "amount": amount})
    at.pay(amount)


def activate(at: _Visit) -> None:
    """The operator stakes the pool's 500 KOMP for a node (S1, S6)."""
    pool = at.pool
    _only_operator(at)
    if pool.node != ZERO_ADDRESS:
        raise Refused("PoolActive")
    if pool.total_shares != STAKE_WEI:
        raise Refused("PoolNotFull")
    if pool.operator in at.state.registry.value.members:
        raise Refused("OperatorIsGatekeeper")  # R3
    node = at.call.args["nodeKey"]
    at.change(node=node)
    at.emit("Activated", {"node": node})
    at.ask(staking.stake, **{**at.call.args, "node": node})


def restake(at: _Visit) -> None:
    """Only after members have had exitDelay to ask for the exit (S7)."""
    _only_operator(at)
    name = _active_node(at)
    earliest = at.state.nodes[name].unlock_at + at.state.parameters.exit_delay
    if at.call.timestamp < earliest:
        raise Refused("TooEarly")
    at.ask(staking.restake, node=name, months=at.call.args["months"])


def top_up(at: _Visit) -> None:
    """Anyone fills the stake up to 500 KOMP and gets shares at the present value (S4, S7)."""
    name = _active_node(at)
    assets = staked(at.state, at.pool)
    if assets < LEAST_ASSETS_WEI:
        raise Refused("PoolClosed")
    missing = STAKE_WEI - at.state.nodes[name].stake
    if missing == 0:
        raise Refused("NothingMissing")
    if at.call.args["amount"] < missing:
        raise Refused("TopUpTooSmall")
    _harvest(at)
    shares = minted(missing, at.pool.total_shares, assets)
    if at.sender != at.pool.operator:
        operator = at.state.members[at.address, at.pool.operator]
        shares = min(shares, most_minted(operator.shares, at.pool.total_shares))
    if shares < at.call.args["leastShares"]:
        raise Refused("TooFewShares")
    if at.member.shares == 0 and 0 < shares < least_worth(at.pool.total_shares + shares):
        raise Refused("TooFewShares")  # it would make a member that holds less than 5 KOMP
    owed = _settle(at)  # before its shares change
    _mint(at, shares)
    at.emit("PoolToppedUp", {"member": at.sender, "amount": missing, "shares": shares})
    if owed:
        at.emit("Collected", {"member": at.sender, "amount": owed, "commission": 0})
    at.take(missing)
    at.ask(staking.top_up, node=name, amount=missing)
    if owed:
        at.pay(owed)


def harvest(at: _Visit) -> None:
    """Anyone brings in what ended cycles owe the node (C6)."""
    _harvest(at)


def collect(at: _Visit) -> None:
    """A member takes its rewards, the operator its commission too (S7)."""
    _harvest(at)
    amount, commission = _settle(at), _take_commission(at)
    if amount + commission == 0:
        raise Refused("NothingToCollect")
    collected = {"member": at.sender, "amount": amount, "commission": commission}
    at.emit("Collected", collected)
    at.pay(amount + commission)


def request_exit(at: _Visit) -> None:
    """The operator any time, a member once the pool is closed or past unlockAt (S7)."""
    name = _active_node(at)
    if at.sender != at.pool.operator:
        if at.member.shares == 0:
            raise Refused("NotMember")
        earliest = at.state.nodes[name].unlock_at
        if at.call.timestamp < earliest and not is_closed(at.state, at.pool):
            raise Refused("TooEarly")
    at.ask(staking.request_exit, node=name)


def withdraw(at: _Visit) -> None:
    """Anyone, as soon as S5 lets the stake go."""
    name = _active_node(at)
    amount, shares = at.state.nodes[name].stake, at.pool.total_shares
    at.change(withdrawn=True, returned=amount, shares_at_return=shares, unredeemed=amount)
    at.emit("StakeReturned", {"amount": amount})
    at.ask(staking.withdraw, node=name)


def redeem(at: _Visit) -> None:
    """All shares of the sender, once nothing can be earned or lost any more (S7)."""
    state, pool, shares = at.state, at.pool, at.member.shares
    if not pool.withdrawn:
        raise Refused("StakeNotReturned")
    if shares == 0:
        raise Refused("NotMember")
    parameters = state.parameters
    cycle = rewards.cycle_of(at.call.block, parameters.genesis_block, parameters.cycle_blocks)
    if state.publishers[pool.node].open_cycle == cycle:
        raise Refused("LastCycleRuns")
    _harvest(at)
    owed, commission = _settle(at), _take_commission(at)
    amount = redeemable(at.pool, shares)
    at.change_member(shares=0)
    total, unredeemed = at.pool.total_shares - shares, at.pool.unredeemed - amount
    at.change(total_shares=total, unredeemed=unredeemed)
    if owed + commission:
        at.emit("Collected", {"member": at.sender, "amount": owed, "commission": commission})
    at.emit("Redeemed", {"member": at.sender, "shares": shares, "amount": amount})
    at.pay(amount + owed + commission)


RULES: Final[Mapping[str, Rule]] = {
    "join": join,
    "leave": leave,
    "activate": activate,
    "restake": restake,
    "topUp": top_up,
    "harvest": harvest,
    "collect": collect,
    "requestExit": request_exit,
    "withdraw": withdraw,
    "redeem": redeem,
}


def rule_of(contract: str, function: str) -> Callable[[State, Call], None] | None:
    """What a function of the pool of that contract name does; None for any other."""
    if pool_number(contract) is None or function not in RULES:
        return None
    return partial(visit, contract=contract, rule=RULES[function])


def _harvest(at: _Visit) -> None:
    node = at.pool.node
    if node == ZERO_ADDRESS:
        return
    before = at.state.balances[at.address]
    try:
        at.ask(rewards.claim_all, node=node)
    except Refused as refused:
        if refused.name != "NothingToClaim":
            raise
        return
    gross = at.state.balances[at.address] - before
    commission, net = split(gross, at.pool.commission_bps)
    gain = narrow(per_share(net, at.pool.total_shares), 96)
    at.change(rewards_per_share=add(at.pool.rewards_per_share, gain, 96))
    at.change(commission=add(at.pool.commission, narrow(commission, 120), 120))
    at.emit("Harvested", {"gross": gross, "commission": commission})


def _mint(at: _Visit, shares: int) -> None:
    at.change_member(shares=add(at.member.shares, narrow(shares, 128), 128))
    at.change(total_shares=add(at.pool.total_shares, shares, 128))


def _settle(at: _Visit) -> int:
    owed = due(at.member, at.pool.rewards_per_share)
    at.change_member(settled_at=at.pool.rewards_per_share)
    return owed


def _take_commission(at: _Visit) -> int:
    if at.sender != at.pool.operator:
        return 0
    commission = at.pool.commission
    at.change(commission=0)
    return commission


def _only_operator(at: _Visit) -> None:
    if at.sender != at.pool.operator:
        raise Refused("NotPoolOperator")


def _active_node(at: _Visit) -> str:
    if at.pool.node == ZERO_ADDRESS:
        raise Refused("PoolNotActive")
    if at.pool.withdrawn:
        raise Refused("PoolWithdrawn")
    return at.pool.node


def _require_operator_share(at: _Visit) -> None:
    pool = at.pool
    operator = at.state.members[at.address, pool.operator]
    if not holds_enough(operator.shares, pool.total_shares):
        raise Refused("OperatorShareTooSmall")
