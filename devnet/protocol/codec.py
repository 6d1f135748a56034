"""One function's or event's parameters between Python values and ABI words, quickly.

Structs are mappings by Solidity's field names; encoding takes tuples and dataclasses too.
Addresses are lower-case hex, bytes are bytes, enums are integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, is_dataclass
from typing import Any, Final

from eth_abi.decoding import ByteStringDecoder, ContextFramesBytesIO, decode_uint_256
from eth_abi.exceptions import DecodingError, InsufficientDataBytes, NonEmptyPaddingBytes
from eth_abi.registry import BaseEquals, registry

from devnet.chain.keccak import keccak

_WORD: Final = 32
_TWO_256: Final = 1 << 256
# A compiler's encoding is read at most a few times over; one whose pointers all lead to the same
# bytes would unfold to the square of its size.
_READ_OVER: Final = 32


class _Stream(ContextFramesBytesIO):
    """Calldata that claims any length (up to 2^256) and is read within that of its own."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)  # type: ignore[no-untyped-call]
        self._left = _READ_OVER * (len(data) + _WORD)
        self._size = len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        whole = size is None or size < 0
        found = super().read(self._size if whole else min(size or 0, self._size))
        self._left -= len(found)
        if self._left < 0:
            raise InsufficientDataBytes(
                f"{self._size} bytes that unfold to {_READ_OVER} times that"
            )
        return found


class _Bytes(ByteStringDecoder):
    """As the contracts read: nobody looks at the bytes behind a byte string."""

    def read_data_from_stream(self, stream: ContextFramesBytesIO) -> bytes:
        length = decode_uint_256(stream)
        data: bytes = stream.read(length)
        if len(data) < length:
            raise InsufficientDataBytes(f"{len(data)} bytes of a string of {length}")
        return data


