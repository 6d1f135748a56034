"""What a control plane that cannot start says and leaves. Its programs are shell scripts here:
the real ones are started in `test_native`."""

from __future__ import annotations

import logging
import os
import sys
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

# An API server that is ready once the two who need it have been started.
ANSWERING = """\
import http.server, pathlib, ssl, sys
flags = dict(flag.lstrip("-").partition("=")[::2] for flag in sys.argv[2:])
started = [pathlib.Path(sys.argv[1], name) for name in ("manager", "scheduler")]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if all(file.exists() for file in started) else 500)
        self.end_headers()
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(flags["secure-port"])), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(flags["tls-cert-file"], flags["tls-private-key-file"])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


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


def test_who_needs_the_api_server_loads_while_it_starts(tmp_path: Path) -> None:
    script = tmp_path / "apiserver.py"
    script.write_text(ANSWERING)
    tools = programs(
        tmp_path / "tools",
        kube_apiserver=f"exec {sys.executable} {script} {tmp_path} $*",
        kube_controller_manager=f"echo $* > {tmp_path}/manager; exec sleep 60",
        kube_scheduler=f"echo $* > {tmp_path}/scheduler; exec sleep 60",
        etcd=f"echo $GOGC $KOMPUTE_GOGC_STARTED > {tmp_path}/collector; exec sleep 60",
    )

    with plane(tmp_path, tools):
        for name in ("manager", "scheduler"):
            # Without it they would run before there is a ready server.
            assert "--await-server" in (tmp_path / name).read_text().split()
        # Spared while it starts, and as ever afterwards: without the second it would be for life.
        assert (tmp_path / "collector").read_text().split() == ["400", "100"]
