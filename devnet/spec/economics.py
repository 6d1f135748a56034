"""The section `economics` of a network file: what `devnet economics` assumes about people.

The protocol decides what follows from an act; who acts, how often and at which prices is assumed
here, so that a designer changes one value and compares two years. A share is in millionths.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from devnet.spec.fields import (
    MAX_BLOCKS,
    Natural,
    Positive,
    PositiveSeconds,
    Ppm,
    SpecModel,
    Wei,
    at_most,
)
from devnet.spec.units import WEI_PER_KOMP, share_text

WHOLE_PPM = 1_000_000
HOUR = 3600
MAX_ORDERS, MAX_PUBLICATIONS = 10_000, 1_000  # a cycle; what a year is still played in
SECONDS_PER_YEAR = 365 * 86_400


class Stakes(SpecModel):
    """What owners do with their stakes and with what they earn."""

    renew: Ppm = Field(
        default=800_000, description="of the nodes whose period ended: choose it again (S3)"
    )
    leave: Ppm = Field(
        default=20_000, description="of them: request their exit (S5); the rest stays at S = 1"
    )
    top_up: Ppm = Field(
        default=950_000, description="of the slashed nodes: filled up again (S4); the rest leaves"
    )
    reserve: Wei = Field(
        default=250 * WEI_PER_KOMP, description="what an owner has beside its stake"
    )
    claim_every: Annotated[Positive, at_most(MAX_BLOCKS)] = Field(
        default=4, description="cycles between two claims of a node"
    )
    sell: Ppm = Field(default=700_000, description="of what is claimed: sold to clients")


class Incidents(SpecModel):
    """How likely a node is reported in a cycle (L1 to L3), and what becomes of reports (L6)."""

    level_1: Ppm = Field(default=10_000, description="of the nodes, each cycle: offline")
    level_1_longest: PositiveSeconds = Field(
        default=24 * HOUR, description="any length up to it, and to incident_max_age"
    )
    level_2: Ppm = Field(default=500, description="of the nodes, each cycle")
    level_2_longest: PositiveSeconds = Field(
        default=12 * HOUR, description="any length up to it, and to incident_max_age"
    )
    level_3: Ppm = Field(default=20, description="of the nodes, each cycle")
    appeal: Ppm = Field(default=200_000, description="of the incidents: appealed")
    overturn: Ppm = Field(default=250_000, description="of the appeals: overturned")
    ignore: Ppm = Field(
        default=100_000, description="of the appeals: not ruled in time; the rest is upheld"
    )


class PooledStakes(SpecModel):
    """Which nodes are funded by pools (S7), and how."""

    share: Ppm = Field(default=0, description="of the workers: funded by a pool of their own")
    members: Annotated[Positive, at_most(100)] = Field(
        default=5, description="of a pool, the operator included"
    )
    commission: Annotated[Ppm, at_most(200_000, share_text)] = Field(
        default=100_000, description="of the operator, on every reward; at most 20% (S7)"
    )
    operator: Ppm = Field(default=250_000, description="of the shares: the operator's; from 20%")


class Demand(SpecModel):
    """What clients want."""

    utilization: Ppm = Field(
        default=400_000,
        description="of the first cycle's capacity: wanted at the lowest price (see elasticity)",
    )
    growth: Ppm = Field(default=300_000, description="of the first demand, a year")
    step: Ppm = Field(default=50_000, description="of a cycle's random step, up or down, at most")
    elasticity: Ppm = Field(
        default=500_000,
        description="demand that goes where the dynamic price doubles over its lowest (O3)",
    )
    orders: Annotated[Natural, at_most(MAX_ORDERS)] = Field(
        default=20, description="a cycle; 0: nobody orders"
    )
    exchange: Wei = Field(
        default=10_000_000 * WEI_PER_KOMP, description="for sale to clients at first"
    )


class Walks(SpecModel):
    """Random walks of outside prices; each step is at most this, up or down, a cycle."""

    vendors: Ppm = Field(default=10_000, description="each vendor's price of each resource")
    komp_usd: Ppm = Field(default=40_000, description="dollars for one KOMP")


class Economics(SpecModel):
    """All that `devnet economics` assumes."""

    publications: Annotated[Positive, at_most(MAX_PUBLICATIONS)] = Field(
        default=1, description="of each node a cycle (W4)"
    )
    spread: Ppm = Field(
        default=20_000, description="how far a measurement strays from its profile, each way"
    )
    stakes: Stakes = Stakes()
    incidents: Incidents = Incidents()
    pools: PooledStakes = PooledStakes()
    demand: Demand = Demand()
    prices: Walks = Walks()
