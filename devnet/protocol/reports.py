"""What oracle nodes sign: a report of what f+1 and more of them have observed (O1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from devnet.chain.keccak import keccak
from devnet.protocol.codec import Codec, Parameter

_OBSERVERS: Final = 32

_CONFIG: Final = Codec(
    [
        Parameter(name, kind)
        for name, kind in (
            ("chainId", "uint256"),
            ("feed", "address"),
            ("count", "uint32"),
            ("description", "string"),
            ("decimals", "uint8"),
            ("oracles", "address[]"),
            ("faulty", "uint8"),
            ("minimum", "int152"),
            ("maximum", "int152"),
        )
    ]
)


@dataclass(frozen=True, slots=True)
class Report:
    """IOcrAggregator.Report: `observations` ascend, byte i of `observers` is whose the i-th is."""

    configDigest: bytes
    epoch: int
    round: int
    observationsTimestamp: int
    observers: bytes
    observations: tuple[int, ...]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From a decoded struct."""
        return cls(**{**fields, "observations": tuple(fields["observations"])})

    @property
    def epoch_and_round(self) -> int:
        """What must rise from report to report."""
        return self.epoch * 256 + self.round


def config_digest(
    chain_id: int,
    feed: str,
    count: int,
    description: str,
    decimals: int,
    oracles: Sequence[str],
    faulty: int,
    bounds: tuple[int, int],
) -> bytes:
    """A feed's own, from all that decides what its answers mean; `feed` is its address, `count`
    how many configs it has had with this one (O7)."""
    given = (chain_id, feed, count, description, decimals, list(oracles), faulty, *bounds)
    return keccak(_CONFIG.encode(given))


def observers_word(places: Sequence[int]) -> bytes:
    """The indices of the nodes, in the order of their observations."""
    return bytes(places).ljust(_OBSERVERS, b"\0")
