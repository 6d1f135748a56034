"""Why a vendor's price could not be had; an oracle node then reports nothing for that vendor."""

from __future__ import annotations

from devnet.base.errors import DevnetError

_LONGEST_SEEN = 300


class PriceUnavailable(DevnetError):
    """Base of the family: whose price of what, where it was looked for, what was seen there."""

    def __init__(self, vendor: str, resource: str, url: str, seen: str) -> None:
        shown = seen if len(seen) <= _LONGEST_SEEN else seen[:_LONGEST_SEEN] + "..."
        super().__init__(f"no price of {resource} from {vendor} at {url}: {shown}")
        self.vendor, self.resource, self.url, self.seen = vendor, resource, url, shown


class VendorDown(PriceUnavailable):
    """The service did not answer, answered too slowly, too much, or with an error status."""


class DocumentUnreadable(PriceUnavailable):
    """The answer is not the vendor's document: no JSON, other fields, foreign or endless pages."""


class PriceAbsent(PriceUnavailable):
    """The document is sound but has no single positive price for the resource."""
