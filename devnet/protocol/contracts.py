"""Calls, results and events of the deployed contracts, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from threading import Lock
from typing import Any, Final

from eth_abi.exceptions import DecodingError

from devnet.base.errors import UsageError
from devnet.chain.block import Log, Receipt
from devnet.protocol.codec import Codec, Parameter, topic_of
from devnet.protocol.deployment import (
    POOL_ABI,
    POOL_FACTORY,
    Abi,
    Deployment,
    abi_name,
    pool_address,
    pool_name,
    pool_number,
)

MOST_UNSEEN: Final = 1 << 16
"""Pools that may be created between two events that are read."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction or a read sends."""

    to: str
    data: bytes


@dataclass(frozen=True, slots=True)
class DecodedCall:
    """A call by name; `args` by Solidity's parameter names, structs as mappings.

    `view` is that of the function.
    """

    contract: str
    function: str
    args: Mapping[str, Any]
    view: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """An event by name; `block` its number, `tx` the transaction's hash.

    An indexed string, bytes or array is known by its hash only.
    """

    contract: str
    name: str
    args: Mapping[str, Any]
    block: int
    tx: str


@dataclass(frozen=True, slots=True)
class Function:
    """One function of an ABI; a `view` (or pure) one changes nothing."""

    name: str
    selector: bytes
    inputs: Codec
    outputs: Codec
    view: bool = False


@dataclass(frozen=True, slots=True)
class EventKind:
    """One event of an ABI: `order` are all parameters' names as declared."""

    name: str
    topics: Codec
    data: Codec
    order: tuple[str, ...]

    def args(self, log: Log) -> dict[str, Any]:
        """The log's values by name, in the declared order."""
        values = self.topics.decode_named(b"".join(log.topics[1:]))
        values |= self.data.decode_named(log.data)
        return {name: values[name] for name in self.order}


@dataclass(frozen=True, slots=True)
class Interface:
    """An ABI, ready for use."""

    functions: Mapping[str, Function]
    by_selector: Mapping[bytes, Function] = field(repr=False)
    by_topic: Mapping[bytes, EventKind] = field(repr=False)

    @classmethod
    def of(cls, abi: Abi) -> Interface:
        """Every function and event; of overloaded functions the name means the first."""
        functions: dict[str, Function] = {}
        by_selector: dict[bytes, Function] = {}
        by_topic: dict[bytes, EventKind] = {}
        for entry in abi:
            if entry["type"] == "function":
                inputs, outputs = Codec.of(entry["inputs"]), Codec.of(entry["outputs"])
                selector = topic_of(entry["name"], inputs)[:4]
                view = entry.get("stateMutability") in ("view", "pure")
                function = Function(entry["name"], selector, inputs, outputs, view)
                by_selector[selector] = function
                functions.setdefault(function.name, function)
            elif entry["type"] == "event":
                whole = Codec.of(entry["inputs"])
                by_topic[topic_of(entry["name"], whole)] = _event_kind(entry, whole)
        return cls(functions, by_selector, by_topic)


def _event_kind(entry: Mapping[str, Any], whole: Codec) -> EventKind:
    indexed = [item["indexed"] for item in entry["inputs"]]
    pairs = list(zip(whole.parameters, indexed, strict=True))
    topics = [_topic(parameter) for parameter, is_indexed in pairs if is_indexed]
    data = [parameter for parameter, is_indexed in pairs if not is_indexed]
    return EventKind(entry["name"], Codec(topics), Codec(data), whole.names)


def _topic(parameter: Parameter) -> Parameter:
    by_hash = parameter.type in ("string", "bytes") or parameter.type[-1] in ")]"
    return Parameter(parameter.name, "bytes32") if by_hash else parameter


