"""`/metrics/resource` in the kubelet's format, as metrics-server scrapes it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cluster.native.agent.limits import NodeLimits
from cluster.native.agent.pod import AgentPod

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# A zero makes metrics-server drop the whole pod.
_LEAST_CPU_NANOSECONDS = 1_000
_LEAST_MEMORY_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Usage:
    """Cumulated CPU time and the working set."""

    cpu_nanoseconds: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class PodUsage:
    namespace: str
    pod: str
    container: str
    started_seconds: float
    usage: Usage


def of_pod(limits: NodeLimits, pod: AgentPod) -> Usage:
    """By control group, else of its first process alone."""
    if limits.groups is not None:
        return of_group(limits, f"{limits.group}/{pod.key}")
    return _of_process(pod.pid)


def of_group(limits: NodeLimits, group: str) -> Usage:
    assert limits.groups is not None
    return Usage(limits.groups.cpu_nanoseconds(group), limits.groups.memory_bytes(group))


def collect(limits: NodeLimits, pods: Iterable[AgentPod]) -> tuple[Usage, list[PodUsage]]:
    """The node's usage and that of its running pods."""
    seen = [
        PodUsage(
            pod.spec.namespace,
            pod.spec.name,
            pod.spec.container,
            pod.started_seconds,
            of_pod(limits, pod),
        )
        for pod in pods
        if pod.running
    ]
    if limits.groups is not None:
        return of_group(limits, limits.group), seen
    agent = _of_process(os.getpid())
    return (
        Usage(
            agent.cpu_nanoseconds + sum(each.usage.cpu_nanoseconds for each in seen),
            agent.memory_bytes + sum(each.usage.memory_bytes for each in seen),
        ),
        seen,
    )


def text(node: Usage, pods: Iterable[PodUsage], now_seconds: float | None = None) -> str:
    """The exposition text; timestamps in milliseconds."""
    stamp = int((time.time() if now_seconds is None else now_seconds) * 1000)
    lines = [
        f"node_cpu_usage_seconds_total {_cpu(node)} {stamp}",
        f"node_memory_working_set_bytes {_memory(node)} {stamp}",
    ]
    for each in pods:
        name = f'container="{each.container}",namespace="{each.namespace}",pod="{each.pod}"'
        lines += [
            f"container_cpu_usage_seconds_total{{{name}}} {_cpu(each.usage)} {stamp}",
            f"container_memory_working_set_bytes{{{name}}} {_memory(each.usage)} {stamp}",
            f"container_start_time_seconds{{{name}}} {each.started_seconds:.3f} {stamp}",
        ]
    return "\n".join(lines) + "\n"


def _cpu(usage: Usage) -> str:
    nanoseconds = max(_LEAST_CPU_NANOSECONDS, usage.cpu_nanoseconds)
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"


def _memory(usage: Usage) -> int:
    return max(_LEAST_MEMORY_BYTES, usage.memory_bytes)


def _of_process(pid: int | None) -> Usage:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return Usage(0, 0)
    ticks = sum(int(stat[index]) for index in (11, 12))  # utime, stime
    return Usage(ticks * 10**9 // _TICKS, int(stat[21]) * _PAGE)
