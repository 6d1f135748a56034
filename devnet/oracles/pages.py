"""Fetches one vendor's JSON pages, bounded in time, bytes and number."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

import pydantic_core
from pydantic import BaseModel, ConfigDict, ValidationError

from devnet.base.http import httpx
from devnet.oracles.errors import DocumentUnreadable, PriceAbsent, PriceUnavailable, VendorDown
from devnet.oracles.prices import Resource

# AWS's regional files of the offers read here are below 10 MB; AmazonEC2's is not read.
MAX_DOCUMENT_BYTES = 64 * 2**20
MAX_PAGES = 40
MAX_SECONDS = 60  # of all pages together; each read has the client's own, shorter limit


class Document(BaseModel):
    """Base of the vendors' shapes: only the fields read are named, others pass."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Shape = TypeVar("Shape", bound=Document)
_Error = TypeVar("_Error", bound=PriceUnavailable)


class Pages:
    """The pages read for one price; knows how to say what went wrong with whom."""

    def __init__(self, client: httpx.Client, vendor: str, resource: Resource) -> None:
        self._client, self._vendor, self._resource = client, vendor, resource
        self._bytes_left = MAX_DOCUMENT_BYTES
        self._pages_left = MAX_PAGES
        self._deadline = time.monotonic() + MAX_SECONDS
        self.url = ""

    def read(self, shape: type[Shape], url: str, headers: Mapping[str, str] | None = None) -> Shape:
        """The document at `url`. Raises `VendorDown` or `DocumentUnreadable`."""
        self.url = url
        if self._pages_left == 0:
            raise self.unreadable(f"more than {MAX_PAGES} pages")
        self._pages_left -= 1
        body = self._body(url, headers)
        try:
            # bounds the depth: under a raised recursion limit json.loads overflows the C stack
            pydantic_core.from_json(body, allow_inf_nan=False)
            # Decimal, so that no price ever passes through a float
            loaded = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
            return shape.model_validate(loaded)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the document"
            raise self.unreadable(f"{where}: {first['msg']}") from error
        except ValueError as error:
            raise self.unreadable(f"no JSON ({error})") from error

    def unreadable(self, seen: str) -> DocumentUnreadable:
        return self._error(DocumentUnreadable, seen)

    def absent(self, seen: str) -> PriceAbsent:
        return self._error(PriceAbsent, seen)

    def _body(self, url: str, headers: Mapping[str, str] | None) -> bytes:
        received = bytearray()
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                if response.status_code != httpx.codes.OK:
                    raise self._error(VendorDown, f"HTTP {response.status_code}")
                for chunk in response.iter_bytes():
                    if len(received) + len(chunk) > self._bytes_left:
                        raise self._error(VendorDown, f"more than {MAX_DOCUMENT_BYTES} bytes")
                    received += chunk
                    if time.monotonic() > self._deadline:
                        raise self._error(VendorDown, f"not within {MAX_SECONDS} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._error(VendorDown, f"{type(error).__name__}: {error}") from error
        self._bytes_left -= len(received)
        return bytes(received)

    def _error(self, kind: type[_Error], seen: str) -> _Error:
        return kind(self._vendor, self._resource, self.url, seen)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
