"""The data of Chainlink's requests: the pairs of a CBOR map without its head (RFC 8949)."""

from __future__ import annotations

from io import BytesIO

import cbor2

Value = int | str | bytes


def decode_pairs(data: bytes) -> dict[str, Value]:
    """Texts, byte strings and unsigned integers by key; raises ValueError for anything else."""
    stream = BytesIO(data)
    decoder = cbor2.CBORDecoder(stream, allow_indefinite=False)
    items: list[object] = []
    try:
        while stream.tell() < len(data):
            items.append(decoder.decode())
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise ValueError(f"no CBOR at byte {stream.tell()}: {error}") from error
    values = [_plain(item) for item in items]
    if len(values) % 2:
        raise ValueError("a key without a value")
    pairs: dict[str, Value] = {}
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, str):
            raise ValueError("a key that is no text")
        pairs[key] = value
    return pairs


def _plain(item: object) -> Value:
    if isinstance(item, (str, bytes)):
        return item
    if isinstance(item, int) and not isinstance(item, bool) and item >= 0:
        return item
    raise ValueError(f"an item that is no text, bytes or unsigned integer: {item!r}")
