"""A running devnet: chain, contracts, cluster, oracles, gateway and actors, raised in that order.

Leaving stops everything in the reverse order, whatever happened.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cluster.ended import Ended, Incident, Outlook, dead_of, how_ended
from cluster.interface import Cluster
from cluster.registry import Making
from devnet.actors.actor import Actor
from devnet.actors.cast import Setting, cast
from devnet.actors.outside import ClusterOutside
from devnet.actors.scheduler import DEVNET, Scheduler
from devnet.actors.sources import Sources
from devnet.actors.view import Directory, account_names
from devnet.base import Toolchain
from devnet.chain import Account, Anvil, Chain, MinedBlock, Rpc, derive
from devnet.chain.door import RpcDoor
from devnet.chain.kept import Kept
from devnet.chain.pruning import Pruning
from devnet.checking.checks import Checks
from devnet.deploy.parameters import UTILIZATION_JOB
from devnet.gateway import Gateway
from devnet.protocol import Contracts, Deployment, ObservedTransaction
from devnet.protocol import View as Reads
from devnet.record.encoding import plain
from devnet.record.folder import RunFolder
from devnet.record.history import REMEMBERED, History
from devnet.runs.clusters import choose, making_of
from devnet.runs.genesis import Genesis, deploy_network, genesis_document
from devnet.runs.node import drops, funded_accounts, node_of
from devnet.runs.parts import blamed, require
from devnet.spec.network import NetworkSpec
from devnet.steps.readings import Readings


class World:
    """A context manager; its parts are attributes once it is entered.

    `run` is the opened folder of the run, `state` where parts keep their own files. `waits`:
    see `ClusterOutside`. `node` is the chain's where it was launched already; the world ends it.
    Whatever error leaves it is told as PartDied where a part has died.
    """

    chain: Chain
    cluster: Cluster
    sources: Sources
    gateway: Gateway
    scheduler: Scheduler
    readings: Readings
    checks: Checks
    deployment: Deployment
    contracts: Contracts
    directory: Directory
    genesis: Genesis
    remembers: Iterable[str] = REMEMBERED
    drops_blocks = True

    def __init__(
        self,
        spec: NetworkSpec,
        *,
        cluster: str,
        run: RunFolder,
        state: Path,
        devnet_id: str,
        toolchain: Toolchain,
        seed: int,
        say: Callable[[str], None],
        waits: bool = True,
        node: Anvil | None = None,
    ) -> None:
        self.spec = spec
        self.run = run
        self.seed = seed
        self._state = state
        self._devnet_id = devnet_id
        self._toolchain = toolchain
        self._say = say
        self._waits = waits
        self._node = node
        self._stack = ExitStack()
        self._incidents_told = 0
        self._kind, reason = choose(cluster, toolchain, spec)
        self.kind = self._kind.name
        say(f"cluster {reason}")

    def ended(self) -> tuple[Ended, ...]:
        """All parts that are not there now; any thread, at once."""
        found = list(self.cluster.ended())
        if (code := self._anvil.exit_code) is not None:
            found.append(Ended("anvil", how_ended(code), self._anvil.log))
        if not self._door.alive():
            found.append(Ended("the chain's door", "has lost its thread"))
        if not self.gateway.alive():
            found.append(Ended("the gateway", "has lost its thread"))
        if not self.sources.servers.alive():
            found.append(Ended("the price servers", "have lost their thread"))
        return tuple(found)

    def losses(self) -> list[str]:
        """Every part that has died so far, and how, also of those that are back, and those that are
        away now; any thread."""
        away = [str(part) for part in self.ended() if part.outlook is not Outlook.RETURNS]
        return list(dict.fromkeys((*dead_of(self.cluster.incidents()), *away)))

    def incidents(self) -> tuple[Incident, ...]:
        """What became of the cluster's parts so far; any thread."""
        return self.cluster.incidents()

    @property
    def patience_blocks(self) -> int:
        """How long a step may wait for its own blocks: two cycles (W4's gap, a cycle's end)."""
        return 2 * self.spec.cycle.blocks

    @property
    def rpc_url(self) -> str:
        """For everybody else; the devnet's own clients speak with the node itself."""
        return self._door.url

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._raise(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        told = blamed(error, self.ended) if isinstance(error, Exception) else error
        with contextlib.suppress(OSError):  # a full disk is told by whoever found it
            self._tell_incidents(self.chain.head.number)
        try:
            self._stack.__exit__(kind, error, trace)
        finally:  # what is left of a broken devnet may not even stop well
            if told is not None and told is not error:
                raise told

    def _raise(self, stack: ExitStack) -> None:
        spec, logs = self.spec, self.run.path / "logs"
        accounts = derive(spec.accounts.mnemonic, account_names(spec))
        self._anvil = stack.enter_context(
            self._node
            or node_of(
                spec,
                self._toolchain,
                logs=logs,
                devnet_id=self._devnet_id,
                drops_blocks=self.drops_blocks,
            )
        )
        kept = Kept(states=not spec.chain.prune_history)
        self._door = stack.enter_context(
            RpcDoor(
                self._anvil.url,
                port=spec.chain.port or 0,
                is_open=spec.chain.open_rpc,
                kept=kept,
            )
        )
        rpc = stack.enter_context(Rpc(self._anvil.url))
        prunes = self.drops_blocks and drops(spec)
        self.chain = Chain(
            rpc,
            spec.chain.block_seconds,
            chain_id=spec.chain.chain_id,
            pruning=Pruning(rpc, spec.chain.block_seconds, kept, self._door.quiet)
            if prunes
            else None,
        )
        history = History(self.run, self.remembers)
        self.directory = Directory.of(spec, self.seed, accounts)
        self._deploy()
        self._say(f"chain: contracts deployed by block {self.chain.head.number}")
        if not self._kind.modelled:
            light = sum(entry.count or 1 for entry in spec.light)
            beside = f" and {light:,} light nodes".replace(",", " ") if light else ""
            how = ", unsandboxed" if spec.unsandboxed else ""
            workers = f"{len(spec.workers)} workers{beside}"
            self._say(f"cluster {self.kind}: raising it with {workers}{how}")
        self.cluster = stack.enter_context(self._kind.make(self._making(logs)))
        self.sources = stack.enter_context(Sources(spec, self.cluster))
        self.gateway = stack.enter_context(Gateway())
        outside = stack.enter_context(
            ClusterOutside(self.cluster, self.gateway, self.sources, waits=self._waits)
        )
        reads = Reads(self.chain, self.contracts, self.directory.names)
        self.readings = Readings(reads, self.directory, history)
        self.checks = Checks(
            reads, self.genesis.parameters, self.deployment, self.chain, self._names()
        )
        self.scheduler = Scheduler(
            chain=self.chain,
            contracts=self.contracts,
            reads=reads,
            directory=self.directory,
            actors=self._actors(accounts),
            outside=outside,
            journal=history,
            genesis_block=self.deployment.genesis.block,
            on_block=self._mined,
            leader=self.cluster.leader,
        )
        self._history = history
        for mined, observed in self.genesis.blocks:
            self._mined(mined, observed)
        self.cluster.subscribe(self.scheduler.cluster_event)
        self.scheduler.drain()

    def _deploy(self) -> None:
        self.genesis = deploy_network(
            self.spec, self.chain, self.directory, self._toolchain, self._say
        )
        self.deployment, self.contracts = self.genesis.deployment, self.genesis.contracts
        accounts = funded_accounts(self.spec)
        document = genesis_document(self.spec, accounts, self.deployment, self.directory)
        self.run.document("genesis.json", document)
        self.run.document("names.json", self._names())

    def _names(self) -> dict[str, str]:
        """Account and contract names by lower-case address."""
        return {**self.directory.names, **self.contracts.names}

    def _making(self, logs: Path) -> Making:
        log = logging.getLogger(f"kompute.cluster.{self._devnet_id}")
        log.setLevel(logging.INFO)
        log.propagate = False
        if not log.handlers:
            log.addHandler(logging.FileHandler(logs / "cluster.log"))
        return making_of(self.spec, self._state, self._devnet_id, self._toolchain, log)

    def _actors(self, accounts: dict[str, Account]) -> list[Actor]:
        return cast(Setting(self.spec, accounts, self._kind.modelled, UTILIZATION_JOB))

    def _mined(self, mined: MinedBlock, observed: tuple[ObservedTransaction, ...]) -> None:
        self._history.mined(mined, observed)
        before = self.checks.unmodelled
        self.checks.observe(observed)
        self.scheduler.follows = self.checks.unmodelled is None
        if (now := self.checks.unmodelled) is not None and before is None:
            self._history.told(now.block, DEVNET, now)
        self._tell_incidents(mined.block.number)
        require(self.ended())

    def _tell_incidents(self, block: int) -> None:
        for incident in self.cluster.incidents():
            if incident.number > self._incidents_told:
                self._incidents_told = incident.number
                self._history.told(block, DEVNET, incident)

    def record_step(self, outcome: Any) -> None:
        """One line of `steps.jsonl`: the outcome and the ledger it left."""
        moment = {"timestamp": self.chain.head.timestamp, "seconds": outcome.seconds}
        told = plain(outcome)
        if told["unchecked_since"] is None:
            del told["unchecked_since"]
        record = {**told, **moment, "ledger": self.checks.snapshot()}
        self.run.line("steps.jsonl", record)
