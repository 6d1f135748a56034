"""The network file: chain, cycle, parameters, actors, oracles and services of one devnet.

Everything has a default that works: `version: 1`, a name and one worker are a network.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, PrivateAttr, ValidationInfo

from devnet.spec.autoscale import Autoscale
from devnet.spec.behaviours import (
    ClientBehaviour,
    GatekeeperBehaviour,
    OracleBehaviour,
    WorkerBehaviour,
)
from devnet.spec.document import nearby
from devnet.spec.economics import Economics
from devnet.spec.feeds import FEED_PREFIX, KOMP_USD, UTILIZATION, cloud_feed
from devnet.spec.fields import (
    MAX_BLOCKS,
    MAX_REPLICAS,
    Bytes,
    MilliCpu,
    Months,
    Name,
    Natural,
    Positive,
    PositiveSeconds,
    Rate,
    Ratio,
    Seconds,
    SpecModel,
    StorageBytes,
    Text,
    Truth,
    Usd1e8,
    Version,
    Wei,
    at_most,
    one_of,
    whole_number,
)
from devnet.spec.machines import OrFile
from devnet.spec.units import (
    WEI_PER_KOMP,
    UnitError,
    duration_text,
    memory_text,
    milli_cpu_text,
)

if TYPE_CHECKING:
    from cluster.profiles import Profile

VENDORS = ("aws", "gcp", "azure")
RESOURCES = (
    "vcpu_hour",
    "gib_hour",
    "storage_gib_month",
    "egress_gib",
    "function_gib_second",
    "million_requests",
)
CONTAINER_RESOURCES = ("vcpu_hour", "gib_hour")
VIRTUAL_MACHINE_RESOURCES = (*CONTAINER_RESOURCES, "storage_gib_month")
SERVERLESS_RESOURCES = ("function_gib_second", "million_requests")
SERVICE_KINDS = ("container", "serverless", "virtual_machine")  # in IMarket.Kind's order
REQUEST_RESPONSE_CONTRACTS = ("LinkToken", "Operator", "UtilizationConsumer")
RESERVED_NAMES = ("all", "treasury", "governance", "company", "arbiter", "guardian", "deployer")
OWNER_SUFFIX = "-owner"  # the account that holds a worker's stake (R2)
ANVIL_MNEMONIC = "test test test test test test test test test test test junk"
SECONDS_PER_DAY = 86400
MAX_CHAIN_ID = 2**63 - 37  # EIP-2294: the largest that fits every client's arithmetic
MAX_DAYS = 3650  # D1
MAX_PROFILE_MILLI_CPU = 1024 * 1000
MAX_PROFILE_BYTES = 2**50
MAX_PROFILE_RATE = 10**12  # bytes or bits a second
MAX_TIMEOUT_SECONDS = 600  # of the wall clock, which an invocation holds
MAX_ORACLES = 31  # an aggregator's signers

Profiles = Callable[[], Collection[str]]


class Chain(SpecModel):
    """The chain: every block is its parent + `block_seconds`."""

    block_seconds: Annotated[Positive, at_most(SECONDS_PER_DAY)] = 720
    genesis_timestamp: Annotated[Positive, at_most(4 * 10**9)] = Field(
        default=1767225600,
        description="Unix time; 2026-01-01T00:00:00Z; reports have 32 bits for it (O1)",
    )
    chain_id: Annotated[Positive, at_most(MAX_CHAIN_ID)] = 31337
    port: Annotated[Positive, at_most(65_535)] | None = Field(
        default=None, description="fixed port of the RPC; absent: a free one"
    )
    open_rpc: Truth = Field(
        default=False,
        description="let the RPC change the chain too (evm_mine, anvil_setBalance, …)",
    )
    prune_history: Truth = Field(
        default=True,
        description="keep the last 512 blocks at least and the state of the head only, so that "
        "memory stays flat; false: all, for calls at old blocks and debug traces, 80 KB a block",
    )


class Cycle(SpecModel):
    """A reward cycle of `blocks` (C1); two publications are `gap_blocks` apart at least (W4)."""

    blocks: Annotated[Positive, at_most(MAX_BLOCKS)] = 70
    gap_blocks: Annotated[Positive, at_most(MAX_BLOCKS)] = 5


class Parameters(SpecModel):
    """Parameters of the contracts."""

    month_days: Annotated[Positive, at_most(MAX_DAYS)] = Field(
        default=30, description="a month of a staking period (S2)"
    )
    appeal_window: Seconds = Field(default=6 * 3600, description="L6; may be 0s")
    arbiter_window: PositiveSeconds = Field(default=12 * 3600, description="L6; from an appeal")
    exit_delay: Seconds = Field(
        default=15 * SECONDS_PER_DAY, description="S5; above incident_max_age"
    )
    incident_max_age: PositiveSeconds = Field(default=14 * SECONDS_PER_DAY, description="L5")
    halt_delay: Seconds = Field(default=2 * 3600, description="M6")
    timelock: Seconds = Field(
        default=2 * SECONDS_PER_DAY, description="G2, from queueing a proposal to its execution"
    )
    max_v: Annotated[int, *whole_number(1, 2**96 - 1)] = Field(
        default=10**20, description="W2; 1e18 is the reference machine"
    )
    perf_quorum: Natural = Field(default=0, description="R4, k of n; 0: the smallest k above n/2")


class Gatekeeper(SpecModel):
    """A gatekeeper (R3); `control_plane` ones host the cluster's control plane."""

    name: Name
    control_plane: Truth = False
    behaviour: GatekeeperBehaviour | None = None


