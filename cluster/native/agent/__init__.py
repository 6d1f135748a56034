"""The node agent: one process a worker, `python -m cluster.native.agent CONFIG.json`.

It does for a devnet's node what a kubelet does for a machine: registers the Node with its profile's
capacity, renews its lease, runs its pods as limited local processes, serves logs, exec and metrics.
"""

from cluster.native.agent.config import AgentConfig
from cluster.native.agent.limits import enforcement, kill_node, remove_devnet

__all__ = ["AgentConfig", "enforcement", "kill_node", "remove_devnet"]
