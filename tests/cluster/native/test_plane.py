"""What a control plane that cannot start says and leaves. Its programs are shell scripts here:
the real ones are started in `test_native`."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from cluster.errors import ClusterLacks, ClusterStartFailed
from cluster.native.plane import ControlPlane
from devnet.base.environment import plain_environment

PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "metrics-server",
)


def programs(folder: Path, **scripts: str) -> Path:
    """A tools folder whose programs sleep, unless told otherwise."""
    folder.mkdir()
    for name in PROGRAMS:
        body = scripts.get(name.replace("-", "_"), "exec sleep 60")
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return folder


def plane(tmp_path: Path, tools: Path) -> ControlPlane:
    env = plain_environment(KOMPUTE_DEVNET_ID=f"tests-plane-{os.getpid()}")
    return ControlPlane(tmp_path / "state", tools, env, logging.getLogger("tests.plane"))


def test_missing_programs_are_named(tmp_path: Path) -> None:
    tools = programs(tmp_path / "tools")
    (tools / "etcd").unlink()
    (tools / "kube-scheduler").unlink()

    with (
        pytest.raises(ClusterLacks, match=r"no kube-scheduler, etcd in ") as caught,
        plane(tmp_path, tools),
    ):
        pass
    assert caught.value.hint == "build the control plane first"


def test_a_component_that_ends_is_told_with_its_log(tmp_path: Path) -> None:
    tools = programs(
        tmp_path / "tools",
        etcd=f"echo $$ > {tmp_path}/pid; exec sleep 60",
        kube_apiserver="echo 'unknown flag: --colour' >&2; exit 1",
    )

    with (
        pytest.raises(
            ClusterStartFailed, match=r"(?s)kube-apiserver ended with exit code 1\n.*--colour"
        ),
        plane(tmp_path, tools),
    ):
        pass

    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_port_that_was_taken_meanwhile_is_tried_thrice(tmp_path: Path) -> None:
    script = f"echo $* >> {tmp_path}/starts; echo 'listen: address already in use'; exit 1"
    tools = programs(tmp_path / "tools", etcd=script)

    with (
        pytest.raises(ClusterStartFailed, match="address already in use"),
        plane(tmp_path, tools),
    ):
        pass

    starts = (tmp_path / "starts").read_text().splitlines()
    assert len(set(starts)) == len(starts) == 3  # on other ports each time
