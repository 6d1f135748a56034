"""What fails the check of findings: anything that is not excused, and excuses of nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.findings import ANYWHERE, Excuses, Finding, Verdict, of_ours, place, unread

GUARD = ("solc", "2394", "library/Slot.sol")
FILE = """
detectors: {timestamp: seconds are fine}
warnings: [{code: "2394", file: library/Slot.sol, because: it is cleared}]
findings: [{check: assembly, at: Pricing._call, because: feeds may answer anything}]
"""


def test_every_excuse_of_the_file_has_a_reason() -> None:
    excuses = Excuses.load()
    reasons = [*excuses.detectors.values(), *excuses.places.values()]
    assert [reason for reason in reasons if len(reason) < 20] == []


def test_a_finding_without_excuse_and_an_excuse_without_finding(tmp_path: Path) -> None:
    (tmp_path / "excuses.yaml").write_text(FILE)
    excuses = Excuses.load(tmp_path / "excuses.yaml")
    elsewhere = Finding("slither", "assembly", "Market._call", "uses assembly")
    found = [Finding(*GUARD, "transient storage"), elsewhere]
    timed = Finding("slither", "timestamp", "Market.settle", "compares")

    assert excuses.open([*found, timed]) == [elsewhere]
    assert excuses.idle([*found, timed]) == [("slither", "assembly", "Pricing._call")]
    # A whole detector excuses something, too.
    assert excuses.idle(found) == [
        ("slither", "assembly", "Pricing._call"),
        ("slither", "timestamp", ANYWHERE),
    ]


def test_the_verdict_names_what_is_open_and_counts_the_rest() -> None:
    open_ = Finding("solc", "2072", "contracts/A.sol", "Warning: unused variable")
    dirty = Verdict(17, 101, (open_,), (("slither", "assembly", "B.c"),), 3)

    assert not dirty.clean
    assert list(dirty.lines()) == [
        "solc 2072 at contracts/A.sol: Warning: unused variable",
        "excuses.yaml: slither says nothing of assembly at B.c any more",
        "slither: 1 findings, 17 contracts, 101 detectors, 3 places excused; compiler warnings: 1",
    ]
    assert Verdict(17, 101, (), (), 3).clean


@pytest.mark.parametrize(("contracts", "detectors"), [(0, 101), (17, 0)])
def test_a_verdict_over_nothing_is_not_clean(contracts: int, detectors: int) -> None:
    verdict = Verdict(contracts, detectors, (), (), 0)

    assert not verdict.clean
    assert next(verdict.lines()).startswith("slither: nothing read, ")


def test_a_place_is_the_innermost_name_with_those_around_it() -> None:
    contract = {"type": "contract", "name": "Gatekeepers", "type_specific_fields": {}}
    function = {
        "type": "function",
        "name": "check",
        "type_specific_fields": {"parent": contract},
    }
    node = {"type": "node", "name": "x = 1", "type_specific_fields": {"parent": function}}

    assert place([function]) == "Gatekeepers.check"
    assert place([node, contract]) == "Gatekeepers.check"
    assert place([]) == ""


def result(check: str, *files: str) -> dict[str, Any]:
    """What slither's JSON says of a function in each of these files."""
    elements = [
        {
            "type": "function",
            "name": f"f{number}",
            "source_mapping": {"filename_relative": file},
            "type_specific_fields": {},
        }
        for number, file in enumerate(files)
    ]
    return {"check": check, "description": f"of\n{check}", "elements": elements}


def test_a_finding_in_ours_counts_whatever_else_it_touches() -> None:
    library = "node_modules/@openzeppelin/contracts/A.sol"
    results = [
        result("both", library, "contracts/A.sol"),
        result("library", library),
        result("ours", "contracts/A.sol"),
        result("all"),
    ]

    assert list(of_ours(results, {"contracts/A.sol"})) == [
        Finding("slither", "both", "f0", "of both"),
        Finding("slither", "ours", "f0", "of ours"),
        Finding("slither", "all", "", "of all"),
    ]


def test_a_function_of_ours_that_cannot_be_read_is_a_finding() -> None:
    said = "Impossible to generate IR for {} ({}#61-67):\n no attribute"
    messages = [
        said.format("A.f", "contracts/A.sol"),
        said.format("A.guard", "node_modules/@openzeppelin/contracts/A.sol"),
        "Failed (contracts/A.sol#1)",
    ]

    assert list(unread(messages, {"contracts/A.sol"})) == [
        Finding(
            "slither",
            "unread",
            "A.f",
            "Impossible to generate IR for A.f (contracts/A.sol#61-67): no attribute",
        ),
        Finding("slither", "unread", "", "Failed (contracts/A.sol#1)"),
    ]
