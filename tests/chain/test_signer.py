"""The signer by hand gives the bytes of eth-account, whatever is signed."""

from __future__ import annotations

import pytest
from eth_account import Account as Reference
from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from devnet.chain import (
    Account,
    Transaction,
    keccak,
    mirrored,
    recover,
    sign,
    sign_digest,
    transaction_hash,
)
from devnet.chain.rlp import first_of
from devnet.chain.signer import sender_of
from devnet.chain.transaction import Payload, read_raw

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = b"\x01" * 32
secrets = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
transactions = st.builds(
    Transaction,
    nonce=st.integers(0, 2**64 - 2),
    to=st.none() | addresses,
    data=st.binary(max_size=300),
    gas=st.integers(0, 2**63),
    value=st.integers(0, 2**256 - 1),
    gas_price=st.integers(0, 2**128),
    chain_id=st.integers(1, 2**40),
)


@given(secret=secrets, transaction=transactions)
def test_raw_bytes_and_hash_are_those_of_eth_account(
    secret: bytes, transaction: Transaction
) -> None:
    raw = sign(Account.from_secret("any", secret), transaction)
    expected = Reference.sign_transaction(
        {
            "nonce": transaction.nonce,
            "gasPrice": transaction.gas_price,
            "gas": transaction.gas,
            "to": bytes.fromhex(transaction.to[2:]) if transaction.to else b"",
            "value": transaction.value,
            "data": transaction.data,
            "chainId": transaction.chain_id,
        },
        secret,
    )
    assert raw == bytes(expected.raw_transaction)
    assert transaction_hash(raw) == "0x" + bytes(expected.hash).hex()


@given(secret=secrets, transaction=transactions)
def test_a_raw_transaction_reads_back(secret: bytes, transaction: Transaction) -> None:
    payload = read_raw(sign(Account.from_secret("any", secret), transaction))
    assert (payload.nonce, payload.to, payload.data, payload.gas, payload.value) == (
        transaction.nonce,
        transaction.to,
        transaction.data,
        transaction.gas,
        transaction.value,
    )


@pytest.mark.parametrize(
    "fees",
    [
        {"gasPrice": 7},
        {"gasPrice": 7, "accessList": []},
        {"maxFeePerGas": 7, "maxPriorityFeePerGas": 1},
    ],
    ids=["legacy", "EIP-2930", "EIP-1559"],
)
def test_transactions_of_other_wallets_read_back(fees: dict[str, object]) -> None:
    document = {"nonce": 3, "gas": 21_000, "to": "0x" + "11" * 20, "value": 5, "data": b"\x01\x02"}
    signed = Reference.sign_transaction({**document, **fees, "chainId": 31337}, KEY)
    payload = read_raw(bytes(signed.raw_transaction))
    assert (payload.nonce, payload.to, payload.data) == (3, "0x" + "11" * 20, b"\x01\x02")
    assert (payload.gas, payload.value) == (21_000, 5)
    assert sender_of(bytes(signed.raw_transaction)) == Reference.from_key(KEY).address.lower()
    for more in (b"\x00", b"\xc0"):
        with pytest.raises(ValueError, match="bytes follow"):
            read_raw(bytes(signed.raw_transaction) + more)


@given(secret=secrets, transaction=transactions)
def test_the_sender_is_whose_key_signed(secret: bytes, transaction: Transaction) -> None:
    account = Account.from_secret("any", secret)
    raw = sign(account, transaction)
    assert sender_of(raw) == account.address
    with pytest.raises(ValueError, match=r"signature|RLP|list|field"):
        sender_of(raw[:1])


def test_the_sender_of_an_authorization_and_of_no_chain() -> None:
    """EIP-7702, and a legacy transaction from before EIP-155."""
    fields = {"nonce": 3, "gas": 60_000, "to": "0x" + "11" * 20, "value": 5, "data": b""}
    given = Reference.from_key(b"\x02" * 32).sign_authorization(
        {"chainId": 31337, "address": "0x" + "33" * 20, "nonce": 0}
    )
    fees = {"maxFeePerGas": 7, "maxPriorityFeePerGas": 1, "authorizationList": [given]}
    signed = Reference.sign_transaction({**fields, **fees, "chainId": 31337, "type": 4}, KEY)
    old = Reference.sign_transaction({**fields, "gasPrice": 7}, KEY)
    for raw in (bytes(signed.raw_transaction), bytes(old.raw_transaction)):
        assert sender_of(raw) == Reference.from_key(KEY).address.lower()


@pytest.mark.parametrize("raw", [b"", b"\x80", b"\xc0", b"\x02\xc0", b"\xc1", b"\xc3\x01\x02\x03"])
def test_bytes_that_are_no_transaction_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"transaction|RLP"):
        read_raw(raw)


@given(secret=secrets, digest=st.binary(min_size=32, max_size=32))
def test_a_digest_is_signed_low_s_and_recovers(secret: bytes, digest: bytes) -> None:
    account = Account.from_secret("any", secret)
    signature = sign_digest(account, digest)
    assert len(signature) == 65
    assert signature[64] in (27, 28)
    assert int.from_bytes(signature[32:64], "big") <= ORDER // 2  # R4
    assert recover(digest, signature) == account.address
    expected = PrivateKey(secret).sign_msg_hash(digest)
    assert signature[:64] == expected.to_bytes()[:64]


def test_only_a_digest_is_signed() -> None:
    account = Account.from_secret("any", b"\x01" * 32)
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        sign_digest(account, bytes(31))


@pytest.mark.parametrize(
    "signature",
    [bytes(64), bytes(64) + b"\x1d", bytes(64) + b"\x1b", b"\xff" * 64 + b"\x1b"],
    ids=["short", "v 29", "zero", "beyond the order"],
)
def test_bytes_that_are_no_signature_do_not_recover(signature: bytes) -> None:
    with pytest.raises(ValueError, match=r"signature"):
        recover(b"\x01" * 32, signature)


def test_the_mirrored_signature_is_of_the_same_signer() -> None:
    account = Account.from_secret("gatekeeper", b"\x11" * 32)
    low = sign_digest(account, b"\x09" * 32)
    high = mirrored(low)
    assert int.from_bytes(high[32:64], "big") > 2**255 > int.from_bytes(low[32:64], "big")
    assert recover(b"\x09" * 32, high) == account.address
    assert mirrored(high) == low


@pytest.mark.parametrize("blobs", [1, 3])
def test_a_blob_transaction_reads_the_same_with_its_sidecar(blobs: int) -> None:
    fields = {
        "type": 3,
        "chainId": 31337,
        "nonce": 7,
        "gas": 90_000,
        "value": 5,
        "maxFeePerGas": 10**9,
        "maxPriorityFeePerGas": 1,
        "maxFeePerBlobGas": 10**9,
        "to": "0x" + "22" * 20,
        "data": b"\x01\x02",
    }
    signed = Reference.sign_transaction(fields, b"\x07" * 32, blobs=[bytes(131_072)] * blobs)
    raw = bytes(signed.raw_transaction)
    assert len(raw) > blobs * 131_072
    assert read_raw(raw) == Payload(7, "0x" + "22" * 20, b"\x01\x02", 90_000, 5)
    alone = b"\x03" + first_of(raw[1:])
    assert len(alone) < 500
    assert read_raw(alone) == read_raw(raw)
    assert sender_of(raw) == sender_of(alone) == Reference.from_key(b"\x07" * 32).address.lower()
    with pytest.raises(ValueError, match="bytes follow"):
        read_raw(raw + b"\x00")
    assert transaction_hash(raw) == transaction_hash(alone) == "0x" + keccak(alone).hex()
