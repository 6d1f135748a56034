"""What processes counted adds up."""

from __future__ import annotations

import json
from collections import Counter

from properties.tally import Tally


def test_what_another_process_counted_adds_up() -> None:
    one = Tally(
        2, 3, Counter({"Staking.stake": 4}), Counter({"Pool.join": 5}), Counter(PoolFull=5), 6
    )
    sent = json.loads(json.dumps(one.dumped()))
    total = Tally(1, 1, Counter({"Staking.stake": 1}), joined=2)
    total.add(sent)
    assert total == Tally(
        3, 4, Counter({"Staking.stake": 5}), Counter({"Pool.join": 5}), Counter(PoolFull=5), 8
    )
    assert (total.steps, total.transactions) == (14, 10)
    total.add(Tally().dumped())
    assert total.steps == 14
