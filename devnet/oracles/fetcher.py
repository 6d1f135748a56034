"""Reads one price from one vendor, replica or real service alike."""

from __future__ import annotations

from contextlib import nullcontext

from devnet.base.http import httpx
from devnet.oracles.pages import Pages
from devnet.oracles.prices import Place, PriceUsd, Resource
from devnet.oracles.vendors import Vendor

_DIRECT = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
_CONNECT_SECONDS = 3.0
_READ_SECONDS = 10.0


def open_client(*, loopback: bool = False) -> httpx.Client:
    """A client with the limits every fetch has, to share between many fetches; close it.

    `loopback`: for replicas on this machine only, which speak plain HTTP; it loads no
    certificates (a tenth of a second).
    """
    timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    if loopback:
        return httpx.Client(timeout=timeout, verify=False, trust_env=False)
    # a proxy the environment names is for the public services, never for a replica beside us
    return httpx.Client(timeout=timeout, follow_redirects=False, mounts=_DIRECT)


def fetch(
    vendor: Vendor,
    resource: Resource,
    base_url: str,
    region: str | None = None,
    *,
    client: httpx.Client | None = None,
    api_key: str = "",
) -> PriceUsd:
    """The vendor's first paid list price of one unit of the resource, in its main region.

    Raises `PriceUnavailable`: `VendorDown`, `DocumentUnreadable` or `PriceAbsent`. Zero and
    negative prices are never returned; whether a positive one is plausible is for the feeds (O2).
    `api_key` is what Google's public service asks for.
    """
    place = Place(base_url.rstrip("/"), region or vendor.region, api_key)
    with nullcontext(client) if client is not None else open_client() as http:
        pages = Pages(http, vendor.name, resource)
        price = vendor.read(pages, resource, place)
        return PriceUsd(vendor.name, resource, place.region, price, pages.url)
