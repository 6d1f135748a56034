"""What light nodes are started with, and who looks at them: kwok's file and node-lifecycle's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.interface import LightNodes
from cluster.kubernetes import names
from cluster.native.components import GRACE_MILLISECONDS, MONITOR_MILLISECONDS
from cluster.waiting import Seen

LIGHT_SECONDS = 60.0
LIGHT_A_SECOND = 20  # become ready on a machine with other work
# Renewed once a minute: 5 000 of them write 83 leases a second, a fifth of what 10 s would cost.
_LEASE_SECONDS = 240
_LIGHT_MONITOR_MILLISECONDS = 5000
_LIGHT_GRACE_MILLISECONDS = 1000 * _LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class LightFiles:
    """What the one process of all light nodes is started with."""

    config: Path
    statement: Path  # it writes here how many are ready

    @classmethod
    def write(cls, light: Sequence[LightNodes], folder: Path, kubeconfig: Path) -> LightFiles:
        """Their configuration in `folder`, of the names, labels and capacity of their profiles."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        files = cls(folder / "kwok.json", folder / "ready.json")
        document = {
            "kubeconfig": str(kubeconfig),
            "lease_seconds": _LEASE_SECONDS,
            "label": names.LIGHT,
            "statement": str(files.statement),
            "groups": [
                {
                    "nodes": list(group.names),
                    "labels": {
                        names.PROFILE: group.profile,
                        names.REGION: group.region,
                        names.ZONE: group.zone,
                        names.INSTANCE_TYPE: group.profile,
                    },
                    "capacity": names.to_resources(group.capacity),
                }
                for group in light
            ],
        }
        files.config.write_text(json.dumps(document), encoding="utf-8")
        return files

    def ready(self, pid: int) -> Seen:
        """Whether all are, and how many, by the word of the process `pid`: an earlier life's is
        none."""
        try:
            said = json.loads(self.statement.read_text(encoding="utf-8"))
        except FileNotFoundError:
            said = {"pid": 0}
        if said["pid"] != pid:
            return Seen(False, "not registered yet")
        return Seen(said["ready"] >= said["wished"], f"{said['ready']} of {said['wished']} ready")


def write_lifecycle(file: Path, kubeconfig: Path) -> Path:
    """The file of who tells losses: real nodes' at the controller manager's usual pace."""
    document = {
        "kubeconfig": str(kubeconfig),
        "kinds": [
            {
                "selector": names.REAL,
                "period_milliseconds": MONITOR_MILLISECONDS,
                "grace_milliseconds": GRACE_MILLISECONDS,
            },
            {
                "selector": names.LIGHT,
                "period_milliseconds": _LIGHT_MONITOR_MILLISECONDS,
                "grace_milliseconds": _LIGHT_GRACE_MILLISECONDS,
            },
        ],
    }
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return file


def names_of(light: Iterable[LightNodes]) -> tuple[str, ...]:
    """Of all of them."""
    return tuple(name for group in light for name in group.names)
