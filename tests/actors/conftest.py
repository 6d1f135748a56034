"""What actors and a scheduler under test stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from devnet.actors.actor import Actor
from devnet.actors.scheduler import Scheduler
from devnet.actors.view import account_names
from devnet.base import Toolchain
from devnet.chain import Anvil, Chain, MinedBlock, Rpc
from devnet.protocol import ObservedTransaction
from devnet.protocol import View as Reads
from devnet.runs.genesis import deploy_network
from tests.actors.scheduler_stage import (
    AnsweringOutside,
    Deployed,
    Stand,
    Stands,
    Told,
)
from tests.actors.stage import Stage, directory, network


@pytest.fixture()
def stage() -> Stage:
    """small.yaml, where a module or folder has no other."""
    return Stage()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    spec, toolchain = network(), Toolchain()
    who = directory(spec)
    with ExitStack() as stack:
        anvil = stack.enter_context(
            Anvil(
                toolchain.anvil(),
                genesis_timestamp=spec.chain.genesis_timestamp,
                folder=tmp_path_factory.mktemp("anvil"),
                accounts=len(account_names(spec)),
            )
        )
        chain = Chain(stack.enter_context(Rpc(anvil.url)), spec.chain.block_seconds)
        genesis = deploy_network(spec, chain, who, toolchain, lambda line: None)
        reads = Reads(chain, genesis.contracts, who.names)
        yield Deployed(chain, genesis.contracts, reads, who, genesis.deployment.genesis.block)


@pytest.fixture()
def stand(deployed: Deployed) -> Stands:
    def make(*actors: Actor, leader: Callable[[], str] = lambda: "gatekeeper-1") -> Stand:
        journal, outside = Told(), AnsweringOutside()
        mined: list[tuple[MinedBlock, tuple[ObservedTransaction, ...]]] = []
        scheduler = Scheduler(
            chain=deployed.chain,
            contracts=deployed.contracts,
            reads=deployed.reads,
            directory=deployed.directory,
            actors=actors,
            outside=outside,
            journal=journal,
            genesis_block=deployed.genesis_block,
            on_block=lambda block, transactions: mined.append((block, transactions)),
            leader=leader,
        )
        return Stand(deployed, scheduler, journal, outside, mined)

    return make
