"""Runs as JUnit XML, which every CI reads: a suite a scenario, a case a step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

from devnet.base.telling import counted
from devnet.record.folder import write_atomically
from devnet.runs.life import CUT_SHORT

if TYPE_CHECKING:
    from devnet.runs.runner import RunResult
    from devnet.runs.session import StepOutcome

# XML 1.0 has no way to write these.
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, results: Sequence[RunResult]) -> Path:
    """Write the whole file or leave what was there; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, junit(results))
    return path


def junit(results: Sequence[RunResult]) -> str:
    """The document. A run that was cut short has one more case, an error, so that it is not green.

    Raises nothing on odd text: what XML cannot hold becomes U+FFFD.
    """
    root = ElementTree.Element("testsuites", {"name": "devnet run"})
    suites = [_suite(result) for result in results]
    root.extend(suites)
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.attrib[total]) for suite in suites)))
    root.set("time", _seconds(sum(result.seconds for result in results)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _suite(result: RunResult) -> ElementTree.Element:
    scenario = _clean(result.scenario)
    suite = ElementTree.Element("testsuite", {"name": scenario})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        ("cluster", result.cluster),
        ("verdict", result.verdict),
        ("last_block.number", str(result.last_block.number)),
        ("last_block.hash", result.last_block.hash),
        ("bundle", str(result.remains.bundle)),
        ("report", str(result.remains.report or "")),
    ):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    suite.extend(_case(scenario, step) for step in result.steps)
    failures = sum(not step.ok for step in result.steps)
    errors = 0
    if result.verdict == CUT_SHORT or (not result.ok and not failures):
        suite.append(_unfinished(scenario, result))
        errors = 1
    suite.set("tests", str(len(result.steps) + errors))
    suite.set("failures", str(failures))
    suite.set("errors", str(errors))
    suite.set("skipped", "0")
    suite.set("time", _seconds(result.seconds))
    return suite


def _case(scenario: str, step: StepOutcome) -> ElementTree.Element:
    attributes = {
        "classname": scenario,
        "name": f"{step.index:02d} {_clean(step.text)}",
        "time": _seconds(step.seconds),
    }
    case = ElementTree.Element("testcase", attributes)
    if step.failure:
        failure = _clean(step.failure)
        node = ElementTree.SubElement(
            case,
            "failure",
            {"message": failure.splitlines()[0], "type": _clean(step.error) or "CheckFailed"},
        )
        node.text = (
            f"line {step.line}: {_clean(step.text)}\n{failure}\n"
            f"blocks {step.first_block} to {step.last_block}"
        )
    if step.did:
        ElementTree.SubElement(case, "system-out").text = _clean(step.did)
    return case


def _unfinished(scenario: str, result: RunResult) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", {"classname": scenario, "name": "the run to its end", "time": "0.000"}
    )
    message = f"{_clean(result.verdict)} after {counted(len(result.steps), 'step')}"
    ElementTree.SubElement(case, "error", {"message": message, "type": "CutShort"}).text = message
    return case


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
