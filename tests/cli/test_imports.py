"""What a command imports before it does anything: a step's process lives for its imports alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import RUN_SECONDS, Shell, environment

# Of each a tenth of a second or a part of one.
HEAVY = (
    *("aiohttp", "asyncio", "coincurve", "eth_abi", "eth_utils", "httpx", "jinja2", "kubernetes"),
    *("psutil", "pydantic", "yaml", "devnet.actors", "devnet.chain", "devnet.protocol"),
    *("devnet.runs", "devnet.spec.registry"),
)
LIGHT = (
    ["status"],
    ["stake", "worker-1"],
    ["add-reward", "1 KOMP"],
    ["advance", "--blocks", "1", "--json"],
    ["logs"],
)


def heavy_after(folder: Path, words: list[str]) -> list[str]:
    """What of HEAVY the command has imported; it must have ended well."""
    script = (
        "import atexit, json, sys\n"
        f"found = lambda: [name for name in {HEAVY!r} if name in sys.modules]\n"
        "atexit.register(lambda: print('heavy', json.dumps(found()), file=sys.stderr))\n"
        f"sys.argv = ['devnet', *{words!r}]\n"
        "from devnet.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, last = done.stderr.splitlines()
    found: list[str] = json.loads(last.removeprefix("heavy "))
    return found


def test_light_commands_import_what_sends_a_request(devnet: Shell) -> None:
    up = ["up", "tiny", "--cluster", "sim", "--block-time", "0.05"]
    try:
        seen = {words[0]: heavy_after(devnet.folder, words) for words in (up, *LIGHT)}
    finally:
        devnet("down")
    assert seen == {words[0]: [] for words in (up, *LIGHT)}


def test_help_of_a_step_is_read_from_its_model(tmp_path: Path) -> None:
    assert heavy_after(tmp_path, ["stake", "--help"]) == [
        *("pydantic", "yaml"),
        "devnet.spec.registry",
    ]