# Ape reads with the shared registry.
_REGISTRY: Final = registry.copy()  # type: ignore[no-untyped-call]
_REGISTRY.unregister_decoder("bytes")
_REGISTRY.register_decoder(
    BaseEquals("bytes", with_sub=False),  # type: ignore[no-untyped-call]
    _Bytes,
    label="bytes",
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: `type` is canonical as in "(address,uint256)[]", `fields` are a struct's."""

    name: str
    type: str
    fields: tuple[Parameter, ...] = ()

    @classmethod
    def of(cls, entry: Mapping[str, Any], place: int) -> Parameter:
        """From an ABI's JSON; an unnamed parameter is named by its place."""
        fields = tuple(cls.of(c, i) for i, c in enumerate(entry.get("components", ())))
        kind = str(entry["type"])
        if fields:
            inner = ",".join(f.type for f in fields)
            kind = f"({inner})" + kind.removeprefix("tuple")
        return cls(entry.get("name") or str(place), kind, fields)

    @property
    def head(self) -> int:
        """Bytes in the head of the encoding; no array here is of fixed length."""
        dynamic = any(f.type in ("string", "bytes") or f.type[-1] == "]" for f in self.fields)
        if self.fields and not dynamic and self.type[-1] != "]":
            return sum(field.head for field in self.fields)
        return _WORD

    def shown(self, value: Any) -> Any:
        """A decoded value with its structs as mappings and its arrays as tuples."""
        if self.type.endswith("]"):
            element = Parameter(self.name, self.type[: self.type.rindex("[")], self.fields)
            return tuple(element.shown(item) for item in value)
        if self.fields:
            pairs = zip(self.fields, value, strict=True)
            return {field.name: field.shown(item) for field, item in pairs}
        return value

    def plain(self, value: Any) -> Any:
        """A value as eth_abi wants it: structs as tuples in the order of their fields."""
        if self.type.endswith("]"):
            element = Parameter(self.name, self.type[: self.type.rindex("[")], self.fields)
            return [element.plain(item) for item in value]
        if not self.fields:
            return value
        if isinstance(value, Mapping):
            value = [value[field.name] for field in self.fields]
        elif is_dataclass(value) and not isinstance(value, type):
            value = astuple(value)
        if len(value) != len(self.fields):
            raise ValueError(f"{self.name} has {len(self.fields)} fields, not {len(value)}")
        return tuple(f.plain(v) for f, v in zip(self.fields, value, strict=True))


class Codec:
    """Encodes and decodes one list of parameters; made once, used for every call."""

    __slots__ = ("_head", "_structs", "_words", "names", "parameters", "signature")

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = tuple(parameters)
        self.names = tuple(p.name for p in self.parameters)
        self.signature = "(" + ",".join(p.type for p in self.parameters) + ")"
        self._structs = any(p.fields or p.type.endswith("]") for p in self.parameters)
        self._words = _word_kinds(self.parameters)
        self._head = sum(p.head for p in self.parameters)

    @classmethod
    def of(cls, entries: Sequence[Mapping[str, Any]]) -> Codec:
        """From the `inputs` or `outputs` of an ABI."""
        return cls([Parameter.of(entry, place) for place, entry in enumerate(entries)])

    def encode(self, values: Sequence[Any]) -> bytes:
        """The ABI encoding; raises ValueError or eth_abi's EncodingError for values that misfit."""
        if len(values) != len(self.parameters):
            expected = ", ".join(f"{p.type} {p.name}" for p in self.parameters)
            raise ValueError(f"{len(values)} arguments where ({expected}) are due")
        if not self.parameters:
            return b""
        plain = tuple(p.plain(v) for p, v in zip(self.parameters, values, strict=True))
        return bytes(registry.get_encoder(self.signature)(plain))  # the registry keeps encoders

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """The values in order; raises eth_abi's DecodingError, and no other, for data that misfit.

        Whatever anybody sends comes by here: a call, an event, an error, a view's result.
        """
        if self._words is not None and len(data) >= _WORD * len(self._words):
            return tuple(_WORD_READERS[kind](data, i * _WORD) for i, kind in enumerate(self._words))
        if len(data) < self._head:  # Ape's own integers would read the missing bytes as 0
            raise InsufficientDataBytes(f"{len(data)} bytes where {self._head} are due at least")
        decoder = _REGISTRY.get_decoder(self.signature)
        try:
            values = decoder(_Stream(data))
        except UnicodeDecodeError as error:
            raise DecodingError(f"a string that is no UTF-8: {error}") from error
        if not self._structs:
            return tuple(values)
        return tuple(p.shown(v) for p, v in zip(self.parameters, values, strict=True))

    def decode_named(self, data: bytes) -> dict[str, Any]:
        """The values by name."""
        return dict(zip(self.names, self.decode(data), strict=True))


def topic_of(name: str, codec: Codec) -> bytes:
    """The full hash of a signature: an event's topic, its first four bytes a selector."""
    return keccak((name + codec.signature).encode())


# The common types are one word each and need no decoder; those of less than 256 bits are left to
# eth_abi, which refuses what no compiler writes.
def _address(data: bytes, at: int) -> str:
    if any(data[at : at + 12]):
        raise NonEmptyPaddingBytes("an address has 20 bytes")  # the contracts refuse it, too
    return "0x" + data[at + 12 : at + 32].hex()


def _uint(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 32], "big")


def _int(data: bytes, at: int) -> int:
    value = int.from_bytes(data[at : at + 32], "big")
    return value - _TWO_256 if value >> 255 else value


def _bytes32(data: bytes, at: int) -> bytes:
    return data[at : at + 32]


_WORD_READERS: Final = {"address": _address, "uint256": _uint, "int256": _int, "bytes32": _bytes32}


def _word_kinds(parameters: Sequence[Parameter]) -> tuple[str, ...] | None:
    kinds = tuple(p.type for p in parameters)
    return kinds if all(kind in _WORD_READERS for kind in kinds) else None
