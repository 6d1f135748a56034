"""Bare names of the command line: what they mean is what the network says."""

from __future__ import annotations

import pytest

from devnet.base import UsageError
from devnet.base.assets import root
from devnet.daemon.naming import step_of
from devnet.spec import load_network, step_mapping
from devnet.spec.document import SpecError
from devnet.spec.network import NetworkSpec


@pytest.fixture(scope="module")
def network() -> NetworkSpec:
    return load_network(root() / "e2e/networks/small.yaml", environment={})


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"fault": {"part": "worker-2"}}, {"worker": ["worker-2"], "kind": "offline"}),
        ({"fault": {"part": "aws"}}, {"vendor": ["aws"], "kind": "outage"}),
        ({"fault": {"part": "oracle-1"}}, {"oracle": ["oracle-1"], "kind": "offline"}),
        (
            {"fault": {"part": "aws:vcpu_hour"}},
            {"feed": ["aws:vcpu_hour"], "kind": "stale"},
        ),
        ({"heal": {"part": "gcp"}}, {"vendor": ["gcp"]}),
        ({"settle": {"order": "web"}}, {"service": "web"}),
        ({"settle": {"order": "web-2"}}, {"order": "web-2"}),
    ],
    ids=str,
)
def test_a_name_is_read_by_what_bears_it(
    network: NetworkSpec, asked: dict[str, dict[str, str]], meant: dict[str, object]
) -> None:
    (verb,) = asked
    assert step_mapping(step_of(asked, network)) == {verb: meant}


def test_a_service_named_as_an_order_is_still_checked(network: NetworkSpec) -> None:
    with pytest.raises(SpecError, match="did you mean 'invoke'?"):
        step_of({"request": {"client": "alice", "order": "thumbnail"}}, network)


@pytest.mark.parametrize("asked", [{}, {"stake": {}, "claim": {}}, {"stake": "all"}], ids=str)
def test_what_is_no_step(network: NetworkSpec, asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        step_of(asked, network)
