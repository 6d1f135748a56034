"""The machine's fixtures; at the end of the run its tally."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from devnet.base.toolchain import Toolchain
from devnet.deploy import compile_contracts
from devnet.protocol.artifacts import Artifacts
from properties.tally import Tally
from properties.twins import Twins, in_process

_TALLY = Tally()


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    """As Ape compiles them."""
    toolchain = Toolchain()
    return compile_contracts(toolchain, toolchain.say)


@pytest.fixture
def twins(artifacts: Artifacts) -> Twins:
    """Contracts and model, nothing done yet."""
    return in_process(artifacts)


@pytest.fixture(scope="session")
def tally() -> Tally:
    """Of all machines of this run."""
    return _TALLY


@pytest.fixture
def deep(request: pytest.FixtureRequest) -> None:
    """Only with `--deep`."""
    if not request.config.getoption("--deep"):
        pytest.skip("takes an hour: --deep")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With `-n`, what this process counted goes to the one that prints it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tally"] = _TALLY.dumped()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """xdist's: a process has ended; one that crashed has counted nothing."""
    _TALLY.add(getattr(node, "workeroutput", {}).get("tally") or Tally().dumped())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What became of the steps."""
    if _TALLY.steps:
        terminalreporter.section("contracts and model")
        for line in _TALLY.lines():
            terminalreporter.write_line(line)
