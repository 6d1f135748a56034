"""Many mutants through the compiler at once: what they share is read once."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from analysis.compiler import CODE, Compiled, Compiler
from analysis.mutation.mutants import Mutant, enums_of, mutants_of
from devnet.protocol.artifacts import Artifact

IMPORT: Final = re.compile(r'(import\s[^;]*?from\s+")(\.[^"]+)(";)')
BATCH: Final = 8


@dataclass(frozen=True, slots=True)
class Built:
    """A mutant that compiles, and the contracts whose code it changes, by name."""

    mutant: Mutant
    contracts: Mapping[str, Artifact]


@dataclass(frozen=True)
class Sources:
    """The contracts as they are, and what each file of them is made of."""

    compiler: Compiler
    texts: Mapping[str, str]

    @classmethod
    def of(cls, compiler: Compiler) -> Sources:
        return cls(compiler, compiler.ours())

    @cached_property
    def trees(self) -> Mapping[str, Any]:
        """The syntax tree of every file of ours."""
        compiled = self.compiler.compile(self.texts, {"*": {"": ("ast",)}})
        return {file: compiled.sources[file]["ast"] for file in self.texts}

    def mutants(self) -> list[Mutant]:
        """All there are, file by file."""
        enums = enums_of(list(self.trees.values()))
        return [
            mutant
            for file, text in self.texts.items()
            for mutant in mutants_of(file, text, self.trees[file], enums)
        ]

    def dependants(self, file: str) -> set[str]:
        """The files that change with it: itself and whoever imports it."""
        reached = {file}
        while True:
            more = {
                other
                for other, text in self.texts.items()
                if other not in reached and reached & set(_imports(other, text))
            }
            if not more:
                return reached
            reached |= more

    def build(self, mutants: Sequence[Mutant]) -> list[Built]:
        """Those that compile, with their code; a few of one file at a time."""
        left = dict(enumerate(mutants))
        while left:
            compiled = self._compile(left)
            broken = {_number(message.file) for message in compiled.errors} & set(left)
            if not broken:
                assert not compiled.errors, compiled.errors
                return [
                    Built(mutant, self._changed(number, mutant, compiled))
                    for number, mutant in left.items()
                ]
            left = {number: one for number, one in left.items() if number not in broken}
        return []

    def _compile(self, mutants: Mapping[int, Mutant]) -> Compiled:
        sources = {}
        for number, mutant in mutants.items():
            moved = self.dependants(mutant.file)
            for file in moved:
                text = self.texts[file]
                changed = mutant.applied(text) if file == mutant.file else text
                sources[f"mutant-{number}/{file}"] = _rooted(file, changed, moved, number)
        unchanged = {file for mutant in mutants.values() for file in self.dependants(mutant.file)}
        wanted = [*sources, *unchanged]
        for file in self._reached(unchanged):
            sources[file] = self.texts[file]
        return self.compiler.compile(sources, {file: {"*": CODE} for file in wanted}, bare=True)

    def _reached(self, files: set[str]) -> set[str]:
        """These files of ours and all that they import."""
        reached: set[str] = set()
        waiting = [file for file in files if file in self.texts]
        while waiting:
            file = waiting.pop()
            if file not in reached:
                reached.add(file)
                found = _imports(file, self.texts[file])
                waiting += [other for other in found if other in self.texts]
        return reached

    def _changed(self, number: int, mutant: Mutant, compiled: Compiled) -> dict[str, Artifact]:
        changed = {}
        for file in sorted(self.dependants(mutant.file)):
            for name, output in compiled.contracts.get(f"mutant-{number}/{file}", {}).items():
                artifact = _artifact(name, output)
                if artifact.code != _artifact(name, compiled.contracts[file][name]).code:
                    changed[name] = artifact
        return changed


def batches(mutants: Iterable[Mutant]) -> list[list[Mutant]]:
    """Of one file each, as many as compile well together."""
    by_file: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_file.setdefault(mutant.file, []).append(mutant)
    return [
        many[start : start + BATCH]
        for many in by_file.values()
        for start in range(0, len(many), BATCH)
    ]


def _imports(file: str, text: str) -> list[str]:
    return [_resolved(file, match.group(2)) for match in IMPORT.finditer(text)]


def _resolved(file: str, relative: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), relative))


def _rooted(file: str, text: str, moved: set[str], number: int) -> str:
    """Its relative imports made absolute; those that move with it lead to their copies."""

    def absolute(match: re.Match[str]) -> str:
        target = _resolved(file, match.group(2))
        prefix = f"mutant-{number}/" if target in moved else ""
        return f"{match.group(1)}{prefix}{target}{match.group(3)}"

    return IMPORT.sub(absolute, text)


def _number(file: str) -> int:
    match = re.match(r"mutant-(\d+)/", file)
    return int(match.group(1)) if match else -1


def _artifact(name: str, output: Mapping[str, Any]) -> Artifact:
    code, deployed = (
        output["evm"]["bytecode"]["object"],
        output["evm"]["deployedBytecode"]["object"],
    )
    return Artifact(name, output["abi"], bytes.fromhex(code), bytes.fromhex(deployed))
