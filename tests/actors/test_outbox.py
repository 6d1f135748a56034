"""Transactions on a chain that strangers use too: an actor's account may be a wallet's as well."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from devnet.actors.messages import SendFailed
from devnet.actors.wishes import WishState
from devnet.chain import Foreign, ForeignState, MinedBlock, Transaction, sign, transaction_hash
from tests.actors.scheduler_stage import Deployed, Scripted, Stand, Stands, does, pay

pytestmark = pytest.mark.usefixtures("unspoilt")
STRANGER = "0x" + "57" * 20


@pytest.fixture
def unspoilt(deployed: Deployed) -> None:
    """What an earlier test did to the chain they share is forgotten."""
    deployed.chain.refresh()
    deployed.chain.foreign.clear()


def wallet(
    deployed: Deployed, account: str, nonce: int, *, price: int = 0, value: int = 1
) -> bytes:
    """A plain transfer by whoever has the account's key, too."""
    transaction = Transaction(nonce, STRANGER, gas=21_000, value=value, gas_price=price)
    return sign(deployed.directory.accounts[account], transaction)


def offered(deployed: Deployed, raw: bytes) -> str:
    assert deployed.chain.pool.offer([raw]) == []
    return transaction_hash(raw)


def nonce(deployed: Deployed, account: str) -> int:
    return deployed.chain.nonce(deployed.directory.accounts[account].address)


def paying(stand: Stands, deployed: Deployed, account: str, *amounts: int) -> Stand:
    """`account` pays bob each amount in a block of its own."""
    script = [does(pay(deployed, account, "bob", amount)) for amount in amounts]
    return stand(Scripted(account, *script))


def paid(stand: Stand) -> list[list[int | str]]:
    """Block by block: amounts paid, hashes of what else was in it."""
    return [[t.args.get("value", t.hash) for t in observed] for _, observed in stand.mined]


def drain(stand: Stand, account: str) -> None:
    actor = stand.scheduler._actors[account]
    assert isinstance(actor, Scripted)
    actor.at = stand.now
    stand.scheduler.drain()


def test_a_nonce_that_others_have_used_is_read_again(stand: Stands, deployed: Deployed) -> None:
    made = paying(stand, deployed, "alice", 1, 2)
    drain(made, "alice")
    deployed.chain.mine([wallet(deployed, "alice", nonce(deployed, "alice"))])
    drain(made, "alice")

    assert paid(made) == [[1], [2]]
    assert [ok for _, ok in made.journal.completed_] == [True, True]


def test_what_a_wallet_has_in_the_pool_goes_first(stand: Stands, deployed: Deployed) -> None:
    made = paying(stand, deployed, "alice", 3)
    hashes = [
        offered(deployed, wallet(deployed, "alice", nonce(deployed, "alice") + more))
        for more in (0, 1)
    ]
    drain(made, "alice")

    assert paid(made) == [[*hashes, 3]]


