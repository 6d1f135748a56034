"""Arguments of a `send` step as the contracts take them, by the types of their ABI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.exceptions import DecodingError, EncodingError

from devnet.actors.view import Directory, hardware_id, spec_hash
from devnet.base import UsageError
from devnet.chain import Account, Block, keccak, mirrored, sign_digest
from devnet.protocol import Contracts, ProtocolError
from devnet.protocol import View as Reads
from devnet.protocol.codec import Parameter
from devnet.protocol.deployment import abi_name, pool_number
from devnet.protocol.signed import SIGNED
from devnet.protocol.typed import digest, message_type
from devnet.spec import units
from devnet.spec.arguments import SIGNING, WORDS, CallData, Signatures, word_of
from devnet.spec.units import UnitError, did_you_mean

_HEX = frozenset("0123456789abcdefABCDEF")
_MISFITS = (EncodingError, ValueError, TypeError, KeyError, OverflowError)  # what encoders raise
MOST_BYTES = 65_536  # of a call's data, which a transaction's gas pays for (EIP-7623)


@dataclass(frozen=True, slots=True)
class Moment:
    """The block to come, which `{now: …}`, `{block: …}` and `{cycle: …}` count from."""

    number: int
    timestamp: int
    cycle: int


@dataclass(frozen=True, slots=True)
class Arguments:
    """Turns texts into values; every fault is a UsageError that says which argument it is of."""

    contracts: Contracts
    reads: Reads
    directory: Directory
    moment: Moment

    @classmethod
    def at(
        cls,
        contracts: Contracts,
        reads: Reads,
        directory: Directory,
        head: Block,
        *,
        block_seconds: int,
        cycle: int,
    ) -> Arguments:
        """For the block after `head`; `cycle` is that block's (C1)."""
        moment = Moment(head.number + 1, head.timestamp + block_seconds, cycle)
        return cls(contracts, reads, directory, moment)

    def account(self, name: str) -> Account:
        """An account of the network."""
        accounts = self.directory.accounts
        if name not in accounts:
            raise UsageError(f"no account is named {name!r}", hint=_meant(name, list(accounts)))
        return accounts[name]

    def of_call(
        self,
        sender: str,
        contract: str,
        function: str,
        given: Mapping[str, Any],
        before: Mapping[str, Any] | None = None,
    ) -> tuple[Any, ...]:
        """All arguments in the ABI's order; `before` are those of an earlier call, as decoded."""
        self._require_created(contract)
        parameters = self.contracts.function(contract, function).inputs.parameters
        what = f"{contract}.{function}"
        names = [parameter.name for parameter in parameters]
        for name in given:
            if name not in names:
                raise UsageError(f"{what} has no parameter {name!r}", hint=_meant(name, names))
        values: dict[str, Any] = dict(before or {})
        for parameter in parameters:
            name = parameter.name
            signed = name in SIGNING and isinstance(given.get(name), Mapping)
            if name in given and not signed:
                values[name] = self.value(parameter, given[name], name, values.get(name))
        missing = [name for name in names if name not in values and name not in given]
        if missing:
            raise UsageError(f"{what} lacks {', '.join(missing)}", hint=f"it takes {names}")
        for name in SIGNING:
            if isinstance(given.get(name), Mapping):
                wanted = Signatures.model_validate(given[name])
                values[name] = self._signatures(sender, contract, function, values, wanted)
        ordered = tuple(values[name] for name in names)
        self._encoded(contract, function, ordered)
        return ordered

    def _require_created(self, contract: str) -> None:
        """A pool has its name and address before it exists (S7): nothing answers there."""
        number = pool_number(contract)
        if number is not None and self.contracts.address(contract) not in self.contracts.names:
            known = [name for name in self.contracts.names.values() if pool_number(name)]
            hint = f"created: {', '.join(known) or 'none'}"
            raise UsageError(f"{contract} has not been created", hint=hint)

    def _encoded(self, contract: str, function: str, values: Sequence[Any]) -> bytes:
        """The call's data; raises UsageError for values that misfit and for too many bytes."""
        what = f"{contract}.{function}"
        try:
            data = self.contracts.encode(contract, function, *values).data
        except _MISFITS as error:
            raise UsageError(f"{what}: the arguments do not fit its types: {error}") from error
        if len(data) > MOST_BYTES:
            raise UsageError(f"{what}: a call of {len(data)} bytes; at most {MOST_BYTES}")
        return data

    def value(self, parameter: Parameter, given: Any, path: str, before: Any = None) -> Any:
        """One value by its type; of a struct, `before` fills what is not given."""
        try:
            return self._value(parameter, given, path, before)
        except UnitError as error:
            raise UsageError(f"{path}: {error}", hint=error.hint) from None

    def _value(self, parameter: Parameter, given: Any, path: str, before: Any) -> Any:
        kind = parameter.type
        if word_of(given) == "read":
            return self._read(parameter, CallData.model_validate(given["read"]), path)
        if kind.endswith("]"):
            if not isinstance(given, Sequence) or isinstance(given, str):
                raise UnitError(f"{kind} is a list", given)
            element = Parameter(parameter.name, kind[: kind.rindex("[")], parameter.fields)
            return [self.value(element, item, f"{path}[{i}]") for i, item in enumerate(given)]
        if parameter.fields:
            return self._struct(parameter, given, path, before)
        if kind == "address":
            return self._address(given)
        if kind.startswith(("uint", "int")):
            return _within(kind, self._integer(given), given)
        if kind == "bool":
            return units.truth(given)
        if kind == "string":
            if not isinstance(given, str | int):
                raise UnitError("a string is a text", given)
            return str(given)
        return self._bytes(kind, given, path)

    def _read(self, parameter: Parameter, call: CallData, path: str) -> Any:
        """What a view answers at the head block, where it is of the type that is due."""
        what = f"{call.to}.{call.function}"
        self._require_created(call.to)
        values = self._call_values(call, path)
        outputs = self.contracts.function(call.to, call.function).outputs
        answered = outputs.parameters[0] if len(outputs.parameters) == 1 else None
        integers = answered is not None and _is_integer(answered.type, parameter.type)
        same = answered is not None and (answered.type, answered.fields) == (
            parameter.type,
            parameter.fields,
        )
        if not integers and not same:
            raise UnitError(f"{what} answers no {parameter.type}", outputs.signature)
        self._encoded(call.to, call.function, values)
        try:
            (answer,) = self.reads.read_many([(call.to, call.function, values)])
        except DecodingError as error:
            raise UnitError(f"{what} answered nothing that can be read", str(error)) from error
        if isinstance(answer, ProtocolError):
            raise UnitError(f"{what} refused", str(answer)) from answer
        return _within(parameter.type, answer, f"{answer} of {what}") if integers else answer

    def _struct(self, parameter: Parameter, given: Any, path: str, before: Any) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            raise UnitError("a struct is a mapping of its fields", given)
        names = [field.name for field in parameter.fields]
        for name in given:
            if name not in names:
                raise UnitError(f"no field {name!r}", given, _meant(name, names))
        values = dict(before or {})
        for field in parameter.fields:
            if field.name in given:
                inner = f"{path}.{field.name}"
                values[field.name] = self.value(field, given[field.name], inner)
        missing = [name for name in names if name not in values]
        if missing:
            raise UnitError(f"lacks {', '.join(missing)}", given)
        return values

    def _address(self, given: Any) -> str:
        """An account's, a contract's, or one written out."""
        if not isinstance(given, str):
            raise UnitError("an address is a name or 0x and 40 digits", given)
        if given.startswith("0x") and len(given) == 42 and set(given[2:]) <= _HEX:
            return given.lower()
        if given in self.directory.accounts:
            return self.directory.address(given)
        deployment = self.contracts.deployment
        contract = deployment.address(given)
        if contract is None:
            known = (*deployment.addresses, *self.directory.accounts)
            raise UnitError("no account or contract of that name", given, _meant(given, known))
        return contract

    def _integer(self, given: Any) -> int:
        word = word_of(given)
        if word in ("now", "block", "cycle"):
            offset = WORDS[word](given[word])
            base = {"now": self.moment.timestamp, "block": self.moment.number}
            return base.get(word, self.moment.cycle) + int(str(offset))
        if isinstance(given, str):
            if given.startswith("0x") and given[2:] and set(given[2:]) <= _HEX:
                return int(given, 16)
            if given.endswith(("KOMP", "wei")):
                return units.komp(given)
            if given[-1:] in ("s", "m", "h", "d"):
                return units.duration(given)
        return units.integer(given)

    def _bytes(self, kind: str, given: Any, path: str) -> bytes:
        size = kind.removeprefix("bytes")
        word = word_of(given)
        if word == "call":
            return self._call(CallData.model_validate(given[word]), path)
        if word:
            value = self._hash(word, given[word])
        elif isinstance(given, str) and given.startswith("0x") and set(given[2:]) <= _HEX:
            if len(given) % 2:
                raise UnitError("half a byte too many", given)
            value = bytes.fromhex(given[2:])
        else:
            raise UnitError(f"{kind} is 0x and hex digits, or one of {', '.join(WORDS)}", given)
        if size and len(value) != int(size):
            raise UnitError(f"{len(value)} bytes where {size} are due", given)
        return value

    def _hash(self, word: str, named: Any) -> bytes:
        if word == "hash":
            return keccak(str(named).encode())
        if word == "hardware_id":
            return hardware_id(self.directory.seed, str(named))
        if word == "service":
            return spec_hash(self.directory.spec.service(str(named)))
        if word == "block_hash":
            number = self.moment.number + units.integer(named)
            if number < 0:
                raise UnitError(f"before block 0: the block to come is {self.moment.number}", named)
            first = self.reads.first_block
            if 0 < number < first:
                raise UnitError(
                    f"block {number} is not kept any more, the oldest is {first}; "
                    "chain.prune_history: false keeps all",
                    named,
                )
            return self.reads.block_hash(number)
        raise UnitError(f"{word} is a number, not bytes", named)

    def _call(self, call: CallData, path: str) -> bytes:
        values = self._call_values(call, path)
        return self._encoded(call.to, call.function, values)

    def _call_values(self, call: CallData, path: str) -> list[Any]:
        kind = self.contracts.function(call.to, call.function)
        given = call.args
        parameters = kind.inputs.parameters
        lacking = [p.name for p in parameters if p.name not in given]
        if lacking or len(given) != len(parameters):
            raise UnitError(f"{call.to}.{call.function} takes {list(kind.inputs.names)}", given)
        return [self.value(p, given[p.name], f"{path}.{p.name}") for p in parameters]

    def _signatures(
        self,
        sender: str,
        contract: str,
        function: str,
        values: Mapping[str, Any],
        wanted: Signatures,
    ) -> bytes:
        """Made from the other arguments, as honest signers would, but for what is overridden."""
        signed = SIGNED.get((abi_name(contract), function))
        if signed is None:
            known = ", ".join(f"{where}.{what}" for where, what in SIGNED)
            raise UsageError(
                f"no message is known for the signatures of {contract}.{function}",
                hint=f"give them in hex, or call one of {known}",
            )
        kind = message_type(signed.message)
        target = self.contracts.address(contract)
        try:
            fields = signed.fields(values, self.account(sender).address, target)
        except _MISFITS as error:
            raise UsageError(f"signatures: no {kind.name} of these arguments: {error}") from error
        members = {member.name: member for member in kind.members}
        for name, given in wanted.overrides.items():
            if name not in members:
                raise UsageError(f"{kind.name} has no field {name!r}", hint=_meant(name, members))
            fields[name] = self.value(members[name], given, f"signatures.with.{name}")
        where = self.contracts.address(wanted.contract or signed.domain or contract)
        chain_id = wanted.chain_id or self.contracts.deployment.genesis.chain_id
        try:
            signing = digest(kind, fields, _within("uint256", chain_id, chain_id), where)
        except _MISFITS as error:
            raise UsageError(f"signatures: no {kind.name} of these fields: {error}") from error
        signers = [self.account(name) for name in wanted.signers]
        if wanted.order == "ascending":
            signers.sort(key=lambda account: int(account.address, 16))  # R4
        given_signatures = [sign_digest(account, signing) for account in signers]
        if wanted.s == "high":
            given_signatures = [mirrored(signature) for signature in given_signatures]
        return b"".join(given_signatures)


def _is_integer(*kinds: str) -> bool:
    return all(kind.startswith(("uint", "int")) and kind[-1] != "]" for kind in kinds)


def _within(kind: str, value: int, given: object) -> int:
    """The integer, where its ABI type holds it."""
    bits = int(kind.removeprefix("u").removeprefix("int"))
    least, most = (0, bits) if kind[0] == "u" else (-(2 ** (bits - 1)), bits - 1)
    if not least <= value < 2**most:
        below = "0" if kind[0] == "u" else f"-2^{bits - 1}"
        raise UnitError(f"{kind} is from {below} to 2^{most} - 1", given)
    return value


def _meant(word: object, known: Any) -> str:
    return did_you_mean(str(word), known) or f"known: {', '.join(list(known)[:12])}"
