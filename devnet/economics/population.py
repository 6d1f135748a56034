"""The nodes of a year: each worker of the network with its machine, its owner and its period."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Final

from cluster.profiles import REFERENCE_MACHINE, load_profile, scaled
from cluster.scores import profile_measurement, scores
from devnet.chain.keccak import keccak
from devnet.economics.chance import Chance
from devnet.economics.economy import Economy
from devnet.model.gatekeepers import Quorum
from devnet.model.parameters import STAKE_WEI
from devnet.spec.network import OWNER_SUFFIX, NetworkSpec

SGX_NONE: Final = 1_000_000  # W2: no SGX scores 1.0
SGX_EMULATED: Final = 1_500_000  # REFERENCE, SGX: valid and up to date
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
    """One node; `owner` is the address that holds its stake."""

    index: int
    name: str
    node: str
    owner: str
    hardware_id: bytes
    machine: Machine
    group: Group

    @property
    def months(self) -> int:
        return self.group.months


@cache
def machine_of(profile: str, scale: Fraction) -> Machine:
    """What the performance test gives a machine that is exactly its profile."""
    capacity = scaled(load_profile(profile), scale)
    measured = scores(profile_measurement(profile, capacity, b""), scaled(REFERENCE_MACHINE, scale))
    return Machine(
        profile=profile,
        sgx=SGX_EMULATED if capacity.sgx_epc_bytes else SGX_NONE,
        b=measured.b,
        c=(measured.c1, measured.c2, measured.c3),
        milli_cpu=capacity.milli_cpu,
        memory_mib=max(1, capacity.memory_bytes // MIB),
    )


def population(spec: NetworkSpec, economy: Economy, chance: Chance) -> tuple[Worker, ...]:
    """Every worker of the network, in its order."""
    accounts = economy.accounts
    made = []
    for index, worker in enumerate(spec.workers):
        pooled = chance.happens(spec.economics.pools.share)
        made.append(
            Worker(
                index=index,
                name=worker.name,
                node=accounts[worker.name],
                owner=accounts[worker.name + OWNER_SUFFIX],
                hardware_id=keccak(worker.name.encode()),
                machine=machine_of(worker.profile, spec.scale),
                group=Group(worker.profile, worker.stake_months, pooled),
            )
        )
    return tuple(made)


def fund_and_stake(economy: Economy, worker: Worker) -> None:
    """S1, S6: an owner gets its stake and its reserve, and registers the node."""
    treasury, owner = economy.accounts["treasury"], worker.owner
    economy.pay(treasury, owner, STAKE_WEI + economy.spec.economics.stakes.reserve)
    economy.allow(owner, "Staking", "Slashing")
    economy.require(
        owner,
        "Staking",
        "stake",
        {
            "node": worker.node,
            "hardwareId": worker.hardware_id,
            "months": worker.months,
            "deadline": economy.now,
            "signatures": economy.signatures(Quorum.PERF),
        },
    )
