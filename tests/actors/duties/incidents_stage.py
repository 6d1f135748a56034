"""Three gatekeepers that are told of outages, and what they report."""

from __future__ import annotations

from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.operations import Send
from tests.actors.stage import KEEPERS, Stage, gatekeeper

MAX_AGE = 14 * 86_400


def keepers(stage: Stage) -> list[Gatekeeper]:
    return [gatekeeper(stage, n, modelled=False) for n in KEEPERS]


def everybody(message: object) -> dict[str, list[object]]:
    return {name: [message] for name in KEEPERS}


def reports(operations: list[tuple[str, object]]) -> list[Send]:
    return [o for _, o in operations if isinstance(o, Send) and o.function == "report"]
