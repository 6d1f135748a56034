"""What can go wrong with a cluster: a family of its own, since `cluster` knows no `devnet`."""

from __future__ import annotations


class ClusterError(Exception):
    """Base of the family. `hint` is what a person can do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ClusterLacks(ClusterError):
    """The machine lacks a tool or a permission this cluster needs."""


class ClusterStartFailed(ClusterError):
    """A component did not become ready; the message ends in the tail of its log."""


class UnknownSubject(ClusterError):
    """No such node, workload or pod."""


class NodeLost(ClusterError):
    """The node a call was about is not there any more."""


class CannotPlay(ClusterError):
    """The cluster has no way to break a node like that."""


class JobFailed(ClusterError):
    """A job ended without a result: deadline, lost node, nowhere to schedule it."""


class PartsAway(ClusterError):
    """Parts of the cluster that a call needs are stopped, or have ended and are not back yet."""