class OwnProfile(SpecModel):
    """A hardware profile of one's own. In the list, a path stands for the file that says all but
    its name, which is the file's (`devnet.spec.machines`)."""

    name: Name
    description: Text = ""
    cpu: Annotated[MilliCpu, at_most(MAX_PROFILE_MILLI_CPU, milli_cpu_text)]
    memory: Annotated[Bytes, at_most(MAX_PROFILE_BYTES, memory_text)]
    storage: Annotated[StorageBytes, at_most(MAX_PROFILE_BYTES, memory_text)]
    disk_write: Annotated[Rate, at_most(MAX_PROFILE_RATE)] = Field(description="bytes a second")
    network: Annotated[Rate, at_most(MAX_PROFILE_RATE)] = Field(description="bits a second")
    sgx_epc: Annotated[Bytes, at_most(MAX_PROFILE_BYTES, memory_text)] | None = Field(
        default=None, description="bytes; absent: no SGX"
    )


class Worker(SpecModel):
    """A worker node (R2); with `count`, that many of them, named `name-1`, `name-2`, …

    A `light` one is no worker: it has no account, stakes nothing and is measured by nobody.
    """

    name: Name
    profile: Text = "standard"
    region: Name = "local"
    zone: Name = "local-a"
    stake_months: Months = 1
    count: Annotated[Positive, at_most(10_000)] | None = None
    behaviour: WorkerBehaviour | None = None
    light: Truth = Field(
        default=False,
        description="native: a node of the Kubernetes API and nothing else, which runs nothing and "
        "which kwok plays",
    )


class Client(SpecModel):
    """A client (R1) with its first balance."""

    name: Name
    balance: Wei = 1000 * WEI_PER_KOMP
    behaviour: ClientBehaviour | None = None


class Incentives(SpecModel):
    """The incentive vault (I1): `total` over so many `cycles`, falling linearly."""

    total: Wei
    cycles: Annotated[Positive, at_most(2**32 - 1)]
    start: Annotated[Natural, at_most(2**32 - 1)] = Field(
        default=0, description="the cycle in which the first part is due"
    )
    automatic: Truth = Field(
        default=True, description="the treasury releases each cycle; false: only as a step asks"
    )


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise UnitError("named twice", name)
    return names


class Oracles(SpecModel):
    """The oracle nodes, and how fresh their feeds are (O1, O2)."""

    nodes: Annotated[Positive, at_most(MAX_ORACLES)] = 4
    faulty: Annotated[Natural, at_most(MAX_ORACLES)] = Field(
        default=1, description="f: a report carries f+1 signatures, 3f < nodes"
    )
    deviation_bps: Annotated[Positive, at_most(10_000)] = 50
    heartbeat: PositiveSeconds = Field(default=24 * 3600, description="of the cloud feeds")
    komp_usd: Usd1e8 = 50_000_000
    komp_usd_heartbeat: PositiveSeconds = 12 * 3600
    utilization_heartbeat: PositiveSeconds = 6 * 3600
    resources: Annotated[
        tuple[Annotated[str, *one_of("resource", *RESOURCES)], ...], AfterValidator(_each_once)
    ] = (*CONTAINER_RESOURCES, *SERVERLESS_RESOURCES)
    mocked: Annotated[
        tuple[Annotated[str, *one_of("vendor", *VENDORS)], ...], AfterValidator(_each_once)
    ] = Field(
        default=(),
        description="vendors whose feeds are mocks that answer whatever oracle-1 scripts",
    )

    request_response: Truth = Field(
        default=False,
        description="deploy Chainlink's own Operator and LinkToken, and a consumer that asks them",
    )
    behaviour: OracleBehaviour | None = None

    def feed_names(self) -> tuple[str, ...]:
        """Of all feeds, as steps name them: `vendor:resource`, `komp_usd`, `utilization`."""
        clouds = (cloud_feed(vendor, name) for name in self.resources for vendor in VENDORS)
        return (*clouds, KOMP_USD, UTILIZATION)

    def node_names(self) -> tuple[str, ...]:
        """`oracle-1` … `oracle-n`."""
        return tuple(f"oracle-{n}" for n in range(1, self.nodes + 1))


