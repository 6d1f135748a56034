"""What a scenario expects: comparisons with any ledger value, event or error."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from devnet.spec import units
from devnet.spec.faults import faults_that_stay
from devnet.spec.fields import (
    ErrorName,
    Name,
    PositiveSeconds,
    SpecModel,
    Truth,
    one_of,
    one_of_table,
)
from devnet.spec.registry import Step, step
from devnet.spec.subjects import (
    ClientName,
    FeedName,
    OracleNames,
    OrderName,
    PoolName,
    ResourceName,
    ServiceName,
    WorkerNames,
    require_vault,
)
from devnet.spec.units import UnitError

_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
MAX_COUNT = 2**128 - 1  # more than anything on chain counts
_COMPARISON = re.compile(r"(==|!=|>=|<=|>|<)?\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`value` is in the unit of its key (wei, 1e-8 dollar, a count); `text` as people read it, and
    `write` gives that of any other. This one is of a count."""

    operator: str
    value: int
    text: str

    @staticmethod
    def write(value: int) -> str:
        """As people read it."""
        return str(value)

    def holds(self, seen: int) -> bool:
        return _OPERATORS[self.operator](seen, self.value)

    def __str__(self) -> str:
        return self.text if self.operator == "==" else f"{self.operator} {self.text}"


class OfKomp(Comparison):
    """Of an amount."""

    __slots__ = ()

    @staticmethod
    def write(value: int) -> str:
        return units.komp_text(value)


class OfUsd(Comparison):
    """Of a price."""

    __slots__ = ()

    @staticmethod
    def write(value: int) -> str:
        return units.usd_text(value)


def compared(
    read: Callable[[object], int], kind: type[Comparison], example: str
) -> tuple[Any, ...]:
    """Annotations of a `Comparison` in the unit that `read` knows and `kind` writes."""

    def comparison(value: object) -> Comparison:
        if isinstance(value, Comparison):
            return value
        sign, rest = None, value
        if isinstance(value, str):
            match = _COMPARISON.fullmatch(value.strip())
            if match:
                sign, rest = match[1], match[2]
        number = read(rest)
        return kind(sign or "==", number, kind.write(number))

    schema = {"type": ["string", "number"], "examples": [example, f">= {example}"]}
    return (
        BeforeValidator(comparison),
        PlainSerializer(str, when_used="json"),
        WithJsonSchema(schema),
    )


def _count(text: object) -> int:
    number = units.integer(text)
    if abs(number) > MAX_COUNT:
        raise UnitError(f"must be at most {MAX_COUNT}, either way", text)
    return number


Amount = Annotated[Comparison, *compared(units.komp, OfKomp, "20 KOMP")]
Count = Annotated[Comparison, *compared(_count, Comparison, "3")]
Dollars = Annotated[Comparison, *compared(units.usd_1e8, OfUsd, "0.04")]


class EventCount(SpecModel):
    """How often an event was seen on chain since the run began."""

    name: ErrorName
    count: Count = Comparison(">=", 1, "1")


def _event(value: object) -> object:
    """`event: Claimed` is short for one such event at least."""
    return {"name": value} if isinstance(value, str) else value


PROPOSAL_STATES = ("unknown", "queued", "executed", "vetoed")  # G2


@dataclass(frozen=True, slots=True)
class AskedOf:
    """Marks a field of `Expect` as a key, and says of which subjects it can be asked."""

    subjects: tuple[str, ...]


WORKER, CLIENT, RESOURCE, FEED, PROPOSAL, POOL = (
    (kind,) for kind in ("worker", "client", "resource", "feed", "proposal", "pool")
)
ORDER = ("service", "order")
NOBODY: tuple[str, ...] = ()

T = TypeVar("T")
OfWorker = Annotated[T | None, AskedOf(WORKER)]
OfOwner = Annotated[T | None, AskedOf((*WORKER, *CLIENT))]
OfOrder = Annotated[T | None, AskedOf(ORDER)]
OfResource = Annotated[T | None, AskedOf(RESOURCE)]
OfFeed = Annotated[T | None, AskedOf(FEED)]
OfProposal = Annotated[T | None, AskedOf(PROPOSAL)]
OfPool = Annotated[T | None, AskedOf(POOL)]
OfNobody = Annotated[T | None, AskedOf(NOBODY)]

_OF_MEMBERS = ("shares", "uncollected")
_SUBJECTS = ("worker", "client", "service", "order", "resource", "feed", "proposal", "pool")


