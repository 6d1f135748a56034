"""A devnet under the load of many users, to a verdict: Locust drives, we mine, serve and judge.

Locust runs in a process of its own (`python -m loadtests`); its users are outside the devnet and
meet its gatekeepers at the portal. What Locust counts as a success must be on the chain, and
nothing else may be there.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from cluster.ended import how_ended
from devnet.actors.actor import Actor
from devnet.actors.door import Door
from devnet.actors.messages import Stake
from devnet.actors.portal import Desk, Grant, Portal
from devnet.actors.view import account_names, spec_hash
from devnet.base import Child, DevnetFolder, StartFailed, Toolchain, UsageError
from devnet.base.environment import python_environment
from devnet.base.telling import Passing
from devnet.chain import Account, Block
from devnet.record.history import REMEMBERED, History
from devnet.runs.judging import STAGES, LoadVerdict, ServiceLevels, judge
from devnet.runs.life import Facts, Life, Remains, saying
from devnet.runs.pace import WallPace
from devnet.runs.world import World
from devnet.spec.loading import resolved_yaml
from devnet.spec.network import NetworkSpec, Service
from loadtests.plan import Plan, ServicePlan, UserAccounts, user_accounts

PYTHON: Final = sys.executable
SECONDS_PER_BLOCK: Final = 0.25
STOP_SECONDS: Final = 60  # for the steps that are under way at the end
START_SECONDS: Final = 30  # for Locust's own start, and its last words
STOPPED_SECONDS: Final = 10.0  # of a Locust that somebody stopped, once its time is over
LOOK_SECONDS: Final = 0.5
STEP_MILLISECONDS: Final = 1_500  # between the steps of one user; less in a short run
MOST_LATE_STEPS: Final = 10
SAY_SECONDS: Final = 5.0
OWNER_WEI: Final = 700 * 10**18  # a stake (S1), and what outages take of it
CLIENT_WEI: Final = 1_000 * 10**18
DEPOSIT_WEI: Final = 5 * 10**18
ORDER_SECONDS: Final = 30 * 86_400  # M1
STAKE_MONTHS: Final = 1


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load run came to; `to_json` is what `devnet load --json` prints."""

    verdict: LoadVerdict
    cluster: str
    network: str
    users: int
    workloads: str
    last_block: Block
    remains: Remains
    seconds: float

    @property
    def ok(self) -> bool:
        return self.verdict.ok

    def to_json(self) -> dict[str, Any]:
        return {
            **self.verdict.to_json(),
            "cluster": self.cluster,
            "network": self.network,
            "users": self.users,
            "workloads": self.workloads,
            "last_block": {"number": self.last_block.number, "hash": self.last_block.hash},
            **self.remains.to_json(),
            "seconds": round(self.seconds, 3),
        }


