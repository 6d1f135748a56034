"""Contracts of strangers, straight from their instructions: lists of calls, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

CALL: Final = 0xF1
CALLCODE: Final = 0xF2
DELEGATECALL: Final = 0xF4
STATICCALL: Final = 0xFA
STOP: Final = b"\x00"
REVERT: Final = bytes.fromhex("60006000fd")
LOG: Final = bytes.fromhex("60006000a0")  # a log of its own, without topics
FORWARD: Final = "36600060003760006000366000600073{}5af100"  # its own call data, to an address


def call(to: str, data: bytes, kind: int = CALL, gas: int | None = None) -> bytes:
    """Call with so much gas, or all there is, whatever comes of it."""
    code = b"".join(
        b"\x7f" + data[at : at + 32].ljust(32, b"\0") + _push(at) + b"\x52"
        for at in range(0, len(data), 32)
    )
    value = _push(0) if kind in (CALL, CALLCODE) else b""
    given = _push(0) + _push(0) + _push(len(data)) + _push(0) + value
    most = b"\x5a" if gas is None else _push(gas)
    return code + given + b"\x73" + bytes.fromhex(to[2:]) + most + bytes([kind, 0x50])


def long_call(to: str, size: int) -> bytes:
    """Call with so many bytes of memory, which costs nothing after the first time."""
    given = _push(0) + _push(0) + _push(size) + _push(0) + _push(0)
    return given + b"\x73" + bytes.fromhex(to[2:]) + b"\x5a" + bytes([CALL, 0x50])


def repeated(code: bytes) -> bytes:
    """The instructions again and again, until the gas is gone."""
    return b"\x5b" + code + b"\x60\x00\x56"


def program(calls: Iterable[bytes], end: bytes = STOP) -> bytes:
    """Instructions after each other; those of a constructor as they are."""
    return b"".join(calls) + end


def creation(runtime: bytes) -> bytes:
    """The creation code of a contract with these instructions."""
    head = len(creation_head(0))
    return creation_head(len(runtime), head) + runtime


def creation_head(size: int, place: int = 0) -> bytes:
    """Return `size` bytes of the code that begin at `place`."""
    lengths = b"\x61" + size.to_bytes(2, "big")
    return lengths + b"\x61" + place.to_bytes(2, "big") + b"\x5f\x39" + lengths + b"\x5f\xf3"


def _push(value: int) -> bytes:
    size = max(1, (value.bit_length() + 7) // 8)
    return bytes([0x5F + size]) + value.to_bytes(size, "big")
