"""The vendors whose prices the chain follows: each a value with its reader, replica and prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from devnet.oracles import aws, azure, gcp, replica
from devnet.oracles.pages import Pages
from devnet.oracles.prices import Place, Resource
from devnet.oracles.replica import aws as aws_replica
from devnet.oracles.replica import azure as azure_replica
from devnet.oracles.replica import gcp as gcp_replica


@dataclass(frozen=True, slots=True)
class Vendor:
    """`read` gives a price with 18 decimals from its service at `public_base_url`, or at a
    replica, which answers by `answer`; both raise and refuse as the real ones do.

    `steps` are the finest prices its documents can say, `prices` its list prices, both in USD.
    """

    name: str
    public_base_url: str
    region: str
    read: Callable[[Pages, Resource, Place], int] = field(repr=False)
    answer: Callable[[replica.Asked, replica.Prices], replica.Answer] = field(repr=False)
    steps: Mapping[Resource, Decimal] = field(repr=False, hash=False)
    prices: Mapping[Resource, Decimal] = field(repr=False, hash=False)

    def __str__(self) -> str:
        return self.name


def _column(*usd: str) -> dict[Resource, Decimal]:
    return dict(zip(Resource, map(Decimal, usd), strict=True))


# Prices: the three columns of the clouds' public lists; storage is object storage, the one kind
# that all three have.
AWS = Vendor(
    "aws",
    aws.PUBLIC_BASE_URL,
    aws.REGION,
    aws.read,
    aws_replica.answer,
    aws_replica.STEPS,
    _column("0.04048", "0.004445", "0.023", "0.09", "0.0000166667", "0.20"),
)
GCP = Vendor(
    "gcp",
    gcp.PUBLIC_BASE_URL,
    gcp.REGION,
    gcp.read,
    gcp_replica.answer,
    gcp_replica.STEPS,
    _column("0.02911", "0.00331", "0.02", "0.12", "0.0000025", "0.40"),
)
AZURE = Vendor(
    "azure",
    azure.PUBLIC_BASE_URL,
    azure.REGION,
    azure.read,
    azure_replica.answer,
    azure_replica.STEPS,
    _column("0.0405", "0.00445", "0.0208", "0.087", "0.000016", "0.20"),
)

# By name, in the order of the feeds (`devnet.spec.network.VENDORS`).
VENDORS: dict[str, Vendor] = {vendor.name: vendor for vendor in (AWS, GCP, AZURE)}
