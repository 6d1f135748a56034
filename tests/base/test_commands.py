"""run_tool: quiet when it works, telling when it does not, never without end."""

import sys
import time

import pytest

from devnet.base import MachineLacks
from devnet.base.commands import Pulse, run_tool
from devnet.base.environment import plain_environment
from devnet.base.telling import Passing


def test_hands_over_every_line_and_keeps_the_last() -> None:
    lines: list[str] = []
    script = "import os; [print(n) for n in range(40)]; print(os.environ['WORD'])"
    kept = run_tool(
        "count",
        [sys.executable, "-c", script],
        limit_seconds=30,
        env=plain_environment(WORD="end"),
        line=lines.append,
    )
    assert lines == [*map(str, range(40)), "end"]
    assert kept == lines[-30:]


def test_a_failure_tells_command_code_and_output() -> None:
    with pytest.raises(MachineLacks) as raised:
        run_tool(
            "npm ci",
            [sys.executable, "-c", "print('no such package'); raise SystemExit(7)"],
            limit_seconds=30,
            hint="check the network",
        )
    assert "ended with 7\n  no such package" in str(raised.value)
    assert raised.value.hint == "check the network"


def test_ends_at_its_limit() -> None:
    start = time.monotonic()
    with pytest.raises(MachineLacks, match="not done within 0.2 s"):
        run_tool(
            "forever",
            [sys.executable, "-c", "input() if 0 else __import__('signal').pause()"],
            limit_seconds=0.2,
        )
    assert time.monotonic() - start < 10


def test_a_missing_tool_is_named() -> None:
    with pytest.raises(MachineLacks, match="/no/such/go cannot be started"):
        run_tool("build", ["/no/such/go"], limit_seconds=1)


def test_the_pulse_is_slow() -> None:
    said: list[str] = []
    pulse = Pulse(said.append, every_seconds=3600)
    pulse.beat("one")
    assert said == []
    Pulse(said.append, every_seconds=0).beat("modules: 3")
    assert said == [Passing("modules: 3")]
    assert isinstance(said[0], Passing)
