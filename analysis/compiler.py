"""The contracts through the compiler's standard JSON, with the settings Ape deploys them with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from devnet.base import MachineLacks, Toolchain
from devnet.base.environment import plain_environment

REMAPPING: Final = "@openzeppelin/contracts=node_modules/@openzeppelin/contracts"
COMPILE_SECONDS: Final = 600.0
SETTINGS: Final = {
    "remappings": [REMAPPING],
    "evmVersion": "cancun",
    "optimizer": {"enabled": True, "runs": 10_000},
}
CODE: Final = ("abi", "evm.bytecode", "evm.deployedBytecode")
LAYOUT: Final = ("storageLayout", "evm.deployedBytecode.object")
Selection = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Message:
    """What the compiler says about a place: `severity` is `warning`, `error` or `info`."""

    severity: str
    code: str
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """The compiler's answer: `sources` by file with the AST, `contracts` by file and name."""

    sources: Mapping[str, Any] = field(repr=False)
    contracts: Mapping[str, Mapping[str, Any]] = field(repr=False)
    messages: tuple[Message, ...]

    @property
    def errors(self) -> list[Message]:
        return [message for message in self.messages if message.severity == "error"]

    def named(self) -> Iterator[tuple[str, str, Any]]:
        """(file, contract, output) of all contracts."""
        for file, found in sorted(self.contracts.items()):
            for name, output in sorted(found.items()):
                yield file, name, output


def own_texts(root: Path) -> dict[str, str]:
    """The text of every contract of a checkout by its path from there.

    Mocks, which only tests deploy, are left out, and so is Ape's hidden copy of the libraries.
    """
    files = ((path, path.relative_to(root)) for path in (root / "contracts").rglob("*.sol"))
    return {
        name.as_posix(): path.read_text()
        for path, name in sorted(files)
        if "mocks" not in name.parts and not any(part.startswith(".") for part in name.parts)
    }


class Compiler:
    """solc over files below `root`, which are named by their path from there."""

    def __init__(self, toolchain: Toolchain | None = None) -> None:
        self._toolchain = toolchain or Toolchain()

    @cached_property
    def root(self) -> Path:
        return self._toolchain.contracts_project()

    @cached_property
    def solc(self) -> Path:
        return self._toolchain.solc()

    def ours(self) -> dict[str, str]:
        """The text of every contract of ours by file."""
        return own_texts(self.root)

    def request(self, sources: Mapping[str, str], select: Selection) -> dict[str, Any]:
        """The compiler's input; `select` is its outputSelection."""
        return {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": {
                **SETTINGS,
                "outputSelection": {
                    file: {name: list(what) for name, what in wanted.items()}
                    for file, wanted in select.items()
                },
            },
        }

    def compile(
        self, sources: Mapping[str, str], select: Selection, *, bare: bool = False
    ) -> Compiled:
        """Errors are in the answer; raises MachineLacks when the compiler itself fails.

        `bare` leaves the hash of the sources out of the code, so that equal code is equal.
        """
        request = self.request(sources, select)
        if bare:
            request["settings"]["metadata"] = {"appendCBOR": False, "bytecodeHash": "none"}
        command = [str(self.solc), "--standard-json", "--base-path", str(self.root)]
        done = subprocess.run(
            command,
            input=json.dumps(request),
            env=plain_environment(),
            capture_output=True,
            text=True,
            timeout=COMPILE_SECONDS,
            check=False,
        )
        try:
            answer = json.loads(done.stdout)
        except ValueError as error:
            raise MachineLacks(
                f"the compiler ended with {done.returncode}: {done.stderr[-500:]}",
                hint="devnet doctor looks at the tools",
            ) from error
        return Compiled(
            answer.get("sources", {}),
            answer.get("contracts", {}),
            tuple(_message(entry) for entry in answer.get("errors", [])),
        )

    def compile_ours(self, *what: str) -> Compiled:
        """All contracts of ours; raises MachineLacks with the compiler's words on an error."""
        sources = self.ours()
        compiled = self.compile(sources, {"*": {"*": what, "": ("ast",)}})
        if compiled.errors:
            raise MachineLacks(
                "\n".join(message.text for message in compiled.errors),
                hint="devnet ape compile shows the same",
            )
        return compiled


def _message(entry: Mapping[str, Any]) -> Message:
    return Message(
        entry["severity"],
        entry.get("errorCode", ""),
        (entry.get("sourceLocation") or {}).get("file", ""),
        entry["formattedMessage"].strip(),
    )
