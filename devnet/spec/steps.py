"""The verbs of the protocol and of the devnet, as frozen steps."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from devnet.spec.fields import (
    MAX_BLOCKS,
    MAX_NUMBER,
    MAX_REPLICAS,
    ChangeBps,
    Months,
    Name,
    Natural,
    Percent,
    Positive,
    PositiveSeconds,
    Text,
    Usd1e8,
    Wei,
    at_most,
)
from devnet.spec.network import NetworkSpec, Service
from devnet.spec.registry import Step, step
from devnet.spec.subjects import (
    ClientName,
    FeedNames,
    OrderName,
    PayerName,
    ResourceNames,
    ServiceName,
    VendorNames,
    WorkerNames,
    known_of,
)
from devnet.spec.units import UnitError, duration_text

LONGEST_ORDER_SECONDS = 30 * 86400  # M1
MAX_TIMES = 100_000
MAX_CYCLES = 500  # of an advance that is not asked for in cycles

Times = Annotated[Positive, at_most(MAX_TIMES)]


@step("stake", "worker")
class Stake(Step):
    """Stake 500 KOMP for each worker, for its own period or for `months` (S1, S2)."""

    worker: WorkerNames
    months: Months | None = Field(default=None, description="absent: the worker's stake_months")


@step("restake", "worker")
class Restake(Step):
    """Stake again for a period that unlocks later than the present one (S3)."""

    worker: WorkerNames
    months: Months


@step("top_up", "worker")
class TopUp(Step):
    """Add KOMP to a slashed stake, back to exactly 500 KOMP (S4)."""

    worker: WorkerNames
    amount: Wei | None = Field(default=None, description="absent: what is missing to 500 KOMP")


@step("exit", "worker")
class Exit(Step):
    """Request the exit of workers: no more publishing, still slashable until exitAt (S5)."""

    worker: WorkerNames


@step("withdraw", "worker")
class Withdraw(Step):
    """Withdraw the stake once exitAt has passed and no slash is pending (S5)."""

    worker: WorkerNames


@step("measure", "worker")
class Measure(Step):
    """Run the performance test on the workers' nodes, one node at a time (W3)."""

    worker: WorkerNames


@step("publish", "worker")
class Publish(Step):
    """Publish V from the last measurement, measuring first where there is none (W4)."""

    worker: WorkerNames


@step("claim", "worker")
class Claim(Step):
    """Claim the rewards of all past cycles, or of one `cycle` (C3)."""

    worker: WorkerNames
    cycle: Annotated[Natural, at_most(MAX_NUMBER)] | None = None


@step("order", "client", "service")
class Order(Step):
    """Order a service and escrow the deposit (M1); its name is the service's unless given."""

    client: ClientName
    service: ServiceName
    replicas: Annotated[Positive, at_most(MAX_REPLICAS)] | None = Field(
        default=None,
        description="absent: 1; of an autoscaled service as many as the order allows, which is how "
        "far it may go",
    )
    max_replicas: Annotated[Positive, at_most(MAX_REPLICAS)] | None = Field(
        default=None, description="absent: the service's own"
    )
    deposit: Wei = Field(description="once it is used up, nothing of the order runs (M3)")
    duration: PositiveSeconds = LONGEST_ORDER_SECONDS
    name: Name | None = None

    @property
    def order_name(self) -> str:
        return self.name or self.service

    def asks(self, service: Service) -> tuple[int, int]:
        """How many replicas it wishes of that service, and the most it may ever wish (M1)."""
        most = self.max_replicas or max(service.max_replicas, self.replicas or 1)
        return self.replicas or (most if service.autoscale else 1), most

    @model_validator(mode="after")
    def _within_bounds(self, info: ValidationInfo) -> Self:
        if self.duration > LONGEST_ORDER_SECONDS:
            raise UnitError("an order lasts at most 30d (M1)", duration_text(self.duration))
        network = known_of(info).network
        service = network.service(self.service) if network else None
        least, replicas = 1, self.replicas or 1
        most = self.max_replicas or replicas
        if service is not None:
            least, most = service.min_replicas, self.max_replicas or service.max_replicas
            replicas = self.asks(service)[0]
        if not least <= replicas <= most:
            raise UnitError(f"replicas must be from {least} to {most} (M1)", replicas)
        if self.deposit == 0:
            raise UnitError("an order escrows a deposit (M1)", "0 KOMP")
        return self


