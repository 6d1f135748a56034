"""The Kompute protocol as Python values: calls, events, errors, views and signed messages by name.

Free of Ape and of any process. Addresses are lower-case hex strings, bytes32 are bytes, amounts
wei, times seconds; calls, events and structs keep Solidity's own names.
"""

from __future__ import annotations

from devnet.protocol.contracts import Call, Contracts, DecodedCall, Event
from devnet.protocol.deployment import (
    POOL_ABI,
    POOL_FACTORY,
    Deployment,
    Genesis,
    pool_address,
    pool_name,
    pool_number,
)
from devnet.protocol.errors import ProtocolError, decode_error
from devnet.protocol.market_views import resource_number
from devnet.protocol.messages import Domains, calls_hash, collect, order_spec
from devnet.protocol.observed import ObservedTransaction, observe
from devnet.protocol.reports import Report, config_digest, observers_word
from devnet.protocol.states import (
    ContingencyState,
    IncidentState,
    IncidentStatus,
    Kind,
    NodeState,
    OrderState,
    PoolState,
    ProposalState,
    ProposalStatus,
    PublisherState,
    Quorum,
    RoundState,
    StoredPrice,
)
from devnet.protocol.views import View
from devnet.spec.feeds import KOMP_USD_FEED, UTILIZATION_FEED, feed_name

__all__ = [
    "KOMP_USD_FEED",
    "POOL_ABI",
    "POOL_FACTORY",
    "UTILIZATION_FEED",
    "Call",
    "ContingencyState",
    "Contracts",
    "DecodedCall",
    "Deployment",
    "Domains",
    "Event",
    "Genesis",
    "IncidentState",
    "IncidentStatus",
    "Kind",
    "NodeState",
    "ObservedTransaction",
    "OrderState",
    "PoolState",
    "ProposalState",
    "ProposalStatus",
    "ProtocolError",
    "PublisherState",
    "Quorum",
    "Report",
    "RoundState",
    "StoredPrice",
    "View",
    "calls_hash",
    "collect",
    "config_digest",
    "decode_error",
    "feed_name",
    "observe",
    "observers_word",
    "order_spec",
    "pool_address",
    "pool_name",
    "pool_number",
    "resource_number",
]
