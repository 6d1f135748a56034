"""The arguments of a `send` step: texts, lists and mappings, and words that stand for a value.

What an argument must be is known once the contracts are (`devnet.steps.arguments`); here every
word is checked as far as it can be without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)

from devnet.spec.fields import (
    MAX_BLOCKS,
    MAX_SECONDS,
    Positive,
    SpecModel,
    Text,
    one_of,
)
from devnet.spec.subjects import AccountName, ContractName, known_of
from devnet.spec.units import UnitError, did_you_mean, duration, duration_text, integer

SIGNATURES = "signatures"
NODE_SIGNATURE = "nodeSignature"  # S6: the key's own, under the same message
SIGNING = (SIGNATURES, NODE_SIGNATURE)
_WORD_EXAMPLE = "for example {now: -12h}, {block: -1}, {cycle: 0}, {hash: text}, {block_hash: -1}"


def signed_duration(text: object) -> int:
    """`-12h`, `30s` as signed seconds."""
    sign, shown = 1, text
    if isinstance(text, str) and text.strip().startswith("-"):
        sign, shown = -1, text.strip()[1:]
    seconds = duration(shown)
    if seconds > MAX_SECONDS:
        raise UnitError(f"at most {duration_text(MAX_SECONDS)}, either way (D1)", text)
    return sign * seconds


def _near(text: object) -> int:
    """A number of blocks or cycles, back or ahead."""
    number = integer(text)
    if abs(number) > MAX_BLOCKS:
        raise UnitError(f"at most {MAX_BLOCKS}, either way", text)
    return number


def _past_block(text: object) -> int:
    number = _near(text)
    if number >= 0:
        raise UnitError("only a mined block has a hash: count back from the block to come", text)
    return number


def _text(text: object) -> str:
    if not isinstance(text, str):
        raise UnitError("not a text", text)
    return text


# A mapping of one of these keys stands for a value known at run time only.
WORDS: Mapping[str, Callable[[object], object]] = {
    "now": signed_duration,  # relative to the timestamp of the block to come
    "block": _near,  # relative to the number of the block to come
    "cycle": _near,  # relative to the cycle of the block to come
    "block_hash": _past_block,  # of a block relative to the block to come
    "hash": _text,  # keccak256 of the text
    "hardware_id": _text,  # of a worker's machine (S6)
    "service": _text,  # the hash an order names a service by (M1)
    "call": lambda value: None,  # a call's data, checked as `CallData`
    "read": lambda value: None,  # what a view answers at the head block, checked as `CallData`
}


def word_of(value: object) -> str:
    """The word a mapping stands for, empty where it is none."""
    if isinstance(value, Mapping) and len(value) == 1:
        key = next(iter(value))
        return key if key in WORDS else ""
    return ""


class Signatures(SpecModel):
    """Signatures over the message that belongs to the function, made from the other arguments.

    `chain_id` and `contract` change the domain that is signed, `with` fields of the message.
    """

    signers: tuple[AccountName, ...]
    order: Annotated[str, *one_of("order of signers", "ascending", "given")] = "ascending"
    s: Annotated[str, *one_of("half of s", "low", "high")] = "low"
    chain_id: Positive | None = None
    contract: ContractName | None = None
    overrides: Arguments = Field(default_factory=dict, alias="with")


class CallData(SpecModel):
    """A call that is not sent by itself: one contract hands it to another, or a view answers."""

    to: ContractName
    function: Text
    args: Arguments = Field(default_factory=dict)


def _checked(value: object, info: ValidationInfo, path: str) -> Any:
    if isinstance(value, Mapping):
        word = word_of(value)
        if word in ("call", "read"):
            _check_as(CallData, value[word], info, f"{path}.{word}")
        elif word:
            _check_word(word, value[word], info, f"{path}.{word}")
        return {_key(key): _checked(entry, info, f"{path}.{key}") for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_checked(entry, info, f"{path}[{i}]") for i, entry in enumerate(value)]
    if isinstance(value, bool | int | str):
        return value
    raise UnitError(f"{path}: neither text, number, list nor mapping", value, _WORD_EXAMPLE)


def _check_as(model: type[SpecModel], value: object, info: ValidationInfo, path: str) -> None:
    """All faults of a nested model in one, since the step keeps the text as it was written."""
    try:
        model.model_validate(value, context=info.context)
    except ValidationError as error:
        told = [
            f"{'.'.join(map(str, (path, *detail['loc'])))}: "
            + str(detail.get("ctx", {}).get("error", detail["msg"]))
            for detail in error.errors(include_url=False)
        ]
        raise UnitError("; ".join(told), value) from None


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise UnitError("a name is a text", key)
    return key


def _check_word(word: str, value: object, info: ValidationInfo, path: str) -> None:
    try:
        WORDS[word](value)
    except UnitError as error:
        what = str(error).partition("; seen")[0]
        raise UnitError(f"{path}: {what}", value, error.hint) from None
    known = known_of(info)
    names = {"hardware_id": known.workers(), "service": known.services()}.get(word)
    if names is not None and value not in names:
        raise UnitError(f"{path}: unknown name", value, did_you_mean(str(value), names))


def _arguments(value: object, info: ValidationInfo) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise UnitError("not a mapping of arguments by their names", value)
    checked: dict[str, Any] = {}
    for key, entry in value.items():
        if key in SIGNING and isinstance(entry, Mapping):
            _check_as(Signatures, entry, info, str(key))
        checked[_key(key)] = _checked(entry, info, str(key))
    return checked


Arguments = Annotated[
    dict[str, Any], BeforeValidator(_arguments), WithJsonSchema({"type": "object"})
]
Signatures.model_rebuild()
CallData.model_rebuild()