class _OfOrder(Step):
    """A step about one order, named itself or by its service."""

    service: ServiceName | None = None
    order: OrderName | None = None

    @property
    def order_name(self) -> str:
        """The order's name: an order without a name has its service's."""
        return self.order or self.service or ""

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        self.exactly_one_of("service", "order")
        return self


@step("scale", "order")
class Scale(_OfOrder):
    """Wish another number of replicas for an order; billing follows what runs (M6)."""

    replicas: Annotated[Natural, at_most(MAX_REPLICAS)] = Field(
        description="0: a halt, until it is scaled again (M6)"
    )


@step("close", "client", "order")
class Close(_OfOrder):
    """Close an order; one nobody accepted is refunded in full at once (M2, M6)."""

    client: ClientName


@step("settle", "order")
class Settle(_OfOrder):
    """Bill an order's usage up to haltDelay ago (M6)."""


@step("finalize", "order")
class Finalize(_OfOrder):
    """Bill the rest of an ended order and refund what is left of its deposit (M6)."""


def _of_kind(kinds: tuple[str, ...], other_verb: str) -> AfterValidator:
    def check(name: str | None, info: ValidationInfo) -> str | None:
        network = known_of(info).network
        if name and network and network.service(name).kind not in kinds:
            raise UnitError(f"not a {kinds[0]} service", name, f"did you mean '{other_verb}'?")
        return name

    return AfterValidator(check)


_ANSWERING = ("container", "virtual_machine")


def _path(path: str) -> str:
    if not path.startswith("/"):
        raise UnitError("a path starts with '/'", path, f"did you mean '/{path}'?")
    return path


@step("request", "client", "order")
class Request(_OfOrder):
    """Send HTTP requests to an order's replicas; every answer must be 200."""

    client: ClientName
    service: Annotated[ServiceName | None, _of_kind(_ANSWERING, "invoke")] = None
    path: Annotated[Text, AfterValidator(_path)] = "/"
    times: Times = 1


@step("invoke", "client", "order")
class Invoke(_OfOrder):
    """Invoke a serverless service; the result's hash is checked against the chain (M5)."""

    client: ClientName
    service: Annotated[ServiceName | None, _of_kind(("serverless",), "request")] = None
    payload: Text = ""
    times: Times = 1


@step("add_reward", "amount")
class AddReward(Step):
    """Add KOMP to the current cycle's reward (C2)."""

    source: PayerName = Field(default="treasury", alias="from")
    amount: Wei


@step("price", "vendor")
class Price(Step):
    """Set what a vendor asks, or change it by a percentage (O1)."""

    vendor: VendorNames
    resource: ResourceNames | None = Field(default=None, description="absent: all")
    usd: Usd1e8 | None = None
    change: ChangeBps | None = None

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        self.exactly_one_of("usd", "change")
        return self


@step("komp_usd", "usd")
class KompUsd(Step):
    """Set what one KOMP costs in dollars (O6)."""

    usd: Usd1e8


@step("poke", "resource")
class Poke(Step):
    """Store the median of the fresh feeds on chain (O2)."""

    resource: ResourceNames


@step("request_round", "feed")
class RequestRound(Step):
    """Have the oracle nodes report to feeds at once, whether the answer has moved or not (O1)."""

    feed: FeedNames


