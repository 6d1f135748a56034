"""Calls while parts of the API are away: waited for, sent again, or refused by their names.

The server stands in for kube-apiserver, which cannot be made to break off between the writing of an
object and its answer.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cluster.ended import Ended, Outlook
from cluster.errors import PartsAway
from cluster.kubernetes import api as module
from cluster.kubernetes.api import Api, ApiRefused

THINGS = "/api/v1/things"
STORE = Ended("etcd", "was killed by SIGKILL; it is started again", outlook=Outlook.RETURNS)
STOPPED = Ended("kube-apiserver", "is stopped by a signal", outlook=Outlook.STOPPED, pid=12)


class Server(ThreadingHTTPServer):
    """Keeps things by name, and breaks off its first answers as it is told."""

    daemon_threads = True

    def __init__(self, breaks: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.breaks, self.calls = breaks, 0
        self.things: dict[str, object] = {}

    def handle_error(self, request: object, client_address: object) -> None: ...


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        thing = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = thing["metadata"]["name"]
        known = name in self.server.things
        self.server.things.setdefault(name, thing)
        self._answer(409 if known else 201, {"message": f"{name} exists"} if known else thing)

    def do_GET(self) -> None:
        self._answer(200, self.server.things.get(self.path.rsplit("/", 1)[-1], {}))

    def _answer(self, status: int, document: object) -> None:
        self.server.calls += 1
        if self.server.calls <= self.server.breaks:
            self.close_connection = True
            return
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


class Parts:
    """What is away: nothing until a call breaks, then `away` for the next few looks."""

    def __init__(self, server: Server, looks: int) -> None:
        self._server, self._looks = server, looks

    def __call__(self) -> tuple[Ended, ...]:
        if not self._server.calls or not self._looks:
            return ()
        self._looks -= 1
        return (STORE,)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server(getattr(request, "param", 1))
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join(5)


@pytest.fixture
def kubeconfig(server: Server, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    url = f"http://127.0.0.1:{server.server_port}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(json.dumps(document))
    return path


def test_what_was_made_before_the_end_is_not_made_twice(server: Server, kubeconfig: Path) -> None:
    api = Api(kubeconfig, Parts(server, 3))
    thing = {"metadata": {"name": "one"}, "spec": 7}
    assert api.create(THINGS, thing) == thing
    assert server.calls == 3  # made, a conflict, read
    with pytest.raises(ApiRefused, match="one exists") as caught:
        api.create(THINGS, thing)  # a conflict that is nobody's end stays one
    assert caught.value.status == 409
    api.close()


def test_a_read_that_broke_off_is_sent_again(server: Server, kubeconfig: Path) -> None:
    server.things["one"] = {"spec": 7}
    api = Api(kubeconfig, Parts(server, 1))
    assert api.get(f"{THINGS}/one") == {"spec": 7}
    assert server.calls == 2
    api.close()


def test_a_call_that_broke_off_with_nobody_is_told(server: Server, kubeconfig: Path) -> None:
    api = Api(kubeconfig)
    with pytest.raises(ApiRefused, match="GET /api/v1/things") as caught:
        api.get(THINGS)
    assert (caught.value.status, server.calls) == (0, 1)
    api.close()


def test_who_stays_away_is_named(
    server: Server, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AWAY_SECONDS", 0.3)
    api = Api(kubeconfig, lambda: (STORE, STOPPED))
    with pytest.raises(PartsAway) as caught:
        api.get(THINGS)
    assert str(caught.value) == (
        "etcd was killed by SIGKILL; it is started again; kube-apiserver is stopped by a signal: "
        "GET /api/v1/things: the Kubernetes API does not answer"
    )
    assert caught.value.hint == "`kill -CONT 12` lets kube-apiserver go on"
    assert server.calls == 0
    api.close()


def test_nobody_is_waited_for_once_it_is_abandoned(kubeconfig: Path) -> None:
    api = Api(kubeconfig, lambda: (STORE,))
    threading.Timer(0.1, api.abandon).start()
    begin = time.monotonic()
    with pytest.raises(PartsAway, match="etcd was killed by SIGKILL"):
        api.get(THINGS)
    assert time.monotonic() - begin < 10
    api.close()
