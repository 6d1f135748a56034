"""A toy of each kind joins through the registries alone: verb, duty, provider, adversary, fault.

What `docs/explanation/extending.md` says, done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster import registry
from cluster.faults import FAULTS, NODE, OFFLINE, FaultKind
from cluster.faults import register as register_fault
from cluster.interface import Cluster
from cluster.registry import Capabilities, Kind, Making
from cluster.sim.cluster import SimCluster
from devnet.actors import cast
from devnet.actors.attestations import Attestation
from devnet.actors.behaviours.signs_all import SignsAll
from devnet.actors.cast import Setting, duties_of
from devnet.actors.duties.duty import Duty
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import SignatureAsked, SignatureGiven, SignatureRefused, Wish
from devnet.actors.operations import Done, Fail, Operation, Refusal, Tell
from devnet.actors.view import View
from devnet.base import DevnetFolder, Toolchain
from devnet.chain.keccak import keccak
from devnet.cli.options import cluster_names
from devnet.protocol.messages import Domains
from devnet.runs.runner import RunResult, run_scenario
from devnet.spec import STEPS, behaviours
from devnet.spec.behaviours import Behaviour
from devnet.spec.fields import Text
from devnet.spec.registry import Step, step
from devnet.spec.scenario import load_scenario
from devnet.steps.registry import PERFORMERS, performs
from devnet.steps.stage import Stage
from tests.actors.stage import Stage as ActorsStage

# What is added


@dataclass(frozen=True, slots=True)
class Greeting(Attestation):
    words: str

    def digest(self, domains: Domains) -> bytes:
        return keccak(self.words.encode())


@dataclass(frozen=True, slots=True)
class Greet(Wish):
    words: str


class Greeter(Duty):
    """Gatekeepers attest what is polite; the one that leads answers who asked."""

    attests = (Greeting,)
    wishes = (Greet,)

    def __init__(self) -> None:
        self._asked: dict[Greeting, int] = {}
        self._wanted: list[Greeting] = []

    def take(self, view: View, message: object, *, leads: bool) -> list[Operation]:
        if isinstance(message, Greet) and leads:
            greeting = Greeting(message.words)
            self._asked[greeting] = message.id
            self._wanted.append(greeting)
        return []

    def wanted(self, view: View) -> tuple[Greeting, ...]:
        wanted, self._wanted = tuple(self._wanted), []
        return wanted

    def objection(self, view: View, attestation: Attestation) -> str | None:
        assert isinstance(attestation, Greeting)
        return None if attestation.words == "hello" else "impolite"

    def completed(self, view: View, attestation: Attestation, signatures: bytes) -> list[Operation]:
        assert isinstance(attestation, Greeting)
        assert len(signatures) == 2 * 65  # R4: two of three
        return [Done(self._asked.pop(attestation))]

    def given_up(self, view: View, attestation: Attestation, reasons: str) -> list[Operation]:
        assert isinstance(attestation, Greeting)
        return [Fail(self._asked.pop(attestation), reasons, Refusal.NOT_ATTESTED)]


class Sulking(Gatekeeper):
    """Signs nothing that others ask of it."""

    def objection(self, view: View, attestation: Attestation) -> str | None:
        return "not today"


NAPPING = FaultKind(NODE, "nap", "it answers nobody for a while", loses=True)


class ToyCluster(SimCluster):
    name = "toy"

    def fault(self, node: str, kind: FaultKind) -> None:
        assert kind in (NAPPING, OFFLINE)
        super().fault(node, OFFLINE)


def _make(making: Making) -> Cluster:
    state, devnet_id = making.state, making.devnet_id
    return ToyCluster(making.nodes, state, devnet_id, modelled=True, hosts=making.hosts)


TOY = Kind(
    "toy",
    worth=-1,  # nothing is chosen by itself that tests add
    proves="that a provider joins by registering",
    modelled=True,
    capabilities=Capabilities((OFFLINE, NAPPING)),
    lacks=lambda tools: "",
    make=_make,
)


def _sulking(name: str, setting: Setting) -> Gatekeeper:
    peers = [keeper.name for keeper in setting.spec.gatekeepers]
    return Sulking(setting.accounts[name], peers, duties_of(name, setting))


@pytest.fixture
def toys() -> Iterator[None]:
    @step("greet")
    class GreetStep(Step):
        """Have the gatekeepers attest a greeting."""

        words: Text

    @performs(GreetStep)
    def _greet(stage: Stage, asked: GreetStep) -> str:
        lead, _ = stage.registered()
        stage.wish_all([(lead, Greet(stage.next_wish(), asked.words))])
        return f"{asked.words} to all"

    cast.DUTIES["greeter"] = lambda keeper, setting: Greeter()
    sulks = behaviours.register(Behaviour("gatekeeper", "sulks", "it signs nothing for others"))
    cast.BEHAVIOURS[("gatekeeper", "sulks")] = _sulking
    register_fault(NAPPING)
    registry.register(TOY)
    yield
    registry.unregister(TOY)
    del FAULTS[(NODE, "nap")], behaviours.BEHAVIOURS[(sulks.role, sulks.name)]
    del cast.BEHAVIOURS[(sulks.role, sulks.name)], cast.DUTIES["greeter"]
    del PERFORMERS["greet"], STEPS["greet"]


# And runs

NETWORK = """\
version: 1
name: toys
workloads: modelled
gatekeepers:
  - {name: gatekeeper-1, control_plane: true}
  - {name: gatekeeper-2}
  - {name: gatekeeper-3}
