"""How large a test of a node is; gatekeeper and peers follow the same rules."""

from __future__ import annotations

from cluster.interface import Capacity
from cluster.perftest.program import derive
from cluster.scores import STEPS_PER_SECOND_PER_MILLI_CPU

RUNS = 3
"""Chain runs that count; their median does, since CPU figures vary on shared machines."""

MOST_RUNS = 15
"""Chain runs of a test with those that do not count (choice)."""

LEAST_PERCENT_OF_QUOTA, MOST_PERCENT_OF_QUOTA = 92, 105
"""Of the processor time that the quota gives, what a run that counts has had (choice)."""

LONGEST_PERIOD_NS = 100_000_000
"""A quota that is unspent when a run begins is had beside what the run's time gives."""

CHECKPOINTS = 64
CHALLENGED_BLOCKS = 8
MOST_FILLS = 3
"""Of memory or disk, until a challenge after one of them counts (choice)."""

MOST_STEPS_PER_SECOND_PER_MILLI_CPU = 4 * STEPS_PER_SECOND_PER_MILLI_CPU
MOST_FILL_PER_MILLI_CPU = 2_000_000
"""No core makes more than four million links or fills 2 GB in a second (choice)."""

LONGEST_FREE_CHALLENGE_NS = 500_000_000
"""A challenge may take this long, or as long as the fill: then it was filled again."""

# On the reference core. A quota is given in periods of 20 to 100 ms: a core three times as fast
# still works through seven of the longest.
_RUN_MILLISECONDS = 2000
_LEAST_TRANSFER_BYTES, _MOST_TRANSFER_BYTES = 64 << 10, 8 << 20
_TRANSFER_MILLISECONDS = 100


def chain_count(capacity: Capacity) -> int:
    """One chain a whole allocatable core, at least one."""
    return max(1, capacity.milli_cpu // 1000)


def chain_steps(capacity: Capacity) -> int:
    """Steps of each chain in a run."""
    share = capacity.milli_cpu // chain_count(capacity)
    return max(CHECKPOINTS, share * STEPS_PER_SECOND_PER_MILLI_CPU * _RUN_MILLISECONDS // 1000)


def checkpoint_every(steps: int) -> int:
    return -(-steps // CHECKPOINTS)


def transfer_bytes(capacity: Capacity) -> int:
    """Bytes sent each way."""
    wished = capacity.network_bits_per_second * _TRANSFER_MILLISECONDS // 8000
    return min(_MOST_TRANSFER_BYTES, max(_LEAST_TRANSFER_BYTES, wished))


def chain_seed(seed: bytes, run: int, chain: int) -> bytes:
    return derive(seed, "chain", run, chain)


def fill_seed(seed: bytes, what: str) -> bytes:
    """Of `memory` or `disk`."""
    return derive(seed, "fill", what)
