"""The nodes of a year: each worker of the network with its machine, its owner and its period."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Final

from cluster.profiles import REFERENCE_MACHINE, Profile, scaled
from cluster.scores import profile_measurement, scores
from devnet.chain.keccak import keccak
from devnet.economics.chance import Chance
from devnet.economics.economy import Economy
from devnet.protocol.deployment import POOL_FACTORY, pool_address, pool_name
from devnet.spec.network import OWNER_SUFFIX, NetworkSpec

SGX_NONE: Final = 1_000_000  # W2: no SGX scores 1.0
SGX_EMULATED: Final = 1_500_000  # an enclave that is valid and up to date
MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Machine:
    """A profile at the network's scale; factors at 1e6 = 1.0 (W1)."""

    profile: str
    sgx: int
    b: int
    c: tuple[int, int, int]
    milli_cpu: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Group:
    """Whom the figures are told for: a profile, a period in months, funded by a pool or alone."""

    profile: str
    months: int
    pooled: bool

    @property
    def title(self) -> str:
        return f"{self.profile}, {self.months} mo" + (", pool" if self.pooled else "")


@dataclass(frozen=True, slots=True)
class Worker:
    """One node. `owner` is the address that holds its stake: its operator's, or its pool's.

    `pool` is the contract's name, empty without one; `members` are the pool's, the operator first.
    """

    index: int
    name: str
    node: str
    owner: str
    operator: str
    pool: str
    members: tuple[str, ...]
    hardware_id: bytes
    machine: Machine
    group: Group

    @property
    def months(self) -> int:
        return self.group.months


@cache
def machine_of(profile: Profile, scale: Fraction) -> Machine:
    """What the performance test gives a machine that is exactly its profile."""
    capacity = scaled(profile, scale)
    modelled = profile_measurement(profile.name, capacity, b"")
    measured = scores(modelled, scaled(REFERENCE_MACHINE, scale))
    return Machine(
        profile=profile.name,
        sgx=SGX_EMULATED if capacity.sgx_epc_bytes else SGX_NONE,
        b=measured.b,
        c=(measured.c1, measured.c2, measured.c3),
        milli_cpu=capacity.milli_cpu,
        memory_mib=max(1, capacity.memory_bytes // MIB),
    )


def population(spec: NetworkSpec, economy: Economy, chance: Chance) -> tuple[Worker, ...]:
    """Every worker of the network, in its order; pools are numbered as they will be created."""
    accounts, pooled = economy.accounts, spec.economics.pools
    factory = economy.parameters.addresses[POOL_FACTORY]
    profiles = {name: spec.profile(name) for name in {each.profile for each in spec.workers}}
    made = []
    pools = 0
    for index, worker in enumerate(spec.workers):
        operator, in_pool = accounts[worker.name + OWNER_SUFFIX], chance.happens(pooled.share)
        pools += in_pool
        others = (accounts[f"{worker.name}-member-{n}"] for n in range(2, pooled.members + 1))
        made.append(
            Worker(
                index=index,
                name=worker.name,
                node=accounts[worker.name],
                owner=pool_address(factory, pools) if in_pool else operator,
                operator=operator,
                pool=pool_name(pools) if in_pool else "",
                members=(operator, *others) if in_pool else (),
                hardware_id=keccak(worker.name.encode()),
                machine=machine_of(profiles[worker.profile], spec.scale),
                group=Group(worker.profile, worker.stake_months, in_pool),
            )
        )
    return tuple(made)
