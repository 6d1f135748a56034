"""Who and what a step may name: every name is checked against the network while it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from devnet.spec.network import (
    OWNER_SUFFIX,
    REQUEST_RESPONSE_CONTRACTS,
    RESERVED_NAMES,
    VENDORS,
    NetworkSpec,
)
from devnet.spec.units import UnitError, did_you_mean

ALL = "all"
_CONTRACT = re.compile(r"[A-Z][A-Za-z]*(:[a-z0-9_]+)*")
_POOL = re.compile(r"Pool:[1-9][0-9]{0,8}")
NO_VAULT_HINT = "set 'incentives:' in the network file"
# What a network lacks that has not got these contracts.
_NEEDED = {
    "IncentiveVault": NO_VAULT_HINT,
    **dict.fromkeys(
        REQUEST_RESPONSE_CONTRACTS, "set 'oracles.request_response: true' in the network file"
    ),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What names mean while steps are read.

    `network` is None when it could not be loaded: names are then taken as they are. `orders` and
    `pools` are the names of those made so far, None when nobody can know (a step from the CLI).
    """

    network: NetworkSpec | None = None
    orders: frozenset[str] | None = None
    pools: frozenset[str] | None = None

    def workers(self) -> Collection[str] | None:
        return [worker.name for worker in self.network.workers] if self.network else None

    def clients(self) -> Collection[str] | None:
        return [client.name for client in self.network.clients] if self.network else None

    def services(self) -> Collection[str] | None:
        return [service.name for service in self.network.services] if self.network else None

    def payers(self) -> Collection[str] | None:
        """Accounts that can pay into the rewards (C2: anyone may)."""
        clients, workers = self.clients(), self.workers()
        return None if clients is None or workers is None else ["treasury", *clients, *workers]

    def accounts(self) -> Collection[str] | None:
        """Everybody with a key: each worker is its node's key, and has an owner (R2)."""
        network = self.network
        if network is None:
            return None
        workers = [worker.name for worker in network.workers]
        return [
            *(name for name in RESERVED_NAMES if name != ALL),
            *(gatekeeper.name for gatekeeper in network.gatekeepers),
            *network.oracles.node_names(),
            *(client.name for client in network.clients),
            *(name for worker in workers for name in (worker, worker + OWNER_SUFFIX)),
        ]

    def gatekeepers(self) -> Collection[str] | None:
        return [keeper.name for keeper in self.network.gatekeepers] if self.network else None

    def contracts(self) -> Collection[str] | None:
        """But for pools, `Pool:<n>`."""
        return self.network.contract_names() if self.network else None

    def vendors(self) -> Collection[str] | None:
        return VENDORS

    def oracles(self) -> Collection[str] | None:
        return self.network.oracles.node_names() if self.network else None

    def feeds(self) -> Collection[str] | None:
        return self.network.oracles.feed_names() if self.network else None

    def resources(self) -> Collection[str] | None:
        return self.network.oracles.resources if self.network else None

    def pool_names(self) -> Collection[str] | None:
        return self.pools

    def order_names(self) -> Collection[str] | None:
        return self.orders


def known_of(info: ValidationInfo) -> Known:
    return info.context if isinstance(info.context, Known) else Known()


def require_vault(info: ValidationInfo) -> None:
    """Raise where the network is known to have no incentive vault (I1)."""
    network = known_of(info).network
    if network is not None and network.incentives is None:
        raise UnitError("there is no incentive vault (I1)", "none", NO_VAULT_HINT)


Names = Callable[[Known], Collection[str] | None]


def _one(kind: str, names: Names) -> tuple[Any, ...]:
    def read(value: object, info: ValidationInfo) -> str:
        return _checked(kind, value, names(known_of(info)))

    return (BeforeValidator(read), WithJsonSchema({"type": "string"}))


def _many(kind: str, names: Names) -> tuple[Any, ...]:
    """`all`, one name, or a list of names; always read as a tuple, `all` spelled out."""

    def read(value: object, info: ValidationInfo) -> tuple[str, ...]:
        known = names(known_of(info))
        if value == ALL:
            return (ALL,) if known is None else tuple(known)
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        if not isinstance(value, list | tuple) or not value:
            raise UnitError(f"not {ALL!r}, a {kind} or a list of them", value)
        chosen = tuple(_checked(kind, name, known) for name in value)
        for name in chosen:
            if chosen.count(name) > 1:
                raise UnitError(f"{kind} named twice", name)
        return chosen

    either = [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
    return (BeforeValidator(read), WithJsonSchema({"anyOf": either}))


def _contract_name(value: object, info: ValidationInfo) -> str:
    """Whether a pool has been created is known at run time only."""
    if not isinstance(value, str) or not _CONTRACT.fullmatch(value):
        raise UnitError("not the name of a contract", value, "for example Staking, Feed:komp_usd")
    known = known_of(info).contracts()
    if known is not None and value not in known and not _POOL.fullmatch(value):
        hint = _NEEDED.get(value) or did_you_mean(value, known) or f"known: {', '.join(known)}"
        raise UnitError("unknown contract", value, hint)
    return value


def _checked(kind: str, value: object, known: Collection[str] | None) -> str:
    if not isinstance(value, str) or not value:
        raise UnitError(f"not the name of one {kind}", value)
    if known is not None and value not in known:
        hint = did_you_mean(value, known) or f"known: {', '.join(list(known)[:10]) or 'none'}"
        raise UnitError(f"unknown {kind}", value, hint)
    return value


WorkerName = Annotated[str, *_one("worker", Known.workers)]
WorkerNames = Annotated[tuple[str, ...], *_many("worker", Known.workers)]
ClientName = Annotated[str, *_one("client", Known.clients)]
ClientNames = Annotated[tuple[str, ...], *_many("client", Known.clients)]
PoolName = Annotated[str, *_one("pool", Known.pool_names)]
ServiceName = Annotated[str, *_one("service", Known.services)]
OrderName = Annotated[str, *_one("order", Known.order_names)]
AccountName = Annotated[str, *_one("account", Known.accounts)]
ContractName = Annotated[
    str,
    BeforeValidator(_contract_name),
    WithJsonSchema({"type": "string", "pattern": f"^{_CONTRACT.pattern}$"}),
]
PayerName = Annotated[str, *_one("account", Known.payers)]
GatekeeperNames = Annotated[tuple[str, ...], *_many("gatekeeper", Known.gatekeepers)]
VendorNames = Annotated[tuple[str, ...], *_many("vendor", Known.vendors)]
OracleNames = Annotated[tuple[str, ...], *_many("oracle node", Known.oracles)]
FeedName = Annotated[str, *_one("feed", Known.feeds)]
FeedNames = Annotated[tuple[str, ...], *_many("feed", Known.feeds)]
ResourceName = Annotated[str, *_one("resource", Known.resources)]
ResourceNames = Annotated[tuple[str, ...], *_many("resource", Known.resources)]
