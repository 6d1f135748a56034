"""What the horizontal pod autoscaler makes of a usage, as `sim` plays it; a pure function."""

from __future__ import annotations

from cluster.interface import Autoscale, Usage

_TOLERANCE = 10  # percent by which a mean may miss its target: the controller's own default


def wished(autoscale: Autoscale, replicas: int, usage: Usage) -> int:
    """How many replicas it wishes for, where so many run and use so much together.

    Kubernetes' rule, metric by metric: ⌈replicas · mean / target⌉, unless the mean is within a
    tenth of its target; the most of them, within the bounds. 0 replicas stay 0.
    """
    if not replicas:
        return 0
    by_metric = [
        _by(replicas, used, target)
        for used, target in (
            (usage.cpu_percent, autoscale.cpu_percent),
            (usage.memory_percent, autoscale.memory_percent),
        )
        if target
    ]
    return autoscale.within(max(by_metric, default=replicas))


def _by(replicas: int, used: int, target: int) -> int:
    """`used` of all together; the mean over the target is used / (replicas · target)."""
    aimed = replicas * target
    if abs(used - aimed) * 100 <= _TOLERANCE * aimed:
        return replicas
    return -(-used // target)
