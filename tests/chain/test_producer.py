"""Blocks by the wall clock keep the chain's own clock."""

from __future__ import annotations

import threading

import pytest

from devnet.chain import Account, BlockDiffers, Chain, MinedBlock, PacedProducer, Transaction, sign


def test_the_pool_is_mined_and_every_block_is_its_parent_plus_the_interval(
    chain: Chain, accounts: dict[str, Account]
) -> None:
    blocks: list[MinedBlock] = []
    third = threading.Event()

    def observe(mined: MinedBlock) -> None:
        blocks.append(mined)
        if len(blocks) >= 3:
            third.set()

    raw = sign(accounts["account-0"], Transaction(0, "0x" + "11" * 20, gas=21_000, value=9))
    chain.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
    chain.observers.append(observe)
    with PacedProducer(chain, 0.02):
        assert third.wait(10)
    assert blocks[0].raw == (raw,)
    assert [block.raw for block in blocks[1:3]] == [(), ()]
    times = [block.block.timestamp for block in blocks]
    assert times == list(range(times[0], times[0] + 720 * len(times), 720))
    head = chain.head
    assert chain.refresh() == head


def test_a_full_pool_is_mined_before_its_time(chain: Chain, accounts: dict[str, Account]) -> None:
    blocks: list[MinedBlock] = []
    mined = threading.Event()
    chain.observers.append(blocks.append)
    chain.observers.append(lambda _: mined.set())
    with PacedProducer(chain, 60, full_at=20) as producer:
        assert producer.failure is None
        for account in accounts.values():
            raw = sign(account, Transaction(0, "0x" + "11" * 20, gas=21_000))
            chain.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        assert mined.wait(20)
    assert [len(block.receipts) for block in blocks] == [20]


def test_what_the_thread_failed_with_comes_out_at_the_end(chain: Chain) -> None:
    producer = PacedProducer(chain, 0.02)
    chain.rpc.call("evm_mine")
    producer.start()
    producer._thread.join(10)
    assert isinstance(producer.failure, BlockDiffers)
    with pytest.raises(BlockDiffers, match="block 3"):
        producer.stop()


def test_an_interval_of_nothing_is_refused(chain: Chain) -> None:
    with pytest.raises(ValueError, match="a block every 0 s"):
        PacedProducer(chain, 0)
