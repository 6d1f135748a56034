"""Derivation agrees with every other tool that knows the mnemonic."""

from __future__ import annotations

import pytest
from eth_account import Account as Reference

from devnet.base.errors import UsageError
from devnet.chain import DEFAULT_MNEMONIC, derive


def test_the_first_accounts_are_the_ones_anvil_prints() -> None:
    accounts = derive(DEFAULT_MNEMONIC, ["deployer", "alice"])
    assert accounts["deployer"].address == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert accounts["alice"].address == "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
    assert accounts["alice"].name == "alice"


@pytest.mark.parametrize("place", [0, 7, 300])
def test_any_place_agrees_with_eth_account(place: int) -> None:
    mnemonic = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    Reference.enable_unaudited_hdwallet_features()
    expected = Reference.from_mnemonic(mnemonic, account_path=f"m/44'/60'/0'/0/{place}")
    account = derive(mnemonic, map(str, range(place + 1)))[str(place)]
    assert account.address == expected.address.lower()
    assert account.key.secret == bytes(expected.key)


def test_two_accounts_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two accounts are named 'alice'"):
        derive(DEFAULT_MNEMONIC, ["alice", "bob", "alice"])


def test_the_key_never_shows() -> None:
    account = derive(DEFAULT_MNEMONIC, ["alice"])["alice"]
    assert account.key.secret.hex() not in repr(account)
    assert repr(account) == f"Account(name='alice', address='{account.address}')"
