"""KOMP (T1)."""

from __future__ import annotations

from contracts_stage import ACCOUNTS, KOMP, Stage, address, signed

from devnet.chain import keccak

DOMAIN = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
PERMIT = b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"


def word(value: int | str) -> bytes:
    return (int(value, 16) if isinstance(value, str) else value).to_bytes(32, "big")


def permit(stage: Stage, value: int, deadline: int, nonce: int = 0) -> tuple[int, bytes, bytes]:
    """v, r, s of owner-1's permit for the staking contract."""
    token = stage.address("Kompute")
    domain = keccak(keccak(DOMAIN) + keccak(b"Kompute") + keccak(b"1") + word(31337) + word(token))
    words = (address("owner-1"), stage.address("Staking"), value, nonce, deadline)
    struct = keccak(keccak(PERMIT) + b"".join(word(item) for item in words))
    signature = signed(keccak(b"\x19\x01" + domain + struct), "owner-1")
    return signature[64], signature[:32], signature[32:64]


def test_t1_names_and_supply(stage: Stage) -> None:
    assert stage.read("Kompute", "name") == "Kompute"
    assert stage.read("Kompute", "symbol") == "KOMP"
    assert stage.read("Kompute", "decimals") == 18
    assert stage.read("Kompute", "totalSupply") == 100_000_000 * KOMP


def test_t1_all_supply_goes_to_the_holder_and_is_below_2_128(stage: Stage) -> None:
    holder = address("alice")
    error = stage.create("Big", "Kompute", holder, 2**128)
    assert error is not None
    assert stage.create("Largest", "Kompute", holder, 2**128 - 1) is None
    assert stage.read("Largest", "balanceOf", holder) == 2**128 - 1


def test_t1_permit(stage: Stage) -> None:
    owner, spender = address("owner-1"), stage.address("Staking")
    deadline = stage.now + 1
    v, r, s = permit(stage, 7 * KOMP, deadline)
    given = (owner, spender, 7 * KOMP, deadline, v, r, s)
    stage.send("mallory", "Kompute", "permit", *given)
    assert stage.read("Kompute", "allowance", owner, spender) == 7 * KOMP
    assert stage.read("Kompute", "nonces", owner) == 1
    # Replayed it is out of date by its nonce, and by its deadline.
    assert stage.refused("mallory", "Kompute", "permit", *given).name == "ERC2612ExpiredSignature"
    late = stage.now + 100
    v, r, s = permit(stage, 7 * KOMP, late)
    again = stage.refused("mallory", "Kompute", "permit", owner, spender, 7 * KOMP, late, v, r, s)
    assert again.name == "ERC2612InvalidSigner"


def test_t1_nobody_can_mint_pause_or_own(stage: Stage) -> None:
    names = {entry["name"] for entry in stage.deployment.abi("Kompute") if "name" in entry}
    assert not names & {"mint", "burn", "pause", "owner", "transferOwnership", "upgradeTo"}
    assert ACCOUNTS["treasury"].address == address("treasury")
    before = stage.balance("treasury")
    sent = stage.send("treasury", "Kompute", "transfer", address("mallory"), 3)
    assert sent.names == ["Transfer"]
    assert stage.balance("treasury") == before - 3  # no fee
