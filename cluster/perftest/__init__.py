"""The performance test: what a node really has, proven to gatekeepers who trust neither it nor each
other.

The measured program runs on the node under its limits; the gatekeeper commands and times it; its
peers check the transcript before they sign. What is proven is a share of memory and disk, byte for
byte (`cluster.scores.MEMORY_SHARE`, `STORAGE_SHARE`); nothing is extrapolated.
"""

from cluster.perftest.gatekeeper import Cheated, Machine, Overloaded, measure, run_test
from cluster.perftest.transcript import Transcript, TranscriptRejected, Undecided
from cluster.perftest.trial import Trial, try_quota
from cluster.perftest.verify import verify

__all__ = [
    "Cheated",
    "Machine",
    "Overloaded",
    "Transcript",
    "TranscriptRejected",
    "Trial",
    "Undecided",
    "measure",
    "run_test",
    "try_quota",
    "verify",
]
