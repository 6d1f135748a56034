"""Where chain and model differ: in a transaction's outcome, or in any value of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from devnet.model import Ledger, Outcome
from devnet.model.state import Emitted
from devnet.protocol import Event, ObservedTransaction

Told = tuple[str, str, dict[str, Any]]  # contract, event, arguments


@dataclass(frozen=True, slots=True)
class Difference:
    """`path` names the value, as in "nodes.worker-2.stake"; the two sides' values follow."""

    path: str
    chain: Any
    model: Any

    def __str__(self) -> str:
        return f"{self.path}: chain {_shown(self.chain)}, model {_shown(self.model)}"


# What a token that calls back (a mock, T1) says of a call that came to nothing. A callback that was
# accepted is a difference: the model does not know what it did.
MOCKED_EVENTS = ("CallbackRefused",)


class Missing:
    """Stands for a value that one side has not got."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = Missing()


def agreement(
    chain: Ledger, model: Ledger, names: Mapping[str, str] | None = None
) -> tuple[Difference, ...]:
    """Every value in which two ledgers differ; `names` (of addresses) make paths readable."""
    return tuple(_differences("", chain, model, names or {}))


def outcome_difference(transaction: ObservedTransaction, outcome: Outcome) -> Difference | None:
    """Whether the model decided a transaction as the chain did, with the same events."""
    found = decision_difference(transaction, outcome)
    if found is not None or not outcome.ok:
        return found
    path = path_of(transaction)
    chain = told(event for event in transaction.events if event.name not in MOCKED_EVENTS)
    model = told(outcome.events)
    if chain == model:
        return None
    only_chain = [event for event in chain if event not in model]
    only_model = [event for event in model if event not in chain]
    if not only_chain and not only_model:  # another order, or one of them twice
        return Difference(path + " events", chain, model)
    return Difference(path + " events", only_chain or MISSING, only_model or MISSING)


def decision_difference(transaction: ObservedTransaction, outcome: Outcome) -> Difference | None:
    """Whether the model decided a transaction, or a call within one, as the chain did."""
    if not transaction.ok and transaction.error is None and not outcome.ok:
        return None  # nobody has traced which error it was
    if (transaction.ok, transaction.error) != (outcome.ok, outcome.error):
        return Difference(path_of(transaction), _decision(transaction), _decision(outcome))
    return None


def told(events: Iterable[Event | Emitted]) -> list[Told]:
    """Events as chain and model tell them alike."""
    return [(event.contract, event.name, dict(event.args)) for event in events]


def unmodelled(transaction: ObservedTransaction) -> Difference:
    """Something the contracts did, or refused, for which the model has no rule."""
    return Difference(path_of(transaction), _decision(transaction), "has no rule: not modelled")


def undecided(transaction: ObservedTransaction, fault: Exception) -> Difference:
    """A transaction at which the model itself failed: a fault of the model."""
    return Difference(path_of(transaction), _decision(transaction), f"fails with {fault!r}")


def path_of(transaction: ObservedTransaction) -> str:
    """What is said to be another: a call, with its block and its transaction."""
    what = f"{transaction.contract}.{transaction.function}"
    if not transaction.contract:
        what = f"a call of {transaction.to or 'a constructor'}"
    return f"{what} in block {transaction.block} ({transaction.hash})"


def _decision(decided: ObservedTransaction | Outcome) -> str:
    return "accepts" if decided.ok else f"refuses with {decided.error}"


def _differences(
    path: str, chain: Any, model: Any, names: Mapping[str, str]
) -> Iterator[Difference]:
    if chain is model or chain == model:
        return
    if isinstance(chain, Mapping) and isinstance(model, Mapping):
        for key in sorted(chain.keys() | model.keys()):
            inner = f"{path}.{names.get(key, key)}"
            yield from _differences(inner, chain.get(key, MISSING), model.get(key, MISSING), names)
    elif is_dataclass(chain) and type(chain) is type(model):
        for field in fields(chain):
            inner = f"{path}.{field.name}".lstrip(".")
            yield from _differences(
                inner, getattr(chain, field.name), getattr(model, field.name), names
            )
    else:
        yield Difference(path, chain, model)


def _shown(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
