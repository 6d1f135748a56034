"""Which methods of the node a stranger may call: all that read, and those that send.

What is sent is signed, or the node signs it for an account of the mnemonic, which is no secret.
"""

from __future__ import annotations

import re
from typing import Final

# By list, since the node has other names for most of what changes it, and gets new ones.
_READS: Final = re.compile(
    r"(eth|net|web3|trace|ots|erigon|txpool)_\w+|personal_sign|rpc_modules"
    r"|debug_(trace|get|codeByHash|dbGet|storageRangeAt|accountRange)\w*"
    r"|(anvil|hardhat)_(get|nodeInfo|metadata)\w*"
)
_CHANGES: Final = re.compile(
    r"eth_sendUnsignedTransaction|\w+_set[A-Z]\w*|txpool_(?!status|content|inspect)\w+"
)
_INSTEAD: Final = (
    (r"(increaseTime|Timestamp|setTime)", "devnet advance --time 12h moves time and blocks"),
    (r"(automine|intervalmining)", "devnet up --block-time says how often a block comes"),
    (r"mine", "devnet advance --blocks 1 mines one block, --cycles 1 to the next cycle"),
    (r"(snapshot|revert|reset|reorg|rollback|loadState)", "devnet down and devnet up begin anew"),
    (
        r"(impersonat|unsigned|unlock)",
        "every account's key follows from the network's mnemonic, and devnet send sends for any",
    ),
    (r"(pool|drop)", "a transaction of the same nonce with a higher fee replaces one"),
    (
        r"(balance|code|storage|nonce|erc20|allowance)",
        "devnet send, or a signed transaction, moves what an account has",
    ),
)


def refusal(method: object) -> str:
    """Why a method is refused, and what to do instead; empty for one that may pass."""
    name = method if isinstance(method, str) else ""
    if not name:
        return ""  # the node says what is wrong with it
    if _READS.fullmatch(name) and not _CHANGES.fullmatch(name):
        return ""
    found = (text for part, text in _INSTEAD if re.search(part, name, re.IGNORECASE))
    instead = next(found, "the devnet's own commands are the way")
    return (
        f"{name} would change the chain behind the devnet's back: {instead} "
        "(devnet up --open-rpc lets everything through)"
    )
