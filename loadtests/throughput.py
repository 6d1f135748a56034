"""Locust at full speed: `python -m loadtests.throughput RPC FILE STATS`.

Every user sends the signed transactions of its lane, one request in flight each, and every
transaction is followed to its receipt, as in the loop. Says "ready"; for each line it reads, it
sends all and says "done".
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import ClassVar, Final

import gevent
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import LocalRunner

from devnet.chain import Receipt, transaction_hash
from loadtests.rpc import LoadRpc, fire
from loadtests.tally import Tally
from loadtests.transfers import read_lanes, send_body
from loadtests.watcher import Watcher

CONNECTIONS: Final = 8
END_SECONDS: Final = 60.0
METHOD: Final = "eth_sendRawTransaction"


class LaneUser(User):
    """Sends its lane, then stops."""

    rpc: ClassVar[LoadRpc]
    watcher: ClassVar[Watcher]
    lanes: ClassVar[list[list[tuple[bytes, str]]]]
    numbers: ClassVar[Iterator[int]] = count()

    @task
    def send_all(self) -> None:
        environment, rpc, watcher = self.environment, self.rpc, self.watcher
        for body, identity in self.lanes[next(self.numbers)]:
            started = time.perf_counter()

            def mined(receipt: Receipt, started: float = started) -> None:
                fire(environment, "TX", "transfer", started, receipt.gas_used)

            watcher.on_receipt(identity, mined)
            rpc.post(METHOD, body)
        raise StopUser()


def main(url: str, path: Path, stats: Path) -> None:
    """A round for every line of stdin: until each transaction has its receipt, or 60 s."""
    environment = Environment(user_classes=[LaneUser])
    tally = Tally()
    environment.events.request.add_listener(tally.on_request)  # type: ignore[no-untyped-call]
    LaneUser.lanes = [
        [(send_body(raw), transaction_hash(raw)) for raw in lane] for lane in read_lanes(path)
    ]
    LaneUser.rpc = LoadRpc(environment, url, CONNECTIONS, tally)
    runner = environment.create_local_runner()
    print("ready", flush=True)
    while sys.stdin.readline():
        one_round(runner, tally)
        errors = [entry["msg"] for entry in runner.exceptions.values()]
        stats.write_text(json.dumps(tally.document() | {"exceptions": errors}))
        print("done", flush=True)
    runner.quit()


def one_round(runner: LocalRunner, tally: Tally) -> None:
    """The chain may have been put back since the last one."""
    tally.entries.clear()
    LaneUser.numbers = count()
    LaneUser.watcher = Watcher(LaneUser.rpc, None)
    reading = LaneUser.watcher.start()
    users = len(LaneUser.lanes)
    total = sum(map(len, LaneUser.lanes))
    runner.start(users, spawn_rate=users)
    limit = time.monotonic() + END_SECONDS
    while time.monotonic() < limit and _receipts(tally) < total and not runner.exceptions:
        gevent.sleep(0.02)
    runner.stop()
    reading.kill()


def _receipts(tally: Tally) -> int:
    entry = tally.entries.get("TX transfer")
    return len(entry.microseconds) if entry else 0


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
