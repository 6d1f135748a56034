"""`python -m analysis.storage [FILE]`: writes every contract's size and storage layout.

The published page shows a change in review; a test holds it equal to this and every contract
under the limit of a main network.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis.compiler import LAYOUT, Compiler

DEFAULT_FILE: Final = Path(__file__).parents[1] / "docs" / "reference" / "storage.md"
# EIP-170.
SIZE_LIMIT: Final = 24_576
HEAD: Final = """\
# Storage and sizes of the contracts

The code that lies on chain, in bytes (a main network takes 24 576), and every variable with its
slot, offset and size; structures follow their contract, with slots counted from their own start.
Immutables are in the code. This page is written by `python -m analysis.storage`.
"""


@dataclass(frozen=True, slots=True)
class Variable:
    """Bytes [offset, offset + size) of a slot; a structure's slots count from its start."""

    name: str
    kind: str
    slot: int
    offset: int
    size: int

    def line(self) -> str:
        return f"| {self.slot} | {self.offset} | {self.size} | `{self.kind}` | `{self.name}` |"


@dataclass(frozen=True, slots=True)
class Layout:
    """One contract: deployed bytes, its variables, and those of the structures they hold."""

    name: str
    size: int
    variables: tuple[Variable, ...]
    structs: Mapping[str, tuple[Variable, ...]]

    def lines(self) -> Iterator[str]:
        yield f"\n## {self.name}\n"
        if not self.variables:
            yield "Nothing is stored."
            return
        yield from _table(self.variables)
        for name, members in self.structs.items():
            slots = max(member.slot for member in members) + 1
            yield f"\n`{name}`, {slots} {'slot' if slots == 1 else 'slots'}:\n"
            yield from _table(members)


def layouts(compiler: Compiler) -> list[Layout]:
    """Of every contract that is deployed, by name; a library's functions lie in their callers."""
    compiled = compiler.compile_ours(*LAYOUT)
    found = [
        Layout(
            name,
            len(output["evm"]["deployedBytecode"]["object"]) // 2,
            _variables(output["storageLayout"]["storage"], output["storageLayout"]["types"]),
            dict(_structs(output["storageLayout"]["types"])),
        )
        for file, name, output in compiled.named()
        if file.startswith("contracts/")
        and output["evm"]["deployedBytecode"]["object"]
        and output["storageLayout"]["types"] is not None
    ]
    return sorted(found, key=lambda layout: layout.name)


def page(found: list[Layout]) -> str:
    """The published page."""
    sizes = ["\n| contract | bytes |", "|---|---|"]
    sizes += [f"| {layout.name} | {layout.size:,} |".replace(",", " ") for layout in found]
    lines = [line for layout in found for line in layout.lines()]
    return "\n".join([HEAD.rstrip(), *sizes, *lines]) + "\n"


def _table(variables: tuple[Variable, ...]) -> Iterator[str]:
    yield "| slot | offset | bytes | type | name |"
    yield "|---|---|---|---|---|"
    yield from (variable.line() for variable in variables)


def _variables(entries: Any, types: Mapping[str, Any]) -> tuple[Variable, ...]:
    return tuple(
        Variable(
            entry["label"],
            types[entry["type"]]["label"],
            int(entry["slot"]),
            entry["offset"],
            int(types[entry["type"]]["numberOfBytes"]),
        )
        for entry in entries
    )


def _structs(types: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Variable, ...]]]:
    """By name; the types' own names hold numbers of the compiler's, which any change moves."""
    for kind in sorted(types.values(), key=lambda kind: kind["label"]):
        if "members" in kind:
            name = re.sub(r"^struct ", "", kind["label"])
            yield name, _variables(kind["members"], types)


def main(arguments: list[str]) -> None:
    file = Path(arguments[0]) if arguments else DEFAULT_FILE
    file.write_text(page(layouts(Compiler())), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
