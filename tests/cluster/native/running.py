"""Whose processes run, by what every process of a pod carries in its environment."""

from __future__ import annotations

import contextlib

import psutil


def running_pods(node: str) -> set[str]:
    """The names of the pods that have a process on a node of this process's cluster."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            if environment.get("NODE_NAME") == node:
                found.add(environment["POD_NAME"])
    return found
