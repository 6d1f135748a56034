"""What a history keeps in memory stays small, however long the run; the disk has everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devnet.chain import Block, MinedBlock
from devnet.protocol import Event, ObservedTransaction
from devnet.record.folder import RunFolder
from devnet.record.history import History

NODE, OTHER = "0x" + "11" * 20, "0x" + "22" * 20


def mine(history: History, number: int, *events: tuple[str, dict[str, object]]) -> None:
    """A block with one accepted call and its events."""
    seen = tuple(Event("Rewards", name, args, number, "0x01") for name, args in events)
    transaction = ObservedTransaction(
        number,
        12 * number,
        0,
        "0x01",
        NODE,
        None,
        "Rewards",
        "publish",
        {"n": number},
        True,
        seen,
        9,
    )
    history.mined(MinedBlock(Block(number, 12 * number, "0x02")), (transaction,))


def test_what_is_asked_for_is_remembered_and_the_rest_counted(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run") as folder:
        history = History(folder)
        mine(history, 1, ("Staked", {"node": NODE}), ("NewRound", {"roundId": 1}))
        for number in range(2, 1_002):
            mine(history, number, ("Published", {"node": NODE, "v": number}), ("NewRound", {}))
        mine(history, 1_002, ("Published", {"node": OTHER, "v": 7}))

    assert [seen.event.args for seen in history.named("Staked")] == [{"node": NODE}]
    assert (history.counts["NewRound"], history.counts["Published"]) == (1_001, 1_001)
    latest = [history.latest("Published", node) for node in (NODE, OTHER, "0x33")]
    assert [seen and seen.event.args["v"] for seen in latest] == [1_001, 7, None]
    assert history.last_call("Rewards", "publish") == {"n": 1_002}
    assert history.last_call("Rewards", "claim") is None
    assert history.sent == {NODE: 1_002}
    assert len(history.events) == 1

    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    assert len(lines) == 2_003
    assert json.loads(lines[-1])["args"] == {"node": OTHER, "v": 7}


def test_a_name_that_is_only_counted_is_never_taken_for_one_that_did_not_happen(
    tmp_path: Path,
) -> None:
    with RunFolder(tmp_path / "run") as folder:
        history = History(folder)
        with pytest.raises(LookupError, match="NewRound events are counted"):
            history.named("NewRound")
        assert History(folder, {"NewRound"}).named("NewRound") == []
