"""What a kubelet is started with: its files, its namespaces, and what is said where it can have
none."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.errors import ClusterLacks
from cluster.interface import Capacity, Enforcement, NodeSpec
from cluster.native.nodes import NodeFiles, allowed_namespaces
from cluster.native.pki import Authority
from devnet.base.toolchain import Toolchain

USERS = ("--mount", "--user", "--map-root-user")


@pytest.fixture(scope="module")
def bubblewrap() -> Path:
    return Toolchain().bubblewrap()


def test_a_new_node_has_said_nothing_whoever_had_its_name_before(tmp_path: Path) -> None:
    spec = NodeSpec("worker-1", "standard", "eu", "eu-a", Capacity(1000, 1 << 30))
    authority = Authority(tmp_path / "pki", "ca")

    def write() -> NodeFiles:
        return NodeFiles.write(
            spec,
            tmp_path / "worker-1",
            devnet_id="d",
            server="https://127.0.0.1:1",
            authority=authority,
            bubblewrap=Path("/bwrap"),
            folders=tmp_path / "folders.json",
            hidden=(),
        )

    files = write()
    files.statement.write_text('{"enforced": ["Gravity."], "narrowed": []}')
    assert files.enforcement() == Enforcement(("Gravity.",), ())
    assert write().enforcement() is None


def test_a_node_is_told_its_real_folder_whatever_links_lead_there(tmp_path: Path) -> None:
    """Behind a link a full disk could not be played, and one image was mounted from two devices."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    files = NodeFiles.write(
        NodeSpec("worker-1", "standard", "eu", "eu-a", Capacity(1000, 1 << 30)),
        link / "worker-1",
        devnet_id="d",
        server="https://127.0.0.1:1",
        authority=Authority(tmp_path / "pki", "ca"),
        bubblewrap=Path("/bwrap"),
        folders=tmp_path / "folders.json",
        hidden=(),
    )
    assert json.loads(files.config.read_text())["folder"] == str(real / "worker-1")
    assert files.disk == real / "worker-1" / "disk"


def program(folder: Path, script: str) -> Path:
    made = folder / "bwrap"
    made.write_text(f"#!/bin/sh\n{script}\n")
    made.chmod(0o755)
    return made


def test_root_needs_no_user_namespace_and_others_do(bubblewrap: Path, tmp_path: Path) -> None:
    log = tmp_path / "kmsg"
    log.touch()
    plain = ("--mount",) if os.geteuid() == 0 else USERS
    assert allowed_namespaces(bubblewrap, log) == plain


def test_without_the_kernels_log_even_root_has_one(bubblewrap: Path, tmp_path: Path) -> None:
    assert allowed_namespaces(bubblewrap, tmp_path / "none") == USERS


def test_where_no_sandbox_can_be_made_the_machines_words_are_told(tmp_path: Path) -> None:
    refused = program(
        tmp_path, 'echo "bwrap: No permissions to create a new namespace" >&2; exit 1'
    )
    with pytest.raises(ClusterLacks, match="No permissions to create a new namespace") as told:
        allowed_namespaces(refused, tmp_path / "none")
    assert "user namespaces" in told.value.hint
    with pytest.raises(ClusterLacks, match="exit code 3"):
        allowed_namespaces(program(tmp_path, "exit 3"), tmp_path / "none")


def test_what_works_in_a_user_namespace_alone_is_taken(tmp_path: Path) -> None:
    """As root without the right to mount: the first way is refused."""
    (tmp_path / "kmsg").touch()
    only = program(
        tmp_path,
        'test "$(cat /proc/self/uid_map | tr -s " ")" = " 0 0 4294967295" && exit 1; exit 0',
    )
    assert allowed_namespaces(only, tmp_path / "kmsg") == USERS


def test_a_port_that_somebody_has_taken_is_another_at_the_next_start(tmp_path: Path) -> None:
    """A kubelet ended five times with "address already in use", and was given up."""
    files = NodeFiles.write(
        NodeSpec("worker-1", "standard", "eu", "eu-a", Capacity(500, 256 << 20)),
        tmp_path / "worker-1",
        devnet_id="tests",
        server="https://127.0.0.1:1",
        authority=Authority(tmp_path / "pki", "ca"),
        bubblewrap=tmp_path / "bwrap",
        folders=tmp_path / "folders.json",
        hidden=(),
    )
    before = json.loads(files.config.read_text())
    assert before["port"] == files.port
    assert files.on_free_port() is files

    with socket.create_server(("127.0.0.1", files.port)):
        moved = files.on_free_port()
        assert moved.port != files.port
        assert moved == replace(files, port=moved.port)
        assert json.loads(files.config.read_text()) == before | {"port": moved.port}
    assert moved.on_free_port() is moved


def test_all_that_is_wrong_with_a_configuration_is_said_at_once(
    tools: Path, tmp_path: Path
) -> None:
    config = tmp_path / "kubelet.json"
    config.write_text('{"devnet_id": "d", "path": "/bin", "port": 70000}')
    ended = subprocess.run(
        [tools / "kubelet", "--config", config],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    faults = ended.stderr.splitlines()
    assert str(config) in faults[1]
    assert "node is missing" in faults[2]
    assert any("port 70000 is none" in fault for fault in faults)
    assert any("capacity.cpu is not above 0" in fault for fault in faults)
    assert "goroutine" not in ended.stderr