def test_a_nonce_that_a_wallet_holds_behind_a_hole_is_left_to_it(
    stand: Stands, deployed: Deployed
) -> None:
    sends = [pay(deployed, "alice", "bob", amount) for amount in (4, 5, 6)]
    made = stand(Scripted("alice", does(*sends)))
    held = offered(deployed, wallet(deployed, "alice", nonce(deployed, "alice") + 1))
    drain(made, "alice")

    assert paid(made) == [[4, held, 5, 6]]
    assert deployed.chain.rpc.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_a_transaction_that_somebody_outbids_is_signed_anew(
    stand: Stands, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = paying(stand, deployed, "alice", 7)
    include, outbid = deployed.chain.include, []

    def outbidding(known: Mapping[str, bytes]) -> tuple[MinedBlock, ...]:
        if not outbid:
            raw = wallet(deployed, "alice", nonce(deployed, "alice"), price=10**10)
            outbid.append(offered(deployed, raw))
        return include(known)

    monkeypatch.setattr(deployed.chain, "include", outbidding)
    drain(made, "alice")

    assert paid(made) == [outbid, [7]]
    assert len(made.journal.invoked_) == 1
    assert [ok for _, ok in made.journal.completed_] == [True]


def test_an_account_without_ether_fails_its_wish_and_nothing_else(
    stand: Stands, deployed: Deployed
) -> None:
    poor, rich = "worker-4-owner", "alice"
    balance = deployed.chain.balance(deployed.directory.accounts[poor].address)
    take = wallet(deployed, poor, nonce(deployed, poor), value=balance - 3 * 10**15 - 10**12)
    deployed.chain.mine([take])  # one transaction's 3 000 000 gas at 1 gwei are left, not two's
    sends = [
        *(pay(deployed, poor, "bob", amount, wish=amount) for amount in (8, 9)),
        pay(deployed, rich, "bob", 10, wish=10),
    ]
    actor = Scripted(poor, does(*sends))
    made = stand(actor)
    for send in sends:
        made.scheduler.wishes[send.wish] = WishState()
    drain(made, poor)
    drain(made, poor)

    states = {wish: state.outcome for wish, state in made.scheduler.wishes.items()}
    assert states == {8: "ok", 9: "failed", 10: "ok"}
    assert made.scheduler.wishes[9].error == "NotTaken"
    assert "worker-4-owner: Insufficient funds" in made.scheduler.wishes[9].reason
    assert [identity for identity, _, _ in made.journal.refused_] == [2]
    failed = [m for _, messages in actor.turns for m in messages if isinstance(m, SendFailed)]
    assert [(m.args[1], m.error) for m in failed] == [(9, "NotTaken")]


# The chain itself


def seen(stand: Stand) -> list[tuple[str, object]]:
    return [(to, message) for _, to, message in stand.journal.told_]


def test_a_block_that_somebody_mines_is_taken_in_and_said(
    stand: Stands, deployed: Deployed
) -> None:
    made = paying(stand, deployed, "alice", 11)
    made.scheduler.mine()
    first = made.head + 1
    foreign = offered(deployed, wallet(deployed, "alice", nonce(deployed, "alice")))
    deployed.chain.rpc.call("evm_mine")
    deployed.chain.rpc.call("evm_mine")
    drain(made, "alice")

    assert paid(made) == [[], [foreign], [], [11]]
    (told,) = seen(made)
    assert told[0] == "devnet"
    assert isinstance(told[1], Foreign)
    assert told[1].replays
    assert f"blocks {first} to {first + 1} were mined by somebody else" in told[1].seen


@pytest.mark.parametrize("empty", [True, False])
def test_state_that_somebody_changes_is_said_at_the_next_block(
    stand: Stands, deployed: Deployed, empty: bool
) -> None:
    made = paying(stand, deployed, "alice", 12)
    made.scheduler.mine()
    block = made.head
    balance = f"0x{deployed.chain.balance(STRANGER) + 1:x}"
    deployed.chain.rpc.call("anvil_setBalance", STRANGER, balance)
    if empty:
        made.scheduler.mine()
    else:
        drain(made, "alice")
    made.scheduler.mine()

    (told,) = seen(made)
    assert isinstance(told[1], Foreign)
    assert (told[1].block, told[1].replays) == (block, False)
    assert f"the state was changed after block {block} by no transaction" in told[1].seen


def test_a_time_that_somebody_sets_is_said_and_the_clock_s_rule_holds_again(
    stand: Stands, deployed: Deployed
) -> None:
    made = paying(stand, deployed, "alice", 13)
    made.scheduler.mine()
    at = made.now + 5_000
    deployed.chain.rpc.call("evm_setNextBlockTimestamp", at)
    deployed.chain.rpc.call("anvil_setBlockTimestampInterval", 1)
    made.scheduler.mine()
    made.scheduler.mine()

    assert made.now == at + 720
    (told,) = seen(made)
    assert isinstance(told[1], Foreign)
    assert f"has the time {at} where {at - 5_000 + 720} was due" in told[1].seen


@pytest.mark.parametrize("empty", [True, False])
def test_a_base_fee_that_somebody_sets_is_said_once(
    stand: Stands, deployed: Deployed, empty: bool
) -> None:
    made = paying(stand, deployed, "alice", 14)
    made.scheduler.mine()
    block = made.head
    deployed.chain.rpc.call("anvil_setNextBlockBaseFeePerGas", "0x7")
    if empty:
        made.scheduler.advance(5)
    else:
        made.scheduler.mine()
        drain(made, "alice")
    made.scheduler.mine()
    deployed.chain.rpc.call("anvil_setNextBlockBaseFeePerGas", "0x0")
    made.scheduler.mine()

    (told,) = seen(made)
    assert isinstance(told[1], Foreign)
    assert (told[1].block, told[1].replays) == (block + 1, False)
    assert "has a base fee of 7 wei where 0 was due" in told[1].seen


def test_a_chain_id_that_somebody_sets_is_said_once(stand: Stands, deployed: Deployed) -> None:
    made = paying(stand, deployed, "alice", 15)
    made.scheduler.mine()
    block = made.head
    deployed.chain.rpc.call("anvil_setChainId", 17)
    try:
        made.scheduler.mine()
        made.scheduler.mine()
    finally:
        deployed.chain.rpc.call("anvil_setChainId", deployed.chain.chain_id)
        deployed.chain._seen_id = deployed.chain.chain_id

    (told,) = seen(made)
    assert isinstance(told[1], Foreign)
    assert (told[1].block, told[1].replays) == (block, False)
    assert f"the chain's id is 17 after block {block}, it was 31337" in told[1].seen


def test_a_transaction_that_nobody_signed_is_said(stand: Stands, deployed: Deployed) -> None:
    rpc = deployed.chain.rpc
    made = paying(stand, deployed, "alice", 14)
    made.scheduler.mine()
    rpc.call("anvil_impersonateAccount", STRANGER)
    sent = {"from": STRANGER, "to": STRANGER, "gasPrice": "0x0", "gas": "0x5208"}
    forged = rpc.call("eth_sendTransaction", sent)
    made.scheduler.mine()

    (told,) = seen(made)
    assert isinstance(told[1], Foreign)
    assert f"transaction {forged}" in told[1].seen
    assert f"not signed by its sender {STRANGER}" in told[1].seen


def test_a_transaction_that_comes_into_an_advance_is_recorded(
    stand: Stands, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = paying(stand, deployed, "alice", 15)
    made.scheduler.mine()
    call, late = deployed.chain.rpc.call, []

    def slowly(method: str, *params: object) -> object:
        if method == "anvil_mine" and not late:
            late.append(offered(deployed, wallet(deployed, "alice", nonce(deployed, "alice"))))
        return call(method, *params)

    monkeypatch.setattr(deployed.chain.rpc, "call", slowly)
    first = made.head
    made.scheduler.advance(5)

    assert made.head == first + 5
    assert [t for block in paid(made) for t in block] == late
    assert seen(made) == []


def test_a_chain_that_somebody_turns_back_ends_it_by_name(
    stand: Stands, deployed: Deployed
) -> None:
    made = paying(stand, deployed, "alice", 16)
    snapshot = deployed.chain.snapshot()
    made.scheduler.mine()
    head = deployed.chain.head
    assert deployed.chain.rpc.call("evm_revert", snapshot) is True
    with pytest.raises(ForeignState, match=f"block {head.number} {head.hash} is not on the chain"):
        made.scheduler.mine()
    assert deployed.chain.head == head