@step("expect")
class Expect(Step):
    """Check ledger and cluster: a value, or a comparison such as '>= 20 KOMP'."""

    worker: WorkerNames | None = None
    client: ClientName | None = None
    service: ServiceName | None = None
    order: OrderName | None = None
    resource: ResourceName | None = None
    feed: FeedName | None = None
    proposal: Name | None = None
    pool: PoolName | None = None
    member: ClientName | None = Field(default=None, description="of the pool")

    stake: OfWorker[Amount] = None
    slashed: OfWorker[Amount] = Field(default=None, description="executed, over the whole run")
    pending_slash: OfWorker[Amount] = Field(default=None, description="reported, not yet executed")
    seized: OfWorker[Amount] = Field(
        default=None, description="in escrow, of a pending level 3 (L6)"
    )
    balance: OfOwner[Amount] = Field(
        default=None, description="of the client or the worker's owner"
    )
    claimable: OfWorker[Amount] = Field(default=None, description="of ended cycles, unclaimed (C3)")
    claimed: OfWorker[Amount] = Field(default=None, description="over the whole run")
    v: OfWorker[Count] = Field(default=None, description="last published V, 1e18 = reference (W1)")
    active: OfWorker[Truth] = Field(default=None, description="S4")
    lost: OfWorker[Truth] = Field(default=None, description="as the control plane sees its node")
    fault: OfWorker[
        Annotated[str, *one_of_table("fault of a node", faults_that_stay, lambda: "until healed")]
    ] = Field(default=None, description="of its node, until it is healed")
    suspended: OfWorker[Truth] = Field(default=None, description="a level 2 is pending (C7)")
    multiplier_bps: OfWorker[Count] = Field(default=None, description="S2, S3")
    ready: OfOrder[Count] = Field(default=None, description="ready replicas")
    billed: OfOrder[Count] = Field(
        default=None, description="replicas that accrue, by the last statement on chain (M6)"
    )
    on: OfOrder[WorkerNames] = Field(default=None, description="a ready replica on each of these")
    not_on: OfOrder[WorkerNames] = Field(default=None, description="no replica on any of these")
    refunded: OfOrder[Amount] = Field(
        default=None, description="of the deposit, at its end (M2, M6)"
    )
    price_usd: OfResource[Dollars] = Field(
        default=None, description="the stored median of a resource"
    )
    consumed: OfOrder[Amount] = Field(default=None, description="of the deposit, settled (M3)")
    charged_usd: OfResource[Dollars] = Field(
        default=None, description="what a resource costs now: dynamic or contingency (O3, O4)"
    )
    contingency: OfResource[Truth] = Field(
        default=None, description="its contingency price is on (O4)"
    )
    oracles: OfFeed[OracleNames] = Field(
        default=None, description="the nodes whose reports it takes now, in whatever order (O7)"
    )
    faulty: OfFeed[Count] = Field(default=None, description="f: how many of them may lie (O1)")
    in_bounds: OfFeed[Truth] = Field(
        default=None, description="its latest answer is inside the bounds it has now (O2, O7)"
    )
    state: OfProposal[Annotated[str, *one_of("state of a proposal", *PROPOSAL_STATES)]] = Field(
        default=None, description="of a proposal (G2)"
    )
    released: OfNobody[Amount] = Field(default=None, description="of the incentive vault (I1)")
    max_v: OfNobody[Count] = Field(default=None, description="the bound of V (W2)")
    gatekeepers: OfNobody[Count] = Field(default=None, description="how many there are (R3)")
    assets: OfPool[Amount] = Field(default=None, description="what a pool's shares stand for (S7)")
    closed: OfPool[Truth] = Field(default=None, description="whether a pool is closed (S7)")
    shares: OfPool[Amount] = Field(default=None, description="of the member, 1 KOMP each at first")
    uncollected: OfPool[Amount] = Field(
        default=None, description="harvested for the member and not collected, commission included"
    )
    error: OfNobody[ErrorName] = Field(default=None, description="how the last step was rejected")
    invariants: OfNobody[Annotated[str, *one_of("set of invariants", "all")]] = None
    model: OfNobody[Annotated[str, *one_of("agreement", "equal")]] = None
    cycle: OfNobody[Count] = Field(default=None, description="the current cycle (C1)")
    event: Annotated[OfNobody[EventCount], BeforeValidator(_event)] = None
    within: PositiveSeconds | None = Field(
        default=None, description="of the wall clock, until it must hold; absent: at once"
    )

    @property
    def subject(self) -> str:
        """One of `_SUBJECTS`, or empty."""
        return next((kind for kind in _SUBJECTS if getattr(self, kind) is not None), "")

    @property
    def names(self) -> tuple[str, ...]:
        """The subject's: of several workers each, of nobody none."""
        named = getattr(self, self.subject) if self.subject else ()
        return (named,) if isinstance(named, str) else tuple(named)

    def asked(self) -> tuple[str, ...]:
        """The keys that are expected to hold."""
        return tuple(key for key in ASKED_OF if getattr(self, key) is not None)

    @model_validator(mode="after")
    def _sensible(self, info: ValidationInfo) -> Self:
        if self.expect_error is not None:
            raise UnitError("an expectation is never rejected", self.expect_error, "use 'error'")
        subjects = [kind for kind in _SUBJECTS if getattr(self, kind) is not None]
        if len(subjects) > 1:
            raise UnitError("asks one subject at a time", ", ".join(subjects))
        if self.released is not None:
            require_vault(info)
        asked = self.asked()
        if not asked:
            raise UnitError("expects nothing", ", ".join(subjects) or "no key")
        for key in asked:
            owners = ASKED_OF[key]
            if owners and self.subject not in owners:
                listed = " or ".join(f"'{owner}'" for owner in owners)
                raise UnitError(f"'{key}' is asked of a {listed}", self.subject or "no subject")
        for key in _OF_MEMBERS:
            if (key in asked) and self.member is None:
                raise UnitError(f"'{key}' is asked of a pool's member", "no member")
        if self.member is not None and not any(key in asked for key in _OF_MEMBERS):
            raise UnitError("nothing is asked of the member", ", ".join(asked))
        if subjects and not any(ASKED_OF[key] for key in asked):
            raise UnitError(f"nothing is asked of the {self.subject}", ", ".join(asked))
        return self


ASKED_OF: Mapping[str, tuple[str, ...]] = {
    name: mark.subjects
    for name, info in Expect.model_fields.items()
    for mark in info.metadata
    if isinstance(mark, AskedOf)
}
"""The keys, with the subjects they can be asked of; what answers each: `devnet.steps.keys`."""
