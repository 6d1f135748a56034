"""The data of Chainlink's requests: the pairs of a CBOR map without its head (RFC 8949)."""

from __future__ import annotations

from typing import Final

_UNSIGNED: Final = 0
_BYTES: Final = 2
_TEXT: Final = 3
_LONG_ARGUMENTS: Final = {24: 1, 25: 2, 26: 4, 27: 8}  # bytes that follow

Value = int | str | bytes


def decode_pairs(data: bytes) -> dict[str, Value]:
    """Texts, byte strings and unsigned integers by key; raises ValueError for anything else."""
    values: list[Value] = []
    at = 0
    while at < len(data):
        value, at = _item(data, at)
        values.append(value)
    if len(values) % 2:
        raise ValueError("a key without a value")
    pairs = dict(zip(values[::2], values[1::2], strict=True))
    if not all(isinstance(key, str) for key in pairs):
        raise ValueError("a key that is no text")
    return {str(key): value for key, value in pairs.items()}


def _item(data: bytes, at: int) -> tuple[Value, int]:
    kind, argument = data[at] >> 5, data[at] & 31
    at += 1
    if argument in _LONG_ARGUMENTS:
        size = _LONG_ARGUMENTS[argument]
        argument, at = int.from_bytes(_bytes(data, at, size), "big"), at + size
    elif argument > 23:
        raise ValueError(f"an item of indefinite or reserved length at byte {at - 1}")
    if kind == _UNSIGNED:
        return argument, at
    if kind not in (_BYTES, _TEXT):
        raise ValueError(f"an item of major type {kind} at byte {at - 1}")
    raw = _bytes(data, at, argument)
    return (raw.decode() if kind == _TEXT else raw), at + argument


def _bytes(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise ValueError(f"{size} bytes due at byte {at} of {len(data)}")
    return data[at : at + size]
