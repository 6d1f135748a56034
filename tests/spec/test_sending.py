"""The `send` step: whatever can be wrong without the contracts is named while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from devnet.spec import SpecError, step_from_mapping, step_mapping

if TYPE_CHECKING:
    from tests.spec.conftest import Town

REPORT = {
    "from": "alice",
    "to": "Slashing",
    "function": "report",
    "args": {
        "node": "worker-1",
        "level": "1",
        "from": {"now": "-12h"},
        "to": {"now": "0s"},
        "evidence": {"hash": "log"},
        "signatures": {"signers": ["gatekeeper-1", "gatekeeper-2"]},
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The report with one value replaced."""
    step: dict[str, Any] = {**REPORT, "args": dict(REPORT["args"])}  # type: ignore[call-overload]
    *inner, last = path.split(".")
    place = step
    for key in inner:
        place = place[key]
    place[last] = value
    return step


def test_a_step_reads_back_as_itself(town: Town) -> None:
    read = step_from_mapping("send", {**REPORT, "again": "true"}, town.network())
    written = step_mapping(read)["send"]
    assert written == {**REPORT, "again": True}
    assert step_from_mapping("send", written, town.network()) == read


@pytest.mark.parametrize("name", ["worker-1", "worker-1-owner", "gatekeeper-3", "oracle-2"])
def test_everybody_with_a_key_sends(town: Town, name: str) -> None:
    read = step_from_mapping("send", changed("from", name), town.network())
    assert step_mapping(read)["send"]["from"] == name


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("from", "alize", "send.from: unknown account; seen 'alize'; did you mean 'alice'?"),
        ("to", "slashing", "send.to: not the name of a contract; seen 'slashing'"),
        ("args", "all", "send.args: not a mapping of arguments by their names; seen 'all'"),
        ("args.from", {"now": "-12"}, "from.now: a duration needs its unit"),
        ("args.from", {"block": "early"}, "from.block: not a number; seen 'early'"),
        ("args.evidence", {"block_hash": "0"}, "only a mined block has a hash"),
        (
            "args.evidence",
            {"hardware_id": "worker-9"},
            "hardware_id: unknown name; seen 'worker-9'",
        ),
        ("args.evidence", None, "evidence: neither text, number, list nor mapping; seen None"),
        ("args.evidence", {"hash": ["x"]}, "not a text"),
        ("args.signatures", {"signers": ["mallory"]}, "signatures.signers.0: unknown account"),
        ("args.signatures", {"signers": [], "order": "up"}, "unknown order of signers"),
        ("args.signatures", {"signers": [], "with": {"to": {"now": "1"}}}, "needs its unit"),
        ("args.signatures", {"signed": []}, "signatures.signed: Extra inputs"),
    ],
)
def test_faults(town: Town, path: str, value: object, fault: str) -> None:
    with pytest.raises(SpecError) as caught:
        step_from_mapping("send", changed(path, value), town.network())
    assert fault in str(caught.value)


@pytest.mark.parametrize("word", ["call", "read"])
def test_calls_inside_are_checked_too(town: Town, word: str) -> None:
    args = {"data": {word: {"to": "gatekeepers", "function": "change"}}}
    with pytest.raises(SpecError, match=f"data.{word}.to: not the name of a contract"):
        step_from_mapping("send", {**REPORT, "args": args}, town.network())
