"""A provider without Docker: control plane and kubelets as local processes, pods sandboxed."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from cluster.interface import Cluster
from cluster.native.capabilities import CAPABILITIES
from cluster.registry import Kind, Making, Tools, register

CONTROL_PLANE_BUILD_BYTES = 5 * 10**9  # caches of 4 GB, and room to link


def _make(making: Making) -> Cluster:
    # the kubernetes client takes most of a second
    from cluster.native.provider import NativeCluster

    return NativeCluster(
        making.nodes,
        making.state,
        making.tools.controlplane(),
        None if making.unsandboxed else making.tools.bubblewrap(),
        making.devnet_id,
        making.log,
        making.env,
        making.hosts,
        hidden=making.hidden,
        light=making.light,
    )


def _lacks(tools: Tools) -> str:
    if platform.system() != "Linux":
        return f"it needs Linux, this is {platform.system()}"
    if tools.controlplane_cached() is not None:
        return ""
    free = shutil.disk_usage(_existing(tools.cache)).free
    if free < CONTROL_PLANE_BUILD_BYTES:
        return (
            f"its build needs {CONTROL_PLANE_BUILD_BYTES // 10**9} GB, {free // 10**9} GB are free"
        )
    return ""


def _existing(path: Path) -> Path:
    while not os.path.exists(path):
        path = path.parent
    return path


NATIVE = register(
    Kind(
        "native",
        worth=10,
        proves="scheduling, failover, real measurement",
        modelled=False,
        capabilities=CAPABILITIES,
        lacks=_lacks,
        make=_make,
    )
)
