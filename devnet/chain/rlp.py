"""Recursive length prefix: what the signer writes, and whatever a stranger has sent.

By hand: the `rlp` package infers a schema for every item and halves the signer's rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# An access list or an authorization is three lists deep; nobody's bytes may exhaust the stack.
MOST_DEPTH: Final = 32

Item = bytes | list["Item"]


def encode_bytes(item: bytes) -> bytes:
    """One string."""
    size = len(item)
    if size == 1 and item[0] < 0x80:
        return item
    if size < 56:
        return bytes((0x80 + size,)) + item
    length = to_bytes(size)
    return bytes((0xB7 + len(length),)) + length + item


def encode_list(items: Sequence[bytes]) -> bytes:
    """One list of items that are encoded already."""
    body = b"".join(items)
    size = len(body)
    if size < 56:
        return bytes((0xC0 + size,)) + body
    length = to_bytes(size)
    return bytes((0xF7 + len(length),)) + length + body


def encode(item: Item) -> bytes:
    """Any item: what `decode` gave, as it was in its shortest form."""
    return encode_bytes(item) if isinstance(item, bytes) else encode_list([*map(encode, item)])


def to_bytes(number: int) -> bytes:
    """Big-endian without leading zeros; 0 is the empty string."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def decode(data: bytes) -> Item:
    """The single item that `data` encodes; raises ValueError for anything else."""
    item, end = _decode_at(data, 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes follow the RLP item")
    return item


def first_of(data: bytes) -> bytes:
    """The first item, still encoded, of the list that `data` begins with; raises ValueError."""
    begin, _, is_list = _extent(data, 0)
    if not is_list:
        raise ValueError("not an RLP list")
    _, end, _ = _extent(data, begin)
    return data[begin:end]


def _extent(data: bytes, start: int) -> tuple[int, int, bool]:
    """Where the content of the item at `start` begins and ends, and whether it is a list."""
    if start >= len(data):
        raise ValueError("RLP item cut off")
    head = data[start]
    if head < 0x80:
        return start, start + 1, False
    is_list = head >= 0xC0
    size = head - (0xC0 if is_list else 0x80)
    begin = start + 1
    if size > 55:
        begin += size - 55
        size = int.from_bytes(data[start + 1 : begin], "big")
    end = begin + size
    if end > len(data):
        raise ValueError("RLP item cut off")
    return begin, end, is_list


def _decode_at(data: bytes, start: int, depth: int = 0) -> tuple[Item, int]:
    if depth > MOST_DEPTH:
        raise ValueError(f"RLP lists more than {MOST_DEPTH} deep")
    begin, end, is_list = _extent(data, start)
    if not is_list:
        return data[begin:end], end
    items: list[Item] = []
    while begin < end:
        item, begin = _decode_at(data, begin, depth + 1)
        items.append(item)
    if begin != end:
        raise ValueError("RLP list longer than its length")
    return items, end
