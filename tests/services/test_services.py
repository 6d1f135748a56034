"""The workloads that scenarios order and invoke, as the processes a cluster would start."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

SERVICES = Path(__file__).parents[2] / "e2e" / "services"


@contextmanager
def _web(**env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The web service on a free port, once it says where it listens."""
    process = subprocess.Popen(
        [sys.executable, "-S", "server.py"],
        cwd=SERVICES / "web",
        env={"PATH": os.environ["PATH"], "PORT": "0"} | env,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, _address(process)
    finally:
        process.kill()
        process.wait(10)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    # a service that never speaks is killed, which ends the read
    watchdog = threading.Timer(20, process.kill)
    watchdog.start()
    first = process.stdout.readline()
    watchdog.cancel()
    found = re.search(r"listens on (\S+)", first)
    assert found, f"the service said {first!r}"
    return f"http://{found[1]}"


def _thumbnail(payload: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-S", "handler.py"],
        cwd=SERVICES / "thumbnail",
        input=payload,
        capture_output=True,
        timeout=20,
        check=False,
    )


def test_web_says_which_pod_answered_and_counts() -> None:
    with _web(POD_NAME="web-1-abc", NODE_NAME="worker-2") as (_, url), httpx.Client() as client:
        assert client.get(f"{url}/healthz").status_code == 200
        first = client.get(f"{url}/").json()
        second = client.get(f"{url}/").json()
    assert first == {"service": "web", "pod": "web-1-abc", "node": "worker-2", "answered": 1}
    assert second["answered"] == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/absent", 404),
        ("/work", 400),
        ("/work?milliseconds=0", 400),
        ("/work?milliseconds=x", 400),
        ("/hold?mebibytes=1025", 400),
        ("/hold?milliseconds=1", 400),
    ],
)
def test_web_refuses_what_it_does_not_know(path: str, status: int) -> None:
    with _web() as (_, url):
        assert httpx.get(url + path).status_code == status


def test_web_keeps_a_core_busy_when_asked() -> None:
    with _web() as (_, url):
        begin = time.monotonic()
        assert httpx.get(f"{url}/work?milliseconds=100").json()["milliseconds"] == 100
        assert time.monotonic() - begin >= 0.1


def test_web_keeps_memory_until_it_is_told_to_let_go() -> None:
    with _web() as (process, url):
        resident = psutil.Process(process.pid).memory_info
        before = resident().rss
        assert httpx.get(f"{url}/hold?mebibytes=64").json()["mebibytes"] == 64
        assert resident().rss - before >= 60 << 20
        assert httpx.get(f"{url}/release").json()["mebibytes"] == 0
        assert resident().rss - before < 8 << 20


def test_web_ends_within_a_second_even_with_an_idle_connection() -> None:
    with _web() as (process, url), httpx.Client() as client:
        client.get(f"{url}/")
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - begin < 1


def test_web_answers_an_open_request_before_it_ends() -> None:
    with _web() as (process, url):
        answers: list[httpx.Response] = []
        begun = threading.Event()

        def announce(request: httpx.Request) -> None:
            begun.set()

        def ask() -> None:
            with httpx.Client(event_hooks={"request": [announce]}) as client:
                answers.append(client.get(f"{url}/work?milliseconds=400"))

        asking = threading.Thread(target=ask)
        asking.start()
        assert begun.wait(10)
        _until_busy(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        asking.join(10)
    assert [answer.status_code for answer in answers] == [200]


def _until_busy(pid: int) -> None:
    """Waits until the process has a second thread, the one that serves the request."""
    deadline = time.monotonic() + 10
    while len(os.listdir(f"/proc/{pid}/task")) < 2:
        assert time.monotonic() < deadline, "the request was never taken up"
        threading.Event().wait(0.005)


def test_web_without_a_port_is_a_usage_error() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "server.py"],
        cwd=SERVICES / "web",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "web: PORT is not set to a port number\n")


@pytest.mark.parametrize("payload", [b"", b"kompute", bytes(range(256)) * 64])
def test_thumbnail_is_a_small_picture_of_its_payload(payload: bytes) -> None:
    done = _thumbnail(payload)
    assert (done.returncode, done.stderr) == (0, b"")
    magic, comment, size, deepest, *rows = done.stdout.decode("ascii").splitlines()
    assert (magic, size, deepest) == ("P2", "16 16", "255")
    assert comment == f"# sha256 {hashlib.sha256(payload).hexdigest()}"
    pixels = [int(word) for row in rows for word in row.split()]
    assert len(pixels) == 256
    assert all(0 <= pixel <= 255 for pixel in pixels)
    assert len(done.stdout) < 4096


def test_thumbnail_is_the_same_everywhere() -> None:
    # a result's hash goes on chain (M5): this value may only change with the service itself
    assert hashlib.sha256(_thumbnail(b"kompute").stdout).hexdigest() == KOMPUTE_THUMBNAIL_SHA256


def test_thumbnails_of_different_payloads_differ() -> None:
    assert _thumbnail(b"a").stdout != _thumbnail(b"b").stdout


def test_thumbnail_refuses_an_endless_payload() -> None:
    done = _thumbnail(bytes(2**20 + 1))
    assert done.returncode == 1
    assert b"larger than 1048576 bytes" in done.stderr


KOMPUTE_THUMBNAIL_SHA256 = "7b021898f033b45c3fc9c30c3e5dd6f989084d260c826e452adcd27f5c6d7b7f"
