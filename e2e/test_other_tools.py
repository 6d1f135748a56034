"""Every snippet of the page for other tools, run as it stands there on one devnet."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "how-to" / "use-other-tools.md"
DEVNET = [sys.executable, "-m", "devnet.cli"]
NPM_PACKAGES = ("ethers@6.17.0", "viem@2.57.20", "@foundry-rs/cast@1.7.1")
SECONDS = 120
PAYING = """
from ape import accounts


def main():
    payer, payee, *_ = accounts.test_accounts
    print("status", int(payer.transfer(payee, 1).status))
"""
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippet(heading: str) -> str:
    """The program below a heading of the page."""
    section = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return next(text for kind, text in FENCED.findall(section) if kind != "console")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a running devnet, with the two files that the page makes first."""
    folder = tmp_path_factory.mktemp("tools")
    try:
        run(folder, [*DEVNET, "up", "tiny", "--cluster", "sim", "--block-time", "0.5"])
        for words, file in ((["abi", "Kompute"], "Kompute.json"), (ACCOUNTS, "accounts.json")):
            (folder / file).write_text(run(folder, [*DEVNET, *words]))
        yield folder
    finally:
        run(folder, [*DEVNET, "down"])


ACCOUNTS = ["accounts", "--keys", "--json"]


def run(folder: Path, words: list[str], seconds: int = SECONDS, **more: str) -> str:
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PWD": str(folder), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def variables(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(run(folder, [*DEVNET, "env", "--json"]))
    evaluated = run(folder, ["bash", "-c", f'eval "$({" ".join(DEVNET)} env)"; env -0'])
    shell = dict(entry.split("=", 1) for entry in evaluated.split("\0") if "=" in entry)
    assert found.items() <= shell.items()
    return found


@pytest.fixture(scope="module")
def npm(place: Path) -> Path:
    """The folder with the packages, kept in npm's own cache; skips where npm has none of them."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and node are not on this machine: install Node.js")
    words = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(
        [*words, *NPM_PACKAGES], cwd=place, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot get {', '.join(NPM_PACKAGES)}: {done.stderr[-200:]}")
    return place


def test_web3(place: Path) -> None:
    (place / "web3_snippet.py").write_text(snippet("web3.py"))
    out = run(place, [sys.executable, "web3_snippet.py"], **variables(place))
    status, balance, unit = out.split()
    assert (status, unit) == ("1", "KOMP") and float(balance) >= 1


@pytest.mark.parametrize(("tool", "accepted"), [("ethers", "1"), ("viem", "success")])
def test_javascript(npm: Path, tool: str, accepted: str) -> None:
    (npm / f"{tool}.mjs").write_text(snippet(tool))
    out = run(npm, ["node", f"{tool}.mjs"], **variables(npm))
    status, balance, unit = out.split()
    assert (status, unit) == (accepted, "KOMP") and float(balance) >= 1


def test_foundry(npm: Path) -> None:
    path = f"{npm / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    out = run(npm, ["bash", "-euc", snippet("Foundry")], PATH=path, **variables(npm))
    assert int(out.split()[0]) >= 10**18


def test_ape_with_a_script_of_one_s_own(place: Path) -> None:
    (place / "scripts").mkdir()
    (place / "scripts" / "balance.py").write_text(snippet("Ape"))
    network = ["--network", "ethereum:local:foundry"]
    out = run(place, [*DEVNET, "ape", "run", "balance", *network], 1200, **variables(place))
    assert out.splitlines()[-1].endswith(" KOMP")

    # Left to itself Ape asks for the gas of a whole block, which the door refuses.
    (place / "scripts" / "pay.py").write_text(PAYING)
    out = run(place, [*DEVNET, "ape", "run", "pay", *network], 1200, **variables(place))
    assert out.splitlines()[-1] == "status 1"


def test_addresses_have_their_checksums(place: Path) -> None:
    from eth_utils.address import is_checksum_address

    contracts = json.loads(run(place, [*DEVNET, "contracts", "--json"]))
    status = json.loads(run(place, [*DEVNET, "status", "--json"]))
    accounts = json.loads(run(place, [*DEVNET, "accounts", "--json"]))
    assert status["contracts"] == contracts
    assert "private_key" not in accounts["alice"]
    addresses = [*contracts.values(), *(account["address"] for account in accounts.values())]
    assert len(addresses) > 20 and all(map(is_checksum_address, addresses))
