"""One address per order: a reverse proxy that spreads requests over the order's ready pods.

It knows pods as (host, port, name) and nothing of clusters or chains, so it is the same code on
every cluster.
"""

from devnet.gateway.gateway import Gateway, Limits
from devnet.gateway.route import PodAddress, Pods

__all__ = ["Gateway", "Limits", "PodAddress", "Pods"]
