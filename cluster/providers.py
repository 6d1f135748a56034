"""Every cluster there is: importing a provider's package registers it. The next one joins here."""

from __future__ import annotations

import cluster.native
import cluster.sim  # noqa: F401  for its registration
from cluster.registry import Kind, registered


def kinds() -> tuple[Kind, ...]:
    """All clusters, the best last."""
    return registered()


def names() -> tuple[str, ...]:
    """Theirs, in that order."""
    return tuple(kind.name for kind in registered())