def _existing_folder(folder: str, info: ValidationInfo) -> str:
    if isinstance(info.context, Path) and not (info.context / folder).is_dir():
        raise UnitError("no such folder", folder, nearby(info.context / folder))
    return folder


class Service(SpecModel):
    """What clients can order (M1): a folder with a command, and what one replica asks for."""

    name: Name
    kind: Annotated[str, *one_of("kind of service", *SERVICE_KINDS)]
    folder: Annotated[Text, AfterValidator(_existing_folder)] = Field(
        description="relative to the network file"
    )
    command: tuple[Text, ...] = Field(min_length=1)
    cpu: MilliCpu = 50
    memory: Bytes = 32 * 2**20
    storage: StorageBytes | None = Field(
        default=None, description="virtual_machine: of one replica, in whole GiB"
    )
    readiness: Text = Field(
        default="/",
        description="container, virtual_machine: the path that answers 200 when ready",
    )
    timeout: Annotated[PositiveSeconds, at_most(MAX_TIMEOUT_SECONDS, duration_text)] = Field(
        default=10, description="serverless: the longest an invocation takes"
    )
    min_replicas: Annotated[Positive, at_most(MAX_REPLICAS)] = 1
    max_replicas: Annotated[Positive, at_most(MAX_REPLICAS)] = 10
    autoscale: Autoscale | None = Field(
        default=None, description="container, virtual_machine; absent: as many as its client wishes"
    )

    @property
    def memory_mib(self) -> int:
        """Whole MiB of a replica or an invocation, as they are priced (M1, M3)."""
        return self.memory // 2**20

    @property
    def storage_gib(self) -> int:
        """Whole GiB of a virtual machine's replica, 0 for others."""
        return (self.storage or 0) // 2**30


class Accounts(SpecModel):
    """Every account of the devnet comes from this mnemonic."""

    mnemonic: Text = ANVIL_MNEMONIC