def _whole_blocks(seconds: int | None, info: ValidationInfo) -> int | None:
    """Time moves by blocks, so that an interval is exact to the second."""
    network = known_of(info).network
    if seconds and network and seconds % network.chain.block_seconds:
        block = network.chain.block_seconds
        above = duration_text((seconds // block + 1) * block)
        what = f"time moves by whole blocks of {duration_text(block)}"
        raise UnitError(what, duration_text(seconds), f"did you mean '{above}'?")
    return seconds


@step("advance", "time")
class Advance(Step):
    """Move the chain's blocks and time together, stopping wherever an actor has work."""

    time: Annotated[PositiveSeconds | None, AfterValidator(_whole_blocks)] = None
    blocks: Annotated[Positive, at_most(MAX_BLOCKS)] | None = None
    cycles: Annotated[Positive, at_most(MAX_BLOCKS)] | None = Field(
        default=None, description="to the first block of the n-th next cycle (C1)"
    )
    appeal_window: Annotated[Positive, at_most(1000)] | None = Field(
        default=None, description="as many appeal windows, in whole blocks rounded up (L6)"
    )
    arbiter_window: Annotated[Positive, at_most(1000)] | None = Field(
        default=None, description="as many arbiter's windows, likewise (L6)"
    )

    @model_validator(mode="after")
    def _one_measure(self, info: ValidationInfo) -> Self:
        self.exactly_one_of("time", "blocks", "cycles", "appeal_window", "arbiter_window")
        network = known_of(info).network
        if network is not None:
            _check_length(self, network)
        return self

    def _seconds(self, network: NetworkSpec) -> int:
        """About how long it is; a window is rounded up to blocks."""
        of_windows = network.parameters
        return (
            (self.time or 0)
            + (self.blocks or 0) * network.chain.block_seconds
            + (self.cycles or 0) * network.cycle.blocks * network.chain.block_seconds
            + (self.appeal_window or 0) * of_windows.appeal_window
            + (self.arbiter_window or 0) * of_windows.arbiter_window
        )


def _check_length(advance: Advance, network: NetworkSpec) -> None:
    """What takes minutes is asked for in cycles, so that nobody waits without knowing why."""
    seconds, block = advance._seconds(network), network.chain.block_seconds
    cycle = network.cycle.blocks * block
    if seconds > MAX_BLOCKS * block:
        raise UnitError(f"more than {MAX_BLOCKS} blocks of {duration_text(block)}", _asked(advance))
    if seconds > MAX_CYCLES * cycle and not network.idle and not advance.cycles:
        what = (
            f"more than {MAX_CYCLES} cycles of {duration_text(cycle)} (C1), each with work of its "
            f"own: {seconds // cycle}"
        )
        hint = "raise chain.block_seconds or cycle.blocks, or advance by so many 'cycles'"
        raise UnitError(what, _asked(advance), hint)


def _asked(advance: Advance) -> str:
    values = advance.model_dump(mode="json", exclude_defaults=True)
    return ", ".join(f"{key} {value}" for key, value in values.items())


MAX_POINTS = 1_000


def _points(value: object) -> object:
    """One value, several with commas, or a list."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Curve = Annotated[
    tuple[Percent, ...],
    Field(min_length=1, max_length=MAX_POINTS),
    BeforeValidator(_points),
    WithJsonSchema(
        {
            "type": ["string", "array"],
            "items": {"type": "string", "pattern": r"^[0-9.]+ ?%$"},
            "examples": ["240%", ["30%", "240%", "20%"]],
        }
    ),
]


def _autoscaled(name: str | None, info: ValidationInfo) -> str | None:
    network = known_of(info).network
    if name and network and network.service(name).autoscale is None:
        raise UnitError("nothing follows what its replicas use", name, "give it an 'autoscale'")
    return name


@step("usage", "order")
class Usage(_OfOrder):
    """Script what all replicas of an order use together, where it is not measured (sim)."""

    service: Annotated[ServiceName | None, AfterValidator(_autoscaled)] = None
    cpu: Curve | None = Field(
        default=None, description="in percent of what one asks for; several are a curve"
    )
    memory: Curve | None = Field(default=None, description="likewise; as many values as of cpu")
    every: Annotated[PositiveSeconds | None, AfterValidator(_whole_blocks)] = Field(
        default=None, description="how long each value lasts, in whole blocks; absent: no time"
    )

    def curve(self) -> tuple[tuple[int, int], ...]:
        """Percent of the processor and of memory, value by value."""
        points = max(len(self.cpu or ()), len(self.memory or ()))
        nothing = (0,) * points
        return tuple(zip(self.cpu or nothing, self.memory or nothing, strict=True))

    @model_validator(mode="after")
    def _one_curve(self) -> Self:
        points = [len(each) for each in (self.cpu, self.memory) if each is not None]
        if not points:
            raise UnitError("needs 'cpu' or 'memory'", "neither")
        if len(set(points)) > 1:
            seen = " and ".join(map(str, points))
            raise UnitError("'cpu' and 'memory' have as many values each", seen)
        if points[0] > 1 and self.every is None:
            what = "a curve says with 'every' how long each value lasts"
            raise UnitError(what, f"{points[0]} values")
        return self
