"""`python -m analysis.findings`: the compiler's warnings and slither over the contracts.

Everything either says must be mended or excused in `excuses.yaml`, and so must a function of ours
that slither cannot read; every excuse must still match something. Exit 1 otherwise.
"""

from __future__ import annotations

import inspect
import logging
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from analysis.compiler import CODE, Compiled, Compiler

EXCUSES: Final = Path(__file__).with_name("excuses.yaml")
ANYWHERE: Final = "any place"
Key = tuple[str, str, str]
UNREAD: Final = re.compile(r"Impossible to generate IR for (\S+)")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`check` is slither's detector or the compiler's number; `at` the function or the file."""

    tool: str
    check: str
    at: str
    text: str

    @property
    def key(self) -> Key:
        return self.tool, self.check, self.at


@dataclass(frozen=True, slots=True)
class Excuses:
    """What stands, with its reason: whole detectors, and (tool, check, at)."""

    detectors: Mapping[str, str]
    places: Mapping[Key, str]

    @classmethod
    def load(cls, path: Path = EXCUSES) -> Excuses:
        document = yaml.safe_load(path.read_text())
        return cls(
            document["detectors"],
            {
                **{("solc", w["code"], w["file"]): w["because"] for w in document["warnings"]},
                **{("slither", f["check"], f["at"]): f["because"] for f in document["findings"]},
            },
        )

    def open(self, findings: Iterable[Finding]) -> list[Finding]:
        """Those that nothing excuses."""
        return sorted(
            finding
            for finding in findings
            if finding.key not in self.places
            and not (finding.tool == "slither" and finding.check in self.detectors)
        )

    def idle(self, findings: Iterable[Finding]) -> list[Key]:
        """Those that excuse nothing any more; a whole detector is at ANYWHERE."""
        seen = {finding.key for finding in findings}
        found = {check for tool, check, _ in seen if tool == "slither"}
        return sorted(
            [
                *(key for key in self.places if key not in seen),
                *(("slither", name, ANYWHERE) for name in self.detectors if name not in found),
            ]
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """`open` findings and `idle` excuses fail, and so does nothing read; `excused` stand."""

    contracts: int
    detectors: int
    open: tuple[Finding, ...]
    idle: tuple[Key, ...]
    excused: int

    @property
    def clean(self) -> bool:
        return not self.open and not self.idle and self.contracts > 0 and self.detectors > 0

    def lines(self) -> Iterator[str]:
        """What fails, then the verdict."""
        for finding in self.open:
            yield f"{finding.tool} {finding.check} at {finding.at}: {finding.text}"
        for tool, check, at in self.idle:
            yield f"excuses.yaml: {tool} says nothing of {check} at {at} any more"
        verdict = "clean" if self.clean else f"{len(self.open)} findings"
        if not self.contracts or not self.detectors:
            verdict = "nothing read"
        yield (
            f"slither: {verdict}, {self.contracts} contracts, {self.detectors} detectors, "
            f"{self.excused} places excused; compiler warnings: "
            f"{sum(finding.tool == 'solc' for finding in self.open)}"
        )


def inspected(compiler: Compiler, excuses: Excuses) -> Verdict:
    """Compiles once and asks both tools (some 15 s)."""
    compiled = compiler.compile_ours(*CODE, "devdoc", "userdoc")
    contracts, detectors, found = _slither(compiler)
    everything = [*found, *warnings(compiled)]
    left = excuses.open(everything)
    return Verdict(
        contracts,
        detectors,
        tuple(left),
        tuple(excuses.idle(everything)),
        len({finding.key for finding in everything} - {finding.key for finding in left}),
    )


def warnings(compiled: Compiled) -> Iterator[Finding]:
    """All that the compiler remarks."""
    for message in compiled.messages:
        yield Finding("solc", message.code, message.file, message.text)


def place(elements: list[Mapping[str, Any]]) -> str:
    """`Contract.function.variable` of the first element of slither's finding."""
    names: list[str] = []
    element: Mapping[str, Any] | None = elements[0] if elements else None
    while element is not None and element["type"] != "file":
        if element["type"] != "node":  # a node's name is its source text
            names.append(element["name"])
        element = element.get("type_specific_fields", {}).get("parent")
    return ".".join(reversed(names))


def of_ours(results: Iterable[Mapping[str, Any]], ours: Collection[str]) -> Iterator[Finding]:
    """Those of slither's results that touch one of these files, whatever else they touch."""
    for one in results:
        files = {element["source_mapping"]["filename_relative"] for element in one["elements"]}
        if not files or not files.isdisjoint(ours):
            text = " ".join(one["description"].split())
            yield Finding("slither", one["check"], place(one["elements"]), text)


def unread(messages: Iterable[str], ours: Collection[str]) -> Iterator[Finding]:
    """Errors that slither only logs: a function it could not read has no findings."""
    for message in messages:
        if any(f"({file}#" in message for file in ours):
            named = UNREAD.search(message)
            at = named.group(1) if named else ""
            yield Finding("slither", "unread", at, " ".join(message.split()))


class _Said(logging.Handler):
    """Keeps what is logged as an error, instead of showing it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _slither(compiler: Compiler) -> tuple[int, int, list[Finding]]:
    """Contracts of ours seen, detectors run, what they found in them."""
    # Slow to import, and only this command needs it.
    from crytic_compile import CryticCompile
    from crytic_compile.platform import solc_standard_json as platform
    from slither import Slither
    from slither.detectors import all_detectors
    from slither.detectors.abstract_detector import AbstractDetector

    ours, said, root = compiler.ours(), _Said(), logging.getLogger()
    before = Path.cwd()
    os.chdir(compiler.root)  # slither names files from here
    shown, root.handlers = root.handlers, [said]
    try:
        target = platform.SolcStandardJson(
            compiler.request(ours, {"*": {"*": (*CODE, "devdoc"), "": ("ast",)}})
        )
        slither = Slither(
            CryticCompile(target, solc=str(compiler.solc), solc_working_dir=str(compiler.root))
        )
        known: list[Any] = [kind for _, kind in inspect.getmembers(all_detectors, inspect.isclass)]
        detectors = [
            kind
            for kind in known
            if issubclass(kind, AbstractDetector) and kind is not AbstractDetector
        ]
        for detector in detectors:
            slither.register_detector(detector)
        results = [one for many in slither.run_detectors() for one in many]
    finally:
        root.handlers = shown
        os.chdir(before)
    seen = sum(c.source_mapping.filename.relative in ours for c in slither.contracts)
    return seen, len(detectors), [*of_ours(results, ours), *unread(said.messages, ours)]


def main() -> None:
    verdict = inspected(Compiler(), Excuses.load())
    print("\n".join(verdict.lines()))
    sys.exit(0 if verdict.clean else 1)


if __name__ == "__main__":
    main()
