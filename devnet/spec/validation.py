"""From a document to a model with every fault listed, each at its line and with a hint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from devnet.spec.document import Document, Fault, Loc, path_text, pruned
from devnet.spec.units import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

_ROUNDS = 50
_PLAIN_MESSAGES = {
    "missing": "is missing",
    "tuple_type": "must be a list",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "too_short": "must not be empty",
    "dict_type": "must be a mapping",
    "string_type": "must be a text",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken rule between values: where, what and how to mend it.

    `reads` are the other paths the rule looked at; a rule says nothing about values that are
    themselves faulty.
    """

    loc: Loc
    message: str
    hint: str = ""
    reads: tuple[Loc, ...] = ()


Rules = Callable[[Model], Iterable[Problem]]


def validated(
    document: Document,
    model: type[Model],
    rules: Rules[Model] | None = None,
    context: object = None,
) -> tuple[Model | None, list[Fault]]:
    """The model, or what is left of it without its faulty values, and all faults.

    Faulty values are dropped and the rest is checked again, so a wrong unit in one place does not
    hide a broken rule in another. The model is None when nothing usable remains.
    """
    faults = list(document.faults)
    faulty: list[Loc] = []
    before: dict[Loc, Loc] = {}
    rest = document
    value: Model | None = None
    for turn in range(_ROUNDS):
        try:
            value = model.model_validate(rest.tree, context=context)
            break
        except ValidationError as error:
            details = _without_emptied(error.errors(include_url=False))
        if turn == 0:
            faulty = [tuple(detail["loc"]) for detail in details]
            faults += [fault_of(document, model, detail) for detail in details]
        gone = {_droppable(rest, detail) for detail in details}
        if () in gone:
            return None, faults
        rest, step = pruned(rest, gone)
        before = {now: before.get(then, then) for now, then in step.items()}
    if value is None:
        return None, faults
    for problem in rules(value) if rules else ():
        loc = _before(problem.loc, before)
        touched = [loc, *(_before(read, before) for read in problem.reads)]
        if not any(_overlap(one, other) for one in touched for other in faulty):
            message = problem.message + _set_elsewhere(document, touched)
            faults.append(document.fault(loc, message, problem.hint))
    return value, faults


def _set_elsewhere(document: Document, touched: Sequence[Loc]) -> str:
    """Which of the values a rule looked at come from an override, and from which."""
    told: dict[str, str] = {}
    for loc in touched[1:]:
        place = document.place(loc)
        if place.file != document.file:
            told[path_text(loc)] = place.file
    return "".join(f"; {path} is set by {source}" for path, source in told.items())


def _without_emptied(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """A list counts as too short where its entries are faulty: that is told once, at the entry."""
    locs = [detail["loc"] for detail in details]

    def is_emptied(detail: ErrorDetails) -> bool:
        loc = detail["loc"]
        inside = any(len(other) > len(loc) and other[: len(loc)] == loc for other in locs)
        return detail["type"] == "too_short" and inside

    return [detail for detail in details if not is_emptied(detail)]


def fault_of(document: Document, model: type[BaseModel], detail: ErrorDetails) -> Fault:
    """A pydantic error as a fault; unknown keys get the nearest key of their model."""
    loc = tuple(detail["loc"])
    kind = detail["type"]
    if kind == "value_error":
        error = detail["ctx"]["error"]
        return document.fault(loc, str(error), getattr(error, "hint", ""))
    if kind == "extra_forbidden":
        owner = _model_at(model, loc[:-1])
        known = keys_of(owner) if owner else []
        hint = did_you_mean(str(loc[-1]), known) or f"known: {', '.join(known)}"
        return document.fault(loc, "unknown key", hint)
    message = _PLAIN_MESSAGES.get(kind, detail["msg"].lower())
    if kind not in {"missing", "too_short"}:
        message += f"; seen {detail['input']!r}"[:120]
    return document.fault(loc, message)


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys a file may use in this model."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    current: Any = model
    for part in loc:
        current = _plain(current)
        if isinstance(part, int):
            current = get_args(current)[0] if get_args(current) else None
        elif isinstance(current, type) and issubclass(current, BaseModel):
            fields = current.model_fields
            named = [f for n, f in fields.items() if part in (n, f.alias)]
            current = named[0].annotation if named else None
        else:
            return None
    current = _plain(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _plain(annotation: Any) -> Any:
    """`X` of `X | None`."""
    if get_origin(annotation) is Literal or get_origin(annotation) is tuple:
        return annotation
    models = [a for a in get_args(annotation) if a is not type(None)]
    return models[0] if models else annotation


def _droppable(document: Document, detail: ErrorDetails) -> Loc:
    """What to leave out so that the rest can be read: the value, or what it is missing from."""
    loc = tuple(detail["loc"])
    if detail["type"] == "missing":
        loc = loc[:-1]
    while loc and loc not in document.places and not _exists(document.tree, loc):
        loc = loc[:-1]
    return loc


def _exists(tree: Any, loc: Loc) -> bool:
    for part in loc:
        listed = isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        if not listed and not (isinstance(tree, dict) and part in tree):
            return False
        tree = tree[part]
    return True


def _before(loc: Loc, before: dict[Loc, Loc]) -> Loc:
    known = loc
    while known and known not in before:
        known = known[:-1]
    return (*before.get(known, known), *loc[len(known) :])


def _overlap(one: Loc, other: Loc) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
