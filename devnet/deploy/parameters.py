"""Everything a deployment depends on, as exact values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from devnet.spec.network import NetworkSpec

SECONDS_PER_DAY = 86_400
CLOUD_DECIMALS = 18  # Chainlink's usual 8 cannot say 0.0000025 USD
CLOUD_BOUNDS = (1, 10**22)  # of one unit of any resource: 1e-18 to 10 000 USD
KOMP_USD_DECIMALS = 8
KOMP_USD_BOUNDS = (10**2, 10**12)  # 0.000001 to 10 000 USD
UTILIZATION_DECIMALS = 18
UTILIZATION_BOUNDS = (0, 10**18)
UTILIZATION_JOB = b"kompute utilization".ljust(32, b"\0")  # a specId of Chainlink's requests
REQUEST_FEE = 10**17  # of LINK


@dataclass(frozen=True, slots=True)
class VaultParameters:
    """I1: `total_wei` over N cycles, the first of them `start_cycle`."""

    total_wei: int
    cycles: int
    start_cycle: int


@dataclass(frozen=True, slots=True)
class DeploymentParameters:
    """Addresses lower-case hex, times seconds, amounts wei.

    `governance` None is the deployment's own execution queue (G2); tests give an account.
    `vault` None is no incentive vault (I1).
    """

    treasury: str
    governance: str | None
    guardian: str
    company: str
    arbiter: str
    gatekeepers: tuple[str, ...]
    oracles: tuple[str, ...]
    faulty: int
    perf_quorum: int
    supply_wei: int
    month_seconds: int
    exit_delay_seconds: int
    max_age_seconds: int
    appeal_window_seconds: int
    arbiter_window_seconds: int
    halt_delay_seconds: int
    timelock_seconds: int
    cycle_blocks: int
    gap_blocks: int
    max_v: int
    resources: tuple[str, ...]
    heartbeat_seconds: int
    komp_usd_heartbeat_seconds: int
    utilization_heartbeat_seconds: int
    deviation_bps: int = 50
    mocked: tuple[str, ...] = ()
    vault: VaultParameters | None = None
    request_response: bool = False
    token: str = "kompute"  # noqa: S105  a word of the network file

    @classmethod
    def of(cls, spec: NetworkSpec, addresses: Mapping[str, str]) -> DeploymentParameters:
        """Of a network; `addresses` by account name."""
        parameters, oracles, given = spec.parameters, spec.oracles, spec.incentives
        return cls(
            treasury=addresses["treasury"],
            governance=None,
            guardian=addresses["guardian"],
            company=addresses["company"],
            arbiter=addresses["arbiter"],
            gatekeepers=tuple(addresses[g.name] for g in spec.gatekeepers),
            oracles=tuple(addresses[name] for name in oracles.node_names()),
            faulty=oracles.faulty,
            perf_quorum=parameters.perf_quorum,
            supply_wei=spec.supply,
            month_seconds=parameters.month_days * SECONDS_PER_DAY,
            exit_delay_seconds=parameters.exit_delay,
            max_age_seconds=parameters.incident_max_age,
            appeal_window_seconds=parameters.appeal_window,
            arbiter_window_seconds=parameters.arbiter_window,
            halt_delay_seconds=parameters.halt_delay,
            timelock_seconds=parameters.timelock,
            cycle_blocks=spec.cycle.blocks,
            gap_blocks=spec.cycle.gap_blocks,
            max_v=parameters.max_v,
            resources=oracles.resources,
            heartbeat_seconds=oracles.heartbeat,
            komp_usd_heartbeat_seconds=oracles.komp_usd_heartbeat,
            utilization_heartbeat_seconds=oracles.utilization_heartbeat,
            deviation_bps=oracles.deviation_bps,
            mocked=oracles.mocked,
            vault=VaultParameters(given.total, given.cycles, given.start) if given else None,
            request_response=oracles.request_response,
            token=spec.token,
        )

    def document(self) -> dict[str, Any]:
        """As `deployment.json` has it; integers above 2^53 as decimal strings."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, int) and value > 2**53 else value
