"""`python -m loadtests PLAN`: Locust, headless, in this process; ends with `stats.json`.

Locust comes before whatever speaks HTTP, since its import patches the standard library for all.
Exit 0 once the statistics are written, whatever they say: the devnet judges.
"""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import LocalRunner

from devnet.protocol import Contracts, Deployment
from loadtests.loop import Bench, LoopUser
from loadtests.plan import Plan, user_accounts
from loadtests.rpc import LoadPortal, LoadRpc
from loadtests.sender import Sender
from loadtests.tally import Tally
from loadtests.watcher import Watcher

CONNECTIONS = 64
LAST_SECONDS = 5  # for users whose steps are over


def main(path: Path) -> None:
    """Carry out the plan."""
    plan = Plan.load(path)
    environment = Environment(user_classes=[LoopUser], stop_timeout=LAST_SECONDS)
    tally = Tally()
    environment.events.request.add_listener(tally.on_request)  # type: ignore[no-untyped-call]
    bench = LoopUser.bench = bench_of(plan, environment, tally)
    watching = bench.watcher.start()
    runner: LocalRunner = environment.create_local_runner()
    bench.pulse.start()
    started = time.perf_counter()

    @environment.events.quitting.add_listener  # type: ignore[untyped-decorator]
    def write(environment: Environment, **_: object) -> None:
        watching.kill()  # its own request is nobody's load
        seconds = time.perf_counter() - started
        document = outcome(runner, tally, seconds) | happened(bench, started + plan.seconds)
        target = Path(plan.stats)
        partial = target.with_name(f".{target.name}.partial")
        partial.write_text(json.dumps(document, indent=1) + "\n")
        partial.replace(target)

    stopped = gevent.event.Event()
    gevent.signal_handler(signal.SIGTERM, stopped.set)
    runner.start(plan.users, spawn_rate=plan.spawn_per_second)
    stopped.wait(plan.seconds)
    finish_steps(bench)
    runner.stop()
    environment.events.quitting.fire(environment=environment)  # type: ignore[no-untyped-call]
    runner.quit()


def finish_steps(bench: Bench) -> None:
    """Let every step that has begun come to its end.

    Locust's own stop kills a user that wakes up for its next step in the very moment of it.
    """
    bench.closing = True
    limit = time.monotonic() + bench.plan.stop_seconds
    while bench.tally.busy and time.monotonic() < limit:
        gevent.sleep(0.05)


def happened(bench: Bench, end: float) -> dict[str, Any]:
    """How much of the load that was intended until `end` there was."""
    begun = sum(pacer.begun for pacer in bench.pacers)
    missed = sum(pacer.missed(end) for pacer in bench.pacers)
    return {
        "planned_seconds": bench.plan.seconds,
        "users_started": len(bench.pacers),
        "steps_begun": begun,
        "steps_intended": begun + missed + bench.tally.dropped,
        "stalled_seconds": round(bench.pulse.stalled_seconds(), 3),
    }


def bench_of(plan: Plan, environment: Environment, tally: Tally) -> Bench:
    """What the users share, read from the deployment."""
    deployment = Deployment.load(Path(plan.deployment))
    contracts = Contracts(deployment)
    rpc = LoadRpc(environment, plan.rpc, CONNECTIONS, tally)
    watcher = Watcher(rpc, contracts)
    sender = Sender(environment, rpc, watcher, contracts, tally)
    return Bench(
        plan=plan,
        accounts=list(user_accounts(plan.mnemonic, plan.first_account, plan.users)),
        contracts=contracts,
        sender=sender,
        watcher=watcher,
        portal=LoadPortal(environment, plan.portal, plan.users + 1, tally),
        tally=tally,
        cycle_blocks=int(sender.read("Rewards", "cycleBlocks")),
        genesis_block=deployment.genesis.block,
    )


def outcome(runner: LocalRunner, tally: Tally, seconds: float) -> dict[str, Any]:
    """Everything a verdict needs, exact."""
    return {
        "seconds": round(seconds, 3),
        "exceptions": [
            {"message": entry["msg"], "traceback": entry["traceback"], "count": entry["count"]}
            for entry in runner.exceptions.values()
        ],
        **tally.document(),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
