"""What the steps of pools do: each is a wish to the client that operates or joins."""

from __future__ import annotations

from collections.abc import Sequence

from devnet.actors import messages
from devnet.spec import pools as steps
from devnet.spec.units import komp_text
from devnet.steps.registry import performs
from devnet.steps.stage import Asked, Stage


@performs(steps.PoolCreate)
def create(stage: Stage, step: steps.PoolCreate) -> str:
    contract = stage.create_pool(step.operator, step.pool, step.commission_bps)
    return f"{contract} of {step.operator} at {stage.contracts.address(contract)}"


@performs(steps.PoolJoin)
def join(stage: Stage, step: steps.PoolJoin) -> str:
    contract, joined = _paid_in(stage, step, "join", ("Joined", "amount"))
    return f"{komp_text(joined)} of {step.member} in {contract}"


@performs(steps.PoolLeave)
def leave(stage: Stage, step: steps.PoolLeave) -> str:
    contract = stage.pool(step.pool)
    amount = step.amount
    if amount is None:
        amount = stage.ledger.pool_shares(contract, step.member)
    return _ask(stage, contract, "leave", [step.member], amount)


@performs(steps.PoolActivate)
def activate(stage: Stage, step: steps.PoolActivate) -> str:
    contract = stage.pool(step.pool)
    months = step.months or stage.spec.worker(step.worker).stake_months
    operator = stage.ledger.pool_operator(contract)
    wish = messages.ActivatePool(stage.next_wish(), contract, step.worker, months)
    stage.wish_all([(operator, wish)])
    return f"{contract} stakes 500 KOMP for {step.worker}"


@performs(steps.PoolTopUp)
def top_up(stage: Stage, step: steps.PoolTopUp) -> str:
    contract, shares = _paid_in(stage, step, "topUp", ("PoolToppedUp", "shares"), step.least_shares)
    return f"{shares} shares of {contract} to {step.member}"


@performs(steps.PoolRestake)
def restake(stage: Stage, step: steps.PoolRestake) -> str:
    contract = stage.pool(step.pool)
    operator = stage.ledger.pool_operator(contract)
    return _ask(stage, contract, "restake", [operator], step.months)


@performs(steps.PoolCollect)
def collect(stage: Stage, step: steps.PoolCollect) -> str:
    return _paid(stage, step, "collect", ("Collected", "amount"), ("Collected", "commission"))


@performs(steps.PoolRedeem)
def redeem(stage: Stage, step: steps.PoolRedeem) -> str:
    return _paid(stage, step, "redeem", ("Redeemed", "amount"))


@performs(steps.PoolExit)
def request_exit(stage: Stage, step: steps.PoolExit) -> str:
    return _by_somebody(stage, step, "requestExit")


@performs(steps.PoolWithdraw)
def withdraw(stage: Stage, step: steps.PoolWithdraw) -> str:
    return _by_somebody(stage, step, "withdraw")


@performs(steps.PoolHarvest)
def harvest(stage: Stage, step: steps.PoolHarvest) -> str:
    return _by_somebody(stage, step, "harvest")


def _by_somebody(
    stage: Stage, step: steps.PoolExit | steps.PoolWithdraw | steps.PoolHarvest, function: str
) -> str:
    """What anyone may ask for; the operator does where the step names nobody."""
    contract = stage.pool(step.pool)
    who = step.member or stage.ledger.pool_operator(contract)
    return _ask(stage, contract, function, [who])


def _paid_in(
    stage: Stage,
    step: steps.PoolJoin | steps.PoolTopUp,
    function: str,
    shares: tuple[str, str],
    *args: object,
) -> tuple[str, int]:
    """The pool's contract, and the shares that its member got for the payment, by its event."""
    contract = stage.pool(step.pool)
    wish = messages.PayIntoPool(stage.next_wish(), contract, function, step.amount, args)
    (state,) = stage.wish_all([(step.member, wish)])
    return contract, sum(state.values(*shares))


def _ask(stage: Stage, contract: str, function: str, members: Sequence[str], *args: object) -> str:
    stage.ask_all([Asked(who, contract, function, args) for who in members])
    return f"{contract} by {', '.join(members)}"


def _paid(
    stage: Stage,
    step: steps.PoolCollect | steps.PoolRedeem,
    function: str,
    *amounts: tuple[str, str],
) -> str:
    """What each member got, by the amounts of these events."""
    contract = stage.pool(step.pool)
    states = stage.ask_all([Asked(who, contract, function) for who in step.member])
    paid = (sum(sum(state.values(*amount)) for amount in amounts) for state in states)
    return ", ".join(
        f"{who} {komp_text(amount)}" for who, amount in zip(step.member, paid, strict=True)
    )
