"""What every transaction of PROTOCOL §13 costs, as the repository says; the benchmark judges it."""

from __future__ import annotations

import json

from benchmarks.gas import SNAPSHOT, document, measure

# A byte of a signature that happens to be zero costs 12 less, and any change moves all hashes.
SIGNATURES_GAS = 120


def test_gas_is_what_the_snapshot_says() -> None:
    measured, before = document(measure()), json.loads(SNAPSHOT.read_text())

    assert measured.keys() == before.keys(), "run: python -m benchmarks.gas"
    changed = {
        what: (before[what], gas)
        for what, gas in measured.items()
        if abs(gas - before[what]) > SIGNATURES_GAS
    }
    assert changed == {}, "run: python -m benchmarks.gas"
