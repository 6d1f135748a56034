"""The step verbs with one line of help each, for a command line that must answer at once.

The models are slow to import; this table is not. A test holds it equal to their docstrings.
"""

from __future__ import annotations

VERBS: dict[str, str] = {
    "stake": "Stake 500 KOMP for each worker, for its own period or for `months` (S1, S2).",
    "restake": "Stake again for a period that unlocks later than the present one (S3).",
    "top_up": "Add KOMP to a slashed stake, back to exactly 500 KOMP (S4).",
    "exit": "Request the exit of workers: no more publishing, still slashable until exitAt (S5).",
    "withdraw": "Withdraw the stake once exitAt has passed and no slash is pending (S5).",
    "measure": "Run the performance test on the workers' nodes, one node at a time (W3).",
    "publish": "Publish V from the last measurement, measuring first where there is none (W4).",
    "claim": "Claim the rewards of all past cycles, or of one `cycle` (C3).",
    "order": "Order a service and escrow the deposit (M1); its name is the service's unless given.",
    "scale": "Wish another number of replicas for an order; billing follows what runs (M6).",
    "close": "Close an order; one nobody accepted is refunded in full at once (M2, M6).",
    "settle": "Bill an order's usage up to haltDelay ago (M6).",
    "finalize": "Bill the rest of an ended order and refund what is left of its deposit (M6).",
    "request": "Send HTTP requests to an order's replicas; every answer must be 200.",
    "invoke": "Invoke a serverless service; the result's hash is checked against the chain (M5).",
    "add_reward": "Add KOMP to the current cycle's reward (C2).",
    "price": "Set what a vendor asks, or change it by a percentage (O1).",
    "komp_usd": "Set what one KOMP costs in dollars (O6).",
    "poke": "Store the median of the fresh feeds on chain (O2).",
    "request_round": (
        "Have the oracle nodes report to feeds at once, whether the answer has moved or not (O1)."
    ),
    "fault": "Break a part: a worker, a vendor's price server, an oracle node, a feed.",
    "heal": "Mend what a fault broke, and wait until it is back.",
    "incident": (
        "Let the gatekeepers report a worker: for malice (level 2) or a security risk (level 3)."
    ),
    "appeal": "Contest an incident with a bond, within its appeal window (L6).",
    "rule": "Let the arbiter uphold or overturn an appealed incident (L6).",
    "execute": "Execute an incident whose window is over; gatekeepers do so by themselves (L6).",
    "govern": "Let the gatekeepers attest that a proposal has passed, and queue its calls (G2).",
    "enact": "Execute a queued proposal once its timelock is over; anyone may (G2).",
    "veto": "Let the guardian stop a queued proposal for ever (G2).",
    "remove_gatekeeper": (
        "Let the guardian queue the removal of gatekeepers, who would attest no such tally (G2)."
    ),
    "release": (
        "Add what is due of the incentive vault to the current cycle's reward; anyone may (I1)."
    ),
    "pool_create": "Open a pool under a name of its own; its operator takes the commission (S7).",
    "pool_join": "Pay into a pool before its activation, cut to the room left below 500 KOMP (S7).",
    "pool_leave": "Take funding back before the activation (S7).",
    "pool_activate": "The operator stakes the pool's 500 KOMP for a worker's node (S1, S7).",
    "pool_top_up": "Fill a slashed stake up to 500 KOMP, for shares at their present value (S7).",
    "pool_restake": "The operator stakes for another period, from unlockAt + exitDelay on (S7).",
    "pool_exit": (
        "Request the exit: the operator any time, members of a closed or unlocked pool (S7)."
    ),
    "pool_withdraw": "Bring the stake back to the pool once exitAt has passed (S5, S7).",
    "pool_harvest": "Bring what the node has earned in ended cycles to the pool (C6, S7).",
    "pool_collect": "Take the members' part of the rewards, and the operator's commission (S7).",
    "pool_redeem": "Give all shares back for their part of the returned stake (S7).",
    "send": "Send any transaction of any account: what no actor would do by itself.",
    "together": "Mine several sends in one block, in their order; each expects its own error.",
    "advance": "Move the chain's blocks and time together, stopping wherever an actor has work.",
    "expect": "Check ledger and cluster: a value, or a comparison such as '>= 20 KOMP'.",
}
