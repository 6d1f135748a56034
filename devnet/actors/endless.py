"""Work without an end: how much of it is taken for that, and what is said of it."""

from __future__ import annotations

from collections import Counter

from devnet.base import CheckFailed

MOST_ROUNDS = 10_000  # a drain that long is a loop between actors, not work
MOST_BLOCKS = 1_000  # and so is one of so many blocks: 10 000 workers stake in 23
NAMED_SENDS = 3  # of those that fed a drain without an end


class EndlessWork(CheckFailed):
    """What actors do makes them do it again, without an end; `sent` counts what they sent."""

    def __init__(self, blocks: int, sent: Counter[str]) -> None:
        super().__init__(_told(blocks, sent))


def _told(blocks: int, sent: Counter[str]) -> str:
    if not sent:
        return f"no end of work after {MOST_ROUNDS} rounds: actors ask each other and send nothing"
    most = ", ".join(f"{what} {count} times" for what, count in sent.most_common(NAMED_SENDS))
    return (
        f"no end of work: in {blocks} blocks of one step something was due in each, since what is "
        f"sent takes a block and makes something else due; most of all {most}. "
        "Longer intervals in the network file, or a shorter chain.block_seconds, end it"
    )
