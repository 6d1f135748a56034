"""What the steps of pools do: each is a wish to the client that operates or joins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from devnet.actors import messages
from devnet.spec import pools as steps
from devnet.spec.units import komp_text
from devnet.steps.stage import Asked, Stage


def create(stage: Stage, step: steps.PoolCreate) -> str:
    contract = stage.create_pool(step.operator, step.pool, step.commission_bps)
    return f"{contract} of {step.operator} at {stage.contracts.address(contract)}"


def join(stage: Stage, step: steps.PoolJoin) -> str:
    contract, joined = _paid_in(stage, step, "join", ("Joined", "amount"))
    return f"{komp_text(joined)} of {step.member} in {contract}"


def leave(stage: Stage, step: steps.PoolLeave) -> str:
    contract = stage.pool(step.pool)
    amount = step.amount
    if amount is None:
        amount = stage.ledger.pool_shares(contract, step.member)
    return _ask(stage, contract, "leave", [step.member], amount)


def activate(stage: Stage, step: steps.PoolActivate) -> str:
    contract = stage.pool(step.pool)
    months = step.months or stage.spec.worker(step.worker).stake_months
    operator = stage.ledger.pool_operator(contract)
    wish = messages.ActivatePool(stage.next_wish(), contract, step.worker, months)
    stage.wish_all([(operator, wish)])
    return f"{contract} stakes 500 KOMP for {step.worker}"


def top_up(stage: Stage, step: steps.PoolTopUp) -> str:
    contract, shares = _paid_in(stage, step, "topUp", ("PoolToppedUp", "shares"), step.least_shares)
    return f"{shares} shares of {contract} to {step.member}"


def restake(stage: Stage, step: steps.PoolRestake) -> str:
    contract = stage.pool(step.pool)
    operator = stage.ledger.pool_operator(contract)
    return _ask(stage, contract, "restake", [operator], step.months)


def collect(stage: Stage, step: steps.PoolCollect) -> str:
    return _paid(stage, step, "collect", ("Collected", "amount"), ("Collected", "commission"))


def redeem(stage: Stage, step: steps.PoolRedeem) -> str:
    return _paid(stage, step, "redeem", ("Redeemed", "amount"))


def by_somebody(function: str) -> Callable[[Stage, Any], str]:
    """A step that anyone may take; the operator does where the step names nobody."""

    def perform(stage: Stage, step: Any) -> str:
        contract = stage.pool(step.pool)
        who = step.member or stage.ledger.pool_operator(contract)
        return _ask(stage, contract, function, [who])

    return perform


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
