"""What fails the check of findings: anything that is not excused, and excuses of nothing."""

from __future__ import annotations

from pathlib import Path

from analysis.findings import Excuses, Finding, Verdict, place

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

    assert excuses.open(found) == [elsewhere]
    assert excuses.idle(found) == [("slither", "assembly", "Pricing._call")]


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
