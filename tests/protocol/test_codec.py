"""The codec agrees with eth_abi and keeps Solidity's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_abi.exceptions import DecodingError
from hypothesis import given
from hypothesis import strategies as st

from devnet.protocol.codec import Codec

address = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "uint256": st.integers(0, 2**256 - 1),
    "int256": st.integers(-(2**255), 2**255 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "bool": st.booleans(),
    "address": address,
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes": st.binary(max_size=70),
    "string": st.text(max_size=20),
    "uint256[]": st.lists(st.integers(0, 2**256 - 1), max_size=4).map(tuple),
}


@given(st.data(), st.lists(st.sampled_from(sorted(BY_TYPE)), max_size=6))
def test_values_go_there_and_back_as_by_eth_abi(data: st.DataObject, types: list[str]) -> None:
    values = tuple(data.draw(BY_TYPE[kind]) for kind in types)
    codec = Codec.of([{"name": f"v{i}", "type": kind} for i, kind in enumerate(types)])
    encoded = codec.encode(values)
    assert encoded == encode(types, values)
    assert codec.decode(encoded) == values


REQUEST: list[dict[str, Any]] = [
    {
        "name": "request",
        "type": "tuple",
        "components": [
            {"name": "owner", "type": "address"},
            {"name": "data", "type": "bytes"},
            {"name": "parts", "type": "tuple[]", "components": [{"name": "n", "type": "uint8"}]},
        ],
    },
    {"name": "", "type": "uint256"},
]
OWNER = "0x" + "11" * 20


@dataclass(frozen=True, slots=True)
class Request:
    owner: str
    data: bytes
    parts: tuple[tuple[int], ...]


@pytest.mark.parametrize(
    "request_",
    [
        (OWNER, b"\x01", [(1,), (2,)]),
        {"owner": OWNER, "data": b"\x01", "parts": [{"n": 1}, {"n": 2}]},
        {"parts": [(1,), (2,)], "data": b"\x01", "owner": OWNER},
        Request(OWNER, b"\x01", ((1,), (2,))),
    ],
    ids=["tuple", "mapping", "mapping in another order", "dataclass"],
)
def test_a_struct_may_be_written_in_any_form(request_: object) -> None:
    codec = Codec.of(REQUEST)
    assert codec.signature == "((address,bytes,(uint8)[]),uint256)"
    encoded = codec.encode([request_, 9])
    assert encoded == encode(
        ["(address,bytes,(uint8)[])", "uint256"], [(OWNER, b"\x01", [(1,), (2,)]), 9]
    )
    assert codec.decode_named(encoded) == {
        "request": {"owner": OWNER, "data": b"\x01", "parts": ({"n": 1}, {"n": 2})},
        "1": 9,
    }


def test_a_wrong_number_of_values_names_what_is_due() -> None:
    codec = Codec.of([{"name": "node", "type": "address"}, {"name": "cycle", "type": "uint256"}])
    with pytest.raises(ValueError, match=r"1 arguments where \(address node, uint256 cycle\)"):
        codec.encode([OWNER])
    with pytest.raises(ValueError, match="request has 3 fields, not 2"):
        Codec.of(REQUEST).encode([(OWNER, b""), 0])


TRANSFER = Codec.of([{"name": "to", "type": "address"}, {"name": "value", "type": "uint256"}])
SIGNED = Codec.of([{"name": "id", "type": "uint256"}, {"name": "signatures", "type": "bytes"}])


@pytest.mark.parametrize("missing", [1, 3, 31, 32, 40, 64])
def test_less_than_the_head_is_refused_as_the_contracts_do(missing: int) -> None:
    data = TRANSFER.encode((OWNER, 5))
    with pytest.raises(DecodingError, match="64 are due at least"):
        TRANSFER.decode(data[:-missing])
    with pytest.raises(DecodingError, match="64 are due at least"):
        Codec.of(REQUEST).decode(b"\0" * 63)
    assert TRANSFER.decode(data + b"\1\2") == (OWNER, 5)


def test_an_address_of_more_than_20_bytes_is_refused() -> None:
    data = TRANSFER.encode((OWNER, 5))
    with pytest.raises(DecodingError, match="20 bytes"):
        TRANSFER.decode(b"\1" + data[1:])


def test_nobody_looks_at_the_bytes_behind_a_byte_string() -> None:
    data = SIGNED.encode((1, b"\7" * 65))
    assert SIGNED.decode(data[:-1] + b"\1") == (1, b"\7" * 65)
    assert SIGNED.decode(data[:-31]) == (1, b"\7" * 65)
    with pytest.raises(DecodingError, match="64 bytes of a string of 65"):
        SIGNED.decode(data[:-32])
