"""What the steps of pools do: each is a wish to the client that operates or joins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from devnet.actors import messages
from devnet.spec import pools as steps
from devnet.spec.units import komp_text
from devnet.steps.stage import Stage


def create(stage: Stage, step: steps.PoolCreate) -> str:
    wish = messages.CreatePool(stage.next_wish(), step.commission_bps)
    contract = stage.create_pool(step.operator, step.pool, wish)
    return f"{contract} of {step.operator} at {stage.contracts.address(contract)}"


def join(stage: Stage, step: steps.PoolJoin) -> str:
    contract, joined = _paid_in(stage, step, "join")
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
    contract, shares = _paid_in(stage, step, "topUp")
    return f"{shares} shares of {contract} to {step.member}"


def restake(stage: Stage, step: steps.PoolRestake) -> str:
    contract = stage.pool(step.pool)
    operator = stage.ledger.pool_operator(contract)
    return _ask(stage, contract, "restake", [operator], step.months)


def collect(stage: Stage, step: steps.PoolCollect) -> str:
    return _paid(stage, step.pool, "collect", step.member)


def redeem(stage: Stage, step: steps.PoolRedeem) -> str:
    return _paid(stage, step.pool, "redeem", step.member)


def by_somebody(function: str) -> Callable[[Stage, Any], str]:
    """A step that anyone may take; the operator does where the step names nobody."""

    def perform(stage: Stage, step: Any) -> str:
        contract = stage.pool(step.pool)
        who = step.member or stage.ledger.pool_operator(contract)
        return _ask(stage, contract, function, [who])

    return perform


def _paid_in(
    stage: Stage, step: steps.PoolJoin | steps.PoolTopUp, function: str
) -> tuple[str, int]:
    """The pool's contract, and the shares that its member got for the payment."""
    contract = stage.pool(step.pool)
    before = stage.ledger.pool_shares(contract, step.member)
    wish = messages.PayIntoPool(stage.next_wish(), contract, function, step.amount)
    stage.wish_all([(step.member, wish)])
    return contract, stage.ledger.pool_shares(contract, step.member) - before


def _ask(stage: Stage, contract: str, function: str, members: Sequence[str], *args: object) -> str:
    stage.wish_all(
        [(who, messages.AskPool(stage.next_wish(), contract, function, args)) for who in members]
    )
    return f"{contract} by {', '.join(members)}"


def _paid(stage: Stage, pool: str, function: str, members: Sequence[str]) -> str:
    before = {who: stage.ledger.balance(who) for who in members}
    _ask(stage, stage.pool(pool), function, members)
    return ", ".join(
        f"{who} {komp_text(stage.ledger.balance(who) - before[who])}" for who in members
    )
