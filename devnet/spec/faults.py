"""What can break, how, and the steps that break and mend it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ValidationInfo, model_validator

from cluster.faults import FAULTS, NODE, FaultKind, kinds_of, register
from devnet.spec.fields import one_of_table
from devnet.spec.registry import Step, step
from devnet.spec.subjects import FeedNames, OracleNames, VendorNames, WorkerNames, known_of
from devnet.spec.units import UnitError, did_you_mean

WORKER, VENDOR, ORACLE, FEED = SUBJECTS = (NODE, "vendor", "oracle", "feed")

# The usual kind of each subject first; a node's are the cluster's own.
for _kind in (
    FaultKind(VENDOR, "outage", "HTTP 503 to every request"),
    FaultKind(VENDOR, "stale", "its documents stay as they were when the fault began"),
    FaultKind(VENDOR, "zero", "its documents say 0"),
    FaultKind(VENDOR, "negative", "its documents say prices below 0"),
    FaultKind(*(VENDOR, "wrong_decimals", "micro-dollars published as dollars"), {"factor": 10**6}),
    FaultKind(ORACLE, "offline", "it reads, signs and sends nothing"),
    FaultKind(ORACLE, "outlier", "it sees ten times what is there", {"factor": 10}),
    FaultKind(ORACLE, "wrong_key", "it adds signatures of a key that is no oracle node's"),
    FaultKind(ORACLE, "replay", "it sends the report before again"),
    FaultKind(FEED, "stale", "nobody can read its source"),
    FaultKind(FEED, "frozen", "its source says what it said when the fault began"),
    FaultKind(FEED, "flapping", "its source doubles every other reading", {"factor": 2}),
    FaultKind(FEED, "zero", "its source says 0"),
    FaultKind(FEED, "negative", "its source says what is below 0"),
    # Chainlink's usual 8 decimals in place of our 18, and the other way round
    FaultKind(
        *(FEED, "wrong_decimals", "its source has 8 decimals for 18, or 18 for 8"), {"unit": 10**10}
    ),
    # An aggregator would refuse to become such a feed.
    FaultKind(FEED, "future_timestamp", "its rounds are an hour ahead", mocked=True),
    FaultKind(FEED, "round_gap", "rounds are missing", mocked=True),
    FaultKind(FEED, "phase_change", "its rounds are of another phase", mocked=True),
):
    register(_kind)


def fault_kind(subject: str, name: str) -> FaultKind:
    """The kind of fault of that name. Raises `UnitError` where a subject has none of that name."""
    if (subject, name) not in FAULTS:
        kinds = [kind.name for kind in kinds_of(subject)]
        hint = did_you_mean(name, kinds) or f"known: {', '.join(kinds)}"
        raise UnitError(f"no such kind of fault of a {subject}", name, hint)
    return FAULTS[(subject, name)]


def usual_fault(subject: str) -> FaultKind:
    """How a subject breaks where nothing is said."""
    return kinds_of(subject)[0]


NO_FAULT = "none"


def faults_that_stay() -> tuple[str, ...]:
    """What can be asked of a node's fault: none, or one that lasts until it is healed."""
    return (NO_FAULT, *(kind.name for kind in kinds_of(NODE) if not kind.passes))


class _OfPart(Step):
    """A step about a part that can break."""

    worker: WorkerNames | None = None
    vendor: VendorNames | None = None
    oracle: OracleNames | None = None
    feed: FeedNames | None = None

    @property
    def subject(self) -> str:
        """`worker`, `vendor`, `oracle` or `feed`."""
        return next(kind for kind in SUBJECTS if getattr(self, kind) is not None)

    @property
    def names(self) -> tuple[str, ...]:
        chosen: tuple[str, ...] = getattr(self, self.subject)
        return chosen

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        self.exactly_one_of(*SUBJECTS)
        return self


def _all_names() -> tuple[str, ...]:
    return tuple(dict.fromkeys(kind.name for kind in FAULTS.values()))


def _by_subject() -> str:
    """One line for help and schema."""
    return "; ".join(
        f"{subject}: {', '.join(kind.name for kind in kinds_of(subject))}" for subject in SUBJECTS
    )


@step("fault", "part")
class Fault(_OfPart):
    """Break a part: a worker, a vendor's price server, an oracle node, a feed."""

    kind: Annotated[str, *one_of_table("kind of fault", _all_names, _by_subject)]

    @property
    def fault(self) -> FaultKind:
        """What happens to each of the parts."""
        return FAULTS[(self.subject, self.kind)]

    @model_validator(mode="after")
    def _kind_of_subject(self, info: ValidationInfo) -> Self:
        fault = fault_kind(self.subject, self.kind)
        network = known_of(info).network
        if fault.mocked and network:
            mocked = network.oracles.mocked
            for name in self.names:
                if name.partition(":")[0] not in mocked:
                    what = f"only the feed of a mocked vendor can play '{self.kind}'"
                    raise UnitError(what, name, "set oracles.mocked in the network file")
        return self


@step("heal", "part")
class Heal(_OfPart):
    """Mend what a fault broke, and wait until it is back."""
