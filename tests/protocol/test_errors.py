"""Every error of the contracts has a name and a sentence with its values."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from devnet.chain import keccak
from devnet.protocol import decode_error
from devnet.protocol.errors import KINDS

NODE = "0x" + "ab" * 20
HARDWARE = b"\x0f" * 32
DEPLOYED = [
    *("Kompute", "Gatekeepers", "Staking", "Rewards"),
    *("Slashing", "OcrAggregator", "Pricing", "Market"),
]


# Errors of OpenZeppelin that the contracts inherit and can never raise.
NEVER = {"InvalidShortString", "StringTooLong"}


def declared_in(abis: list[list[dict[str, Any]]]) -> set[tuple[object, ...]]:
    return {
        (entry["name"], *((item["type"], item["name"]) for item in entry["inputs"]))
        for abi in abis
        for entry in abi
        if entry["type"] == "error" and entry["name"] not in NEVER
    }


def test_every_error_of_every_contract_has_a_sentence(everything: dict[str, Any]) -> None:
    own = [name for name in everything if name in DEPLOYED]
    assert sorted(own) == sorted(DEPLOYED)
    declared = declared_in([everything[name]["abi"] for name in own])
    known = {(k.name, *zip(k.types, k.names, strict=True)) for k in KINDS.values()}
    assert declared - known == set()
    assert len(declared) > 60


def test_every_sentence_can_be_said() -> None:
    samples = {"address": NODE, "bytes32": HARDWARE, "string": "because"}
    for selector, kind in KINDS.items():
        values = [samples.get(t, 1) for t in kind.types]
        error = decode_error(selector + encode(kind.types, values))
        assert error.name == kind.name
        assert tuple(error.values) == kind.names
        assert "{" not in error.sentence
        assert len(error.sentence) > 5


@pytest.mark.parametrize(
    ("signature", "values", "sentence"),
    [
        (
            "NotOwner(address,address)",
            (NODE, "0x" + "00" * 20),
            "only the owner of a node that was staked may do this, not worker-1",
        ),
        (
            "NotOwner(address,address)",
            (NODE, "0x" + "cd" * 20),
            f"only the owner 0x{'cd' * 20} may do this, not worker-1",
        ),
        (
            "TopUpExceeds(uint256,uint256)",
            (10**18, 25 * 10**18),
            "a top-up leads back to exactly 500 KOMP: 25 KOMP, not 1 KOMP",
        ),
        (
            "HardwareTaken(bytes32,address)",
            (HARDWARE, NODE),
            f"hardware 0x{'0f' * 32} belongs to the live node worker-1",
        ),
        (
            "DurationOutOfRange(uint256,uint256)",
            (40 * 86_400, 30 * 86_400),
            "an order lasts above 0 and at most 30d, not 40d",
        ),
        (
            "TooFewFresh(uint8,uint256)",
            (4, 1),
            "function_gib_second has 1 fresh feeds, two are needed",
        ),
        (
            "ValueOutOfRange(uint256,uint256)",
            (15 * 10**17, 10**18),
            "V of 1.5 is not above 0 and at most 1",
        ),
        (
            "FactorOutOfRange(uint256,uint256,uint256,uint256,uint256)",
            (2_500_000, 1_000_000, 0, 1, 10**12),
            "a factor is out of its bounds: sgx 2.5, b 1, c1 0, c2 0.000001, c3 1000000",
        ),
        ("NothingToClaim(address)", (NODE,), "node worker-1 has nothing to claim"),
        (
            "NotQueued(bytes32,uint8)",
            (HARDWARE, 3),
            f"proposal 0x{'0f' * 32} is not queued but vetoed",
        ),
        ("Error(string)", ("a {plain} reason",), "a {plain} reason"),
    ],
)
def test_sentences_say_the_values_in_their_units(
    signature: str, values: tuple[object, ...], sentence: str
) -> None:
    types = signature[signature.index("(") + 1 : -1].split(",")
    data = keccak(signature.encode())[:4] + encode(types, values)
    error = decode_error(data, {NODE: "worker-1"})
    assert error.name == signature.partition("(")[0]
    assert str(error) == error.sentence == sentence
    assert tuple(error.values.values()) == values


def test_a_failure_without_data_and_a_foreign_error_are_told_apart() -> None:
    assert decode_error(b"").name == "NoReason"
    foreign = decode_error(b"\xde\xad\xbe\xef")
    assert (foreign.name, foreign.values) == ("Unknown", {"data": b"\xde\xad\xbe\xef"})
    assert "0xdeadbeef" in foreign.sentence


@given(st.binary(max_size=200), st.sampled_from([b"", *KINDS]))
def test_any_data_is_answered(data: bytes, selector: bytes) -> None:
    error = decode_error(selector + data)
    assert error.sentence
