"""What each step of a scenario does, and what `expect` can look at.

The performers stand in families as the steps do in `devnet.spec`; each registers its own.
"""

from devnet.steps import expectations, faults, governing, incidents, pools, protocol, sending
from devnet.steps.registry import PERFORMERS

__all__ = [
    "PERFORMERS",
    "expectations",
    "faults",
    "governing",
    "incidents",
    "pools",
    "protocol",
    "sending",
]
