"""What every transaction of PROTOCOL §13 costs, as the repository says, and within its target."""

from __future__ import annotations

import json
from typing import Final

from benchmarks.gas import SNAPSHOT, document, measure

# A byte of a signature that happens to be zero costs 12 less, and any change moves all hashes.
SIGNATURES_GAS: Final = 120
SIGNED: Final = {
    "stake a node",
    "publish V, first ever",
    "publish V, repeat",
    "publish V, new cycle",
    "publish V, new cycle with a roll",
    "incident report, first",
}


def test_gas_is_what_the_snapshot_says_and_within_the_targets() -> None:
    rows = measure()
    measured, before = document(rows), json.loads(SNAPSHOT.read_text())

    assert [row.what for row in rows if not row.held] == []
    assert measured.keys() == before.keys(), "run: python -m benchmarks.gas"
    assert measured.keys() >= SIGNED
    changed = {
        what: (before[what], gas)
        for what, gas in measured.items()
        if abs(gas - before[what]) > (SIGNATURES_GAS if what in SIGNED else 0)
    }
    assert changed == {}, "run: python -m benchmarks.gas"
