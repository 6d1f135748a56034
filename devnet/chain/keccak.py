"""Keccak-256, the hash of everything on the chain."""

from __future__ import annotations

from Crypto.Hash import keccak as _sponge


def keccak(data: bytes) -> bytes:
    """The 32 bytes of Keccak-256 (not the later SHA3-256)."""
    return _sponge.new(data=data, digest_bytes=32).digest()
