"""What is deployed is what was written: each kind of edit reaches the code, and nothing else does.

Real compilations of a small project of its own, in a place where Ape by itself finds no sources
and compiles beside its copy of the libraries: below the temporary folder, a `.cache` and a `.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from devnet.base import MachineLacks, Toolchain
from devnet.base.sources import MANIFEST, Sources
from devnet.chain import keccak
from devnet.deploy import compile_contracts
from devnet.deploy.compilation import APE, read_ape
from devnet.protocol.artifacts import Artifacts

ROOT = Path(__file__).parents[3]
HEAD = "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.30;\n"
CONFIG = """name: small
dependencies:
  - {name: acme, npm: "@acme/library", version: "1.0.0", config_override: {contracts_folder: .}}
solidity: {version: 0.8.30, evm_version: cancun, import_remapping: ["@acme/library=acme/1.0.0"]}
"""
FILES = {
    "contracts/Base.sol": "abstract contract Base { uint256 public constant KEPT = 1; }",
    "contracts/interfaces/IOther.sol": "interface IOther { function first() external; }",
    "contracts/Alone.sol": "contract Alone { uint256 public constant MINE = 1; }",
    "contracts/Main.sol": """import {Twice} from "@acme/library/Twice.sol";
import {Base} from "./Base.sol";
import {IOther} from "./interfaces/IOther.sol";
contract Main is Base {
    uint256 public constant OWN = 5;
    function call(IOther other) external { other.first(); }
    function twice(uint256 value) external pure returns (uint256) { return Twice.twice(value); }
}""",
}
LIBRARY = (
    "library Twice { function twice(uint256 value) internal pure returns (uint256)"
    " { return value * 2; } }"
)


class Small(Toolchain):
    """The small project `project`, with libraries of its own; the tools are the cache's."""

    def __init__(self, folder: Path) -> None:
        real = Toolchain()
        real.solc()
        super().__init__(cache=folder / "cache", say=lambda line: None)
        self.cache.mkdir(parents=True)
        for kind in ("npm", "node"):
            if (real.cache / kind).exists():
                (self.cache / kind).symlink_to(real.cache / kind)
        self.project = folder / "project"
        for name, text in FILES.items():
            self.write(name, HEAD + text + "\n")
        self.write("ape-config.yaml", CONFIG)
        self.write("package-lock.json", '{"lock": "1.0.0"}\n')
        self.library("1.0.0", LIBRARY)

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.project / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def library(self, version: str, text: str) -> None:
        package = self.project.parent / "libraries" / "@acme" / "library"
        shutil.rmtree(package, ignore_errors=True)
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"version": version}))
        (package / "Twice.sol").write_text(HEAD + text + "\n")

    def contracts_libraries(self) -> Path:
        return self.project.parent / "libraries"

    def contracts_project(self) -> Path:
        link = self.project / "node_modules"
        if not link.is_symlink():
            link.symlink_to(self.contracts_libraries())
        return self.project

    def codes(self, say: Callable[[str], None] = lambda line: None) -> dict[str, str]:
        return hashes(compile_contracts(self, say))

    def ape(self, *words: str) -> str:
        done = subprocess.run(
            [*APE, *words],
            cwd=self.ape_project(),
            env={**os.environ, **self.solc_environment()},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def hashes(artifacts: Artifacts) -> dict[str, str]:
    """Of what lies at each contract's address once it is deployed."""
    return {name: keccak(one.deployed).hex() for name, one in artifacts.contracts.items()}


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path / ".cache" / "x.py" / "home")


@pytest.mark.timeout(300)
def test_every_kind_of_edit_is_in_the_code(small: Small) -> None:
    before = small.codes()
    assert set(before) == {"Main", "Alone"}

    def newer_library() -> None:
        small.library("1.1.0", LIBRARY.replace("* 2", "* 3"))
        small.edit("ape-config.yaml", "1.0.0", "1.1.0")
        small.edit("package-lock.json", "1.0.0", "1.1.0")

    edits: dict[str, Callable[[], None]] = {
        "a constant": lambda: small.edit("contracts/Main.sol", "OWN = 5", "OWN = 6"),
        "a base": lambda: small.edit("contracts/Base.sol", "KEPT = 1", "KEPT = 2"),
        "an interface": lambda: small.edit(
            "contracts/interfaces/IOther.sol", "external;", "external returns (uint256);"
        ),
        "a library": newer_library,
        "a comment": lambda: small.edit("contracts/Main.sol", "contract", "// ours\ncontract"),
    }
    seen = [before]
    for kind, edit in edits.items():
        edit()
        after = small.codes()
        assert after["Main"] not in {codes["Main"] for codes in seen}, kind
        # A library's version is in every contract's metadata, by its place.
        assert (after["Alone"] == seen[-1]["Alone"]) == (kind != "a library"), kind
        seen.append(after)
    assert len(list((small.cache / "contracts").glob("[!.]*"))) == len(edits) + 1
    assert small.codes(pytest.fail) == seen[-1]  # compiled once