class Contracts:
    """The contracts of one deployment; safe to share between threads.

    A pool is known by name at once, by its address from the `PoolCreated` event on that `events`
    reads: before it, nothing lies there.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        shared: dict[str, Interface] = {}
        self._interfaces: dict[str, Interface] = {}
        for name in deployment.addresses:
            key = name if name in deployment.abis else abi_name(name)
            if key not in shared:
                shared[key] = Interface.of(deployment.abi(name))
            self._interfaces[name] = shared[key]
        if POOL_ABI in deployment.abis:
            self._interfaces[POOL_ABI] = Interface.of(deployment.abis[POOL_ABI])
        self._names = deployment.names()
        self._pools = 0
        self._counting = Lock()

    @property
    def names(self) -> Mapping[str, str]:
        """Contract names by lower-case address, with the pools known so far."""
        return self._names

    def event_names(self) -> frozenset[str]:
        """Of every event that `events` can see."""
        kinds = (kind for face in self._interfaces.values() for kind in face.by_topic.values())
        return frozenset(kind.name for kind in kinds)

    def address(self, contract: str) -> str:
        """Lower-case; raises UsageError for a name that is not deployed."""
        address = self.deployment.address(contract)
        if address is None:
            raise UsageError(
                f"no contract is named {contract!r}",
                hint=_meant(contract, self.deployment.addresses),
            )
        return address

    def _know_pool(self, created: str) -> None:
        """Name the pool at an address, and every one before it; none where it is not one of the
        factory's next `MOST_UNSEEN`, which its own code never says."""
        factory = self.address(POOL_FACTORY)
        with self._counting:
            if created in self._names:
                return
            unseen: dict[str, str] = {}
            for number in range(self._pools + 1, self._pools + 1 + MOST_UNSEEN):
                address = pool_address(factory, number)
                unseen[address] = pool_name(number)
                if address == created:
                    self._names.update(unseen)
                    self._pools = number
                    return

    def _interface(self, contract: str) -> Interface:
        return self._interfaces[POOL_ABI if pool_number(contract) is not None else contract]

    def function(self, contract: str, name: str) -> Function:
        """Raises UsageError for a contract or function that does not exist."""
        self.address(contract)
        functions = self._interface(contract).functions
        try:
            return functions[name]
        except KeyError:
            raise UsageError(
                f"{contract} has no function {name!r}", hint=_meant(name, functions)
            ) from None

    def encode(self, contract: str, function: str, *args: Any) -> Call:
        """The call of a function; a struct may be a mapping, a tuple or a dataclass."""
        kind = self.function(contract, function)
        return Call(self.address(contract), kind.selector + kind.inputs.encode(args))

    def decode(self, to: str | None, data: bytes) -> DecodedCall | None:
        """A call by name; None for another contract, an unknown function or a creation.

        Raises eth_abi's DecodingError when the arguments misfit: the contracts refuse those, too.
        """
        contract = self.names.get(to) if to else None
        if contract is None:
            return None
        kind = self._interface(contract).by_selector.get(data[:4])
        if kind is None:
            return None
        return DecodedCall(contract, kind.name, kind.inputs.decode_named(data[4:]), kind.view)

    def is_view(self, to: str, data: bytes) -> bool:
        """Whether this calls a function that cannot change anything, whatever its arguments."""
        contract = self.names.get(to)
        kind = contract and self._interface(contract).by_selector.get(data[:4])
        return bool(kind and kind.view)

    def result(self, contract: str, function: str, data: bytes) -> Any:
        """What a function returned: the value, None for none, a mapping by name for several."""
        outputs = self.function(contract, function).outputs
        if not outputs.parameters:
            return None
        if len(outputs.parameters) > 1:
            return outputs.decode_named(data)
        return outputs.decode(data)[0]

    def events(self, receipt: Receipt) -> tuple[Event, ...]:
        """The events of these contracts in a receipt, in order; others' are left out."""
        events: list[Event] = []
        for log in receipt.logs:
            contract = self.names.get(log.address)
            if contract is None or not log.topics:
                continue
            kind = self._interface(contract).by_topic.get(log.topics[0])
            if kind is None:
                continue
            try:
                args = kind.args(log)
            except DecodingError:
                continue  # the contract's code is not its own any more
            events.append(Event(contract, kind.name, args, receipt.block, receipt.hash))
            if contract == POOL_FACTORY and kind.name == "PoolCreated":
                self._know_pool(args["pool"])
        return tuple(events)


def _meant(word: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"
