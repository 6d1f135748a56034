"""RLP by hand against the `rlp` package."""

from __future__ import annotations

import pytest
import rlp as reference
from hypothesis import given
from hypothesis import strategies as st

from devnet.chain import rlp


@given(st.lists(st.binary(max_size=300), max_size=12))
def test_lists_of_strings_are_encoded_and_decoded_alike(items: list[bytes]) -> None:
    encoded = rlp.encode_list([rlp.encode_bytes(item) for item in items])
    assert encoded == reference.encode(items)
    assert rlp.decode(encoded) == items


@given(st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=4)))
def test_nested_items_decode_alike(item: rlp.Item) -> None:
    assert rlp.decode(reference.encode(item)) == item


@pytest.mark.parametrize("size", [0, 1, 55, 56, 255, 256, 65_536])
def test_lengths_around_the_forms(size: int) -> None:
    assert rlp.encode_bytes(b"\x80" * size) == reference.encode(b"\x80" * size)


@given(st.binary(max_size=40))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except ValueError:
        return
    assert isinstance(item, bytes | list)
