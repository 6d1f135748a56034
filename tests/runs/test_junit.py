from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from devnet.chain import Block
from devnet.runs.junit import junit, write_junit
from devnet.runs.life import Remains
from devnet.runs.runner import RunResult
from devnet.runs.session import StepOutcome


def step(index: int, *, text: str = "stake: {worker: all}", failure: str = "") -> StepOutcome:
    return StepOutcome(
        index=index,
        line=8 + index,
        verb="stake",
        text=text,
        did="" if failure else "4 workers staked",
        failure=failure,
        error="NotActive" if failure else "",
        milliseconds=500,
        first_block=3,
        last_block=4,
    )


def result(*steps: StepOutcome, verdict: str = "passed", scenario: str = "full loop") -> RunResult:
    return RunResult(
        verdict=verdict,
        cluster="sim",
        scenario=scenario,
        steps=steps,
        last_block=Block(9, 6_480, "0x" + "ab" * 32),
        remains=Remains(Path("runs/x.kompute.zip"), Path("runs/x/report.html")),
        seconds=1.25,
    )


def test_a_suite_a_scenario_and_a_case_a_step(tmp_path: Path) -> None:
    failed = result(
        step(1),
        step(2, text="publish: {}", failure="NotActive: worker-2\nhas exited"),
        verdict="failed",
        scenario="restake",
    )
    path = write_junit(tmp_path / "deep" / "junit.xml", [result(step(1), step(2)), failed])
    root = ElementTree.parse(path).getroot()  # noqa: S314 (our own file)
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "0")
    assert root.get("time") == "2.500"
    first, second = root.findall("testsuite")
    assert [case.get("name") for case in first.findall("testcase")] == [
        "01 stake: {worker: all}",
        "02 stake: {worker: all}",
    ]
    assert (first.get("name"), first.get("tests"), first.get("failures")) == ("full loop", "2", "0")
    assert first.findtext("testcase/system-out") == "4 workers staked"
    assert {p.get("name"): p.get("value") for p in first.iter("property")} == {
        "cluster": "sim",
        "verdict": "passed",
        "last_block.number": "9",
        "last_block.hash": "0x" + "ab" * 32,
        "bundle": "runs/x.kompute.zip",
        "report": "runs/x/report.html",
    }
    assert (second.get("name"), second.get("failures")) == ("restake", "1")
    failure = second.find("testcase/failure")
    assert failure is not None
    assert (failure.get("message"), failure.get("type")) == ("NotActive: worker-2", "NotActive")
    assert failure.text == ("line 10: publish: {}\nNotActive: worker-2\nhas exited\nblocks 3 to 4")
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["junit.xml"]


def test_a_run_cut_short_is_not_green() -> None:
    root = ElementTree.fromstring(junit([result(step(1), verdict="cut short")]))  # noqa: S314
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "0", "1")
    error = root.find("testsuite/testcase/error")
    assert error is not None
    assert error.get("message") == "cut short after 1 step"


def test_nothing_was_run() -> None:
    root = ElementTree.fromstring(junit([]))  # noqa: S314
    assert (root.get("tests"), list(root)) == ("0", [])


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=()), min_size=1))
def test_any_text_gives_xml(text: str) -> None:
    document = junit([result(step(1, text=text, failure=text), verdict="failed", scenario=text)])
    root = ElementTree.fromstring(document.encode())  # noqa: S314
    assert root.get("failures") == "1"
