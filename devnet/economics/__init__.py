"""A year of the protocol without a chain: the model's own rules, driven by declared assumptions.

Nothing here decides what an act leads to; that is `devnet.model`'s. Here is who acts, when and why,
by the section `economics` of the network, and what came of it in figures.
"""

from __future__ import annotations
