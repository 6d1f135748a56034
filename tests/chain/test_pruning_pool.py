"""What waits in the pool when old blocks are dropped: it waits on, in its order, or is named."""

from __future__ import annotations

import random

import pytest

from devnet.chain import Account, RpcError, Transaction, sign, transaction_hash
from tests.chain.conftest import NAMES
from tests.chain.pruned import EVERY, KEPT, Node, created, transfer

ETH = 10**18
FEE = 21_000 * 10**9  # of a transfer


def at_the_brink(node: Node) -> None:
    """The next block is mined after a drop."""
    node.chain.advance(KEPT + EVERY - node.chain.head.number)
    assert node.kept.first == 0


def paying(sender: Account, to: Account, nonce: int, value: int) -> bytes:
    return sign(sender, Transaction(nonce, to.address, gas=21_000, value=value))


def test_the_order_stays(node: Node, accounts: dict[str, Account]) -> None:
    """Of many accounts whose transactions came in turns, some behind a hole."""
    at_the_brink(node)
    chance, nonces = random.Random(4), dict.fromkeys(NAMES[1:], 0)
    sent = []
    for name in chance.choices(NAMES[1:], k=120):
        sent.append(transfer(accounts[name], accounts[NAMES[0]], nonces[name]))
        nonces[name] += 1
    behind = [transfer(accounts[NAMES[0]], accounts[NAMES[1]], nonce) for nonce in (3, 5)]
    assert node.chain.pool.offer([*sent[:60], *behind, *sent[60:]]) == []
    (mined,) = node.chain.include({})
    assert node.kept.first == EVERY + 1
    assert mined.raw == tuple(sent)
    assert node.chain.pool.of(accounts[NAMES[0]].address).keys() == {3, 5}
    assert node.chain.foreign == []


def test_what_the_node_takes_not_again_is_named_and_all_goes_on(
    node: Node, accounts: dict[str, Account]
) -> None:
    """It was behind a hole, and its account has spent since then what it would pay with."""
    poor, rich, other = (accounts[name] for name in NAMES[:3])
    has = node.chain.balance(poor.address)
    lost = [paying(poor, rich, nonce, has - ETH) for nonce in (2, 3)]
    assert node.chain.pool.offer(lost) == []
    node.chain.mine([paying(poor, rich, 0, has - ETH)])
    at_the_brink(node)
    waits = [transfer(poor, rich, 4), transfer(rich, other, 7), transfer(rich, other, 0)]
    assert node.chain.pool.offer(waits) == []
    (mined,) = node.chain.include({})
    assert node.kept.first == EVERY + 1
    assert mined.raw == (waits[2],)
    assert node.chain.pool.of(poor.address) == {4: transaction_hash(waits[0])}
    assert node.chain.pool.of(rich.address).keys() == {7}
    (told,) = node.chain.foreign
    assert (told.block, told.replays) == (KEPT + EVERY, True)
    for item in lost:
        assert f"{transaction_hash(item)} (Insufficient funds" in told.seen
    assert "not in the pool any more since old blocks were dropped at block 300" in told.seen
    for _ in range(2):  # and once more
        node.chain.advance(EVERY)
    assert node.kept.first > EVERY + 1
    assert node.chain.foreign == [told]


def test_many_that_are_lost_are_counted(node: Node, accounts: dict[str, Account]) -> None:
    poor, rich = accounts[NAMES[0]], accounts[NAMES[1]]
    has = node.chain.balance(poor.address)
    node.chain.pool.offer([paying(poor, rich, nonce, has - ETH) for nonce in range(2, 40)])
    node.chain.mine([paying(poor, rich, 0, has - ETH)])
    at_the_brink(node)
    node.chain.advance(1)
    (told,) = node.chain.foreign
    assert told.seen.count("Insufficient funds") == 5
    assert "and 33 more" in told.seen


