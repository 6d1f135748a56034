"""The running devnet in the daemon: ticks of its chain, steps between them, and how it looks."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from cluster.errors import ClusterLacks, ClusterStartFailed
from cluster.interface import EventKind
from devnet.base import StartFailed, StepCancelled, WaitExpired
from devnet.base.folder import DevnetFolder
from devnet.chain import ChainError, Foreign, RpcError
from devnet.daemon.control import Asked, ControlSocket
from devnet.daemon.log import note, note_traceback
from devnet.daemon.messages import refusal
from devnet.daemon.naming import step_of
from devnet.daemon.stopping import Stopping
from devnet.runs.pace import WallPace
from devnet.runs.parts import blamed, require
from devnet.runs.session import Session, StepOutcome
from devnet.runs.world import World

LONGEST_WAIT_SECONDS = 1.0
MOST_INCIDENTS = 10  # of parts that ended and came back: how many `status` tells
MOST_FOREIGN = 20  # of what others did to the chain: how many `status` tells
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a running devnet keeps its things."""

    folder: DevnetFolder
    run: Path
    network: str
    seconds_per_block: float


class Live:
    """Everything but `status`, `doing` and `wake` belongs to the main thread."""

    def __init__(self, world: World, place: Place, stopping: Stopping) -> None:
        self._world, self._place, self._stopping = world, place, stopping
        self._pace = WallPace(world.scheduler, place.seconds_per_block, world.patience_blocks)
        self._session = Session(world, self._pace)
        self._started = time.monotonic()
        self._known: dict[str, str] = {}
        self._lasting = self._facts()
        self._step = ""
        self._asked: Asked | None = None
        world.scheduler.go_on = self._go_on
        self._seen = self._look()

    @property
    def head(self) -> dict[str, Any]:
        block = self._session.head
        return {"number": block.number, "hash": block.hash}

    @property
    def wake(self) -> Callable[[], None]:
        """Ends the main loop's wait; any thread."""
        return self._world.scheduler.wake

    def doing(self) -> str:
        """What is being done, in one line; any thread."""
        return f"{self._step or 'between steps'}, block {self._world.chain.head.number}"

    def status(self) -> dict[str, Any]:
        """What `devnet status --json` prints; any thread, also while a step is carried out."""
        head = self._world.chain.head
        return (
            self._lasting
            | self._seen
            | {
                "step": self._step,
                "ended": [str(part) for part in self._world.ended()],
                "incidents": [
                    {"at": incident.at, "seen": str(incident)}
                    for incident in self._world.incidents()[-MOST_INCIDENTS:]
                ],
                "cycle": self._cycle_of(head.number),
                "block": {"number": head.number, "timestamp": head.timestamp, "hash": head.hash},
                # the last of them: all are in the record
                "foreign": foreign_json(self._world.chain.foreign[-MOST_FOREIGN:]),
                "unmodelled": self._unmodelled(),
                "uptime_seconds": int(time.monotonic() - self._started),
            }
        )

    def serve(self, control: ControlSocket) -> None:
        """Until it is told to stop; raises when a part of the devnet ends by itself."""
        while not self._stopping.asked:
            require(self._world.ended())
            self._pace.tick()
            self._seen = self._look()
            asked = control.take()
            if asked is not None:
                self._perform(asked)
                continue
            wait = min(LONGEST_WAIT_SECONDS, self._pace.seconds_to_next())
            with self._stopping.may_interrupt():
                self._world.scheduler.wait(wait)

    def _perform(self, asked: Asked) -> None:
        try:
            step = step_of(asked.fields.get("step") or {}, self._world.spec)
        except Exception as error:  # noqa: BLE001  nothing was done yet
            asked.finish(refusal(error))
            return
        self._step, self._asked = step.verb, asked
        try:
            with self._stopping.may_interrupt():
                outcome = self._session.perform(step)
        except KeyboardInterrupt:
            asked.finish(refusal(StartFailed("the devnet is stopping; the step was cut short")))
            raise
        except Exception as seen:
            told = blamed(seen, self._world.ended)
            asked.finish(refusal(told))
            if _has_ended(told):
                raise told from seen
            note_traceback(told)
            return
        except BaseException as error:
            asked.finish(refusal(error))
            raise
        finally:
            self._step, self._asked = "", None
        self._seen = self._look()
        note(f"{outcome.text}: {outcome.did if outcome.ok else outcome.failure}")
        asked.finish({"ok": True, "result": outcome_json(outcome)})

    def _go_on(self) -> None:
        """Ends the step whose asker has left: later ones would wait for what nobody wants."""
        if self._asked is not None and self._asked.gone:
            number = self._session.head.number
            raise StepCancelled(f"cancelled at block {number}; what it had sent stays sent")

    def _unmodelled(self) -> dict[str, Any] | None:
        found = self._world.checks.unmodelled
        return {"block": found.block, "seen": found.seen} if found else None

    def _cycle_of(self, block: int) -> int:
        """C1, from any thread."""
        return (block - self._world.deployment.genesis.block) // self._world.spec.cycle.blocks

    def _facts(self) -> dict[str, Any]:
        """What stays as it is for as long as the devnet runs."""
        world, place = self._world, self._place
        kubeconfig = world.cluster.kubeconfig()
        return {
            "name": place.folder.name,
            "phase": "running",
            "cluster": world.kind,
            "unsandboxed": world.spec.unsandboxed,
            "network": place.network,
            "pid": os.getpid(),
            "kubeconfig": str(kubeconfig) if kubeconfig else None,
            "rpc": world.rpc_url,
            "chain_id": world.spec.chain.chain_id,
            "seconds_per_block": place.seconds_per_block,
            "block_seconds": world.spec.chain.block_seconds,
            "narrowed": list(world.cluster.enforcement().narrowed),
            "run": str(place.run),
        }

    def abis(self) -> dict[str, Any]:
        """ABIs by the names they have in a deployment; any thread."""
        return {name: list(abi) for name, abi in self._world.deployment.abis.items()}

    def _look(self) -> dict[str, Any]:
        """What changes with steps and blocks."""
        world, stage = self._world, self._session.stage
        orders = {
            order.name: {
                "id": order.id,
                "client": order.client,
                "service": order.service,
                "billed": stage.ledger.billed(order.id),
                "url": stage.gateway_url(order.id) or "",
            }
            for order in stage.orders()
        }
        lost, faults = EventKind.NODE_LOST, world.cluster.faults()
        return {
            "urls": {name: order["url"] for name, order in orders.items() if order["url"]},
            "workers": {
                worker.name: {
                    "profile": worker.profile,
                    "region": worker.region,
                    "state": "lost" if stage.seen_of(worker.name) is lost else "ready",
                    "fault": fault.name if (fault := faults.get(worker.name)) else "",
                }
                for worker in world.spec.workers
            },
            "orders": orders,
            "contracts": self._contracts(),
        }

    def _contracts(self) -> dict[str, str]:
        """Addresses by name with their checksums, which are made once for each (EIP-55)."""
        for address, name in self._world.contracts.names.items():
            if name not in self._known:
                self._known = self._known | {name: to_checksum_address(address)}
        return self._known


def _has_ended(error: Exception) -> bool:
    """Whether a part of the devnet has died, or its chain is not what it was any more.

    All else is the step's own: a wait that was too short, a fault that nobody foresaw.
    """
    if isinstance(error, WaitExpired | RpcError):
        return False
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return True  # the record has a hole from here on
    return isinstance(error, StartFailed | ChainError | ClusterLacks | ClusterStartFailed)


def foreign_json(found: Sequence[Foreign]) -> list[dict[str, Any]]:
    """What others did to the chain, as the manifest says it."""
    return [{"block": f.block, "seen": f.seen, "replays": f.replays} for f in found]


def outcome_json(outcome: StepOutcome) -> dict[str, Any]:
    """What a step verb prints with `--json`."""
    return {
        "verb": outcome.verb,
        "text": outcome.text,
        "did": outcome.did,
        "ok": outcome.ok,
        "failure": outcome.failure,
        "error": outcome.error,
        "seconds": round(outcome.seconds, 3),
        "blocks": [outcome.first_block, outcome.last_block],
        "unchecked_since": outcome.unchecked_since,
    }
