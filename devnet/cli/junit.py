"""A run's result in the format continuous integration reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

if TYPE_CHECKING:
    from devnet.runs.runner import RunResult


def write_junit(path: Path, results: Sequence[RunResult]) -> None:
    """One suite a scenario, one case a step; written whole or not at all."""
    from devnet.runs.folder import write_atomically

    root = Xml.Element("testsuites")
    for result in results:
        failures = sum(not step.ok for step in result.steps)
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=f"{result.scenario} ({result.cluster})",
            tests=str(len(result.steps)),
            failures=str(failures),
            errors="0",
            time=f"{result.seconds:.3f}",
        )
        for step in result.steps:
            case = Xml.SubElement(
                suite,
                "testcase",
                classname=f"{result.scenario}.{result.cluster}",
                name=f"{step.index} {step.text}",
                time=f"{step.seconds:.3f}",
            )
            if not step.ok:
                failure = Xml.SubElement(case, "failure", message=step.failure, type=step.error)
                failure.text = f"line {step.line}: {step.text}\nbundle: {result.bundle}"
    Xml.indent(root)
    text = Xml.tostring(root, encoding="unicode")
    write_atomically(path, f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n')
