"""Every sentence a person can see fits 80 columns: all helps, what commands print, every failure.

A path or a hash may be longer and stands alone on its line then. What programs read (`--json`,
`env`, `config`, `abi`, logs, completion scripts) is as it is.
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import termios
import threading
from pathlib import Path

import click
import pytest

from devnet.cli.ape import cli
from devnet.cli.catalogue import ENTRIES
from devnet.cli.verbs import described
from tests.cli.conftest import COMMAND, RUN_SECONDS, Ended, Shell, Up, environment, python

HELPS = """
import json
from click.testing import CliRunner
from devnet.cli.ape import cli
from devnet.cli.catalogue import ENTRIES
names = [name for name in ENTRIES if name not in ("kubectl", "ape")]
words = [[], ["--help"], *([name, "--help"] for name in names)]
print(json.dumps([CliRunner().invoke(cli, each).output for each in words]))
"""
FAULTY = """\
version: 1
name: a network whose name is too long for anything, and which has a key that nobody knows
unknown_key: 1
chain: {block_seconds: many}
workers: [{name: worker-1, profile: an-unknown-profile-of-a-machine}]
"""
FAILING = """\
version: 1
name: a scenario that fails in its last step
network: {network}
steps:
  - stake: {{worker: all}}
  - expect: {{worker: worker-1, stake: 1 KOMP, slashed: 3 KOMP, claimable: 4 KOMP, v: '5'}}
"""


def too_wide(text: str) -> list[str]:
    return [line for line in text.splitlines() if len(line) > 80 and len(line.split()) > 1]


def test_every_help_fits() -> None:
    done = python(HELPS, COLUMNS="")
    assert done.code == 0, done.err
    helps = json.loads(done.out)
    assert len(helps) == len(ENTRIES)  # kubectl and ape have their own; "" and --help
    assert all(helps)
    assert [line for text in helps for line in too_wide(text)] == []


def test_every_option_says_what_it_is_for() -> None:
    context = click.Context(cli, info_name="devnet")
    commands = [
        described(entry.verb) if entry.verb else cli.get_command(context, entry.name)
        for entry in ENTRIES.values()
    ]
    silent = [
        f"{command.name} {option.opts[0]}"
        for command in commands
        if command is not None
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert len(commands) == len(ENTRIES)
    assert silent == []


class Fitting:
    """Runs commands as they are piped; each must end as said and fit."""

    def __init__(self, devnet: Shell) -> None:
        self._devnet = devnet

    def __call__(self, code: int, *words: str | Path, **env: str) -> Ended:
        ended = self._devnet(*words, COLUMNS="", **env)
        assert ended.code == code, (words, ended.out, ended.err)
        assert too_wide(ended.out + ended.err) == []
        return ended


@pytest.fixture
def fitting(devnet: Shell) -> Fitting:
    return Fitting(devnet)


def test_what_a_running_devnet_prints_fits(devnet: Shell, up: Up, fitting: Fitting) -> None:
    up("small", "--block-time", "0.1")
    fitting(0, "stake", "all")
    fitting(0, "order", "alice", "web", "--replicas", "2", "--deposit", "20 KOMP")
    for words in ("status", "accounts --keys", "contracts", "logs", "gc", "claim worker-1"):
        fitting(0 if words != "claim worker-1" else 1, *words.split())
    fitting(2, "up", "small")
    fitting(2, "order", "nobody", "nothing", "--replicas", "x")
    fitting(2, "abi", "Stakin")
    fitting(0, "down")
    fitting(0, "down")
    fitting(2, "status")
    fitting(0, "replay")
    fitting(0, "report")
    fitting(0, "gc")


def test_what_a_run_and_its_failures_print_fits(devnet: Shell, fitting: Fitting) -> None:
    network = devnet.folder / "faulty.yaml"
    network.write_text(FAULTY)
    fitting(2, "up", network)
    fitting(2, "config", "tiny", "--set", "cycle.blocks=3", "--set", "nobody.knows.this[3]=2")
    tiny = Path(__file__).resolve().parents[2] / "e2e/networks/tiny.yaml"
    scenario = devnet.folder / "failing.yaml"
    scenario.write_text(FAILING.format(network=tiny))
    failed = fitting(1, "run", scenario, "--cluster", "sim")
    assert "FAIL  expect" in failed.err
    (bundle,) = devnet.folder.glob(".devnet/run/runs/*.kompute.zip")
    manifest = bundle.read_bytes()
    bundle.write_bytes(manifest[: len(manifest) // 2])
    fitting(2, "replay", bundle)
    cache = devnet.folder / "file"
    cache.write_text("no folder")
    fitting(3, "doctor", "--install", KOMPUTE_CACHE=str(cache / "below"))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "doctor"),
        (0, "profiles"),
        (2, "profiles measure --cluster sim"),
        (0, "version"),
        (0, "gc"),
        (2, "dotor"),
        (2, "run"),
        (2, "run nowhere"),
        (2, "up --block-time nan"),
        (2, "up --cluster nativ"),
        (2, "up --name Capital"),
        (2, "load --time 0s --users 100000"),
        (2, "replay nowhere.zip"),
        (2, "order --expect-eror X"),
        (2, "down --name nobody-has-ever-named-a-devnet-like-this"),
        (2, "fault worker-1 --devnet nobody"),
        (2, "economics nowhere"),
    ],
)
def test_what_needs_no_devnet_fits(fitting: Fitting, code: int, words: str) -> None:
    fitting(code, *words.split())


def test_progress_is_one_line_that_is_written_over(devnet: Shell, up: Up) -> None:
    up("tiny", "--block-time", "5")
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 30))
    with subprocess.Popen(
        [*COMMAND, "stake", "all"],
        cwd=devnet.folder,
        env=environment(COLUMNS="", TERM="xterm", NO_COLOR="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
    ) as process:
        os.close(terminal)
        shown: list[bytes] = []
        reader = threading.Thread(target=_read, args=(controller, shown))
        reader.start()
        out, _ = process.communicate(timeout=RUN_SECONDS)
        reader.join()
    os.close(controller)
    assert process.returncode == 0
    seen = b"".join(shown).decode()
    assert re.match(r"\r\d s: stake, block \d\x1b\[K\r", seen)
    assert "\n" not in seen and seen.endswith("\r\x1b[K")
    assert out.startswith("stake: 500 KOMP each: worker-1 (block")
    piped = devnet("publish", "all")
    assert (piped.code, piped.err) == (0, "")


def _read(controller: int, shown: list[bytes]) -> None:
    while True:
        try:
            data = os.read(controller, 4096)
        except OSError:  # the other end is closed
            return
        if not data:
            return
        shown.append(data)
