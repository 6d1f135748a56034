"""A control plane in a process of its own: `python -m benchmarks.plane FOLDER TOOLS`.

On stdin comes the environment of its children as one line of JSON; it says "ready" on stdout, and
ends with its stdin. It imports what a control plane needs and nothing else: its start is measured.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from cluster.native.plane import ControlPlane


def hold(folder: Path, tools: Path, env: Mapping[str, str]) -> None:
    """Say "ready" once it is, and stop at the end of stdin."""
    with ControlPlane(folder / "state", tools, env, logging.getLogger()) as plane:
        plane.wait_ready()
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    hold(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.stdin.readline()))
