"""Every error that a contract declares has a sentence, and the values that explain it."""

from __future__ import annotations

import re
from pathlib import Path

from analysis.compiler import own_texts
from devnet.protocol.errors import KINDS

ROOT = Path(__file__).parents[2]
ERROR = re.compile(r"^\s*error (\w+)\(([^)]*)\);", re.MULTILINE)
ZERO = "the value is the zero of its name"
# Their name holds all there is to say.
WITHOUT_VALUES = {
    "ZeroAmount": ZERO,
    "ZeroDeposit": ZERO,
    "ZeroNode": ZERO,
    "PoolNotActive": "a pool that is not active has no node yet, which would be the value",
    "PoolWithdrawn": "a pool has one node and withdraws once; the caller named the pool",
}


def declared() -> dict[tuple[str, str], str]:
    """The file by (name, types) of every error of the contracts, mocks left out."""
    found = {}
    for file, text in own_texts(ROOT).items():
        for name, arguments in ERROR.findall(text):
            parts = [part.split() for part in arguments.split(",") if part.strip()]
            assert all(len(part) == 2 for part in parts), f"{file}: {name} has unnamed values"
            found[name, ",".join(part[1] for part in parts)] = file
    return found


def test_every_declared_error_has_a_sentence_with_its_values() -> None:
    known = {(kind.name, ",".join(kind.names)) for kind in KINDS.values()}

    assert {error: file for error, file in declared().items() if error not in known} == {}
    assert len(declared()) > 60


def test_every_declared_error_carries_values_or_says_why_not() -> None:
    bare = {name for name, values in declared() if not values}

    assert bare == set(WITHOUT_VALUES)
