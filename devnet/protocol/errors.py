"""The contracts' own errors as Python exceptions, each with a sentence a person can act on."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eth_abi.exceptions import DecodingError

from devnet.base.errors import DevnetError
from devnet.chain.keccak import keccak
from devnet.protocol.codec import Codec, Parameter
from devnet.protocol.sentences import SENTENCES
from devnet.protocol.states import ProposalStatus
from devnet.spec.network import RESOURCES
from devnet.spec.units import duration_text, komp_text


class ProtocolError(DevnetError):
    """A contract refused: `name` is its custom error, `values` the error's arguments by name.

    `str(error)` is the sentence alone. An error nobody declared is named `Unknown`, a failure
    without data (out of gas, a call into the void) `NoReason`.
    """

    def __init__(self, name: str, values: Mapping[str, Any], sentence: str) -> None:
        super().__init__(sentence)
        self.name, self.values, self.sentence = name, dict(values), sentence


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One declared error: its arguments' names and ABI types, and the sentence's template."""

    name: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    template: str
    codec: Codec = field(repr=False, compare=False)

    @property
    def signature(self) -> str:
        """As hashed for the selector."""
        return f"{self.name}({','.join(self.types)})"


def _parse(declaration: str, template: str) -> ErrorKind:
    name, _, rest = declaration.partition("(")
    pairs = [part.split() for part in rest.rstrip(")").split(",") if part.strip()]
    types, names = tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
    codec = Codec([Parameter(label, kind) for kind, label in zip(types, names, strict=True)])
    return ErrorKind(name, types, names, template, codec)


KINDS: Final[Mapping[bytes, ErrorKind]] = {
    keccak(kind.signature.encode())[:4]: kind
    for kind in (_parse(declaration, template) for declaration, template in SENTENCES.items())
}


def decode_error(data: bytes, names: Mapping[str, str] | None = None) -> ProtocolError:
    """The exception for a revert's data; `names` replaces lower-case addresses by names."""
    if not data:
        text = "the call failed without a reason: out of gas, or no contract at the address"
        return ProtocolError("NoReason", {}, text)
    kind = KINDS.get(data[:4])
    if kind is None:
        return _unknown(data)
    try:
        by_name = kind.codec.decode_named(data[4:])
    except DecodingError:  # anybody's contract may refuse with any bytes
        return _unknown(data)
    sentence = _Sentence(names or {}).vformat(kind.template, (), by_name)
    return ProtocolError(kind.name, by_name, sentence or "the contract refused without a word")


def _unknown(data: bytes) -> ProtocolError:
    text = f"the contract refused with an error nobody declared: 0x{data.hex()}"
    return ProtocolError("Unknown", {"data": data}, text)


class _Sentence(string.Formatter):
    """Fills a template; the format after the colon is the value's unit."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return kwargs[str(key)]

    def format_field(self, value: Any, format_spec: str) -> str:
        match format_spec:
            case "komp":
                return komp_text(value)
            case "duration":
                return duration_text(value)
            case "resource":
                return RESOURCES[value] if value < len(RESOURCES) else f"resource {value}"
            case "proposal":
                known = value in [status.value for status in ProposalStatus]
                return ProposalStatus(value).name.lower() if known else f"status {value}"
            case "owner":
                if not int(value, 16):
                    return "the owner of a node that was staked"
                return f"the owner {self._names.get(value, value)}"
            case "hex":
                return "0x" + bytes(value).hex()
            case "text":
                return bytes(value).rstrip(b"\0").decode("ascii", "replace")
            case "factor":
                return _decimal(value, 6)
            case "v":
                return _decimal(value, 18)
            case _:
                return self._names.get(value, value) if isinstance(value, str) else str(value)


def _decimal(value: int, places: int) -> str:
    whole, rest = divmod(value, 10**places)
    return f"{whole}.{rest:0{places}d}".rstrip("0").rstrip(".") if rest else str(whole)
