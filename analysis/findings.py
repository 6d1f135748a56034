"""`python -m analysis.findings`: the compiler's warnings and slither over the contracts.

Everything either says must be mended or excused in `excuses.yaml`, where every entry must still
match something. Exit 1 otherwise.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from analysis.compiler import CODE, Compiled, Compiler

EXCUSES: Final = Path(__file__).with_name("excuses.yaml")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`check` is slither's detector or the compiler's number; `at` the function or the file."""

    tool: str
    check: str
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Excuses:
    """What stands, with its reason: whole detectors, and (tool, check, at)."""

    detectors: Mapping[str, str]
    places: Mapping[tuple[str, str, str], str]

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
            if (finding.tool, finding.check, finding.at) not in self.places
        )

    def idle(self, findings: Iterable[Finding]) -> list[tuple[str, str, str]]:
        """Those that excuse nothing any more."""
        seen = {(finding.tool, finding.check, finding.at) for finding in findings}
        return sorted(key for key in self.places if key not in seen)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`open` findings and `idle` excuses fail; `excused` were seen and stand."""

    contracts: int
    detectors: int
    open: tuple[Finding, ...]
    idle: tuple[tuple[str, str, str], ...]
    excused: int

    @property
    def clean(self) -> bool:
        return not self.open and not self.idle

    def lines(self) -> Iterator[str]:
        """What fails, then the verdict."""
        for finding in self.open:
            yield f"{finding.tool} {finding.check} at {finding.at}: {finding.text}"
        for tool, check, at in self.idle:
            yield f"excuses.yaml: {tool} says nothing of {check} at {at} any more"
        verdict = "clean" if self.clean else f"{len(self.open)} findings"
        yield (
            f"slither: {verdict}, {self.contracts} contracts, {self.detectors} detectors, "
            f"{self.excused} places excused; compiler warnings: "
            f"{sum(finding.tool == 'solc' for finding in self.open)}"
        )


def inspected(compiler: Compiler, excuses: Excuses) -> Verdict:
    """Compiles once and asks both tools (some 15 s)."""
    compiled = compiler.compile_ours(*CODE, "devdoc", "userdoc")
    contracts, detectors, found = _slither(compiler, compiled, excuses.detectors)
    everything = [*found, *warnings(compiled)]
    left = excuses.open(everything)
    return Verdict(
        contracts,
        detectors,
        tuple(left),
        tuple(excuses.idle(everything)),
        len({(f.tool, f.check, f.at) for f in everything}) - len(left),
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


def _slither(
    compiler: Compiler, compiled: Compiled, left_out: Mapping[str, str]
) -> tuple[int, int, list[Finding]]:
    """Contracts seen, detectors run, what they found outside of the libraries."""
    # Slow to import, and only this command needs it.
    from crytic_compile import CryticCompile
    from crytic_compile.platform import solc_standard_json as platform
    from slither import Slither
    from slither.detectors import all_detectors
    from slither.detectors.abstract_detector import AbstractDetector

    # It cannot read the transient guard's slot, and says so for every contract.
    logging.disable(logging.ERROR)
    before = Path.cwd()
    os.chdir(compiler.root)  # slither names files from here
    try:
        target = platform.SolcStandardJson(
            compiler.request(compiler.ours(), {"*": {"*": (*CODE, "devdoc"), "": ("ast",)}})
        )
        slither = Slither(
            CryticCompile(target, solc=str(compiler.solc), solc_working_dir=str(compiler.root)),
            filter_paths=["node_modules"],
        )
        known: list[Any] = [kind for _, kind in inspect.getmembers(all_detectors, inspect.isclass)]
        chosen = [
            kind
            for kind in known
            if issubclass(kind, AbstractDetector)
            and kind is not AbstractDetector
            and kind.ARGUMENT not in left_out
        ]
        for detector in chosen:
            slither.register_detector(detector)
        results = [one for many in slither.run_detectors() for one in many]
    finally:
        os.chdir(before)
        logging.disable(logging.NOTSET)
    found = [
        Finding(
            "slither", one["check"], place(one["elements"]), " ".join(one["description"].split())
        )
        for one in results
    ]
    ours = compiler.ours()
    seen = sum(c.source_mapping.filename.relative in ours for c in slither.contracts)
    return seen, len(chosen), found


def main() -> None:
    verdict = inspected(Compiler(), Excuses.load())
    print("\n".join(verdict.lines()))
    sys.exit(0 if verdict.clean else 1)


if __name__ == "__main__":
    main()
