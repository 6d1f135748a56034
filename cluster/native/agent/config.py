"""The agent's one configuration file."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

from cluster.errors import ClusterStartFailed
from cluster.interface import Capacity


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """As written by the provider; paths are absolute, `apiserver` is an https URL."""

    devnet_id: str
    node: str
    profile: str
    region: str
    zone: str
    capacity: Capacity
    apiserver: str
    ca_file: Path
    client_cert_file: Path
    client_key_file: Path
    serving_cert_file: Path
    serving_key_file: Path
    kubelet_client_ca_file: Path
    kubelet_port: int
    state_dir: Path
    lease_seconds: int = 2
    renew_seconds: float = 0.5

    @classmethod
    def read(cls, path: Path) -> AgentConfig:
        """Raises `ClusterStartFailed` with the path and what is wrong with the file."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            document["capacity"] = Capacity(**document["capacity"])
            for field in fields(cls):
                if field.type == "Path":
                    document[field.name] = Path(document[field.name])
            return cls(**document)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ClusterStartFailed(f"agent configuration {path}: {error!r}") from error