class NetworkSpec(SpecModel):
    """A whole network, as its file says it, with every default filled in.

    Amounts are wei, durations seconds, CPU thousandths, memory bytes, dollars 1e-8. Loaded
    through `devnet.spec.load_network`, `workers` are expanded (no `count`) and without the light
    ones, which are in `light`, and `perf_quorum` is never 0.
    """

    version: Version = 1
    name: Name
    scale: Ratio = Field(
        default=Fraction(1), description="divides every profile and the reference machine alike"
    )
    chain: Chain = Chain()
    cycle: Cycle = Cycle()
    parameters: Parameters = Parameters()
    gatekeepers: tuple[Gatekeeper, ...] = (
        Gatekeeper(name="gatekeeper-1", control_plane=True),
        Gatekeeper(name="gatekeeper-2"),
        Gatekeeper(name="gatekeeper-3"),
    )
    profiles: tuple[Annotated[OwnProfile, OrFile()], ...] = Field(
        default=(), description="machines of one's own, beside those that come with the project"
    )
    workers: tuple[Worker, ...] = Field(min_length=1)
    publishes_per_day: Annotated[Natural, at_most(SECONDS_PER_DAY)] = 1
    idle: Truth = Field(
        default=False,
        description="nobody acts by itself; only send and advance steps move the chain",
    )
    clients: tuple[Client, ...] = (Client(name="alice"), Client(name="bob"))
    oracles: Oracles = Oracles()
    incentive_per_cycle: Wei = Field(
        default=1000 * WEI_PER_KOMP, description="added to each cycle's reward by the treasury"
    )
    incentives: Incentives | None = Field(
        default=None, description="absent: there is no incentive vault (I1)"
    )
    supply: Annotated[Wei, Field(gt=0)] = Field(
        default=100_000_000 * WEI_PER_KOMP, description="of KOMP, all the treasury's at first (T1)"
    )
    token: Annotated[str, *one_of("token", "kompute", "re-entering")] = Field(
        default="kompute",
        description="re-entering: a mock that calls back when it moves, for attacks",
    )
    services: tuple[Service, ...] = ()
    workloads: Annotated[str, *one_of("way to run workloads", "process", "modelled")] = "process"
    unsandboxed: Truth = Field(
        default=False,
        description="native: pods are plain processes of the user, who do whatever that user may; "
        "for a machine that allows no sandbox, and for no workload that you do not trust",
    )
    economics: Economics = Field(
        default=Economics(), description="what `devnet economics` assumes; runs do not read it"
    )
    accounts: Accounts = Accounts()
    _base: Path = PrivateAttr(default=Path())
    _light: tuple[Worker, ...] = PrivateAttr(default=())

    @property
    def base(self) -> Path:
        """The folder of the network file; service folders are relative to it."""
        return self._base

    def placed(self, base: Path) -> NetworkSpec:
        """The same network, read from a file in `base`."""
        copy = self.model_copy()
        copy._base = base
        return copy

    @property
    def light(self) -> tuple[Worker, ...]:
        """The entries of light nodes, as the file has them: with `count`, not among `workers`."""
        return self._light

    def document(self, without: Collection[str] = ()) -> dict[str, Any]:
        """The whole network in the language of the file, but for some keys; JSON values."""

        def plain(model: SpecModel, without: Collection[str] = ()) -> dict[str, Any]:
            return model.model_dump(
                mode="json", by_alias=True, exclude_none=True, exclude=set(without)
            )

        document = plain(self, without)
        if "workers" not in without:
            document["workers"] += [plain(entry) for entry in self._light]
        return document

    @property
    def control_plane_hosts(self) -> tuple[str, ...]:
        """The gatekeepers that host the cluster's control plane; one of them leads (R3)."""
        return tuple(keeper.name for keeper in self.gatekeepers if keeper.control_plane)

    def contract_names(self) -> tuple[str, ...]:
        """Of all contracts it begins with; pools come later."""
        return (
            *("Kompute", "Gatekeepers", "Staking", "Slashing", "Rewards"),
            *(FEED_PREFIX + name for name in self.oracles.feed_names()),
            *("Pricing", "Market", "PoolFactory", "ExecutionQueue"),
            *(("IncentiveVault",) if self.incentives else ()),
            *(REQUEST_RESPONSE_CONTRACTS if self.oracles.request_response else ()),
        )

    def profile(self, name: str) -> Profile:
        """The hardware profile of that name, its own or one that comes with the project.

        Raises `cluster.profiles.UnknownProfile`.
        """
        from cluster.profiles import load_profile

        for own in self.profiles:
            if own.name == name:
                return _profile_of(own)
        return load_profile(name)

    def service(self, name: str) -> Service:
        """The service of that name; raises `KeyError`."""
        return _named(self.services, name)

    def worker(self, name: str) -> Worker:
        """The worker of that name; raises `KeyError`."""
        return _named(self.workers, name)

    def client(self, name: str) -> Client:
        """The client of that name; raises `KeyError`."""
        return _named(self.clients, name)

    def service_folder(self, name: str) -> Path:
        """Where the files of a service are; raises `KeyError`."""
        return self.base / self.service(name).folder

    def expanded(self) -> NetworkSpec:
        """Each worker by itself, and the quorum as a number."""
        light = tuple(entry for entry in self.workers if entry.light)
        workers = tuple(one for entry in self.workers if not entry.light for one in each_of(entry))
        quorum = self.parameters.perf_quorum or len(self.gatekeepers) // 2 + 1  # R4
        parameters = self.parameters.model_copy(update={"perf_quorum": quorum})
        copy = self.model_copy(update={"workers": workers, "parameters": parameters})
        copy._light = light
        return copy


def _profile_of(own: OwnProfile) -> Profile:
    from cluster.interface import Capacity
    from cluster.profiles import Profile

    capacity = Capacity(
        milli_cpu=own.cpu,
        memory_bytes=own.memory,
        storage_bytes=own.storage,
        disk_write_bytes_per_second=own.disk_write,
        network_bits_per_second=own.network,
        sgx_epc_bytes=own.sgx_epc or 0,
    )
    return Profile(own.name, own.description, capacity)


Entry = TypeVar("Entry", Service, Worker, Client)


def each_of(entry: Worker) -> tuple[Worker, ...]:
    """The workers a file's entry stands for."""
    if entry.count is None:
        return (entry,)
    names = (f"{entry.name}-{n}" for n in range(1, entry.count + 1))
    return tuple(entry.model_copy(update={"name": name, "count": None}) for name in names)


def _named(entries: tuple[Entry, ...], name: str) -> Entry:
    for entry in entries:
        if entry.name == name:
            return entry
    raise KeyError(name)
