"""Addresses of pods, and how they are found and reached."""

from __future__ import annotations

from cluster.conformance.bench import Bench, started
from cluster.conformance.claims import equal
from cluster.conformance.row import row

FOREVER = "while :; do sleep 0.1; done"


@row("addresses.distinct")
def pods_have_addresses_of_their_own(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.start(bench.container(FOREVER), name=name)
    found = {bench.wait("started", started, name)["status"]["podIP"] for name in ("one", "two")}
    equal(len(found), 2)
