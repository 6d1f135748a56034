"""A price list's tiers: the first one that costs anything is the price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from devnet.oracles.pages import Pages
from devnet.oracles.prices import usd_1e18


@dataclass(frozen=True, slots=True)
class Tier:
    """`unit_price` USD for one vendor's unit, from `begin` units a month on."""

    begin: Decimal
    unit_price: Decimal


def first_paid(tiers: Iterable[Tier], pages: Pages, *, units: int = 1) -> int:
    """The first tier's price that is not free, times `units`, with 18 decimals.

    Free allowances are tiers at $0 and never a price of anything. Raises `PriceAbsent` when no
    tier costs anything, one is negative, or two entries claim the first tier at different prices.
    """
    found = sorted(tiers, key=lambda tier: tier.begin)
    if not found:
        raise pages.absent("no entry for it")
    paid = [tier for tier in found if tier.unit_price != 0]
    if not paid:
        raise pages.absent("only prices of 0")
    first = {tier.unit_price for tier in paid if tier.begin == paid[0].begin}
    if len(first) > 1:
        raise pages.absent(f"several prices at once: {', '.join(sorted(map(str, first)))}")
    try:
        price = usd_1e18(paid[0].unit_price, units)
    except ValueError as error:
        raise pages.absent(str(error)) from error
    if price <= 0:
        raise pages.absent(f"a price of {paid[0].unit_price}")
    return price
