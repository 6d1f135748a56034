"""Values of a run as JSON, one way for inputs, history and results.

Integers above 2^53 become decimal strings, so that no reader rounds them; bytes become hex.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

SAFE_INTEGER = 2**53 - 1


def plain(value: object) -> Any:
    """`value` as JSON types; a dataclass carries its type's name under `type`."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    if isinstance(value, Fraction | Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        content = {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
        return {"type": type(value).__name__} | content
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    raise TypeError(f"{type(value).__name__} has no place in a run's files")
