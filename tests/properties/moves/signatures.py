"""Who signs: a quorum, or now and then something that must not count as one (R4)."""

from __future__ import annotations

from typing import Any

from devnet.model.gatekeepers import Quorum

from ..sight import Draw, Sight


def quorum(draw: Draw, sight: Sight, kind: Quorum, elsewhere: str, **wrong: Any) -> dict[str, Any]:
    """The `signatures` of a call: enough gatekeepers; `wrong` are fields to sign falsely.

    `elsewhere` is another contract, for which signatures must not count here.
    """
    members = sight.members()
    turn = draw.integer(0, len(members) - 1)
    signers = (members[turn:] + members[:turn])[: sight.needed(kind)]
    if not draw.rarely(10):
        return {"signers": signers}
    bad: list[dict[str, Any]] = [
        {"signers": signers[:-1]},
        {"signers": [*signers[:-1], "mallory"]},
        {"signers": [signers[0]] * len(signers)},
        {"signers": _descending(sight, signers), "order": "given"},
        {"signers": signers, "s": "high"},
        {"signers": signers, "chain_id": 1},
        {"signers": signers, "contract": elsewhere},
        {"signers": members},  # one more than needed is no fault
        *({"signers": signers, "with": {name: value}} for name, value in wrong.items()),
    ]
    return draw.of(bad)


def own(draw: Draw, key: str, elsewhere: str, **wrong: Any) -> dict[str, Any]:
    """The `nodeSignature` of a registration (S6): by the key, or seldom what must not count."""
    if not draw.rarely(25):
        return {"signers": [key]}
    bad: list[dict[str, Any]] = [
        {"signers": []},
        {"signers": ["mallory"]},
        {"signers": [key, key]},
        {"signers": [key], "s": "high"},
        {"signers": [key], "chain_id": 1},
        {"signers": [key], "contract": elsewhere},
        *({"signers": [key], "with": {name: value}} for name, value in wrong.items()),
    ]
    return draw.of(bad)


def _descending(sight: Sight, names: list[str]) -> list[str]:
    return sorted(names, key=sight.address, reverse=True)