class LoadWorld(World):
    """A world with a portal, and the first balances of those who will come through it.

    Its history remembers all that is judged.
    """

    remembers = REMEMBERED | {stage.event for stage in STAGES}
    drops_blocks = False  # its users are at the node itself, not at the door

    def __init__(self, *args: Any, users: Sequence[UserAccounts], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.desk = Desk()
        self._users = users

    def _actors(self, accounts: dict[str, Account]) -> list[Actor]:
        return [*super()._actors(accounts), Portal(self.desk, _grants(self._users))]

    def _names(self) -> dict[str, str]:
        named = {account.address: account.name for user in self._users for account in user.all()}
        return super()._names() | named

    @property
    def history(self) -> History:
        return self._history


def run_load(
    network: NetworkSpec,
    *,
    users: int,
    seconds: int,
    cluster: str,
    seed: int,
    folder: DevnetFolder,
    toolchain: Toolchain,
    say: Callable[[str], None],
    levels: ServiceLevels | None = None,
    seconds_per_block: float = SECONDS_PER_BLOCK,
) -> LoadResult:
    """`users` go through the whole loop for `seconds`; then everything is checked.

    Whatever happens, also Ctrl-C, the run's folder is sealed into a readable bundle; what
    happened is then raised. The caller holds the devnet's folder. Raises UsageError for a
    network without both kinds of service.
    """
    started = time.monotonic()
    services = _services(network)
    first_account = len(account_names(network))
    accounts = user_accounts(network.accounts.mnemonic, first_account, users)
    facts = Facts(f"load of {users} users", cluster, seed, unsandboxed=network.unsandboxed)
    with Life.begin(folder, f"load-{users}-users", facts, saying(say)) as life:
        life.record.text("network.yaml", resolved_yaml(network))
        with LoadWorld(
            network,
            cluster=cluster,
            run=life.record,
            state=life.state,
            devnet_id=folder.id,
            toolchain=toolchain,
            seed=seed,
            say=say,
            waits=False,
            users=accounts,
        ) as world:
            facts.cluster = world.kind
            workloads = " ".join(world.cluster.enforcement().narrowed)
            say(f"workloads: {workloads or 'real and limited'}")
            with Door(world.desk, world.scheduler, world.cluster.leader) as door:
                _stake_workers(world)
                plan = Plan(
                    rpc=world.chain.rpc.url,
                    portal=door.url,
                    deployment=str(life.state / "deployment.json"),
                    stats=str(life.path / "load.json"),
                    mnemonic=network.accounts.mnemonic,
                    first_account=first_account,
                    users=users,
                    seconds=seconds,
                    spawn_per_second=max(1, users * 10 // seconds),
                    step_milliseconds=min(STEP_MILLISECONDS, seconds * 50),
                    stop_seconds=STOP_SECONDS,
                    most_late_steps=MOST_LATE_STEPS,
                    container=services["container"],
                    serverless=services["serverless"],
                    deposit_wei=DEPOSIT_WEI,
                    order_seconds=ORDER_SECONDS,
                    stake_months=STAKE_MONTHS,
                    seed=seed,
                )
                try:
                    statistics = _drive(world, plan, folder, seconds_per_block, say)
                    verdict = judge(
                        world.history,
                        accounts,
                        statistics,
                        levels or ServiceLevels(),
                        world.checks.last_word(),
                    )
                    life.record.document("verdict.json", verdict.to_json())
                    facts.verdict = verdict.word
                finally:
                    head = world.chain.head
                    facts.last_block = {"number": head.number, "hash": head.hash}
    return LoadResult(
        verdict,
        facts.cluster,
        network.name,
        users,
        workloads,
        head,
        life.remains,
        time.monotonic() - started,
    )


def _services(network: NetworkSpec) -> dict[str, ServicePlan]:
    """The first service of each kind."""
    found: dict[str, ServicePlan] = {}
    for kind in ("container", "serverless"):
        service = next((s for s in network.services if s.kind == kind), None)
        if service is None:
            raise UsageError(
                f"network '{network.name}' has no {kind} service to put under load",
                hint="the network 'load' has both kinds",
            )
        found[kind] = _service_plan(service)
    return found


def _service_plan(service: Service) -> ServicePlan:
    return ServicePlan("0x" + spec_hash(service).hex(), service.cpu, service.memory_mib)


def _grants(accounts: Sequence[UserAccounts]) -> list[Grant]:
    return [
        grant
        for user in accounts
        for grant in (
            Grant(user.owner.address, OWNER_WEI),
            Grant(user.client.address, CLIENT_WEI),
        )
    ]


def _stake_workers(world: World) -> None:
    """The network's own workers, who accept the users' orders."""
    for number, worker in enumerate(world.spec.workers, start=1):
        world.scheduler.wish(worker.name, Stake(number, worker.stake_months))
    world.scheduler.drain()
    for number, worker in enumerate(world.spec.workers, start=1):
        state = world.scheduler.wishes[number]
        if state.outcome != "ok":
            raise StartFailed(f"{worker.name} did not stake: {state.reason or state.outcome}")


class Patience:
    """How long Locust is waited for: its time, its last steps, its last words; where it is stopped
    nothing of that comes, so it has STOPPED_SECONDS to be let go on."""

    def __init__(self, locust: Child, plan: Plan, say: Callable[[str], None]) -> None:
        self._locust, self._seconds, self._say = locust, plan.seconds, say
        self._limit = plan.seconds + plan.stop_seconds + START_SECONDS
        self._next_look = 0.0
        self._stopped_at: float | None = None

    def is_over(self, seconds: float) -> bool:
        """Whether it is no longer waited for, so many `seconds` after it was started."""
        if seconds >= self._next_look:
            self._next_look = seconds + LOOK_SECONDS
            self._look(seconds)
        if seconds > self._limit or self._stopped_at is None:
            return seconds > self._limit
        return seconds > max(self._seconds, self._stopped_at + STOPPED_SECONDS)

    def _look(self, seconds: float) -> None:
        if self._locust.state() not in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP):
            self._stopped_at = None
        elif self._stopped_at is None:
            self._stopped_at = seconds
            killed = min(self._limit, max(self._seconds, seconds + STOPPED_SECONDS))
            self._say(
                f"locust is stopped (process {self._locust.pid}): kill -CONT lets it go on, else "
                f"it is killed in {killed - seconds:.0f} s"
            )


def _drive(
    world: LoadWorld,
    plan: Plan,
    folder: DevnetFolder,
    seconds_per_block: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Mine by the wall clock while Locust runs; then let the devnet finish. Locust's statistics."""
    state = Path(plan.deployment).parent
    state.mkdir(parents=True, exist_ok=True)
    world.deployment.save(Path(plan.deployment))
    plan.save(state / "plan.json")
    pace = WallPace(world.scheduler, seconds_per_block, world.patience_blocks)
    log = world.run.path / "logs" / "locust.log"
    killed: dict[str, Any] = {}
    begun = time.monotonic()
    next_word = begun + SAY_SECONDS
    with Child(
        "locust",
        [PYTHON, "-m", "loadtests", state / "plan.json"],
        devnet_id=folder.id,
        log=log,
        env=python_environment(),
        cwd=state,
    ) as locust:
        say(f"locust: {plan.users} users for {plan.seconds} s; a block every {seconds_per_block} s")
        patience = Patience(locust, plan, say)
        while locust.alive():
            pace.tick()
            if time.monotonic() > next_word:
                head = world.chain.head
                say(Passing(f"block {head.number}: {world.history.sent.total()} transactions"))
                next_word += SAY_SECONDS
            if patience.is_over(time.monotonic() - begun):
                killed = {"killed_after": time.monotonic() - begun, "seen_as": locust.state()}
                locust.kill()
                break
            world.scheduler.wait(min(0.02, pace.seconds_to_next()))
        code = locust.returncode
    if code:
        # What comes now takes a while: whoever asks for the devnet's status meanwhile is told.
        folder.write_state(folder.state() | {"ended": [f"locust {how_ended(code)}"]})
    world.scheduler.drain()
    stats = Path(plan.stats)
    found: dict[str, Any] = json.loads(stats.read_text()) if stats.exists() else {}
    return found | killed | {"exit_code": code, "log": str(log)}
