"""The oracle nodes of a network of one resource."""

from __future__ import annotations

import pytest

from devnet.actors.oracle import Oracles
from tests.actors.stage import Stage, network


@pytest.fixture()
def stage() -> Stage:
    """One resource: three cloud feeds of 24 h, KOMP/USD of 12 h, utilization of 6 h."""
    return Stage(network(**{"oracles.resources": "[vcpu_hour]", "services": "[]"}))


@pytest.fixture()
def oracles(stage: Stage) -> Oracles:
    names = stage.spec.oracles.node_names()
    return Oracles(stage.spec, [stage.directory.accounts[name] for name in names])
