"""An accepted order as the cluster carries it out: its workload, and until when it is paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from cluster.interface import Autoscale, Capacity, Workload
from devnet.actors.view import View
from devnet.model.market import HOUR, cost
from devnet.protocol import OrderState
from devnet.spec.network import Service


def workload_name(order: int) -> str:
    """What an order's workload is called on the cluster."""
    return f"order-{order}"


@dataclass(frozen=True, slots=True)
class Task:
    """One accepted order. `terms` is what the chain says of it at its acceptance.

    `replicas` is what its client wishes, at most, where the service is autoscaled; 0 is a halt.
    `spent` are replica-seconds up to `at`, by the statements so far.
    """

    order: int
    service: Service
    client: str
    terms: OrderState
    replicas: int
    end: int
    stated: int | None = None  # replicas of the last statement
    seq: int = 0
    at: int = 0  # seconds of the last statement
    spent: int = 0

    @property
    def workload(self) -> str:
        return workload_name(self.order)

    @property
    def autoscale(self) -> Autoscale | None:
        """Between which its replicas follow what they use: never more than the client wishes."""
        said = self.service.autoscale
        if said is None or not self.replicas:
            return None
        least, most = min(said.min, self.replicas), min(said.max, self.replicas)
        return Autoscale(least, most, said.cpu or 0, said.memory or 0)

    @property
    def least(self) -> int:
        """Replicas, fewer of which are too few."""
        return self.autoscale.least if self.autoscale else self.replicas

    @property
    def most(self) -> int:
        """Replicas, more of which are not stated (M6)."""
        return self.autoscale.most if self.autoscale else self.replicas

    @property
    def until(self) -> int:
        """Seconds: its end, or when what runs has used up the deposit (M3)."""
        if self.service.kind == "serverless" or not self.terms.rate:
            return self.end
        left = -(-self.terms.deposit * HOUR // self.terms.rate) - self.spent  # replica-seconds
        if left <= 0:
            return min(self.end, self.at)
        return min(self.end, self.at - (-left // self.stated)) if self.stated else self.end

    def with_statement(self, replicas: int, seq: int, at: int) -> Self:
        """After another statement; one for the second of the last replaces it (M6)."""
        spent = self.spent + (self.stated or 0) * (at - self.at)
        return replace(self, stated=replicas, seq=seq, at=at, spent=spent)

    def is_used_up(self, invocations: int, mib_milliseconds: int) -> bool:
        """Whether a serverless order's counters cost the whole deposit (M3)."""
        counted = replace(self.terms, total=invocations, total2=mib_milliseconds)
        return cost(counted) >= self.terms.deposit


def requests_of(service: Service) -> Capacity:
    return Capacity(milli_cpu=service.cpu, memory_bytes=service.memory)


def workload_of(view: View, task: Task) -> Workload:
    """The workload of a container's or a virtual machine's order: they run the same way."""
    return Workload(
        name=task.workload,
        folder=view.directory.spec.service_folder(task.service.name).resolve(),
        command=task.service.command,
        replicas=task.least,
        requests=requests_of(task.service),
        readiness_path=task.service.readiness,
        env={"SERVICE": task.service.name, "ORDER": str(task.order)},
        labels={"kompute.network/order": str(task.order)},
        autoscale=task.autoscale,
    )
