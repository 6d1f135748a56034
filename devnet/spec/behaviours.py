"""How else than honestly those may behave whom the network file names: one table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from devnet.spec.fields import one_of_table

GATEKEEPER, WORKER, CLIENT, ORACLE = ROLES = ("gatekeeper", "worker", "client", "oracle")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Of a role; `does` says it in one sentence. What it is made of: `devnet.actors.cast`."""

    role: str
    name: str
    does: str


BEHAVIOURS: dict[tuple[str, str], Behaviour] = {}
"""By role and name."""


def register(behaviour: Behaviour) -> Behaviour:
    """Add a behaviour. Raises `ValueError` where its role has one of that name."""
    key = (behaviour.role, behaviour.name)
    if key in BEHAVIOURS:
        raise ValueError(f"a {behaviour.role} has a behaviour '{behaviour.name}' already")
    BEHAVIOURS[key] = behaviour
    return behaviour


def _of(role: str) -> tuple[Behaviour, ...]:
    return tuple(each for each in BEHAVIOURS.values() if each.role == role)


def _names(role: str) -> Collection[str]:
    return [each.name for each in _of(role)]


def _described(role: str) -> str:
    known = "; ".join(f"{each.name}: {each.does}" for each in _of(role))
    return f"absent: honest. {known or 'no other is known'}"


GatekeeperBehaviour = Annotated[
    str,
    *one_of_table(
        "behaviour of a gatekeeper", lambda: _names(GATEKEEPER), lambda: _described(GATEKEEPER)
    ),
]
WorkerBehaviour = Annotated[
    str,
    *one_of_table("behaviour of a worker", lambda: _names(WORKER), lambda: _described(WORKER)),
]
ClientBehaviour = Annotated[
    str,
    *one_of_table("behaviour of a client", lambda: _names(CLIENT), lambda: _described(CLIENT)),
]
OracleBehaviour = Annotated[
    str,
    *one_of_table(
        "behaviour of the oracle nodes", lambda: _names(ORACLE), lambda: _described(ORACLE)
    ),
]

SIGNS_ALL = register(
    Behaviour(GATEKEEPER, "signs_all", "it signs whatever it is shown, and checks nothing")
)
ACCEPTS_NOTHING = register(
    Behaviour(WORKER, "accepts_nothing", "it stakes and publishes, and accepts no order")
)
COMPUTES_ELSEWHERE = register(
    Behaviour(WORKER, "computes_elsewhere", "a faster machine behind it makes the links of tests")
)
ANSWERS_BEFORE = register(
    Behaviour(WORKER, "answers_before", "it answers tests with what an earlier one gave")
)
SHARES_DISK = register(
    Behaviour(WORKER, "shares_disk", "what it says is on its disk is another node's")
)
SWAPPED_NODE = register(
    Behaviour(WORKER, "swapped_node", "the strongest other node answers tests in its place")
)
COMPLETES_NOTHING = register(
    Behaviour(CLIENT, "completes_nothing", "it takes results and puts none of them on chain")
)
STORES_NOTHING = register(
    Behaviour(ORACLE, "stores_nothing", "they report, and store no price that nobody asks for")
)
