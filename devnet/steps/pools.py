"""What the steps of pools do: each is a wish to the client that operates or joins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from devnet.actors import messages
from devnet.spec import pools as steps
from devnet.spec.units import komp_text

if TYPE_CHECKING:
    from devnet.runs.session import Session


def create(session: Session, step: steps.PoolCreate) -> str:
    wish = messages.CreatePool(session.next_wish(), step.commission_bps)
    contract = session.create_pool(step.operator, step.pool, wish)
    return f"{contract} of {step.operator} at {session.contracts.address(contract)}"


def join(session: Session, step: steps.PoolJoin) -> str:
    contract, joined = _paid_in(session, step, "join")
    return f"{komp_text(joined)} of {step.member} in {contract}"


def leave(session: Session, step: steps.PoolLeave) -> str:
    contract = session.pool(step.pool)
    amount = step.amount
    if amount is None:
        amount = session.ledger.pool_shares(contract, step.member)
    return _ask(session, contract, "leave", [step.member], amount)


def activate(session: Session, step: steps.PoolActivate) -> str:
    contract = session.pool(step.pool)
    months = step.months or session.spec.worker(step.worker).stake_months
    operator = session.ledger.pool_operator(contract)
    wish = messages.ActivatePool(session.next_wish(), contract, step.worker, months)
    session.wish_all([(operator, wish)])
    return f"{contract} stakes 500 KOMP for {step.worker}"


def top_up(session: Session, step: steps.PoolTopUp) -> str:
    contract, shares = _paid_in(session, step, "topUp")
    return f"{shares} shares of {contract} to {step.member}"


def restake(session: Session, step: steps.PoolRestake) -> str:
    contract = session.pool(step.pool)
    operator = session.ledger.pool_operator(contract)
    return _ask(session, contract, "restake", [operator], step.months)


def collect(session: Session, step: steps.PoolCollect) -> str:
    return _paid(session, step.pool, "collect", step.member)


def redeem(session: Session, step: steps.PoolRedeem) -> str:
    return _paid(session, step.pool, "redeem", step.member)


def by_somebody(function: str) -> Callable[[Session, Any], str]:
    """A step that anyone may take; the operator does where the step names nobody."""

    def perform(session: Session, step: Any) -> str:
        contract = session.pool(step.pool)
        who = step.member or session.ledger.pool_operator(contract)
        return _ask(session, contract, function, [who])

    return perform


def _paid_in(
    session: Session, step: steps.PoolJoin | steps.PoolTopUp, function: str
) -> tuple[str, int]:
    """The pool's contract, and the shares that its member got for the payment."""
    contract = session.pool(step.pool)
    before = session.ledger.pool_shares(contract, step.member)
    wish = messages.PayIntoPool(session.next_wish(), contract, function, step.amount)
    session.wish_all([(step.member, wish)])
    return contract, session.ledger.pool_shares(contract, step.member) - before


def _ask(
    session: Session, contract: str, function: str, members: Sequence[str], *args: object
) -> str:
    session.wish_all(
        [(who, messages.AskPool(session.next_wish(), contract, function, args)) for who in members]
    )
    return f"{contract} by {', '.join(members)}"


def _paid(session: Session, pool: str, function: str, members: Sequence[str]) -> str:
    before = {who: session.ledger.balance(who) for who in members}
    _ask(session, session.pool(pool), function, members)
    return ", ".join(
        f"{who} {komp_text(session.ledger.balance(who) - before[who])}" for who in members
    )
