"""How every node comes to be: its owner is funded and stakes, or its pool is filled (S1, S7)."""

from __future__ import annotations

from collections.abc import Iterator

from devnet.economics.economy import Economy, signature_of
from devnet.economics.population import Worker
from devnet.model.gatekeepers import Quorum
from devnet.model.parameters import STAKE_WEI
from devnet.protocol.deployment import POOL_FACTORY
from devnet.spec.economics import WHOLE_PPM, PooledStakes
from devnet.spec.units import PPM_PER_BPS


def found(economy: Economy, worker: Worker) -> None:
    """Register a node. Raises RuntimeError where the rules refuse any of it."""
    registration = {
        "hardwareId": worker.hardware_id,
        "months": worker.months,
        "deadline": economy.now,
        "signatures": economy.signatures(Quorum.PERF),
        "nodeSignature": signature_of(worker.node),
    }
    assumed = economy.spec.economics
    if not worker.pool:
        _fund(economy, worker.owner, STAKE_WEI + assumed.stakes.reserve)
        economy.allow(worker.owner, "Staking", "Slashing")
        economy.require(worker.owner, "Staking", "stake", {"node": worker.node, **registration})
        return
    commission = {"commissionBps": assumed.pools.commission // PPM_PER_BPS}
    economy.require(worker.operator, POOL_FACTORY, "create", commission)
    economy.allow(worker.operator, "Slashing")  # L6: it appeals for the pool
    for member, part in zip(worker.members, parts(assumed.pools), strict=True):
        reserve = assumed.stakes.reserve if member == worker.operator else 0
        _fund(economy, member, part + reserve)
        economy.approve(member, worker.owner)
        if part:
            economy.require(member, worker.pool, "join", {"amount": part})
    activation = {"nodeKey": worker.node, **registration}
    economy.require(worker.operator, worker.pool, "activate", activation)


def parts(assumed: PooledStakes) -> Iterator[int]:
    """What each member puts in, the operator first; 500 KOMP together."""
    others = assumed.members - 1
    operator = STAKE_WEI * assumed.operator // WHOLE_PPM if others else STAKE_WEI
    yield operator
    rest = STAKE_WEI - operator
    for place in range(others):
        yield rest * (place + 1) // others - rest * place // others


def _fund(economy: Economy, account: str, amount: int) -> None:
    treasury = economy.accounts["treasury"]
    economy.require(treasury, "Kompute", "transfer", {"to": account, "value": amount})
