"""Each kind of child, as a real process, in a hostile environment: none of it arrives there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from hostile import POISON, Proxy, poisonous_files

from devnet.base import Child, MachineLacks, Toolchain
from devnet.base.commands import run_tool
from devnet.base.environment import (
    daemon_environment,
    installing_environment,
    keep_loopback_direct,
    plain_environment,
    python_environment,
)
from devnet.base.golang import FLAGS, find_go, go_at_least, go_version
from devnet.base.node import get_node, node_version
from devnet.base.registries import install_python_package
from devnet.base.solidity import npm_environment
from devnet.chain import Anvil, Rpc

ROOT = Path(__file__).resolve().parents[2]


def test_each_kind_gets_what_is_meant_for_it(
    hostile: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registries = {"PIP_INDEX_URL", "UV_INDEX", "npm_config_registry", "GOPROXY", "SSL_CERT_FILE"}
    for name in (*registries, "LC_ALL", "KOMPUTE_CACHE"):
        monkeypatch.setenv(name, "kept")
    made = {
        "plain": plain_environment(),
        "python": python_environment(),
        "installing": installing_environment(),
        "daemon": daemon_environment(),
    }
    for kind, environment in made.items():
        assert not set(POISON) & set(environment), kind
        assert environment["LC_ALL"] == environment["KOMPUTE_CACHE"] == "kept", kind
        assert environment["PATH"] == os.environ["PATH"], kind
        assert registries <= set(environment) or not registries & set(environment), kind
    told = {kind for kind, environment in made.items() if registries <= set(environment)}
    assert told == {kind for kind in made if "https_proxy" in made[kind]}
    assert told == {"installing", "daemon"}
    of_python = {kind for kind, e in made.items() if e.get("PYTHONPATH") == str(ROOT)}
    assert of_python == {"python", "daemon"}
    assert plain_environment(A="1", KOMPUTE_DEVNET_ID="mine").items() >= {
        ("A", "1"),
        ("KOMPUTE_DEVNET_ID", "mine"),
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost,::1,127.0.0.0/8"),
        ({"NO_PROXY": ""}, "127.0.0.1,localhost,::1,127.0.0.0/8"),
        ({"NO_PROXY": "a.example, b"}, "a.example,b,127.0.0.1,localhost,::1,127.0.0.0/8"),
        ({"no_proxy": "localhost", "NO_PROXY": "upper"}, "localhost,127.0.0.1,::1,127.0.0.0/8"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_this_machine_is_added_to_no_proxy(before: dict[str, str], after: str) -> None:
    keep_loopback_direct(before)
    assert before == {"no_proxy": after, "NO_PROXY": after}


def test_anvil(hostile: dict[str, str], proxy: Proxy, tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    poisonous_files(folder)
    subprocess.run(["git", "init", "-q", folder], env=plain_environment(), check=True)
    binary = Toolchain().anvil()
    with (
        Anvil(binary, genesis_timestamp=1_700_000_000, folder=folder, devnet_id="mine") as anvil,
        Rpc(anvil.url) as rpc,
    ):
        assert rpc.call("eth_chainId")
        its = psutil.Process(anvil.pid).environ()
    assert not set(hostile) & set(its) - {"XDG_CONFIG_HOME", "KOMPUTE_DEVNET_ID"}
    assert its["KOMPUTE_DEVNET_ID"] == "mine"
    assert proxy.asked == []


def test_a_python_of_ours_finds_our_modules_wherever_it_works(
    hostile: dict[str, str], tmp_path: Path
) -> None:
    poisonous_files(tmp_path / "work")
    log = tmp_path / "log"
    script = "import cluster, devnet, loadtests, yaml; print(cluster.__file__, loadtests.__file__)"
    with Child(
        "python",
        [sys.executable, "-c", script],
        devnet_id="mine",
        log=log,
        env=python_environment(),
        cwd=tmp_path / "work",
    ) as child:
        psutil.Process(child.pid).wait(20)
    found = [ROOT / name / "__init__.py" for name in ("cluster", "loadtests")]
    assert log.read_text().split() == list(map(str, found))


def test_node_npm_and_solc(hostile: dict[str, str]) -> None:
    toolchain = Toolchain()
    node = get_node(toolchain.store, toolchain.say)
    version = node_version(node.executable)
    assert version is not None and version[0] >= 18
    [npm] = run_tool("npm", [*node.npm, "--version"], limit_seconds=30, env=npm_environment(node))
    assert npm[0].isdigit()
    # The person's own Ape runs it, too, with the person's environment.
    done = subprocess.run(
        [toolchain.solc(), "--standard-json"],
        input="{}",
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert '"errors"' in done.stdout


@pytest.mark.timeout(300)
def test_go_builds_for_this_machine(hostile: dict[str, str], tmp_path: Path) -> None:
    go = find_go(Toolchain().store)
    if go is None:
        pytest.skip("no Go here: it comes with the control plane's build")
    version = go_version(go.executable)
    assert version is not None and version >= go_at_least()
    (tmp_path / "go.mod").write_text("module hello\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
    environment = go.building(CGO_ENABLED="0", GOFLAGS=FLAGS, GOWORK="off")
    build = [go.executable, "build", "-o", "hello", "."]
    run_tool("go build", build, limit_seconds=250, cwd=tmp_path, env=environment)
    done = subprocess.run([tmp_path / "hello"], capture_output=True, check=True)
    assert done.stderr == b"hello\n"


def test_registries_are_asked_through_the_proxy(
    hostile: dict[str, str], proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = "http://registry.invalid/"
    monkeypatch.setenv("UV_DEFAULT_INDEX", registry)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("npm_config_registry", registry)
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(MachineLacks):
        install_python_package("nothing-of-that-name==1", tmp_path / "into", "nothing")
    assert len(proxy.asked) >= 1
    asked = len(proxy.asked)
    toolchain = Toolchain()
    node = get_node(toolchain.store, toolchain.say)
    with pytest.raises(MachineLacks):
        run_tool(
            "npm",
            [*node.npm, "view", "nothing-of-that-name"],
            limit_seconds=60,
            env=npm_environment(node),
        )
    assert len(proxy.asked) > asked
    assert all(b"registry.invalid" in request for request in proxy.asked)


def test_run_starts_its_python_without_what_is_meant_for_another(
    hostile: dict[str, str], tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nenv\n")
    python.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", ROOT / "run", "version"],
        env={**os.environ, "PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=True,
    )
    names = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert not {"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"} & names
    assert "HTTPS_PROXY" in names
