"""Writes the three vendors' documents for given prices: pure functions from a request to text.

Each module names its `STEPS` (the finest price its documents can say) and an `answer`. Besides
the six meters that matter, the documents hold what trips a careless reader of the real ones.
"""

from devnet.oracles.replica.answer import Answer, Asked, Prices

__all__ = ["Answer", "Asked", "Prices"]
