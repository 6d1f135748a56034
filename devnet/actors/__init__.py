"""Gatekeepers, workers, clients, oracles and the treasury, and the one scheduler that drains them.

An actor is a deterministic `due()` and `act(view) -> operations`; whatever comes from outside
reaches it as a message in its inbox, which is where it is recorded.
"""
