"""The gateway before two processes of the web service, one of which is killed on the way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from devnet.gateway import Gateway, PodAddress

WEB = Path(__file__).parents[2] / "e2e" / "services" / "web"


@contextmanager
def _process(pod: str) -> Iterator[tuple[subprocess.Popen[str], PodAddress]]:
    process = subprocess.Popen(
        [sys.executable, "-S", "server.py"],
        cwd=WEB,
        env={"PATH": os.environ["PATH"], "PORT": "0", "POD_NAME": pod},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        watchdog = threading.Timer(20, process.kill)  # a pod that never speaks ends the read
        watchdog.start()
        listens = re.search(r"listens on (\S+):(\d+)", process.stdout.readline())
        watchdog.cancel()
        assert listens is not None
        yield process, (listens[1], int(listens[2]), pod)
    finally:
        process.kill()
        process.wait(10)


def test_a_killed_pod_costs_its_clients_nothing() -> None:
    with (
        Gateway() as gateway,
        httpx.Client() as client,
        _process("web-a") as (doomed, a),
        _process("web-b") as (_, b),
    ):
        url = gateway.expose(1, lambda: [a, b])
        before = [client.get(url).json()["pod"] for _ in range(20)]
        doomed.kill()
        doomed.wait(10)
        after = [client.get(url).json()["pod"] for _ in range(20)]
        counts = gateway.counts(1)
    assert Counter(before) == {"web-a": 10, "web-b": 10}
    assert after == ["web-b"] * 20
    assert counts == {"web-a": 10, "web-b": 30}
