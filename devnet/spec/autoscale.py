"""How the replicas of a service follow what they use, as a network file says it (M1, M6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from devnet.spec.fields import Bounds, Percent, Positive, SpecModel, at_most
from devnet.spec.units import percent_text
from devnet.spec.validation import Problem

# A replica gets no more than it asks for, and autoscalers leave a mean alone that is within a
# tenth of its target: above this none would ever be exceeded.
MOST_PERCENT = 90
MOST_REPLICAS = 2**31 - 1  # an int32 of Kubernetes

Target = Annotated[Percent, Bounds(1, MOST_PERCENT, percent_text)]


class Autoscale(SpecModel):
    """Replicas of a service by what they use, never more than the client's order allows (M1, M6).

    A target is the mean over its replicas, in percent of what one of them asks for.
    """

    min: Annotated[Positive, at_most(MOST_REPLICAS)] = Field(
        default=1, description="what an order begins with"
    )
    max: Annotated[Positive, at_most(MOST_REPLICAS)]
    cpu: Target | None = Field(default=None, description="absent: not by it")
    memory: Target | None = Field(default=None, description="absent: not by it")


def autoscale_problems(
    n: int, autoscale: Autoscale, *, kind: str, least: int, most: int
) -> Iterator[Problem]:
    """Broken rules of the n-th service, which is of that kind and has from `least` to `most`
    replicas."""
    loc = ("services", n, "autoscale")
    if kind == "serverless":
        message = "a serverless service has no replicas (M3); seen 'autoscale'"
        yield Problem(loc, message, "leave it out", reads=(("services", n, "kind"),))
    if autoscale.cpu is None and autoscale.memory is None:
        yield Problem(loc, "neither 'cpu' nor 'memory' says when to scale", "for example cpu: 50%")
    if autoscale.min > autoscale.max:
        yield Problem(
            (*loc, "min"),
            f"must be at most max; seen {autoscale.min}, max {autoscale.max}",
            reads=((*loc, "max"),),
        )
    for key, seen, bound, value, holds in (
        ("min", autoscale.min, "min_replicas", least, autoscale.min >= least),
        ("max", autoscale.max, "max_replicas", most, autoscale.max <= most),
    ):
        if not holds:
            side = "least" if key == "min" else "most"
            yield Problem(
                (*loc, key),
                f"must be at {side} {bound} (M1); seen {seen}, {bound} {value}",
                reads=(("services", n, bound),),
            )
