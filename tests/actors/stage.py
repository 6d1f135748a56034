"""A world for one actor: real accounts, names and digests; the contracts' views are a table.

The contracts themselves are in `test_scheduler`, on a real chain: here each test states what they
would answer, which a chain could only be brought to say by whole scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from cluster.interface import ClusterEvent, EventKind
from devnet.actors.actor import Actor
from devnet.actors.cast import Setting, duties_of
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import ChainEvent, ClusterSeen
from devnet.actors.nodes import Nodes
from devnet.actors.operations import Operation, Send, Tell
from devnet.actors.view import Directory, View, account_names
from devnet.chain import Block, derive
from devnet.chain.keccak import keccak
from devnet.protocol import Domains, Event, OrderState
from devnet.protocol import View as Reads
from devnet.protocol.states import Kind, NodeState, PoolState, RoundState
from devnet.spec import load_network
from devnet.spec.network import RESOURCES, VENDORS, NetworkSpec

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "e2e" / "networks" / "small.yaml"
SEED = 7
GENESIS_BLOCK = 2
GENESIS_TIME = 1_767_225_600
BLOCK_SECONDS = 720
NOBODY = "0x" + "00" * 20
KEEPERS = ("gatekeeper-1", "gatekeeper-2", "gatekeeper-3")
LEAD = KEEPERS[0]


def network(**overrides: str) -> NetworkSpec:
    """small.yaml: three gatekeepers, four workers, cycle 70 blocks, gap 5."""
    return load_network(SMALL, overrides)


def directory(spec: NetworkSpec) -> Directory:
    return Directory.of(spec, SEED, derive(spec.accounts.mnemonic, account_names(spec)))


ACCOUNTS = directory(network()).accounts  # of small.yaml, by name


def hash_of(block: int) -> bytes:
    return keccak(b"block %d" % block)


def time_of(block: int) -> int:
    return GENESIS_TIME + block * BLOCK_SECONDS


def order_state(client: str, spec: bytes, **fields: Any) -> OrderState:
    """An accepted container order of at most 10 replicas."""
    values: dict[str, Any] = {
        "client": client,
        "node": NOBODY,
        "kind": Kind.CONTAINER,
        "spec": spec,
        "maxReplicas": 10,
        "duration": 86_400,
        "acceptedAt": time_of(10),
        "closedAt": 0,
        "finalized": False,
        "deposit": 10**18,
        "rate": 1,
        "rate2": 0,
        "consumed": 0,
        "settledUntil": 0,
        "statementSeq": 0,
        "statementAt": 0,
        "replicas": 0,
        "total": 0,
        "total2": 0,
    }
    return OrderState(**(values | fields))


class StatedContracts:
    """Stands for `devnet.protocol.Contracts`."""

    def address(self, contract: str) -> str:
        return "0x" + keccak(contract.encode())[12:].hex()


class StatedReads:
    """Stands for `devnet.protocol.View`: every value is a field a test may set."""

    def __init__(self, contracts: Sequence[str]) -> None:
        addresses = {name: "0x" + keccak(name.encode())[12:].hex() for name in contracts}
        self.domains = Domains(31_337, addresses)
        self.quorums = {"PERF": 2, "SLASH": 2, "CRITICAL": 3}
        self.epochs: dict[str, int] = {}
        self.rounds: dict[str, RoundState] = {}
        self.sequences: dict[str, int] = {}
        self.published: dict[str, int] = {}
        self.live: dict[str, bool] = {}
        self.active: dict[str, bool] = {}
        self.stakes: dict[str, int] = {}
        self.gatekeepers: set[str] = set()
        self.orders: dict[int, OrderState] = {}
        self.ends: dict[int, int] = {}
        self.prices_in_komp = {name: 1_000 * (place + 1) for place, name in enumerate(RESOURCES)}
        self.hashes: dict[int, bytes] = {}
        self.registered: dict[str, int] = {}
        self.exit_requested: dict[str, int] = {}
        self.cursors: dict[str, int] = {}
        self.released_wei = 0
        self.owners: dict[str, str] = {}
        self.pools: dict[str, PoolState] = {}  # by contract name
        self.contracts = StatedContracts()

    def config_digest(self, feed: str) -> bytes:
        return keccak(feed.encode())

    def epoch_and_round(self, feed: str) -> int:
        return self.epochs.get(feed, 0)

    def latest_round(self, feed: str) -> RoundState:
        return self.rounds.get(feed, RoundState(0, 0, 0, 0, 0))

    def released(self) -> int:
        return self.released_wei

    def needed(self, quorum: str) -> int:
        return self.quorums[quorum]

    def sequence_of(self, node: str) -> int:
        return self.sequences.get(node, 0)

    def last_published_block(self, node: str) -> int:
        return self.published.get(node, 0)

    def block_hash(self, number: int) -> bytes:
        return self.hashes.get(number, hash_of(number))

    def is_live(self, node: str) -> bool:
        return self.live.get(node, True)

    def works(self, node: str) -> bool:
        return self.active.get(node, True)

    def node(self, node: str) -> NodeState:
        stake, exit_requested = self.stake_of(node), self.exit_requested.get(node, 0)
        registered = self.registered.get(node, 1)
        return NodeState(
            owner=NOBODY,
            registeredAt=registered,
            unlockAt=0,
            exitAt=0,
            exitRequestedAt=exit_requested,
            multiplierBps=10_000,
            ejected=False,
            withdrawn=False,
            forfeited=False,
            suspensions=0,
            stake=stake,
        )

    def cursor_of(self, node: str, level: int) -> int:
        return self.cursors.get(node, self.registered.get(node, 1))

    def stake_of(self, node: str) -> int:
        return self.stakes.get(node, 500 * 10**18)

    def owner_of(self, node: str) -> str:
        return self.owners.get(node, NOBODY)

    def is_pool(self, account: str) -> bool:
        return account in [self.contracts.address(name) for name in self.pools]

    def pool(self, pool: str) -> PoolState:
        return self.pools[pool]

    def is_gatekeeper(self, account: str) -> bool:
        return account in self.gatekeepers

    def appeal_window(self) -> int:
        return 6 * 3600

    def arbiter_window(self) -> int:
        return 12 * 3600

    def max_age(self) -> int:
        return 14 * 86_400

    def halt_delay(self) -> int:
        return 2 * 3600

    def order(self, order: int) -> OrderState:
        return self.orders[order]

    def end_of(self, order: int) -> int:
        return self.ends[order]

    def price_in_komp(self, resource: str) -> int:
        return self.prices_in_komp[resource]


class Stage:
    """The view at any block, and the words that reach actors."""

    def __init__(self, spec: NetworkSpec | None = None) -> None:
        self.spec = spec or network()
        self.directory = directory(self.spec)
        feeds = [
            f"Feed:{vendor}:{name}" for name in self.spec.oracles.resources for vendor in VENDORS
        ]
        contracts = ("Staking", "Rewards", "Slashing", "Market", "ExecutionQueue", "Feed:komp_usd")
        self.reads = StatedReads((*contracts, "Feed:utilization", *feeds))
        self.nodes = Nodes(self.reads.max_age())
        self.reads.gatekeepers = {self.address(g.name) for g in self.spec.gatekeepers}

    def view(self, block: int, lead: str = "gatekeeper-1") -> View:
        return View(
            head=Block(block, time_of(block), "0x" + hash_of(block).hex()),
            lead=lead,
            reads=cast(Reads, self.reads),
            directory=self.directory,
            block_seconds=BLOCK_SECONDS,
            genesis_block=GENESIS_BLOCK,
            cycle_blocks=self.spec.cycle.blocks,
            nodes=self.nodes,
        )

    def lost(self, worker: str, block: int) -> ClusterSeen:
        """A node is lost, and everybody is told at that block."""
        return self._seen(EventKind.NODE_LOST, worker, block)

    def back(self, worker: str, block: int) -> ClusterSeen:
        return self._seen(EventKind.NODE_READY, worker, block)

    def _seen(self, kind: EventKind, worker: str, block: int) -> ClusterSeen:
        event = ClusterEvent(kind, worker)
        self.nodes.tell(event, time_of(block))
        return ClusterSeen(event)

    def address(self, name: str) -> str:
        return self.directory.address(name)


def gatekeeper(stage: Stage, name: str, *, modelled: bool = True) -> Gatekeeper:
    """An honest one, with all duties."""
    setting = Setting(stage.spec, stage.directory.accounts, modelled)
    peers = [keeper.name for keeper in stage.spec.gatekeepers]
    return Gatekeeper(stage.directory.accounts[name], peers, duties_of(name, setting))


def keepers(stage: Stage) -> list[Gatekeeper]:
    """All three."""
    return [gatekeeper(stage, name) for name in KEEPERS]


def happened(name: str, block: int, **args: object) -> ChainEvent:
    """An event of that block."""
    return ChainEvent(Event("", name, args, block, ""), time_of(block))


def incident_reported(
    stage: Stage, block: int, incident: int, worker: str, start: int = 0, *, level: int = 1
) -> ChainEvent:
    """That block's report of an outage of a worker, which began at that second."""
    values = {"id": incident, "node": stage.address(worker), "level": level, "from": start}
    return happened("IncidentReported", block, **values, to=time_of(block), evidence=bytes(32))


def sends(operations: Sequence[Operation]) -> list[tuple[str, str, tuple[object, ...]]]:
    """What was sent: account, function, arguments."""
    return [(o.account, o.function, o.args) for o in operations if isinstance(o, Send)]


def talk(
    actors: Sequence[Actor], view: View, inboxes: Mapping[str, Sequence[object]]
) -> list[tuple[str, Operation]]:
    """Let actors talk at one block until nobody is told anything more.

    Gives (actor, operation) of all that is not said among them.
    """
    by_name = {actor.name: actor for actor in actors}
    waiting = {name: list(messages) for name, messages in inboxes.items()}
    others: list[tuple[str, Operation]] = []
    for _ in range(50):
        if not waiting:
            return others
        turn, waiting = waiting, {}
        for name in sorted(turn):
            for operation in by_name[name].act(view, turn[name]):
                if isinstance(operation, Tell) and operation.to in by_name:
                    waiting.setdefault(operation.to, []).append(operation.message)
                else:
                    others.append((name, operation))
    raise AssertionError("the actors do not come to an end")
