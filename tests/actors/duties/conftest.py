"""Two orders and three gatekeepers, where a module has nothing of its own."""

from __future__ import annotations

import pytest

from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.view import order_spec_of
from tests.actors.duties.orders_stage import THUMBNAIL, WEB
from tests.actors.stage import Stage, keepers, order_state, time_of


@pytest.fixture()
def stage() -> Stage:
    stage = Stage()
    web, thumbnail = (order_spec_of(stage.spec.service(name)) for name in ("web", "thumbnail"))
    stage.reads.orders = {
        WEB: order_state(stage.address("alice"), web, maxReplicas=3),
        THUMBNAIL: order_state(stage.address("bob"), thumbnail, maxReplicas=1),
    }
    stage.reads.ends = {WEB: time_of(1000), THUMBNAIL: time_of(1000)}
    return stage


@pytest.fixture()
def actors(stage: Stage) -> list[Gatekeeper]:
    return keepers(stage)
