"""A devnet stays for weeks: its events, which the store would keep, end by themselves."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from cluster.interface import Capacity, Workload
from cluster.kubernetes.names import NAMESPACE
from cluster.native.components import HOST
from cluster.native.provider import NativeCluster
from devnet.base import wait_for

WEB = Path(__file__).resolve().parents[3] / "e2e" / "services" / "web"
EVENT_SECONDS = 300


class Store:
    """etcd's own JSON interface, with the API server's certificate."""

    def __init__(self, native: NativeCluster) -> None:
        plane = native._provider._plane  # type: ignore[attr-defined]
        self._port: int = plane.ports.etcd
        credentials = plane.credentials
        self._context = ssl.create_default_context(cafile=credentials.etcd_authority.cert_file)
        client = credentials.etcd_client
        self._context.load_cert_chain(client.cert_file, client.key_file)

    def ask(self, path: str, **fields: Any) -> dict[str, Any]:
        connection = http.client.HTTPSConnection(
            HOST, self._port, timeout=10, context=self._context
        )
        try:
            connection.request("POST", f"/v3/{path}", json.dumps(fields))
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer

    def below(self, key: str, **fields: Any) -> dict[str, Any]:
        """Everything whose key begins so."""
        start, end = key.encode(), key.encode()[:-1] + bytes([key.encode()[-1] + 1])
        keys = {
            "key": base64.b64encode(start).decode(),
            "range_end": base64.b64encode(end).decode(),
        }
        return self.ask("kv/range", **keys, **fields)


@pytest.fixture(scope="module")
def store(native: NativeCluster) -> Store:
    native.apply(Workload("web", WEB, ("python3", "server.py"), 1, Capacity(50, 32 << 20)))
    native.settle(60)
    return Store(native)


def test_events_are_gone_after_five_minutes(store: Store) -> None:
    prefix = f"/registry/events/{NAMESPACE}/"
    events = wait_for("the pod's events", lambda: store.below(prefix).get("kvs"), limit_seconds=30)
    for event in events:
        lease = store.ask("lease/timetolive", ID=event["lease"])
        # The API server takes one lease for the events of a while: a minute at the most.
        assert 0 < int(lease["grantedTTL"]) <= EVENT_SECONDS + 60
