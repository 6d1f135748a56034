"""The data of Chainlink's requests."""

from __future__ import annotations

import pytest

from devnet.protocol.cbor import decode_pairs


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        ("", {}),
        ("636765746b7574696c697a6174696f6e", {"get": "utilization"}),
        ("61611761621818", {"a": 23, "b": 24}),
        ("616119010061621a00010000", {"a": 256, "b": 65_536}),
        ("6574696d65731b0de0b6b3a7640000", {"times": 10**18}),
        ("61614301ff02", {"a": b"\x01\xff\x02"}),
        ("61617818" + "78" * 24, {"a": "x" * 24}),
        ("616262c3a4", {"b": "\u00e4"}),
    ],
)
def test_pairs(data: str, pairs: dict[str, object]) -> None:
    assert decode_pairs(bytes.fromhex(data)) == pairs


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("6161", "a key without a value"),
        ("0101", "a key that is no text"),
        ("6361", "no CBOR at byte "),
        ("61611b00", "no CBOR at byte "),
        ("616120", "no text, bytes or unsigned integer: -1"),
        ("616180", r"no text, bytes or unsigned integer: \[\]"),
        ("bf6161", "no CBOR at byte "),
        ("61ff01", "no CBOR at byte "),
    ],
)
def test_what_is_none(data: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_pairs(bytes.fromhex(data))
