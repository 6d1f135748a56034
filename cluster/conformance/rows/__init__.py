"""All rows, a module a subject: importing one registers its rows. The next one joins here."""

from __future__ import annotations

from cluster.conformance.row import Row, registered
from cluster.conformance.rows import (  # noqa: F401  for their registration
    controllers,
    environment,
    events,
    files,
    jobs,
    kubectl,
    lifecycle,
    limits,
    network,
    nodes,
    output,
    policies,
    privileges,
    probes,
    rights,
    scheduling,
    security,
)


def rows() -> tuple[Row, ...]:
    """In the order they are played."""
    return registered()
