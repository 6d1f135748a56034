"""What can break, how, and the steps that break and mend it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ValidationInfo, model_validator

from devnet.spec.fields import one_of
from devnet.spec.registry import Step, step
from devnet.spec.subjects import FeedNames, OracleNames, VendorNames, WorkerNames, known_of
from devnet.spec.units import UnitError, did_you_mean

# What only a mock can do: an aggregator would refuse to become such a feed.
MOCKED_KINDS = ("future_timestamp", "round_gap", "phase_change")
# The kinds of fault of each subject, the usual one first.
FAULT_KINDS = {
    "worker": ("offline",),
    "vendor": ("outage", "stale", "zero", "negative", "wrong_decimals"),
    "oracle": ("offline", "outlier", "wrong_key", "replay"),
    "feed": (
        *("stale", "frozen", "flapping", "zero", "negative", "wrong_decimals"),
        *MOCKED_KINDS,
    ),
}


class _OfPart(Step):
    """A step about a part that can break."""

    worker: WorkerNames | None = None
    vendor: VendorNames | None = None
    oracle: OracleNames | None = None
    feed: FeedNames | None = None

    @property
    def subject(self) -> str:
        """`worker`, `vendor`, `oracle` or `feed`."""
        return next(kind for kind in FAULT_KINDS if getattr(self, kind) is not None)

    @property
    def names(self) -> tuple[str, ...]:
        chosen: tuple[str, ...] = getattr(self, self.subject)
        return chosen

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        self.exactly_one_of(*FAULT_KINDS)
        return self


_ALL_KINDS = tuple(dict.fromkeys(kind for kinds in FAULT_KINDS.values() for kind in kinds))


@step("fault")
class Fault(_OfPart):
    """Break a part: a worker, a vendor's price server, an oracle node, a feed."""

    kind: Annotated[str, *one_of("kind of fault", *_ALL_KINDS)]

    @model_validator(mode="after")
    def _kind_of_subject(self, info: ValidationInfo) -> Self:
        kinds = FAULT_KINDS[self.subject]
        if self.kind not in kinds:
            hint = did_you_mean(self.kind, kinds) or f"known: {', '.join(kinds)}"
            raise UnitError(f"no such kind of fault of a {self.subject}", self.kind, hint)
        network = known_of(info).network
        if self.kind in MOCKED_KINDS and network:
            mocked = network.oracles.mocked
            for name in self.names:
                if name.partition(":")[0] not in mocked:
                    what = f"only the feed of a mocked vendor can play '{self.kind}'"
                    raise UnitError(what, name, "set oracles.mocked in the network file")
        return self


@step("heal")
class Heal(_OfPart):
    """Mend what a fault broke, and wait until it is back."""
