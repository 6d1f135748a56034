"""Whether anything holds a node to its quota: found out by taking all it gives."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import JobFailed
from cluster.interface import Capacity, Job, JobResult
from cluster.perftest import program, rules

_SECONDS = 1
_DEADLINE_SECONDS = 30
_MOST_PERCENT = 125
_MS = 10**6


@dataclass(frozen=True, slots=True)
class Trial:
    """What a job had of the processor in `took_ns` that took all it could get, on every core."""

    milli_cpu: int
    used_ns: int
    took_ns: int
    cores: int

    @property
    def held(self) -> bool:
        """Whether it got no more than its quota gives, with a period's quota at the beginning."""
        given = self.milli_cpu * (self.took_ns + rules.LONGEST_PERIOD_NS) // 1000
        return self.used_ns * 100 <= given * _MOST_PERCENT

    @property
    def telling(self) -> bool:
        """Whether the machine has so many cores that the quota could have been exceeded."""
        return self.milli_cpu * _MOST_PERCENT < self.cores * 1000 * 100

    def __str__(self) -> str:
        return (
            f"a job that took all it could get had {self.used_ns // _MS} ms of the processor in "
            f"{self.took_ns // _MS} ms, where {self.milli_cpu}m give "
            f"{self.milli_cpu * self.took_ns // 1000 // _MS} ms"
        )


def try_quota(run_job: Callable[[Job], JobResult], node: str, capacity: Capacity) -> Trial:
    """One trial, about a second. Raises `JobFailed`."""
    with tempfile.TemporaryDirectory(prefix="trial-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(Path(program.__file__), folder / "program.py")
        job = Job(
            name=f"trial-{node}-{secrets.token_hex(4)}",
            folder=folder,
            command=("python3", "program.py", "take", str(_SECONDS)),
            payload=b"",
            requests=Capacity(0, 0),
            node=node,
            deadline_seconds=_DEADLINE_SECONDS,
        )
        result = run_job(job)
    try:
        told = json.loads(result.output)
        return Trial(capacity.milli_cpu, told["used_ns"], told["took_ns"], told["cores"])
    except (ValueError, KeyError, TypeError) as error:
        raise JobFailed(
            f"the trial of {node} told nothing: exit code {result.exit_code}, "
            f"{result.output[-300:]!r}"
        ) from error
