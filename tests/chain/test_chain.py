"""Blocks in the order sent, each its parent's time plus 720 s, the same on every machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from devnet.chain import (
    Account,
    BlockDiffers,
    BlockTooFull,
    Chain,
    MinedBlock,
    Reverted,
    RpcError,
    Transaction,
    TransactionRefused,
    sign,
    transaction_hash,
)

GENESIS = 1_767_225_600
# Creation code that puts 0xdeadbeef into memory and reverts with it.
REVERTS = bytes.fromhex("63deadbeef6000526004601cfd")
# A contract that reverts with 0xdeadbeef when called, and one that returns its caller.
REVERTER = bytes.fromhex("6c") + REVERTS + bytes.fromhex("600052600d6013f3")
CALLER = bytes.fromhex("683360005260206000f360005260096017f3")


def transfer(account: Account, nonce: int, value: int = 1) -> bytes:
    return sign(account, Transaction(nonce, "0x" + "11" * 20, gas=21_000, value=value))


def create(account: Account, nonce: int, code: bytes) -> bytes:
    return sign(account, Transaction(nonce, None, code, gas=200_000))


def test_block_1_is_mined_and_lies_one_interval_after_genesis(chain: Chain) -> None:
    assert (chain.head.number, chain.head.timestamp) == (1, GENESIS + 720)
    assert chain.prepare() == chain.head


def test_a_block_holds_what_was_sent_in_that_order(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    # More than the 63 that anvil keeps in order within one batch, several nonces an account.
    raw = [transfer(account, nonce) for nonce in range(15) for account in accounts.values()]
    mined = chain.mine(raw)
    assert (mined.block.number, mined.block.timestamp) == (2, GENESIS + 1440)
    assert mined.raw == tuple(raw)
    assert [receipt.hash for receipt in mined.receipts] == [transaction_hash(r) for r in raw]
    assert [receipt.index for receipt in mined.receipts] == list(range(300))
    assert {(r.ok, r.gas_used, r.block) for r in mined.receipts} == {(True, 21_000, 2)}
    assert mined.sent_hashes == tuple(receipt.hash for receipt in mined.receipts)
    assert chain.balance("0x" + "11" * 20) == 300
    assert chain.nonce(accounts["account-3"].address) == 15
    assert mined.payloads()[299].nonce == 14


def test_the_same_transactions_give_the_same_hashes(
    fresh: Callable[[], Chain], accounts: dict[str, Account]
) -> None:
    hashes = []
    for chain in (fresh(), fresh()):
        mined = [
            chain.mine([transfer(a, n) for n in range(4) for a in accounts.values()]),
            *chain.advance(1_500),
            chain.mine([create(accounts["account-0"], 4, REVERTER)]),
            chain.mine([create(accounts["account-0"], 5, REVERTS)]),
        ]
        hashes.append([block.block for block in mined])
    assert hashes[0] == hashes[1]
    assert hashes[0][-1].number == 1_504


def test_empty_blocks_move_number_and_time_together(chain: Chain) -> None:
    (mined,) = chain.advance(2_345)
    assert mined.run == 2_345
    assert mined.receipts == ()
    assert chain.head == mined.block
    assert (chain.head.number, chain.head.timestamp) == (2_346, GENESIS + 2_346 * 720)
    assert chain.block_hash(2_346) == chain.head.hash
    assert chain.block_hash(2_347) is None
    middle = chain.block(1_000)
    assert middle is not None
    assert middle.timestamp == GENESIS + 1_000 * 720
    assert chain.advance(0) == ()


def test_what_waits_in_the_pool_gets_the_first_block_of_an_advance(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    raw = transfer(accounts["account-0"], 0)
    chain.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
    first, rest = chain.advance(5)
    assert (first.block.number, first.run, first.raw) == (2, 1, (raw,))
    assert first.receipts[0].sender == accounts["account-0"].address
    assert (rest.block.number, rest.run) == (6, 4)


def test_a_refused_transaction_is_named_and_nothing_is_mined(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    alice, bob = accounts["account-0"], accounts["account-1"]
    chain.mine([transfer(alice, 0)])
    head = chain.head
    used = transfer(alice, 0, value=2)
    with pytest.raises(TransactionRefused, match="transaction 1 .*nonce too low") as caught:
        chain.mine([transfer(bob, 0), used])
    assert [(r.index, r.transaction) for r in caught.value.refusals] == [
        (1, transaction_hash(used))
    ]
    assert chain.refresh() == head
    assert chain.rpc.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    assert chain.mine([transfer(bob, 0)]).receipts[0].ok


def test_a_nonce_with_a_hole_before_it_is_found(chain: Chain, accounts: dict[str, Account]) -> None:
    hole = transfer(accounts["account-0"], 3)
    with pytest.raises(BlockDiffers, match=f"block 2 leaves out {transaction_hash(hole)}"):
        chain.mine([transfer(accounts["account-1"], 0), hole])
    assert chain.rpc.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_more_gas_than_a_block_holds_is_not_sent(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    big = sign(accounts["account-0"], Transaction(0, None, b"", gas=2_000_000_000))
    with pytest.raises(BlockTooFull, match="4000000000 gas do not fit into one block of 30000"):
        chain.mine([big, big])
    assert chain.head.number == 1


def test_a_foreign_block_breaks_the_rule_and_says_so(chain: Chain) -> None:
    chain.rpc.call("evm_mine")
    with pytest.raises(BlockDiffers, match=r"block 3 at \d+ where block 2"):
        chain.mine(())
    assert chain.head.number == 3
    assert chain.mine(()).block.number == 4


def test_calls_return_or_raise_the_contracts_error(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    alice = accounts["account-0"]
    mined = chain.mine([create(alice, 0, REVERTER), create(alice, 1, CALLER)])
    reverter, caller = (receipt.contract_address for receipt in mined.receipts)
    assert reverter is not None
    assert caller is not None
    assert chain.code(reverter) == REVERTS
    with pytest.raises(Reverted) as caught:
        chain.call(reverter, b"")
    assert caught.value.data == bytes.fromhex("deadbeef")
    assert chain.call(caller, b"", alice.address)[12:].hex() == alice.address[2:]
    refused, returned = chain.calls([(reverter, b""), (caller, b"")])
    assert isinstance(refused, Reverted)
    assert returned == bytes(32)
    many = chain.calls([(caller, b"")] * 450, sender=alice.address)
    assert {bytes(item)[12:].hex() for item in many if isinstance(item, bytes)} == {
        alice.address[2:]
    }
    assert len(many) == 450


def test_a_call_the_node_cannot_make_is_no_revert(chain: Chain) -> None:
    with pytest.raises(RpcError, match="eth_call: "):
        chain.call("0x12", b"")


def test_a_failed_transaction_keeps_its_error_data(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    alice, bob = accounts["account-0"], accounts["account-1"]
    mined = chain.mine([transfer(bob, 0), create(alice, 0, REVERTS)])
    failed = mined.receipts[1]
    assert (failed.ok, failed.contract_address, failed.to) == (False, None, None)
    assert chain.revert_data(failed.hash) == bytes.fromhex("deadbeef")
    short = sign(alice, Transaction(1, None, REVERTER, gas=53_500))
    assert chain.revert_data(chain.mine([short]).receipts[0].hash) == b""


def test_after_a_revert_the_clock_goes_on_from_the_snapshot(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    snapshot = chain.snapshot()
    head = chain.head
    before = chain.mine([transfer(accounts["account-0"], 0)])
    chain.advance(10)
    assert chain.revert(snapshot) == head
    again = chain.mine([transfer(accounts["account-0"], 0)])
    assert again.block == before.block
    (empty,) = chain.advance(3)
    assert empty.block.timestamp == again.block.timestamp + 3 * 720
    with pytest.raises(BlockDiffers, match=f"no snapshot {snapshot}"):
        chain.revert(snapshot)


def test_observers_see_every_block_with_its_raw_transactions(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    seen: list[MinedBlock] = []
    chain.observers.append(seen.append)
    raw = transfer(accounts["account-0"], 0)
    mined = chain.mine([raw])
    empty = chain.advance(2)
    assert seen == [mined, *empty]
    assert seen[0].raw == (raw,)
