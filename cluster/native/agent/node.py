"""The node's own objects: its Node, its status and its Lease; and the loops that keep them true."""

from __future__ import annotations

import asyncio
import json
import logging
import platform
from datetime import UTC, datetime

from cluster.interface import Enforcement
from cluster.kubernetes import names
from cluster.native.agent.api import API_TROUBLE, STRATEGIC, ApiAnswer, Document, NodeApi
from cluster.native.agent.config import AgentConfig

_LOG = logging.getLogger(__name__)
_NODES = "/api/v1/nodes"
_LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{names.LEASES}/leases"
_STATUS_SECONDS = 1.0
_PODS = "110"
_CONFLICT, _NOT_FOUND = 409, 404


def now_text(*, micro: bool = False) -> str:
    """The wall clock as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S" + (".%fZ" if micro else "Z"))


def metadata(config: AgentConfig, enforcement: Enforcement) -> Document:
    """Name, labels and annotations of the Node."""
    statement = {"enforced": enforcement.enforced, "narrowed": enforcement.narrowed}
    return {
        "name": config.node,
        "labels": {
            names.PROFILE: config.profile,
            names.REGION: config.region,
            names.ZONE: config.zone,
            names.HOSTNAME: config.node,
            "kubernetes.io/os": "linux",
        },
        "annotations": {names.ENFORCEMENT: json.dumps(statement)},
    }


def status(config: AgentConfig, since: str) -> Document:
    """The Node's status: what it has, where its kubelet answers, that it is Ready."""
    resources = {**names.to_resources(config.capacity), "pods": _PODS}
    return {
        "capacity": resources,
        "allocatable": resources,
        "addresses": [
            {"type": "InternalIP", "address": "127.0.0.1"},
            {"type": "Hostname", "address": config.node},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": config.kubelet_port}},
        # Without it the API server wants SPDY for exec.
        "declaredFeatures": ["ExtendWebSocketsToKubelet"],
        "nodeInfo": {
            "machineID": config.node,
            "systemUUID": config.node,
            "bootID": since,
            "kernelVersion": platform.release(),
            "osImage": "Kompute devnet",
            "containerRuntimeVersion": "process://1",
            "kubeletVersion": "v1.36.3",
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(
                platform.machine(), platform.machine()
            ),
        },
        "conditions": conditions(since),
    }


def conditions(since: str) -> list[Document]:
    """Ready, and none of the pressures."""
    good = [("Ready", "True", "AgentReady")]
    good += [(f"{what}Pressure", "False", "Enough") for what in ("Memory", "Disk", "PID")]
    return [
        {
            "type": kind,
            "status": value,
            "reason": reason,
            "message": "",
            "lastHeartbeatTime": since,
            "lastTransitionTime": since,
        }
        for kind, value, reason in good
    ]


async def register(api: NodeApi, config: AgentConfig, enforcement: Enforcement) -> None:
    """Create the Node, or take over the one this name already has."""
    since = now_text()
    about, state = metadata(config, enforcement), status(config, since)
    try:
        await api.create(
            _NODES, {"apiVersion": "v1", "kind": "Node", "metadata": about, "status": state}
        )
    except ApiAnswer as error:
        if error.status != _CONFLICT:
            raise
        _LOG.info("node %s exists: taking it over", config.node)
        await api.patch(f"{_NODES}/{config.node}", {"metadata": about})
        await api.patch(f"{_NODES}/{config.node}/status", {"status": state}, STRATEGIC)


async def keep_status(api: NodeApi, config: AgentConfig) -> None:
    """Look at the Node again and again, and mend its status where it is not Ready.

    The node controller writes Unknown when leases come late, and only the node can take it back.
    """
    path = f"{_NODES}/{config.node}"
    while True:
        await asyncio.sleep(_STATUS_SECONDS)
        try:
            node = await api.get(path)
            ready = [
                each["status"]
                for each in node.get("status", {}).get("conditions", ())
                if each["type"] == "Ready"
            ]
            if ready != ["True"]:
                _LOG.warning("the node is %s: saying Ready again", ready)
                body = {"status": {"conditions": conditions(now_text())}}
                await api.patch(f"{path}/status", body, STRATEGIC)
        except API_TROUBLE as error:
            _LOG.warning("status: %r", error)


async def keep_lease(api: NodeApi, config: AgentConfig) -> None:
    """Renew the lease every `renew_seconds`; `api` must be a session of its own."""
    path = f"{_LEASES}/{config.node}"
    while True:
        spec = {
            "holderIdentity": config.node,
            "leaseDurationSeconds": config.lease_seconds,
            "renewTime": now_text(micro=True),
        }
        try:
            try:
                await api.patch(path, {"spec": spec})
            except ApiAnswer as error:
                if error.status != _NOT_FOUND:
                    raise
                await api.create(
                    _LEASES,
                    {
                        "apiVersion": "coordination.k8s.io/v1",
                        "kind": "Lease",
                        "metadata": {"name": config.node, "namespace": names.LEASES},
                        "spec": spec,
                    },
                )
        except API_TROUBLE as error:
            _LOG.warning("lease: %r", error)
        await asyncio.sleep(config.renew_seconds)
