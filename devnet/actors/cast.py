"""Who acts in a network: one actor a role and name, honest unless the network file says otherwise.

Three tables that others join in one line: `ROLES` (in the order in which they are made), `DUTIES`
of every gatekeeper, and `BEHAVIOURS` by role and name (`devnet.spec.behaviours` tells the names,
`devnet.actors.behaviours` has the classes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devnet.actors.actor import Actor
from devnet.actors.behaviours import kinds
from devnet.actors.client import Client
from devnet.actors.duties.admitting import Admitting
from devnet.actors.duties.duty import Duty
from devnet.actors.duties.governing import Governing
from devnet.actors.duties.incidents import Incidents
from devnet.actors.duties.measuring import Measuring
from devnet.actors.duties.orders import Orders
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.oracle import Oracles
from devnet.actors.responder import Responder
from devnet.actors.treasury import Treasury
from devnet.actors.worker import Worker
from devnet.chain import Account
from devnet.spec import behaviours
from devnet.spec.network import NetworkSpec


@dataclass(frozen=True, slots=True)
class Setting:
    """What actors are made from. `modelled`: the cluster's nodes are models of their profile;
    `responder_job`: what the consumer of request and response asks for."""

    spec: NetworkSpec
    accounts: Mapping[str, Account]
    modelled: bool
    responder_job: bytes = b""


DUTIES: dict[str, Callable[[str, Setting], Duty]] = {
    "admitting": lambda keeper, setting: Admitting(),
    "governing": lambda keeper, setting: Governing(keeper),
    "measuring": lambda keeper, setting: Measuring(modelled=setting.modelled),
    "orders": lambda keeper, setting: Orders(keeper),
    "incidents": lambda keeper, setting: Incidents(keeper),
}
"""Of every gatekeeper, in the order in which they propose; made for the one of that name."""


def duties_of(keeper: str, setting: Setting) -> tuple[Duty, ...]:
    """All duties of one gatekeeper, as they are on its first day."""
    return tuple(make(keeper, setting) for make in DUTIES.values())


Make = Callable[[str, Setting], Actor]
"""(name, setting) to the actor of that name."""


def _gatekeeper(kind: type[Gatekeeper]) -> Make:
    def make(name: str, setting: Setting) -> Actor:
        peers = [keeper.name for keeper in setting.spec.gatekeepers]
        return kind(setting.accounts[name], peers, duties_of(name, setting))

    return make


def _worker(kind: type[Worker]) -> Make:
    return lambda name, setting: kind(setting.accounts[name], setting.spec.publishes_per_day)


def _client(kind: type[Client]) -> Make:
    return lambda name, setting: kind(name)


def _oracles(kind: type[Oracles]) -> Make:
    def make(name: str, setting: Setting) -> Actor:
        nodes = setting.spec.oracles.node_names()
        return kind(setting.spec, [setting.accounts[node] for node in nodes])

    return make


def _treasury(name: str, setting: Setting) -> Actor:
    return Treasury(setting.spec.incentive_per_cycle, setting.spec.incentives)


@dataclass(frozen=True, slots=True)
class Role:
    """`named` gives who has it, each with the behaviour it was told, if any; `honest` makes one."""

    named: Callable[[NetworkSpec], Iterator[tuple[str, str | None]]]
    honest: Make


def _one(name: str) -> Callable[[NetworkSpec], Iterator[tuple[str, str | None]]]:
    return lambda spec: iter([(name, None)])


ROLES: dict[str, Role] = {
    "treasury": Role(_one("treasury"), _treasury),
    behaviours.ORACLE: Role(
        lambda spec: iter([("oracles", spec.oracles.behaviour)]), _oracles(Oracles)
    ),
    "responder": Role(
        lambda spec: iter([("responder", None)] if spec.oracles.request_response else []),
        lambda name, setting: Responder(setting.responder_job),
    ),
    behaviours.GATEKEEPER: Role(
        lambda spec: ((keeper.name, keeper.behaviour) for keeper in spec.gatekeepers),
        _gatekeeper(Gatekeeper),
    ),
    behaviours.WORKER: Role(
        lambda spec: ((worker.name, worker.behaviour) for worker in spec.workers),
        _worker(Worker),
    ),
    behaviours.CLIENT: Role(
        lambda spec: ((client.name, client.behaviour) for client in spec.clients),
        _client(Client),
    ),
}

_OF_KIND: Mapping[str, Callable[[type[Any]], Make]] = {
    behaviours.GATEKEEPER: _gatekeeper,
    behaviours.WORKER: _worker,
    behaviours.CLIENT: _client,
    behaviours.ORACLE: _oracles,
}

BEHAVIOURS: dict[tuple[str, str], Make] = {
    (role, name): _OF_KIND[role](kind) for (role, name), kind in kinds().items()
}


def cast(setting: Setting) -> list[Actor]:
    """All actors of a network; none on an idle one."""
    if setting.spec.idle:
        return []
    return [
        (BEHAVIOURS[(role, behaviour)] if behaviour else ROLES[role].honest)(name, setting)
        for role in ROLES
        for name, behaviour in ROLES[role].named(setting.spec)
    ]