workers: [{name: worker-1}]
"""


def played(folder: Path, steps: str, network: str = NETWORK, cluster: str = "toy") -> RunResult:
    (folder / "network.yaml").write_text(network)
    path = folder / "scenario.yaml"
    path.write_text(f"version: 1\nname: toys\nnetwork: network.yaml\nsteps:\n{steps}")
    return run_scenario(
        load_scenario(path, environment={}),
        cluster=cluster,
        folder=DevnetFolder.open("toys", folder),
        toolchain=Toolchain(),
        say=lambda line: None,
    )


def test_a_verb_a_duty_a_provider_and_a_fault_play_together(tmp_path: Path, toys: None) -> None:
    assert "toy" in cluster_names()
    result = played(
        tmp_path,
        "  - greet: {words: hello}\n"
        "  - greet: {words: be gone, expect_error: NotAttested}\n"
        "  - stake: {worker: worker-1}\n"
        "  - fault: {worker: worker-1, kind: nap}\n"
        "  - heal: {worker: worker-1}\n",
    )
    assert [outcome.did for outcome in result.steps] == [
        "hello to all",
        "rejected with NotAttested, as expected: gatekeeper-1: gatekeeper-1: impolite",
        "500 KOMP each: worker-1",
        f"worker-1 nap since block {result.steps[3].first_block}",
        "worker-1",
    ]
    assert (result.verdict, result.cluster) == ("passed", "toy")


def test_two_of_three_adversaries_keep_a_quorum_away(tmp_path: Path, toys: None) -> None:
    network = NETWORK.replace("gatekeeper-2}", "gatekeeper-2, behaviour: sulks}")
    assert played(tmp_path, "  - greet: {words: hello}\n", network).verdict == "passed"
    network = network.replace("gatekeeper-3}", "gatekeeper-3, behaviour: sulks}")
    result = played(tmp_path, "  - greet: {words: hello}\n", network)
    assert result.verdict == "failed"
    assert "gatekeeper-2: not today; gatekeeper-3: not today" in result.steps[0].failure


def test_a_fault_the_cluster_cannot_play_fails_its_step(tmp_path: Path, toys: None) -> None:
    result = played(tmp_path, "  - fault: {worker: worker-1, kind: nap}\n", cluster="sim")
    assert result.steps[0].failure == (
        "sim cannot play the fault 'nap' of a worker "
        "(it can: offline, paused, slow, disk_full, crashed)"
    )


# The tables agree, and what they have now


def test_every_behaviour_that_a_file_may_name_is_made_of_something() -> None:
    assert set(cast.BEHAVIOURS) == set(behaviours.BEHAVIOURS)
    roles = dict.fromkeys(role for role, _ in behaviours.BEHAVIOURS)
    assert [*roles] == [*behaviours.ROLES]  # at least one of each, now


def test_who_leads_is_asked_each_time() -> None:
    """What is proposed comes from whoever leads by then, also where another led before."""
    stage = ActorsStage()
    setting = Setting(stage.spec, stage.directory.accounts, modelled=True)
    keepers = [keeper.name for keeper in stage.spec.gatekeepers]
    second = Gatekeeper(
        stage.directory.accounts[keepers[1]], keepers, [Greeter(), *duties_of(keepers[1], setting)]
    )
    wish = Greet(1, "hello")
    assert second.act(stage.view(10, lead=keepers[0]), [wish]) == []
    asks = second.act(stage.view(11, lead=keepers[1]), [wish])
    ask = SignatureAsked(Greeting("hello"), keepers[1])
    assert asks == [Tell(keepers[0], ask), Tell(keepers[2], ask)]


def test_one_that_signs_all_signs_what_its_peers_refuse() -> None:
    stage = ActorsStage()
    setting = Setting(stage.spec, stage.directory.accounts, modelled=True)
    keepers = [keeper.name for keeper in stage.spec.gatekeepers]
    asked = SignatureAsked(Greeting("be gone"), keepers[0])
    answers = [
        kind(
            stage.directory.accounts[keepers[1]],
            keepers,
            [Greeter(), *duties_of(keepers[1], setting)],
        ).act(stage.view(10), [asked])
        for kind in (Gatekeeper, SignsAll)
    ]
    (refused,), (signed,) = answers
    assert refused == Tell(keepers[0], SignatureRefused(asked.attestation, keepers[1], "impolite"))
    assert isinstance(signed, Tell)
    assert isinstance(signed.message, SignatureGiven)


def test_an_attestation_nobody_has_a_duty_for_is_refused_by_name() -> None:
    stage = ActorsStage()
    setting = Setting(stage.spec, stage.directory.accounts, modelled=True)
    name = stage.spec.gatekeepers[1].name
    keeper = Gatekeeper(stage.directory.accounts[name], [], duties_of(name, setting))
    asked = SignatureAsked(Greeting("hello"), "gatekeeper-1")
    reason = "no duty here attests a Greeting"
    assert keeper.act(stage.view(10), [asked]) == [
        Tell("gatekeeper-1", SignatureRefused(asked.attestation, name, reason))
    ]
