"""Steps as people type them: what a bare name means is known where the network is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devnet.base import UsageError
from devnet.spec import STEPS
from devnet.spec.faults import usual_fault
from devnet.spec.network import VENDORS, NetworkSpec
from devnet.spec.registry import Step
from devnet.spec.scenario import step_from_mapping

PART = "part"  # of `devnet fault NAME`: a worker, a vendor, an oracle node or a feed


def step_of(asked: Mapping[str, Any], network: NetworkSpec) -> Step:
    """The step of `{verb: values}`; raises `SpecError` with every fault of it.

    `part` becomes the worker, vendor, oracle or feed of that name; an `order` that bears a
    service's name is named by the service.
    """
    if len(asked) != 1:
        raise UsageError("a step is one verb with its values")
    ((verb, given),) = asked.items()
    if not isinstance(given, Mapping):
        raise UsageError(f"the values of `{verb}` must be a mapping")
    values = dict(given)
    if PART in values:
        values |= _of_part(verb, str(values.pop(PART)), values, network)
    fields = STEPS[verb].model_fields if verb in STEPS else {}
    services = {service.name for service in network.services}
    if "service" in fields and "service" not in values and values.get("order") in services:
        values["service"] = values.pop("order")
    return step_from_mapping(verb, values, network)


def _of_part(
    verb: str, name: str, values: Mapping[str, Any], network: NetworkSpec
) -> dict[str, Any]:
    if name in VENDORS:
        subject = "vendor"
    elif name in network.oracles.node_names():
        subject = "oracle"
    elif name in network.oracles.feed_names():
        subject = "feed"
    else:
        subject = "worker"
    found: dict[str, Any] = {subject: name}
    if verb == "fault" and "kind" not in values:
        found["kind"] = usual_fault(subject).name
    return found
