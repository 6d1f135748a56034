"""A result anchored to a block that a real reorganization takes away (W4): the chain goes back and
another block takes its place."""

from __future__ import annotations

from typing import Any

from contracts_stage import KOMP, Stage, address

from devnet.chain import Block


def measured_block(stage: Stage, amount: int) -> Block:
    """The head after a transfer: another amount makes another block of the same number."""
    stage.send("alice", "Kompute", "transfer", address("bob"), amount)
    return stage.chain.head


def result_of(stage: Stage, block: Block) -> tuple[Any, bytes]:
    """Signed by a quorum that has seen this very block."""
    stage.mine()
    changes = {"measuredBlock": block.number, "measuredHash": bytes.fromhex(block.hash[2:])}
    return stage.attested(stage.result(1, **changes))


def test_a_reorganization_voids_what_was_measured_on_the_lost_branch(stage: Stage) -> None:
    stage.stake(1)
    fork = stage.chain.snapshot()
    lost = measured_block(stage, KOMP)
    orphaned = result_of(stage, lost)
    stage.chain.revert(fork)
    kept = measured_block(stage, 2 * KOMP)
    assert (kept.number, kept.hash != lost.hash) == (lost.number, True)
    stage.mine()

    error = stage.refused("node-1", "Rewards", "publish", *orphaned)

    assert error.name == "MeasuredHashMismatch"
    assert error.values == {
        "measuredBlock": lost.number,
        "given": bytes.fromhex(lost.hash[2:]),
        "actual": bytes.fromhex(kept.hash[2:]),
    }
    assert stage.read("Rewards", "sequenceOf", address("node-1")) == 0
    sent = stage.send("node-1", "Rewards", "publish", *result_of(stage, kept))
    assert sent.event("Published")["sequence"] == 1


def test_a_reorganization_above_the_measured_block_changes_nothing(stage: Stage) -> None:
    stage.stake(1)
    block = measured_block(stage, KOMP)
    fork = stage.chain.snapshot()
    signed_before = result_of(stage, block)
    stage.chain.revert(fork)
    measured_block(stage, 2 * KOMP)
    sent = stage.send("node-1", "Rewards", "publish", *signed_before)
    assert sent.event("Published")["sequence"] == 1
