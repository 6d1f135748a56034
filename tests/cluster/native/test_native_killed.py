"""A SIGKILL of the process that owns a native cluster leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from cluster.native import groups
from cluster.waiting import Seen, wait_for
from devnet.base.toolchain import Toolchain

OWNER = """
import logging, os, sys
from pathlib import Path
from cluster.interface import Capacity, NodeSpec, Workload
from cluster.native.provider import NativeCluster

state, tools, bubblewrap, devnet_id, folder = sys.argv[1:]
worker = NodeSpec("worker-1", "standard", "eu", "eu-a", Capacity(500, 256 << 20))
command = ("python3", "server.py")
programs = Path(tools), Path(bubblewrap) if bubblewrap else None
with NativeCluster(
    [worker], Path(state), *programs, devnet_id, logging.getLogger(), os.environ
) as cluster:
    cluster.apply(Workload("web", Path(folder), command, 1, Capacity(100, 64 << 20), "/healthz"))
    cluster.settle(30)
    print("up", flush=True)
    sys.stdin.read()
"""
WEB = Path(__file__).resolve().parents[3] / "e2e" / "services" / "web"


def marked(devnet_id: str) -> list[str]:
    """Command lines of the processes that carry this devnet's id, but for this test's child."""
    mark = f"KOMPUTE_DEVNET_ID={devnet_id}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:60])
        except OSError:
            continue  # ended meanwhile, or a zombie
    return found


@pytest.mark.parametrize("sandboxed", [True, False], ids=["sandboxed", "unsandboxed"])
def test_nothing_outlives_its_owner(
    tools: Path, tmp_path: Path, request: pytest.FixtureRequest, *, sandboxed: bool
) -> None:
    devnet_id = f"tests-killed-{uuid.uuid4().hex}"
    request.addfinalizer(lambda: groups.remove_devnet(devnet_id))  # a SIGKILL cannot
    bubblewrap = str(Toolchain().bubblewrap()) if sandboxed else ""
    arguments = [str(tmp_path / "state"), str(tools), bubblewrap, devnet_id, str(WEB)]
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={key: value for key, value in os.environ.items() if key != "KOMPUTE_DEVNET_ID"},
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        assert len(marked(devnet_id)) >= 6  # five components, the kubelet, and its pod
        owner.send_signal(signal.SIGKILL)

    wait_for("the end of all", lambda: Seen(not marked(devnet_id), str(marked(devnet_id))), 10)
