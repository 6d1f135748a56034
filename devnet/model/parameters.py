"""What a deployment fixes for good: addresses, periods, bounds, feeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from devnet.protocol.contracts import Function
from devnet.spec.feeds import KOMP_USD_FEED, UTILIZATION_FEED

STAKE_WEI = 500 * 10**18  # S1
VENDORS = 3  # O1
RESOURCES = 6


@dataclass(frozen=True, slots=True)
class FeedConfig:
    """What governance replaces of a feed (O7): bounds in its decimals, f and the oracle nodes.

    `digest` is what reports must name, `count` how many configs there were with this one.
    """

    minimum: int
    maximum: int
    faulty: int = 0
    oracles: tuple[str, ...] = ()
    digest: bytes = bytes(32)
    count: int = 1

    def allows(self, answer: int) -> bool:
        """O2: inside the bounds."""
        return self.minimum <= answer <= self.maximum


@dataclass(frozen=True, slots=True)
class FeedParameters:
    """One price feed (O1, O2): `heartbeat` in seconds, `config` the one it is created with.

    Where there is an `operator`, the feed is a mock that answers whatever this account says, and
    has bounds, but no oracle nodes.
    """

    decimals: int
    heartbeat: int
    config: FeedConfig
    description: str = ""
    operator: str = ""


@dataclass(frozen=True, slots=True)
class VaultParameters:
    """I1: `total` wei over N cycles, the first of them `start_cycle`."""

    total: int
    cycles: int
    start_cycle: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """The constructors' values. Addresses are lower-case hex, times seconds, amounts wei.

    `addresses` holds the contracts by name (Kompute, Staking, Rewards, Slashing, Market, and the
    feeds as `Feed:…`), `feeds` their parameters, `cloud_feeds` the three feeds of each priced
    resource by its number in IPricing.Resource. `supply` lies with `treasury` at first (T1).
    `governance` is who may call what is governed (R5), the execution queue but for tests of parts;
    `space` and `timelock` are the queue's (G2). `vault` None: there is none (I1). `functions` are
    those of each ABI by their selector, for the calls of a proposal; without a contract's ABI, all
    its selectors are taken for functions.
    """

    chain_id: int
    addresses: Mapping[str, str]
    supply: int
    treasury: str
    governance: str
    guardian: str
    space: bytes
    timelock: int
    company: str
    arbiter: str
    gatekeepers: frozenset[str]
    perf_quorum: int
    genesis_block: int
    cycle_blocks: int
    gap_blocks: int
    max_v: int
    month: int
    exit_delay: int
    appeal_window: int
    arbiter_window: int
    max_age: int
    halt_delay: int
    feeds: Mapping[str, FeedParameters] = field(default_factory=dict)
    cloud_feeds: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    komp_usd_feed: str = KOMP_USD_FEED
    utilization_feed: str = UTILIZATION_FEED
    vault: VaultParameters | None = None
    functions: Mapping[str, Mapping[bytes, Function]] = field(default_factory=dict, repr=False)
