"""The treasury adds the incentive in the first block of each cycle (C2)."""

from __future__ import annotations

from devnet.actors.messages import Ask, Measure
from devnet.actors.operations import Fail, Send
from devnet.actors.treasury import Treasury
from devnet.spec.network import Incentives
from tests.actors.stage import GENESIS_BLOCK, Stage, sends, time_of

INCENTIVE = 1000 * 10**18


def added(amount: int) -> tuple[str, str, tuple[object, ...]]:
    return ("treasury", "addReward", (amount,))


def test_the_first_incentive_comes_at_once_and_the_next_in_block_0_of_each_cycle() -> None:
    stage, treasury = Stage(), Treasury(INCENTIVE)
    assert treasury.due() == 0

    assert sends(treasury.act(stage.view(3), [])) == [added(INCENTIVE)]
    # Cycle 1 begins with block 72; what is sent at head 71 is mined in it.
    assert treasury.due() == time_of(71)
    assert sends(treasury.act(stage.view(70), [])) == []
    assert sends(treasury.act(stage.view(71), [])) == [added(INCENTIVE)]

    assert treasury.due() == time_of(141)
    assert stage.view(141).cycle_of(142) == 2


def test_it_releases_the_vault_s_parts_from_their_first_cycle_to_their_last() -> None:
    vault = Incentives(total="1000 KOMP", cycles=2, start=1)
    stage, treasury = Stage(), Treasury(INCENTIVE, vault)
    stage.reads.released_wei = 0
    released = ("treasury", "release", ())

    assert sends(treasury.act(stage.view(3), [])) == [added(INCENTIVE)]
    assert sends(treasury.act(stage.view(71), [])) == [added(INCENTIVE), released]
    stage.reads.released_wei = INCENTIVE
    assert sends(treasury.act(stage.view(141), [])) == [added(INCENTIVE)]
    alone = Treasury(0, vault)
    stage.reads.released_wei = 5
    assert sends(alone.act(stage.view(141), [])) == [released]
    assert Treasury(0, vault.model_copy(update={"automatic": False})).due() is None


def test_a_cycle_s_first_block_is_met_whatever_block_it_wakes_in() -> None:
    stage = Stage()
    for block in range(GENESIS_BLOCK, GENESIS_BLOCK + 140):
        treasury = Treasury(INCENTIVE)
        treasury.act(stage.view(block), [])
        due = treasury.due()
        assert due is not None
        following = (due - time_of(0)) // 720 + 1
        assert (following - GENESIS_BLOCK) % 70 == 0
        assert block < following - 1 <= block + 70


def add(wish: int, amount: int) -> Ask:
    return Ask(wish, "Rewards", "addReward", (amount,))


def test_what_it_is_asked_to_add_serves_the_wish() -> None:
    operations = Treasury(0).act(Stage().view(3), [add(4, 5), add(6, 7)])

    assert operations == [
        Send("treasury", "Rewards", "addReward", (5,), 4),
        Send("treasury", "Rewards", "addReward", (7,), 6),
    ]


def test_without_an_incentive_it_is_never_due() -> None:
    assert Treasury(0).due() is None


def test_a_wish_it_does_not_know_fails() -> None:
    assert Treasury(0).act(Stage().view(3), [Measure(9)]) == [
        Fail(9, "Measure is not a wish it serves", "NotServed")
    ]
