"""T1."""

from __future__ import annotations

from devnet.chain import sign_digest
from devnet.model.calls import ZERO_ADDRESS
from devnet.model.shares import names
from devnet.model.token import permit_digest

from ..action import Send
from ..sight import KOMP, Draw, Sight
from . import move

FOR_EVER = 2**40


@move(3)
def transfer(draw: Draw, sight: Sight) -> Send:
    """Donations to contracts, too: no rule may count them."""
    sender = draw.of(sight.clients)
    to = draw.one("bob", "alice", "Staking", "Rewards", "Market", "Slashing", "mallory", "worker-1")
    pools = list(names(sight.state))
    to = draw.one("IncentiveVault", "PoolFactory", *pools) if draw.rarely(4) else to
    value = draw.one(1, KOMP, 5 * KOMP + 1, 0)
    if draw.rarely(12):
        to, value = draw.one((to, sight.balance(sender) + 1), (ZERO_ADDRESS, value))
    return Send(sender, "Kompute", "transfer", {"to": to, "value": value})


@move(1)
def approve(draw: Draw, sight: Sight) -> Send:
    sender = draw.one("bob", "mallory", "alice")
    spender = draw.one("alice", "mallory", ZERO_ADDRESS)
    value = draw.one(KOMP, 0, 10 * KOMP, 2**256 - 1)
    return Send(sender, "Kompute", "approve", {"spender": spender, "value": value})


@move(2)
def transfer_from(draw: Draw, sight: Sight) -> Send | None:
    granted = [
        (owner, spender, allowed)
        for (owner, spender), allowed in sight.state.allowances.items()
        if allowed and spender in sight.directory.names and owner in sight.directory.names
    ]
    if not granted and not draw.rarely(40):
        return None
    owner, spender, allowed = draw.of(granted) if granted else ("alice", "mallory", 0)
    value = min(allowed, draw.one(1, KOMP))
    value = allowed + 1 if draw.rarely() and allowed < 2**255 else value
    args = {"from": sight.name(owner), "to": draw.one("mallory", "bob"), "value": value}
    return Send(sight.name(spender), "Kompute", "transferFrom", args)


@move(1)
def permit(draw: Draw, sight: Sight) -> Send:
    owner, spender = draw.one("bob", "alice"), draw.one("mallory", "alice")
    value, deadline = draw.one(KOMP, 3), draw.one(FOR_EVER, FOR_EVER, sight.now - 1)
    nonce = sight.state.permit_nonces[sight.address(owner)] + draw.one(0, 0, 0, 1)
    fields = (sight.address(owner), sight.address(spender), value, nonce, deadline)
    p = sight.model.parameters
    digest = permit_digest(p.chain_id, p.addresses["Kompute"], fields)
    signature = sign_digest(sight.directory.accounts[owner], digest)
    args = {
        "owner": owner,
        "spender": spender,
        "value": value,
        "deadline": deadline,
        "v": signature[64],
        "r": "0x" + signature[:32].hex(),
        "s": "0x" + signature[32:64].hex(),
    }
    return Send("mallory", "Kompute", "permit", args)
