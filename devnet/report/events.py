"""The contracts' events as the report reads them: integers as integers, names for addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from devnet.record.bundle import NotABundle

# What each event must carry, by contracts/interfaces. Others are of no concern here.
SHAPES: Final[Mapping[str, Mapping[str, type]]] = {
    "Transfer": {"from": str, "to": str, "value": int},
    "Staked": {"node": str, "owner": str},
    "Published": {"node": str, "cycle": int, "sequence": int, "v": int},
    "RewardAdded": {"from": str, "cycle": int, "amount": int},
    "RewardRolled": {"from": int, "to": int, "amount": int},
    "Claimed": {"node": str, "cycle": int, "amount": int},
    "ClaimedAll": {"node": str, "before": int, "amount": int},
    "IncidentReported": {"id": int, "node": str, "level": int, "from": int, "to": int},
    "IncidentExecuted": {"id": int, "node": str, "amount": int},
    "IncidentOverturned": {"id": int, "node": str},
    "Appealed": {"id": int, "payer": str, "bond": int},
    "Voided": {"node": str, "cycle": int, "v": int},
    "PriceStored": {"resource": int, "price": int},
    "AnswerUpdated": {"current": int, "roundId": int, "updatedAt": int},
    "OrderCreated": {"id": int, "client": str, "kind": int, "deposit": int},
    "OrderAccepted": {"id": int, "node": str},
    "OrderClosed": {"id": int},
    "UsageReported": {"id": int, "replicas": int},
    "Settled": {"id": int, "consumed": int, "fee": int, "reward": int},
    "Finalized": {"id": int, "refund": int},
    "Invoked": {"id": int, "invocation": int},
    "Completed": {"id": int, "invocation": int, "exitCode": int},
}


@dataclass(frozen=True, slots=True)
class Told:
    """One event: `text` are its addresses (lower-case), `number` its integers, by argument."""

    block: int
    timestamp: int
    transaction: str
    contract: str
    name: str
    text: Mapping[str, str]
    number: Mapping[str, int]


def read_events(
    records: Iterable[Mapping[str, Any]], note: Callable[[str], None]
) -> tuple[Told, ...]:
    """The events of `SHAPES`, in order; what cannot be read is told to `note` and left out."""
    told: list[Told] = []
    for record in tolerant(records, note):
        shape = SHAPES.get(str(record.get("name")))
        if shape is None:
            continue
        try:
            told.append(_told(record, shape))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            note(f"an event {record.get('name')} cannot be read: {error!r}")
    return tuple(told)


def tolerant(
    records: Iterable[Mapping[str, Any]], note: Callable[[str], None]
) -> Iterable[Mapping[str, Any]]:
    """Up to the first line that is none: a report shows what there is, and says what is not."""
    try:
        yield from records
    except NotABundle as error:
        note(str(error))


def _told(record: Mapping[str, Any], shape: Mapping[str, type]) -> Told:
    args = record["args"]
    text = {key: str(args[key]).lower() for key, kind in shape.items() if kind is str}
    number = {key: int(args[key]) for key, kind in shape.items() if kind is int}
    return Told(
        block=int(record["block"]),
        timestamp=int(record["timestamp"]),
        transaction=str(record["transaction"]),
        contract=str(record["contract"]),
        name=str(record["name"]),
        text=text,
        number=number,
    )