def test_what_no_block_takes_as_it_is_does_not_keep_old_blocks(
    node: Node, accounts: dict[str, Account]
) -> None:
    """An account sends 1 wei and then all it had: that fails in every block, so none holds it."""
    poor, rich, other = (accounts[name] for name in NAMES[:3])
    at_the_brink(node)
    has = node.chain.balance(poor.address)
    sent = [paying(poor, rich, 0, 1), paying(poor, rich, 1, has - FEE), paying(poor, rich, 2, 2)]
    others = [transfer(other, rich, nonce) for nonce in range(2)]
    assert node.chain.pool.offer([*sent[:2], *others, sent[2]]) == []
    assert node.chain._pruning is not None
    assert node.chain._pruning.drop(node.chain.head) is None
    assert node.kept.first == EVERY + 1
    waiting = {nonce: transaction_hash(raw) for nonce, raw in enumerate(sent)}
    assert node.chain.pool.of(poor.address) == waiting
    (mined,) = node.chain.include({})
    assert mined.raw == (sent[0], *others)
    assert node.chain.foreign == []


def test_what_is_sent_until_the_last_moment_is_kept(
    node: Node, accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that was cut goes on within the node; one of these replaces what was read."""
    alice, bob, carol = (accounts[name] for name in NAMES[:3])
    at_the_brink(node)
    first = transfer(alice, bob, 0)
    dearer = sign(alice, Transaction(0, bob.address, gas=21_000, value=2, gas_price=2 * 10**9))
    late = transfer(carol, bob, 0)
    assert node.chain.pool.offer([first, transfer(bob, carol, 0)]) == []
    ask = node.rpc.call

    def call(method: str, *params: object) -> object:
        if method == "anvil_dumpState":
            for raw in (late, dearer):
                ask("eth_sendRawTransaction", "0x" + raw.hex())
        return ask(method, *params)

    monkeypatch.setattr(node.rpc, "call", call)
    (mined,) = node.chain.include({})
    assert node.kept.first == EVERY + 1
    assert set(mined.raw) == {dearer, late, transfer(bob, carol, 0)}
    assert node.chain.foreign == []


def test_nothing_is_dropped_while_more_waits_than_a_block_holds(
    node: Node, accounts: dict[str, Account]
) -> None:
    """Nobody could tell in which order the rest came."""
    at_the_brink(node)
    node.rpc.call("evm_setBlockGasLimit", hex(4 * 21_000 + 1))
    sent = [transfer(accounts[name], accounts[NAMES[0]], 0) for name in NAMES[9:1:-1]]
    assert node.chain.pool.offer(sent) == []
    (first,) = node.chain.include({})
    assert node.kept.first == 0
    (second,) = node.chain.include({})
    assert node.kept.first == EVERY + 2
    assert (first.raw, second.raw) == (tuple(sent[:4]), tuple(sent[4:]))


def test_that_nothing_is_dropped_for_long_is_said_once(
    node: Node, accounts: dict[str, Account]
) -> None:
    at_the_brink(node)
    node.rpc.call("evm_setBlockGasLimit", hex(21_000))
    alice, bob = accounts[NAMES[0]], accounts[NAMES[1]]
    sent = [transfer(alice, bob, nonce) for nonce in range(EVERY + 5)]
    assert node.chain.pool.offer(sent) == []

    def said() -> list[str]:
        return [item.seen for item in node.chain.foreign if "were dropped" in item.seen]

    for _ in range(EVERY):
        node.chain.include({})
    assert (node.kept.first, said()) == (0, [])
    for _ in range(4):
        node.chain.include({})
    assert node.kept.first == 0
    (told,) = said()
    assert told.startswith(f"for {EVERY} blocks up to block {KEPT + 2 * EVERY} no old blocks were")
    node.chain.include({})  # of the last one, which a block holds
    assert node.kept.first > EVERY
    assert said() == [told]


def test_the_transactions_before_a_long_advance_can_be_looked_up_afterwards(
    node: Node, accounts: dict[str, Account]
) -> None:
    """Whoever advanced is told of them only then."""
    at_the_brink(node)
    reverting = created(bytes.fromhex("602a5f5260205ffd"))
    contract = node.chain.mine([sign(accounts[NAMES[0]], Transaction(0, None, reverting, 200_000))])
    to = contract.receipts[0].contract_address
    call = sign(accounts[NAMES[0]], Transaction(1, to, gas=100_000))
    assert node.chain.pool.offer([call]) == []
    found, run = node.chain.advance(2_500)
    assert node.chain.revert_data(found.receipts[0].hash) == (42).to_bytes(32)
    assert run.run == 2_499
    node.chain.advance(1)
    assert node.kept.first > found.block.number
    with pytest.raises(RpcError, match="not kept"):
        raise RpcError("eth", 0, node.kept.refusal("trace_transaction", [found.receipts[0].hash]))


@pytest.mark.parametrize("disturbed_at", [1, 2, 4])
def test_however_long_an_advance_in_parts_is_the_node_keeps_few_blocks(
    node: Node,
    accounts: dict[str, Account],
    monkeypatch: pytest.MonkeyPatch,
    disturbed_at: int,
) -> None:
    """Whenever somebody sends: a part ends at the next thousand, and between two of them the node
    drops what was looked at."""
    at_the_brink(node)
    first, most, pieces = node.chain.head.number, 0, 0
    ask = node.rpc.call

    def call(method: str, *params: object) -> object:
        nonlocal most, pieces
        if method == "anvil_mine":
            pieces += 1
            if pieces == disturbed_at:
                node.chain.pool.offer([transfer(accounts[NAMES[0]], accounts[NAMES[1]], 0)])
        answer = ask(method, *params)
        if method == "anvil_mine":
            most = max(most, int(ask("eth_blockNumber"), 16) - node.kept.first)
        return answer

    if disturbed_at == 1:
        node.chain.pool.offer([transfer(accounts[NAMES[0]], accounts[NAMES[1]], 0)])
        disturbed_at = 0
    monkeypatch.setattr(node.rpc, "call", call)
    parts = []
    while left := first + 6_500 - node.chain.head.number:
        parts.append(sum(item.run for item in node.chain.advance(left, in_parts=True)))
        assert parts[-1] == left or parts[-1] >= 1_000
    assert sum(parts) == 6_500
    assert len(parts) == 2
    assert most < KEPT + EVERY + 2 * 1_000 + 2


def test_a_foreign_block_in_the_middle_of_a_long_advance_is_read(
    node: Node, accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node gets it between two drops; what was empty before and after is one value each."""
    alice, bob = accounts[NAMES[0]], accounts[NAMES[1]]
    foreign = transfer(alice, bob, 0)
    told = []
    node.chain.observers.append(told.append)
    ask, pieces = node.rpc.call, 0

    def call(method: str, *params: object) -> object:
        nonlocal pieces
        if method == "anvil_mine":
            pieces += 1
            if pieces == 3:
                ask("eth_sendRawTransaction", "0x" + foreign.hex())
                ask("evm_mine")
        return ask(method, *params)

    monkeypatch.setattr(node.rpc, "call", call)
    mined = node.chain.advance(4_500)
    assert told == list(mined)
    assert sum(item.run for item in mined) == 4_501
    assert (mined[0].run, mined[-1].run) == (2_000, 1_500)
    with_it = mined[1]
    assert with_it.raw == (foreign,)
    assert with_it.receipts[0].hash == transaction_hash(foreign)
    (note,) = node.chain.foreign
    assert "blocks 2002 to 3002 were mined by somebody else, but for 1000" in note.seen
    numbers = [item.block.number for item in mined]
    assert numbers[:3] == [2_001, 2_002, 2_003]
    assert node.chain.head.number == 4_502
    node.chain.advance(1)
    assert node.kept.first == 4_502 - KEPT + 1


def test_a_block_that_nobody_has_read_is_not_dropped(
    node: Node, accounts: dict[str, Account]
) -> None:
    """However many others have mined meanwhile: they are read first."""
    at_the_brink(node)
    foreign = transfer(accounts[NAMES[0]], accounts[NAMES[1]], 0)
    node.chain.pool.offer([foreign])
    node.rpc.call("anvil_mine", hex(KEPT + 2 * EVERY))
    mined = node.chain.include({})
    assert node.kept.first == 0
    assert mined[0].raw == (foreign,)
    assert len(mined) == KEPT + 2 * EVERY + 1
    node.chain.include({})
    assert node.kept.first == mined[-1].block.number - KEPT + 1
