"""Who leads while the control plane has one host: that one, for ever."""

from __future__ import annotations

from cluster.errors import UnknownSubject


def only_host(hosts: tuple[str, ...]) -> str:
    """The first that was named. Raises `UnknownSubject` where nobody was."""
    if not hosts:
        raise UnknownSubject("nobody was named as host of the control plane")
    return hosts[0]
