"""What an actor may look at: the head block, the contracts' views, and who is who."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devnet.actors.nodes import Nodes
from devnet.chain import Account, Block
from devnet.chain.keccak import keccak
from devnet.protocol import View as Reads
from devnet.protocol import order_spec
from devnet.spec.network import SERVICE_KINDS, NetworkSpec, Service

TREASURY = "treasury"
DEPLOYER = "deployer"
GOVERNANCE = "governance"
COMPANY = "company"
ARBITER = "arbiter"
GUARDIAN = "guardian"
PORTAL = "portal"

GUEST_PREFIX = "guest-"
GUEST_PROFILE = "standard"  # what every machine from outside is modelled as


def guest_of(node: str) -> str:
    """What gatekeepers call a machine from outside: it is known by its node's address alone."""
    return GUEST_PREFIX + node.lower()


def is_guest(worker: str) -> bool:
    """Whether a worker's name is that of a machine from outside."""
    return worker.startswith(GUEST_PREFIX + "0x")


def owner_of(worker: str) -> str:
    """The account that owns a worker's stake (R2)."""
    return f"{worker}-owner"


def hardware_id(seed: int, worker: str) -> bytes:
    """What identifies a worker's machine (S6): the devnet's machines are drawn from its seed."""
    return keccak(f"hardware:{seed}:{worker}".encode())


def spec_hash(service: Service) -> bytes:
    """The hash a request names its service by: of all that decides what runs (M1)."""
    unsaid = {"autoscale"} if service.autoscale is None else None  # what runs is as it was
    return keccak(service.model_dump_json(exclude=unsaid).encode())


def order_spec_of(service: Service) -> bytes:
    """The `spec` of an honest order of a service, which paid for its kind and size (M1)."""
    kind = SERVICE_KINDS.index(service.kind)  # IMarket.Kind
    sizes = (service.cpu, service.memory_mib, service.storage_gib)
    return order_spec(kind, spec_hash(service), *sizes)


def account_names(spec: NetworkSpec) -> tuple[str, ...]:
    """Every account of a network in derivation order; a longer network keeps the shorter's keys."""
    return (
        DEPLOYER,
        TREASURY,
        GOVERNANCE,
        COMPANY,
        ARBITER,
        GUARDIAN,
        *(gatekeeper.name for gatekeeper in spec.gatekeepers),
        *spec.oracles.node_names(),
        *(client.name for client in spec.clients),
        *(name for worker in spec.workers for name in (worker.name, owner_of(worker.name))),
    )


@dataclass(frozen=True, slots=True)
class Directory:
    """Who is who: accounts by name, names by address, services by an honest order's `spec`."""

    spec: NetworkSpec
    seed: int
    accounts: Mapping[str, Account]
    names: Mapping[str, str]
    services: Mapping[bytes, Service]

    @classmethod
    def of(cls, spec: NetworkSpec, seed: int, accounts: Mapping[str, Account]) -> Directory:
        return cls(
            spec=spec,
            seed=seed,
            accounts=accounts,
            names={account.address.lower(): name for name, account in accounts.items()},
            services={order_spec_of(service): service for service in spec.services},
        )

    def service_of(self, spec: bytes) -> Service | None:
        """What an order of that `spec` runs; None where its service, kind or size is not one
        offered here (M2)."""
        return self.services.get(bytes(spec))

    def address(self, name: str) -> str:
        """The address of an account of the network, or of a guest's node."""
        return name.removeprefix(GUEST_PREFIX) if is_guest(name) else self.accounts[name].address

    def profile_of(self, worker: str) -> str:
        """The hardware profile a worker declares."""
        return GUEST_PROFILE if is_guest(worker) else self.spec.worker(worker).profile

    def name(self, address: str) -> str:
        """The name of an account, or the address itself for a stranger."""
        return self.names.get(address.lower(), address)


@dataclass(frozen=True, slots=True)
class View:
    """The world at the head block, read only. `lead`: the gatekeeper that leads now, which
    proposes and acts while its peers check and sign (R3); `nodes`: which of them are gone."""

    head: Block
    lead: str
    reads: Reads
    directory: Directory
    block_seconds: int
    genesis_block: int
    cycle_blocks: int
    nodes: Nodes

    @property
    def now(self) -> int:
        """The chain's time, seconds."""
        return self.head.timestamp

    def cycle_of(self, block: int) -> int:
        """C1: floor((block - genesis) / L)."""
        return (block - self.genesis_block) // self.cycle_blocks

    def time_of(self, block: int) -> int:
        """When a block is or will be: every block is its parent + block_seconds."""
        return self.head.timestamp + (block - self.head.number) * self.block_seconds
