"""What the compiler made of the contracts: ABIs and code, by contract name; free of Ape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devnet.base.errors import UsageError
from devnet.protocol.deployment import Abi


@dataclass(frozen=True, slots=True)
class Artifact:
    """One contract; `code` creates it, `deployed` is what then lies at its address.

    `deployed` has zeros where immutables are filled in at creation.
    """

    name: str
    abi: Abi = field(repr=False)
    code: bytes = field(repr=False)
    deployed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Artifacts:
    """All contracts of one compilation."""

    contracts: Mapping[str, Artifact]

    def __getitem__(self, name: str) -> Artifact:
        return self.contracts[name]

    def __or__(self, others: Artifacts) -> Artifacts:
        """Both compilations; of two contracts of one name the other's."""
        return Artifacts({**self.contracts, **others.contracts})

    @classmethod
    def load(cls, path: Path) -> Artifacts:
        """Read `save`'s file; raises UsageError when it is none."""
        try:
            document: dict[str, Any] = json.loads(path.read_text())
            return cls(
                {
                    name: Artifact(
                        name,
                        entry["abi"],
                        bytes.fromhex(entry["code"]),
                        bytes.fromhex(entry["deployed"]),
                    )
                    for name, entry in document.items()
                }
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} is no compilation of the contracts: {error!r}") from error

    def save(self, path: Path) -> None:
        document = {
            name: {
                "abi": list(artifact.abi),
                "code": artifact.code.hex(),
                "deployed": artifact.deployed.hex(),
            }
            for name, artifact in sorted(self.contracts.items())
        }
        path.write_text(json.dumps(document) + "\n")
