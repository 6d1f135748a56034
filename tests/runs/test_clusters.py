"""Which cluster is taken, and what it is made from; what none can have is refused by name."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.native import NATIVE
from cluster.sim import SIM
from devnet.base import Toolchain, UsageError
from devnet.runs import clusters
from devnet.runs.clusters import choose, light_nodes_of, making_of
from devnet.spec import NetworkSpec, network_from_mapping

FAR = {"name": "far", "profile": "large", "zone": "b", "count": 2, "light": True}
LONE = {"name": "lone", "profile": "small", "light": True}


def network(*workers: dict[str, object]) -> NetworkSpec:
    entries = [{"name": "worker-1"}, *workers]
    return network_from_mapping({"name": "made", "scale": "1/16", "workers": entries})


def test_light_nodes_are_made_from_their_profile_at_the_networks_scale(tmp_path: Path) -> None:
    spec = network(FAR, LONE)
    log = logging.getLogger("tests.clusters")
    making = making_of(spec, tmp_path, "tests-clusters", Toolchain(tmp_path), log)

    assert [node.name for node in making.nodes] == ["worker-1"]
    assert making.light == light_nodes_of(spec)
    far, lone = making.light
    assert (far.names, far.profile, far.region, far.zone) == (
        ("far-1", "far-2"),
        "large",
        "local",
        "b",
    )
    assert (lone.names, lone.profile) == (("lone",), "small")
    assert far.capacity.milli_cpu == 8000 // 16


def test_sim_refuses_light_nodes_by_name(tmp_path: Path) -> None:
    toolchain = Toolchain(tmp_path)
    assert choose("sim", toolchain, network())[0].name == "sim"
    with pytest.raises(UsageError) as caught:
        choose("sim", toolchain, network(LONE, FAR))
    assert str(caught.value) == (
        "sim cannot have the light nodes of workers 'lone': "
        "it has no Kubernetes API that they could be in"
    )
    assert caught.value.hint == "play it with --cluster native, or leave them out"
    assert choose("native", toolchain, network(FAR))[0].name == "native"


def test_sim_refuses_to_be_unsandboxed_and_native_is_made_so(tmp_path: Path) -> None:
    toolchain, log = Toolchain(tmp_path), logging.getLogger("tests.clusters")
    spec = network_from_mapping(
        {"name": "made", "workers": [{"name": "worker-1"}], "unsandboxed": True}
    )
    with pytest.raises(UsageError) as caught:
        choose("sim", toolchain, spec)
    assert str(caught.value) == (
        "sim cannot be unsandboxed: it has no sandbox that could be left out"
    )
    assert caught.value.hint == "play it with --cluster native, or leave it out"
    assert choose("native", toolchain, spec)[0].name == "native"
    assert making_of(spec, tmp_path, "tests-clusters", toolchain, log).unsandboxed
    assert not making_of(network(), tmp_path, "tests-clusters", toolchain, log).unsandboxed


def test_auto_says_why_the_one_that_could_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = replace(NATIVE, lacks=lambda _: "it is Sunday")
    monkeypatch.setattr(clusters, "kinds", lambda: (SIM, poor))
    with pytest.raises(UsageError, match="sim cannot have the light nodes") as caught:
        choose("auto", Toolchain(tmp_path), network(FAR))
    assert caught.value.hint == (
        "play it with --cluster native, or leave them out; not native: it is Sunday"
    )
