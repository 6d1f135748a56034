"""What a native node would enforce on this machine, found out by letting one try."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from cluster.errors import ClusterLacks
from cluster.interface import Enforcement
from cluster.native.nodes import allowed_namespaces

_SECONDS = 20.0


def try_node(tools: Path, bubblewrap: Path | None) -> Enforcement:
    """A node's own statement, made with what a node makes for its pods and without a cluster;
    `bubblewrap` None: of an unsandboxed node.

    Raises `ClusterLacks` with the machine's own words where no pod could be sandboxed, or where the
    node has none.
    """
    apart: list[str] = []
    sandbox = ["--unsandboxed"]
    if bubblewrap is not None:
        apart = ["unshare", *allowed_namespaces(bubblewrap)]
        sandbox = ["--bubblewrap", str(bubblewrap)]
    with tempfile.TemporaryDirectory(prefix="kompute-trial-") as folder:
        kubelet = [str(tools / "kubelet"), "--try", folder, *sandbox]
        try:
            tried = subprocess.run(
                [*apart, *kubelet],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ClusterLacks(f"no node can be tried here: {error}") from error
    if tried.returncode != 0:
        said = tried.stderr.strip() or f"exit code {tried.returncode}"
        raise ClusterLacks(f"no node can be tried here: {said}")
    said = json.loads(tried.stdout)
    return Enforcement(tuple(said["enforced"]), tuple(said["narrowed"]))
