"""The daemon's life: raise the devnet, serve it between blocks, seal its run, leave nothing."""

from __future__ import annotations

import contextlib
import gc
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from devnet.base import Interrupted, Toolchain, UsageError, wait_for
from devnet.base.folder import DevnetFolder
from devnet.daemon.control import ControlSocket
from devnet.daemon.failures import failure_of
from devnet.daemon.leftovers import clear, mark
from devnet.daemon.log import begin, note, note_traceback
from devnet.daemon.starter import Starter
from devnet.daemon.starting import StartOrder
from devnet.daemon.stopping import Stopping
from devnet.runs.life import BROKEN, ENDED, Facts, Life, Remains
from devnet.runs.parts import blamed
from devnet.spec import NetworkSpec, SpecError
from devnet.spec.loading import load_network, resolved_yaml

LOCK_SECONDS = 10.0


def serve(folder: DevnetFolder, order: StartOrder, descriptor: int) -> int:
    """Be the devnet's daemon; the exit code. `descriptor` is the pipe to `devnet up`."""
    stopping = Stopping()
    starter = Starter(descriptor, stopping.ask)
    try:
        with ExitStack() as stack:
            with stopping.may_interrupt():
                spec = load_network(Path(order.network), order.overrides)
                begin()
                _hold(folder, stack)
            _serve(folder, order, spec, starter, stopping)
    except SpecError as refused:  # before anything was touched
        starter.failed(refused)
        return refused.exit_code
    except KeyboardInterrupt:
        starter.failed(Interrupted("interrupted while it started"))
        return 0 if stopping.asked else Interrupted.exit_code
    except BaseException as error:  # noqa: BLE001  the edge of the process
        note_traceback(error)
        starter.failed(error)
        return failure_of(error).exit_code
    return 0


def _broken(
    folder: DevnetFolder, life: Life, error: BaseException, state: dict[str, Any] | None = None
) -> None:
    """Whoever asks from now on hears why, and `devnet down` names the bundle."""
    with contextlib.suppress(OSError):
        told = {"phase": "broken", "error": failure_of(error).message, "run": str(life.path)}
        folder.write_state((state or {}) | told)


def _hold(folder: DevnetFolder, stack: ExitStack) -> None:
    """Own the folder; `devnet up` saw it free a moment ago, so only a `gc` may be in between."""

    def attempt() -> bool:
        try:
            stack.enter_context(folder.held())
        except UsageError:
            return False
        return True

    wait_for(f"the devnet's folder {folder.path}", attempt, limit_seconds=LOCK_SECONDS)


def _serve(
    folder: DevnetFolder,
    order: StartOrder,
    spec: NetworkSpec,
    starter: Starter,
    stopping: Stopping,
) -> None:
    with stopping.may_interrupt():
        cleared = clear(folder)
        if cleared.anything:
            starter.say(f"cleared what a killed devnet left: {len(cleared.processes)} processes")
        for each in cleared.left:
            starter.say(f"a killed devnet left what could not be ended: {each}")
        starter_pid = os.getppid()
        state = {
            "phase": "starting",
            "cluster": order.cluster,
            "network": order.network,
            **mark(os.getpid()),
            **mark(starter_pid, "starter"),
        }
        folder.write_state(state)
    facts = Facts("up", order.cluster, order.seed, BROKEN, unsandboxed=spec.unsandboxed)
    life = Life.begin(folder, "up", facts, _told)
    life.kept = False  # until it is up
    try:
        with ExitStack() as stack:
            with stopping.may_interrupt():
                stack.enter_context(life)
                life.record.text("network.yaml", resolved_yaml(spec))
                from devnet.runs.node import node_of

                toolchain = Toolchain(say=starter.say)
                node = node_of(spec, toolchain, logs=life.path / "logs", devnet_id=folder.id)
                stack.callback(node.stop)
                node.launch()
                # All other modules, while it starts: they take several times as long.
                from devnet.daemon.live import Live, Place
                from devnet.runs.world import World

                gc.freeze()
                gc.enable()
                world = stack.enter_context(
                    World(
                        spec,
                        cluster=order.cluster,
                        run=life.record,
                        state=life.state,
                        devnet_id=folder.id,
                        toolchain=toolchain,
                        seed=order.seed,
                        say=starter.say,
                        waits=False,
                        node=node,
                    )
                )
                place = Place(folder, life.path, order.network, order.seconds_per_block)
                live = Live(world, place, stopping)
            facts.cluster = world.kind
            try:
                control = stack.enter_context(
                    ControlSocket(
                        folder.socket,
                        at_once={"status": live.status, "abis": live.abis},
                        arrived=live.wake,
                        doing=live.doing,
                    )
                )
                folder.write_state(state | {"phase": "running"} | live.status())
                starter.ready(live.status())
                life.kept = True
                try:
                    with contextlib.suppress(KeyboardInterrupt):
                        live.serve(control)
                except Exception as error:
                    # Whoever asks while the rest is being stopped is told why.
                    cause = blamed(error, world.ended)
                    _broken(folder, life, cause, state)
                    raise cause from error
                facts.verdict = ENDED
            finally:
                if lost := world.losses():
                    facts.more["ended"] = lost
                facts.last_block = live.head
                note(f"stopping ({facts.verdict}) at block {live.head['number']}")
    except BaseException as error:
        folder.clear_state()
        if starter.told and not isinstance(error, KeyboardInterrupt):
            _broken(folder, life, error)
        raise
    folder.clear_state()


def _told(remains: Remains) -> None:
    note(f"sealed {remains.bundle}")
    for missing in remains.not_written:
        note(f"not written: {missing}")