@pytest.mark.timeout(120)
def test_an_edit_while_it_compiles_belongs_to_the_next_compilation(small: Small) -> None:
    def meanwhile(line: str) -> None:
        small.edit("contracts/Alone.sol", "MINE = 1", "MINE = 2")
        small.write("contracts/New.sol", HEAD + "contract New {}\n")

    first = small.codes(meanwhile)
    assert set(first) == {"Main", "Alone"}
    second = small.codes()
    assert set(second) == {"Main", "Alone", "New"}
    assert second["Alone"] != first["Alone"]
    shutil.rmtree(small.project / "contracts")
    for name, text in FILES.items():
        small.write(name, HEAD + text + "\n")
    assert small.codes(pytest.fail) == first


@pytest.mark.timeout(200)
def test_ape_in_the_project_sees_what_is_imported_and_leaves_nothing(small: Small) -> None:
    small.write(".gitignore", (ROOT / ".gitignore").read_text())
    git = ["git", "-C", str(small.project), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "all"], check=True)

    for number in range(600):  # as an earlier Ape left them, more than it looks at
        small.write(f"contracts/.cache/acme/{number}.sol", HEAD)
    small.ape("compile")
    subprocess.run([*git, "diff", "--exit-code"], check=True)
    status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True)
    assert status.stdout == b""
    assert not (small.project / "contracts" / ".cache").exists()

    def main() -> str:
        manifest = small.project / MANIFEST
        return keccak(read_ape(manifest, Sources.of(small.project))["Main"].deployed).hex()

    assert main() == small.codes()["Main"]
    # Ape by itself compiles no file again whose own text is the same.
    small.edit("contracts/Base.sol", "KEPT = 1", "KEPT = 7")
    small.ape("compile")
    assert main() == small.codes()["Main"]


def test_another_version_of_a_library_than_ape_is_told_is_refused(small: Small) -> None:
    small.library("1.1.0", LIBRARY)
    with pytest.raises(MachineLacks, match=r"asks for @acme/library 1\.0\.0, .* has 1\.1\.0"):
        small.codes()
    with pytest.raises(MachineLacks, match=r"has 1\.1\.0"):
        small.ape_project()


@pytest.mark.timeout(120)
def test_what_ape_made_of_other_sources_is_refused(small: Small) -> None:
    small.ape("compile")
    manifest, asked = small.project / MANIFEST, Sources.of(small.project)
    assert set(read_ape(manifest, asked).contracts) == {"Main", "Alone"}
    less = Sources({n: data for n, data in asked.files.items() if not n.endswith("Alone.sol")})
    with pytest.raises(MachineLacks, match=r"contracts/Alone\.sol was not asked for"):
        read_ape(manifest, less)
    other = Sources({**asked.files, "contracts/Base.sol": b"// another\n"})
    with pytest.raises(MachineLacks, match=r"contracts/Base\.sol was compiled with another text"):
        read_ape(manifest, other)
    more = Sources({**asked.files, "contracts/New.sol": b"contract New {}\n"})
    with pytest.raises(MachineLacks, match=r"contracts/New\.sol is missing"):
        read_ape(manifest, more)
    document = json.loads(manifest.read_text())
    del document["contractTypes"]["Alone"]
    manifest.write_text(json.dumps(document))
    with pytest.raises(MachineLacks, match=r"there is no contract of contracts/Alone\.sol"):
        read_ape(manifest, asked)


class Copied(Small):
    """Our own contracts in a folder where they may be edited."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.rmtree(self.project)
        self.project.mkdir()
        for name in ("ape-config.yaml", "package-lock.json"):
            shutil.copy(ROOT / name, self.project)
        shutil.copytree(ROOT / "contracts", self.project / "contracts")

    def contracts_libraries(self) -> Path:
        return Toolchain().contracts_libraries()


@pytest.mark.timeout(300)
def test_a_constant_added_to_our_token_is_in_its_code_alone(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    copied = Copied(tmp_path / "copied")
    assert Sources.of(copied.project) == Sources.of(ROOT)
    name = "contracts/token/Kompute.sol"
    copied.edit(
        name,
        "contract Kompute is ERC20, ERC20Permit {",
        "contract Kompute is ERC20, ERC20Permit {\n    uint256 public constant PROBE = 7;",
    )
    ours, edited = hashes(artifacts), compile_contracts(copied, copied.say)
    changed = {each for each, code in hashes(edited).items() if ours[each] != code}
    assert changed == {"Kompute"}
    assert any(entry.get("name") == "PROBE" for entry in edited["Kompute"].abi)
