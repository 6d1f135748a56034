"""What is told of a pod's life, and of what it cannot have."""

from __future__ import annotations

from cluster.conformance.bench import Bench, started
from cluster.conformance.claims import contains
from cluster.conformance.row import row

FOREVER = "while :; do sleep 0.1; done"


@row("image.unknown")
def an_image_that_is_not_there_is_not_run(bench: Bench) -> None:
    container = bench.container("true")
    container["image"] = "kompute.invalid/nothing:1"
    bench.start(container)
    contains(bench.waiting("ErrImagePull"), "nothing")


@row("events.lifecycle")
def a_pods_life_is_told_in_events(bench: Bench) -> None:
    bench.start(bench.container(FOREVER))
    bench.wait("started", started)
    bench.events("Scheduled")
    bench.events("Created")
    bench.events("Started")
    bench.delete()
    bench.gone()
    bench.events("Killing")
