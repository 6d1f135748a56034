"""What those do whom the network file does not call honest, on the real contracts."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base import DevnetFolder, Toolchain
from devnet.runs.runner import run_scenario
from devnet.spec.scenario import load_scenario

SERVICES = Path(__file__).parents[2] / "e2e" / "services"
NETWORK = f"""\
version: 1
name: behaving
workloads: modelled
workers: [{{name: worker-1, WORKER}}]
clients: [{{name: alice, CLIENT}}]
oracles: {{resources: [function_gib_second, million_requests], ORACLES}}
services:
  - name: thumbnail
    kind: serverless
    folder: {SERVICES / "thumbnail"}
    command: [python3, handler.py]
    cpu: 50m
    memory: 32Mi
"""
STEPS = """\
  - expect: {resource: million_requests, price_usd: PRICE}
  - poke: {resource: [function_gib_second, million_requests]}
  - expect: {resource: million_requests, price_usd: '> 0.1'}
  - stake: {worker: worker-1}
"""
INVOKES = """\
  - invoke: {client: alice, service: thumbnail, payload: small, times: 2}
  - expect: {event: {name: Invoked, count: 2}}
  - expect: {event: {name: Completed, count: COMPLETED}}
"""
ORDERS = """\
  - order: {client: alice, service: thumbnail, replicas: 1, deposit: 5 KOMP, duration: 6h}
  - expect: {event: {name: OrderAccepted, count: ACCEPTED}}
"""


def played(folder: Path, steps: str, **told: str) -> list[str]:
    """What failed; `told` are the parts of the network file and what is expected."""
    texts = {"network": NETWORK, "scenario": steps}
    for word in ("WORKER", "CLIENT", "ORACLES", "PRICE", "COMPLETED", "ACCEPTED"):
        texts = {k: text.replace(word, told.get(word.lower(), "")) for k, text in texts.items()}
    (folder / "network.yaml").write_text(texts["network"].replace(", }", "}"))
    path = folder / "scenario.yaml"
    path.write_text(f"version: 1\nname: x\nnetwork: network.yaml\nsteps:\n{texts['scenario']}")
    result = run_scenario(
        load_scenario(path, environment={}),
        cluster="sim",
        folder=DevnetFolder.open("behaving", folder),
        toolchain=Toolchain(),
        say=lambda line: None,
    )
    return [step.failure for step in result.steps if not step.ok]


@pytest.mark.parametrize(
    ("client", "completed"), [("", "2"), ("behaviour: completes_nothing", "0")]
)
def test_a_client_may_put_no_result_on_chain(tmp_path: Path, client: str, completed: str) -> None:
    steps = STEPS + INVOKES
    assert played(tmp_path, steps, price="'> 0.1'", client=client, completed=completed) == []


@pytest.mark.parametrize(("worker", "accepted"), [("", "1"), ("behaviour: accepts_nothing", "0")])
def test_a_worker_may_accept_no_order(tmp_path: Path, worker: str, accepted: str) -> None:
    steps = STEPS + ORDERS
    assert played(tmp_path, steps, price="'> 0.1'", worker=worker, accepted=accepted) == []


@pytest.mark.parametrize(
    ("oracles", "price"), [("", "'> 0.1'"), ("behaviour: stores_nothing", "'< 0.1'")]
)
def test_oracle_nodes_may_leave_prices_to_others(tmp_path: Path, oracles: str, price: str) -> None:
    assert played(tmp_path, STEPS, oracles=oracles, price=price) == []
