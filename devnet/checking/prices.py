"""What a price may be, and that it never falls while utilization rises (O3, O4)."""

from __future__ import annotations

from collections.abc import Iterator

from devnet.checking.amounts import due_contingency
from devnet.checking.folding import Facts
from devnet.model import Ledger, PriceLedger


def check_prices(ledger: Ledger, facts: Facts) -> Iterator[str]:
    """Invariant 12, for each resource; against the price of the last check."""
    for resource, price in ledger.prices.items():
        p, u, given = price.dynamic, ledger.utilization, price.contingency
        seen = facts.governance.contingencies.get(resource, (0, 0, False))
        if (given.costUsd1e18, given.multiplier1e18, given.on) != seen:
            yield f"resource {resource}: the contingency price is {given}, set was {seen}"
        bounds = _bounds(price)
        if p is None or bounds is None:
            if given.on:
                yield f"resource {resource}: no price, though the contingency price is on"
            continue
        low, high = bounds
        if not low <= p <= high:
            yield f"resource {resource}: a price of {p} is outside [{low}, {high}]"
        before = facts.last_prices.get(resource)
        if before is None or before[0] != price_base(price):
            continue
        _, u_before, p_before = before
        if (u - u_before) * (p - p_before) < 0:
            yield (
                f"resource {resource}: the price went from {p_before} to {p} while u went "
                f"from {u_before} to {u}"
            )


def price_base(price: PriceLedger) -> object:
    """What a price follows from but for u: the median, or the contingency price's base."""
    given = price.contingency
    if not given.on:
        return price.market
    return "contingency", due_contingency(given.costUsd1e18, given.multiplier1e18)


def _bounds(price: PriceLedger) -> tuple[int, int] | None:
    """The least and the greatest price there can be; None where none is read."""
    given, m = price.contingency, price.market
    if given.on:
        base = due_contingency(given.costUsd1e18, given.multiplier1e18)
        return base, 2 * base
    return None if m is None else (75 * m // 100, 95 * m // 100)
