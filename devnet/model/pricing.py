"""Stored prices, the dynamic and the contingency price (O1 to O6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from devnet.model.calls import Call
from devnet.model.parameters import RESOURCES, FeedParameters
from devnet.model.state import State
from devnet.model.tables import Refused
from devnet.protocol.states import ContingencyState, RoundState, StoredPrice

WAD: Final = 10**18


def scaled(answer: int, decimals: int) -> int:
    """O2: an answer at 18 decimals."""
    unit: int = 10**decimals
    return answer * WAD // unit


def fresh(feed: FeedParameters, round_: RoundState, now: int, *, zero: bool) -> int | None:
    """O2: the answer at 18 decimals if it counts, else None; `zero` says whether 0 does."""
    if not 0 < round_.updatedAt <= now or now - round_.updatedAt > feed.heartbeat:
        return None
    if round_.answeredInRound < round_.id or round_.answer < 0:
        return None  # as a feed says of an answer outside its bounds
    answer = scaled(round_.answer, feed.decimals)
    if answer >= 2**128 or (answer == 0 and not zero):
        return None
    return answer


def median(answers: Sequence[int], stored: int) -> int:
    """O2: of three the median, of two the nearer to the stored price (a tie or none: the lower)."""
    low, *rest = sorted(answers)
    if len(rest) == 2:
        return rest[0]
    (high,) = rest
    return high if stored and abs(high - stored) < abs(low - stored) else low


def after_poke(state: StoredPrice, m: int, now: int, heartbeat: int) -> StoredPrice:
    """O2: what a fresh median does to the stored price; `heartbeat` is H."""
    p, pending = state.price, state.pending
    if p == 0 or 10 * abs(m - p) <= 3 * p:
        return StoredPrice(m, now, 0, 0)
    same_side = pending != 0 and (pending > p) == (m > p)
    if not same_side:
        return replace(state, pending=m, pendingAt=now)
    if now < state.pendingAt + heartbeat:
        return state
    nearer = min(m, pending, key=lambda price: abs(price - p))
    return StoredPrice(nearer, now, 0, 0)


def dynamic_price(m: int, u: int) -> int:
    """O3: (0.75 + u^2 * 0.20) of the median, u in [0, 1e18] clamped."""
    u = min(u, WAD)
    return m * (75 * 10**16 + 20 * u * u // 10**20) // WAD


def contingency_price(contingency: ContingencyState, u: int) -> int:
    """O4: (1 + u) * cost * multiplier, u in [0, 1e18] clamped."""
    base = contingency.costUsd1e18 * contingency.multiplier1e18 // WAD
    return base * (WAD + min(u, WAD)) // WAD


def poke(state: State, call: Call) -> None:
    """O2: anyone has the three cloud feeds of a resource read."""
    resource = call.args["resource"]
    names = _cloud_feeds(state, resource)
    before = state.prices[resource]
    answers = [_fresh(state, name, call.timestamp) for name in names]
    counted = [answer for answer in answers if answer is not None]
    if len(counted) < 2:
        raise Refused("TooFewFresh")
    m, now = median(counted, before.price), call.timestamp
    after = after_poke(before, m, now, heartbeat(state, resource))
    state.prices[resource] = after
    if after.pending and after != before:
        state.emit("Pricing", "JumpPending", {"resource": resource, "price": m})
    elif not after.pending:
        state.emit("Pricing", "PriceStored", {"resource": resource, "price": after.price})


def heartbeat(state: State, resource: int) -> int:
    """O2: H, the longest heartbeat of the resource's feeds."""
    feeds = state.parameters.feeds
    return max(feeds[name].heartbeat for name in _cloud_feeds(state, resource))


def utilization(state: State, now: int) -> int:
    """O3: u at 1e18; a stale u counts as 1e18."""
    u = _fresh(state, state.parameters.utilization_feed, now, zero=True)
    return WAD if u is None else min(u, WAD)


def market_price(state: State, resource: int, now: int) -> int:
    """O2: the stored median, until 3H after it was stored."""
    longest, stored = heartbeat(state, resource), state.prices[resource]
    if stored.storedAt == 0 or now > stored.storedAt + 3 * longest:
        raise Refused("PriceStale")
    return stored.price


def set_contingency(state: State, call: Call) -> None:
    """O4, R5: governance switches the contingency price."""
    resource = call.args["resource"]
    _require_resource(resource)
    if call.sender != state.parameters.governance:
        raise Refused("NotGovernance")
    _cloud_feeds(state, resource)
    names = ("costUsd1e18", "multiplier1e18", "on")
    given = ContingencyState(*(call.args[name] for name in names))
    if given.on and contingency_price(given, 0) == 0:
        raise Refused("ContingencyZero")
    state.contingencies[resource] = given
    shown = {name: call.args[name] for name in ("resource", *names)}
    state.emit("Pricing", "ContingencySet", shown)


def price(state: State, resource: int, now: int) -> int:
    """O3, or O4 while it is on, at the state at hand."""
    contingency = state.contingencies[resource]
    if contingency.on:
        return contingency_price(contingency, utilization(state, now))
    return dynamic_price(market_price(state, resource, now), utilization(state, now))


def beats_all(state: State, resource: int, now: int) -> bool:
    """O5: whether the price is below all three vendors', all of them fresh."""
    feeds = _cloud_feeds(state, resource)
    fresh = [answer for name in feeds if (answer := _fresh(state, name, now)) is not None]
    if len(fresh) < len(feeds):
        return False  # even where there is no price to read (O2)
    return price(state, resource, now) < min(fresh)


def komp_usd(state: State, now: int) -> int:
    """O6: USD at 1e18 for one KOMP."""
    usd = _fresh(state, state.parameters.komp_usd_feed, now)
    if usd is None:
        raise Refused("KompUsdStale")
    return usd


def price_in_komp(state: State, resource: int, now: int) -> int:
    """O6: KOMP wei for one unit of the resource."""
    usd = komp_usd(state, now)
    return price(state, resource, now) * WAD // usd


def _require_resource(resource: int) -> None:
    if resource >= RESOURCES:
        raise Refused("NoReason")  # no value of the enum: the decoder refuses it, before all else


def _cloud_feeds(state: State, resource: int) -> Sequence[str]:
    _require_resource(resource)
    names = state.parameters.cloud_feeds.get(resource, ())
    if not names:
        raise Refused("FeedsMissing")
    return names


def _fresh(state: State, name: str, now: int, *, zero: bool = False) -> int | None:
    feed = state.parameters.feeds[name]
    return fresh(feed, state.rounds[name], now, zero=zero)
