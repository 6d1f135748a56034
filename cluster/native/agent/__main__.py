"""`python -m cluster.native.agent CONFIG.json`: run one node until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from cluster.errors import ClusterError
from cluster.native.agent import limits, node
from cluster.native.agent.api import API_TROUBLE, ApiAnswer, NodeApi
from cluster.native.agent.config import AgentConfig
from cluster.native.agent.kubelet import Kubelet
from cluster.native.agent.pod import PodHome
from cluster.native.agent.pods import NodePods

_LOG = logging.getLogger("cluster.native.agent")
_REGISTER_SECONDS = 30.0
_RETRY_SECONDS = 0.2
_GRACE_SECONDS = 2.0
_START_FAILED = 4


async def serve(config: AgentConfig) -> None:
    """The life of the agent; returns after SIGTERM or SIGINT with every pod ended."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    logs = config.state_dir / "pods"
    logs.mkdir(parents=True, exist_ok=True)
    held = limits.prepare(config.devnet_id, config.node, config.capacity)
    try:
        # The lease has connections of its own: nothing may queue before it.
        async with NodeApi(config) as api, NodeApi(config) as lease_api:
            pods = NodePods(PodHome(config.devnet_id, config.node, logs, held, api))
            kubelet = Kubelet(config, held, pods)
            await kubelet.start()
            await _register(api, config, held)
            _LOG.info("node %s is registered", config.node)
            loops = [
                asyncio.create_task(node.keep_lease(lease_api, config), name="lease"),
                asyncio.create_task(node.keep_status(api, config), name="status"),
                asyncio.create_task(pods.run(), name="pods"),
            ]
            stopped = asyncio.create_task(stop.wait())
            done, _ = await asyncio.wait([*loops, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in (*loops, stopped):
                task.cancel()
            await pods.close(_GRACE_SECONDS)
            await kubelet.close()
            for task in done - {stopped}:
                task.result()  # a loop never ends but by an error: show it
    finally:
        held.close()


async def _register(api: NodeApi, config: AgentConfig, held: limits.NodeLimits) -> None:
    end = asyncio.get_running_loop().time() + _REGISTER_SECONDS
    while True:
        try:
            await node.register(api, config, held.enforcement)
        except API_TROUBLE as error:
            final = isinstance(error, ApiAnswer) and error.status in (400, 401, 422)
            if final or asyncio.get_running_loop().time() > end:
                raise ClusterError(f"node {config.node} cannot register: {error!r}") from error
            _LOG.info("registering: %r", error)
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m cluster.native.agent CONFIG.json", file=sys.stderr)
        return 2
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        asyncio.run(serve(AgentConfig.read(Path(arguments[0]))))
    except (ClusterError, OSError) as error:
        print(f"agent: {error}", file=sys.stderr)
        return _START_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
