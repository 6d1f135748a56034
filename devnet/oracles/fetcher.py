"""Reads one price from one vendor, replica or real service alike."""

from __future__ import annotations

from contextlib import nullcontext

import httpx

from devnet.oracles import aws, azure, gcp
from devnet.oracles.pages import Pages
from devnet.oracles.prices import REGIONS, PriceUsd, Resource, Vendor

PUBLIC_BASE_URLS: dict[Vendor, str] = {
    Vendor.AWS: aws.PUBLIC_BASE_URL,
    Vendor.GCP: gcp.PUBLIC_BASE_URL,
    Vendor.AZURE: azure.PUBLIC_BASE_URL,
}
_CONNECT_SECONDS = 3.0
_READ_SECONDS = 10.0


def open_client(*, loopback: bool = False) -> httpx.Client:
    """A client with the limits every fetch has, to share between many fetches; close it.

    `loopback`: for replicas on this machine only, which speak plain HTTP; it loads no
    certificates (a tenth of a second).
    """
    timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    if loopback:
        return httpx.Client(timeout=timeout, verify=False, trust_env=False)  # noqa: S501 - no TLS
    # a proxy the environment names is for the public services, never for a replica beside us
    return httpx.Client(timeout=timeout, follow_redirects=False, mounts={"all://127.0.0.1": None})


def fetch(
    vendor: Vendor,
    resource: Resource,
    base_url: str,
    region: str | None = None,
    *,
    client: httpx.Client | None = None,
    gcp_api_key: str = "",
) -> PriceUsd:
    """The vendor's first paid list price of one unit of the resource, in its main region.

    Raises `PriceUnavailable`: `VendorDown`, `DocumentUnreadable` or `PriceAbsent`. Zero and
    negative prices are never returned; whether a positive one is plausible is for the feeds (O2).
    """
    vendor, resource = Vendor(vendor), Resource(resource)
    region = region or REGIONS[vendor]
    base_url = base_url.rstrip("/")
    with nullcontext(client) if client is not None else open_client() as http:
        pages = Pages(http, vendor, resource)
        match vendor:
            case Vendor.AWS:
                price = aws.read(pages, resource, base_url, region)
            case Vendor.GCP:
                price = gcp.read(pages, resource, base_url, region, gcp_api_key)
            case Vendor.AZURE:
                price = azure.read(pages, resource, base_url, region)
        return PriceUsd(vendor, resource, region, price, pages.url)
