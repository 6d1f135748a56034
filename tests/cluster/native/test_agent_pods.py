"""The agent's pods: those that left leave nothing behind in the agent.

The API server is a stand-in here: what is looked at is the agent's own memory, which no real one
shows.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from cluster.native.agent.pod import PodHome
from cluster.native.agent.pods import NodePods


class ForgettingApi:
    """Lets go of whatever is deleted; one pod's deletion fails in a way nobody foresaw."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def delete_now(self, path: str, uid: str) -> None:
        await asyncio.sleep(0)
        self.deleted.append(uid)
        if uid == "uid-7":
            raise RuntimeError("unforeseen")


class Home:
    node = "worker-1"

    def __init__(self) -> None:
        self.api = ForgettingApi()


def leaving(number: int) -> dict[str, Any]:
    return {
        "metadata": {
            "uid": f"uid-{number}",
            "namespace": "default",
            "name": f"pod-{number}",
            "deletionTimestamp": "2026-01-01T00:00:00Z",
        }
    }


def test_a_pod_that_left_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    async def live() -> tuple[int, int, Home]:
        home = Home()
        pods = NodePods(cast("PodHome", home))
        for number in range(100):
            pods._wished(leaving(number))
            pods._wished(leaving(number))  # told twice, ended once
        most = len(pods._leaving)
        while any(not task.done() for task in pods._leaving.values()):
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        for number in range(100):
            pods._gone(f"uid-{number}")
        return most, len(pods._leaving), home

    most, kept, home = asyncio.run(live())
    assert (most, kept) == (100, 0)
    assert home.api.deleted == [f"uid-{number}" for number in range(100)]
    assert "the end of pod uid-7: RuntimeError('unforeseen')" in caplog.text
