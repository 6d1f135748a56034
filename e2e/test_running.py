"""A devnet that stays: real answers of kubectl, every verb, nothing left after `down`."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT, Devnet, Ended, available_clusters, marked

from devnet.base import wait_for

NETWORK = ROOT / "e2e" / "networks" / "small.yaml"
LIGHT = ROOT / "e2e" / "networks" / "light.yaml"

# Every step verb once, in an order that makes sense, and what its `did` begins with.
VERBS: list[tuple[list[str], str]] = [
    (["stake", "all"], "500 KOMP each"),
    (["measure", "worker-1"], "worker-1"),
    (["publish", "all"], "worker-1 V "),
    (["restake", "worker-1", "--months", "12"], "worker-1"),
    (["order", "alice", "web", "--replicas", "2", "--deposit", "20 KOMP"], "order 1 of alice"),
    (["expect", "--service", "web", "--ready", "2", "--within", "60s"], "web ready 2"),
    (["request", "alice", "--service", "web", "--times", "10"], "10 answered"),
    (["scale", "--service", "web", "--replicas", "1"], "order 1 to 1"),
    (["invoke", "bob", "--service", "thumbnail", "--payload", "x", "--times", "2"], "2 completed"),
    (["price", "aws", "--resource", "vcpu_hour", "--change", "+10%"], "aws"),
    (["komp-usd", "0.55"], "1 KOMP = 0.55 USD"),
    (["poke", "vcpu_hour"], "vcpu_hour "),
    (["add-reward", "--amount", "5 KOMP"], "5 KOMP from treasury"),
    (["fault", "worker-2"], "worker-2 offline"),
    (["advance", "--time", "12h"], "60 blocks"),
    (["heal", "worker-2"], "worker-2"),
    (["advance", "--appeal-window", "1"], "30 blocks"),
    (["top-up", "worker-2"], "worker-2"),
    (["advance", "--cycles", "1"], ""),
    (["claim", "worker-1"], "worker-1 "),
    (["settle", "--service", "web"], "order 1: "),
    (["close", "alice", "--service", "web"], "order 1"),
    (["advance", "--time", "2h24m"], "12 blocks"),
    (["exit", "worker-3"], "worker-3"),
    (["expect", "--invariants", "all", "--model", "equal"], "invariants all, model equal"),
]
# Verbs the protocol refuses at the end of that.
REFUSED = [
    (["finalize", "--service", "web"], "AlreadyFinalized"),
    (["withdraw", "worker-3"], "ExitNotDue"),
    (["appeal", "--incident", "999"], "UnknownIncident"),
]


def said(ended: Ended) -> str:
    assert ended.code == 0, ended.out + ended.err
    return str(ended.json()["did"])


@pytest.mark.parametrize("cluster", available_clusters())
def test_every_verb_on_a_running_devnet(cluster: str, devnet: Devnet, tmp_path: Path) -> None:
    up = devnet("up", NETWORK, "--cluster", cluster, "--block-time", "1", "--json")
    assert up.code == 0, up.err
    try:
        for words, beginning in VERBS:
            assert said(devnet(*words, "--json")).startswith(beginning), words
        for words, error in REFUSED:
            refused = devnet(*words, "--json")
            assert (refused.code, refused.json()["error"]) == (1, error)
    finally:
        down = devnet("down")
    assert down.code == 0, down.err
    assert marked(tmp_path) == []


@pytest.mark.skipif("native" not in available_clusters(), reason="no native cluster: devnet doctor")
def test_kubectl_answers_on_native(devnet: Devnet, tmp_path: Path) -> None:
    assert devnet("up", NETWORK, "--cluster", "native", "--json").code == 0
    try:
        nodes = devnet(
            "kubectl", "get", "nodes", "--no-headers", "-L", "topology.kubernetes.io/region"
        )
        rows = [line.split() for line in nodes.out.splitlines()]
        assert [(row[0], row[1], row[-1]) for row in rows] == [
            ("worker-1", "Ready", "eu-west"),
            ("worker-2", "Ready", "eu-west"),
            ("worker-3", "Ready", "us-east"),
            ("worker-4", "Ready", "us-east"),
        ]
        said(devnet("stake", "all", "--json"))
        order = ["order", "alice", "web", "--replicas", "1", "--deposit", "20 KOMP", "--json"]
        said(devnet(*order))
        said(devnet("request", "alice", "--service", "web", "--times", "5", "--json"))
        logs = devnet("kubectl", "logs", "-n", "kompute", "deployment/order-1")
        assert "GET / 200" in logs.out, logs.err
        top = wait_for(
            "metrics of every node",
            lambda: _metrics(devnet("kubectl", "top", "nodes", "--no-headers")),
            limit_seconds=90,
            every_seconds=2,
        )
        assert sorted(top) == ["worker-1", "worker-2", "worker-3", "worker-4"]
    finally:
        assert devnet("down").code == 0
    assert marked(tmp_path) == []


@pytest.mark.skipif("native" not in available_clusters(), reason="no native cluster: devnet doctor")
def test_light_nodes_stand_beside_the_workers(devnet: Devnet, tmp_path: Path) -> None:
    """The network of the docs, with a hundred of its thousand."""
    fewer = ("--set", "workers.far.count=100")
    refused = devnet("up", LIGHT, "--cluster", "sim", *fewer)
    assert (refused.code, refused.out) == (2, "")
    assert "sim cannot have the light nodes of workers 'far'" in refused.err
    assert "play it with --cluster native, or leave them out" in refused.err

    assert devnet("up", LIGHT, "--cluster", "native", *fewer, "--json").code == 0
    try:
        wide = ("kubectl", "get", "nodes", "--no-headers", "-l")
        light = devnet(*wide, "kompute.network/light").out.splitlines()
        assert sorted({line.split()[1] for line in light}) == ["Ready"]
        assert len(light) == 100
        real = devnet(*wide, "!kompute.network/light").out.splitlines()
        assert [line.split()[0] for line in real] == ["worker-1", "worker-2", "worker-3"]
    finally:
        assert devnet("down").code == 0
    assert marked(tmp_path) == []


def _metrics(top: Ended) -> list[str] | None:
    rows = [line.split() for line in top.out.splitlines()]
    known = [row[0] for row in rows if row[1].endswith("m")]
    return known if len(known) == 4 else None


def test_two_devnets_side_by_side(devnet: Devnet, tmp_path: Path) -> None:
    best = available_clusters()[-1]
    for name, cluster in (("one", "sim"), ("two", best)):
        assert devnet("up", NETWORK, "--name", name, "--cluster", cluster, "--json").code == 0
    states = [devnet("status", "--name", name, "--json").json() for name in ("one", "two")]
    downs = [devnet("down", "--name", name).code for name in ("one", "two")]

    assert [state["name"] for state in states] == ["one", "two"]
    assert states[0]["rpc"] != states[1]["rpc"]
    assert downs == [0, 0]
    assert marked(tmp_path) == []
