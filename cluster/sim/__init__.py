"""A cluster of models: nodes are their profiles, in process; nothing is installed or asked for."""

from __future__ import annotations

from cluster.interface import Cluster
from cluster.registry import Kind, Making, register
from cluster.sim.capabilities import CAPABILITIES


def _make(making: Making) -> Cluster:
    from cluster.sim.cluster import SimCluster

    return SimCluster(
        making.nodes,
        making.state,
        making.devnet_id,
        modelled=making.modelled,
        hosts=making.hosts,
    )


SIM = register(
    Kind(
        "sim",
        worth=0,
        proves="contracts, economics, replay",
        modelled=True,
        capabilities=CAPABILITIES,
        lacks=lambda _: "",
        make=_make,
    )
)
