"""I1: the incentives of the cycles that have begun."""

from __future__ import annotations

from devnet.model.vault import due

from ..action import Send
from ..sight import Draw, Sight
from . import move


@move(3)
def release(draw: Draw, sight: Sight) -> Send | None:
    vault = sight.model.parameters.vault
    if vault is None:
        return None
    if due(vault, sight.cycle) == sight.state.released.value and not draw.rarely(10):
        return None
    return Send(draw.one("mallory", "treasury"), "IncentiveVault", "release")
