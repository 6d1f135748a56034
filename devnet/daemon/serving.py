"""The daemon's life: raise the devnet, serve it between blocks, seal its run, leave nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from devnet.base import Interrupted, Toolchain, UsageError, wait_for
from devnet.base.folder import DevnetFolder
from devnet.daemon.control import ControlSocket
from devnet.daemon.failures import failure_of
from devnet.daemon.leftovers import clear, mark
from devnet.daemon.live import Live, Place
from devnet.daemon.log import note, note_traceback
from devnet.daemon.sealing import state_of
from devnet.daemon.starter import Starter
from devnet.daemon.starting import StartOrder
from devnet.daemon.stopping import Stopping
from devnet.record.folder import RunFolder, seal
from devnet.report import write_report
from devnet.runs.runner import keep_logs, run_name
from devnet.runs.world import World
from devnet.spec.loading import load_network, resolved_yaml

ENDED, BROKEN = "ended", "broken"
LOCK_SECONDS = 10.0


def serve(folder: DevnetFolder, order: StartOrder, descriptor: int) -> int:
    """Be the devnet's daemon; the exit code. `descriptor` is the pipe to `devnet up`."""
    stopping = Stopping()
    starter = Starter(descriptor, stopping.ask)
    try:
        with ExitStack() as stack:
            with stopping.may_interrupt():
                _hold(folder, stack)
            _serve(folder, order, starter, stopping)
    except KeyboardInterrupt:
        starter.failed(Interrupted("interrupted while it started"))
        return 0 if stopping.asked else Interrupted.exit_code
    except BaseException as error:  # noqa: BLE001  the edge of the process
        note_traceback(error)
        failure = failure_of(error)
        if starter.told:
            with contextlib.suppress(OSError):
                folder.write_state({"phase": "broken", "error": failure.message})
        starter.failed(error)
        return failure.exit_code
    return 0


def _hold(folder: DevnetFolder, stack: ExitStack) -> None:
    """Own the folder; `devnet up` saw it free a moment ago, so only a `gc` may be in between."""

    def attempt() -> bool:
        try:
            stack.enter_context(folder.held())
        except UsageError:
            return False
        return True

    wait_for(f"the devnet's folder {folder.path}", attempt, limit_seconds=LOCK_SECONDS)


def _serve(folder: DevnetFolder, order: StartOrder, starter: Starter, stopping: Stopping) -> None:
    with stopping.may_interrupt():
        cleared = clear(folder)
        if cleared.anything:
            starter.say(f"cleared what a killed devnet left: {len(cleared.processes)} processes")
        starter_pid = os.getppid()
        state = {
            "phase": "starting",
            "cluster": order.cluster,
            "network": order.network,
            **mark(os.getpid()),
            **mark(starter_pid, "starter"),
        }
        folder.write_state(state)
    path = folder.runs / run_name("up")
    up = False
    try:
        with stopping.may_interrupt():
            spec = load_network(Path(order.network), order.overrides)
        with ExitStack() as stack:
            with stopping.may_interrupt():
                run = stack.enter_context(RunFolder(path))
                run.text("network.yaml", resolved_yaml(spec))
                world = stack.enter_context(
                    World(
                        spec,
                        cluster=order.cluster,
                        run=run,
                        state=state_of(folder, path),
                        devnet_id=folder.id,
                        toolchain=Toolchain(say=starter.say),
                        seed=order.seed,
                        say=starter.say,
                        waits=False,
                    )
                )
                live = Live(
                    world, Place(folder, path, order.network, order.seconds_per_block), stopping
                )
            verdict = BROKEN
            try:
                control = stack.enter_context(
                    ControlSocket(
                        folder.socket,
                        at_once={"status": live.status},
                        arrived=live.wake,
                        doing=live.doing,
                    )
                )
                folder.write_state(state | {"phase": "running"} | live.status())
                starter.ready(live.status())
                up = True
                try:
                    live.serve(control)
                except KeyboardInterrupt:
                    pass
                verdict = ENDED
            finally:
                facts = {
                    "scenario": "up",
                    "cluster": world.kind,
                    "seed": order.seed,
                    "verdict": verdict,
                    "last_block": live.head,
                }
                note(f"stopping ({verdict}) at block {live.head['number']}")
    finally:
        if up:
            keep_logs(state_of(folder, path), path)
            _seal(path, facts)
        else:
            shutil.rmtree(path, ignore_errors=True)
            shutil.rmtree(state_of(folder, path), ignore_errors=True)
        folder.clear_state()


def _seal(path: Path, facts: dict[str, Any]) -> None:
    started = time.monotonic()
    write_report(path, facts["verdict"])
    bundle = seal(path, facts)
    note(f"sealed {bundle} in {time.monotonic() - started:.1f} s")
