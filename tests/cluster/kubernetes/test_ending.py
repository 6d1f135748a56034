"""What a cluster's provider could not end is told, and never in the place of the first error."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from cluster.errors import ClusterError, ClusterStartFailed
from cluster.kubernetes.cluster import KubernetesCluster

LEFT = "not ended 5 s after SIGKILL: etcd (pid 7)"


def cluster() -> KubernetesCluster:
    """Of a provider that cannot be raised, nor ended: no kernel holds a process when asked to."""

    def raise_(error: Exception) -> None:
        raise error

    provider = SimpleNamespace(
        name="stuck",
        witnesses=tuple,
        up=lambda: raise_(ClusterStartFailed("no etcd")),
        down=lambda: raise_(ClusterError(LEFT)),
    )
    return KubernetesCluster(provider, (), logging.getLogger("tests.ending"))


def test_a_start_that_failed_says_why_and_what_is_left() -> None:
    with pytest.raises(ClusterStartFailed, match="^no etcd") as told, cluster():
        pass
    assert (str(told.value), told.value.__notes__) == ("no etcd", [LEFT])


@pytest.mark.parametrize("error", [ValueError("of the run"), KeyboardInterrupt()])
def test_so_does_the_end_after_an_error(error: BaseException) -> None:
    made = cluster()
    made.__exit__(type(error), error, None)
    assert error.__notes__ == [LEFT]


def test_an_end_alone_raises_it() -> None:
    with pytest.raises(ClusterError, match=r"etcd \(pid 7\)$"):
        cluster().__exit__(None, None, None)
