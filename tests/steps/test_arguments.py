"""Arguments of a `send` step by the types of an ABI made up here."""

from __future__ import annotations

from typing import Any

import pytest

from devnet.actors.view import Directory, hardware_id
from devnet.base import UsageError
from devnet.chain import keccak, recover
from devnet.protocol import Contracts, Deployment, Domains, Genesis
from devnet.steps.arguments import Arguments, Moment
from tests.actors.stage import directory, network

MOMENT = Moment(number=101, timestamp=1_000_000, cycle=3)
SLASHING = "0x" + "5c" * 20


def parameter(kind: str, name: str, *components: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "name": name, "components": list(components)}


def function(name: str, *inputs: dict[str, Any], answers: str = "") -> dict[str, Any]:
    outputs = [parameter(answers, "")] if answers else []
    return {"type": "function", "name": name, "inputs": list(inputs), "outputs": outputs}


REPORT = function(
    "report",
    *(parameter(kind, name) for kind, name in (("address", "node"), ("uint8", "level"))),
    *(parameter("uint64", name) for name in ("from", "to")),
    parameter("bytes32", "evidence"),
    parameter("bytes", "signatures"),
)
ANY = function(
    "any",
    parameter("int256[]", "numbers"),
    parameter("bool", "yes"),
    parameter("tuple", "pair", parameter("address", "who"), parameter("uint128", "amount")),
)


class Blocks:
    """Stands for the chain's reads: a block has the hash of its number; the first 40 are gone."""

    first_block = 40

    def block_hash(self, number: int) -> bytes:
        return number.to_bytes(32, "big")

    def read_many(self, reads: list[tuple[str, str, list[object]]]) -> list[object]:
        answers: dict[str, object] = {"count": 300, "name": "KOMP"}
        return [
            answers.get(name, keccak(f"{contract} {name} {args}".encode()))
            for contract, name, args in reads
        ]


def arguments() -> Arguments:
    deployment = Deployment(
        {"Slashing": SLASHING, "Other": "0x" + "07" * 20, "PoolFactory": "0x" + "0f" * 20},
        {
            "PoolFactory": [],
            "Pool": [ANY],
            "Slashing": [REPORT, ANY],
            "Other": [
                ANY,
                function("idOf", parameter("uint256", "number"), answers="bytes32"),
                function("count", answers="uint256"),
                function("name", answers="string"),
            ],
        },
        {},
        Genesis(31337, 0, 1),
    )
    who: Directory = directory(network())
    return Arguments(Contracts(deployment), Blocks(), who, MOMENT)  # type: ignore[arg-type]


GIVEN: dict[str, Any] = {
    "node": "worker-1",
    "level": "1",
    "from": {"now": "-12h"},
    "to": {"now": "0s"},
    "evidence": {"hash": "log"},
    "signatures": {"signers": ["gatekeeper-1", "gatekeeper-2"]},
}


def report(**changed: Any) -> tuple[Any, ...]:
    return arguments().of_call("alice", "Slashing", "report", {**GIVEN, **changed})


def test_an_attestation_is_signed_as_honest_gatekeepers_would() -> None:
    made = arguments()
    node, level, start, end, evidence, signatures = report()
    assert (node, level, start, end) == (made.account("worker-1").address, 1, 956_800, 1_000_000)
    assert evidence == keccak(b"log")
    digest = Domains(31337, {"Slashing": SLASHING}).incident(node, 1, start, end, evidence)
    signers = [recover(digest, signatures[at : at + 65]) for at in (0, 65)]
    honest = [made.account(name).address for name in ("gatekeeper-1", "gatekeeper-2")]
    assert signers == sorted(honest)
    assert len(signatures) == 130


@pytest.mark.parametrize(
    "override",
    [{"chain_id": 1}, {"contract": "Other"}, {"with": {"level": 2}}, {"with": {"to": "7"}}],
    ids=str,
)
def test_what_is_signed_can_be_anything_else(override: dict[str, Any]) -> None:
    honest = report()
    forged = report(signatures={**GIVEN["signatures"], **override})
    assert forged[:5] == honest[:5]
    assert forged[5] != honest[5]


def test_signers_twice_and_in_the_order_given() -> None:
    names = ["gatekeeper-2", "gatekeeper-1", "gatekeeper-2"]
    once, again = (
        report(signatures={"signers": names[:count], "order": "given"})[5] for count in (1, 3)
    )
    assert again[:65] == again[130:] == once


def test_integers() -> None:
    given = {"numbers": ["-5", "25 KOMP", "12h", "0xff", {"block": "-1"}, {"cycle": 1}, 7]}
    values = arguments().of_call(
        "alice", "Slashing", "any", {**given, "yes": "true", "pair": {"who": "Other", "amount": 1}}
    )
    assert values[0] == [-5, 25 * 10**18, 43_200, 255, 100, 4, 7]
    assert values[1:] == (True, {"who": "0x" + "07" * 20, "amount": 1})


@pytest.mark.parametrize(
    ("evidence", "value"),
    [
        ({"block_hash": -2}, (99).to_bytes(32, "big")),
        ({"block_hash": -61}, (40).to_bytes(32, "big")),
        ({"block_hash": -101}, bytes(32)),
        ({"hardware_id": "worker-1"}, hardware_id(directory(network()).seed, "worker-1")),
        ("0x" + "ab" * 32, b"\xab" * 32),
        (
            {"read": {"to": "Other", "function": "idOf", "args": {"number": "7"}}},
            keccak(b"Other idOf [7]"),
        ),
    ],
    ids=str,
)
def test_words_of_32_bytes(evidence: object, value: bytes) -> None:
    assert report(evidence=evidence)[4] == value


def test_what_is_left_out_is_as_it_was_before() -> None:
    made = arguments()
    before = {"numbers": (1,), "yes": False, "pair": {"who": "0x" + "01" * 20, "amount": 5}}
    given = {"pair": {"amount": "6"}}
    values = made.of_call("alice", "Slashing", "any", given, before)
    assert values == ((1,), False, {"who": "0x" + "01" * 20, "amount": 6})


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"nod": "worker-1"}, r"Slashing.report has no parameter 'nod'"),
        ({"node": "worker-x"}, r"node: no account or contract of that name"),
        ({"from": "soon"}, r"from: not a number"),
        ({"evidence": "0xabc"}, r"evidence: half a byte too many"),
        ({"evidence": "0xab"}, r"evidence: 1 bytes where 32 are due"),
        ({"evidence": {"block": 1}}, r"evidence: block is a number, not bytes"),
        (
            {"signatures": {"signers": [], "with": {"end": 1}}},
            r"Incident has no field 'end'",
        ),
        ({"level": 256}, r"level: uint8 is from 0 to 2\^8 - 1; seen 256"),
        ({"level": -1}, r"level: uint8 is from 0 to 2\^8 - 1; seen -1"),
        ({"from": 2**64}, r"from: uint64 is from 0 to 2\^64 - 1"),
        ({"to": {"cycle": -5}}, r"to: uint64 is from 0 to 2\^64 - 1"),
        ({"evidence": {"block_hash": -102}}, r"evidence: before block 0: the block to come is 101"),
        ({"evidence": {"block_hash": -62}}, r"block 39 is not kept any more, the oldest is 40"),
        ({"level": {"read": {"to": "Other", "function": "count"}}}, r"seen '300 of Other.count'"),
        (
            {"level": {"read": {"to": "Other", "function": "name"}}},
            r"level: Other.name answers no uint8; seen '\(string\)'",
        ),
        (
            {"node": {"read": {"to": "Other", "function": "count"}}},
            r"node: Other.count answers no address; seen '\(uint256\)'",
        ),
        (
            {"evidence": {"read": {"to": "Other", "function": "idOf", "args": {"number": -1}}}},
            r"evidence.number: uint256 is from 0 to 2\^256 - 1; seen -1",
        ),
        ({"signatures": {"signers": [], "with": {"level": 300}}}, r"with.level: uint8 is from"),
        ({"signatures": "0x" + "00" * 65_537}, r"Slashing.report: a call of \d+ bytes; at most"),
    ],
)
def test_faults(changed: dict[str, Any], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        report(**changed)


@pytest.mark.parametrize("number", ["0x8" + "0" * 63, "1e77", "-1e77"], ids=str)
def test_an_integer_beyond_its_type(number: str) -> None:
    given = {"numbers": [number], "yes": "true", "pair": {"who": "Other", "amount": 1}}
    with pytest.raises(UsageError, match=r"numbers\[0\]: int256 is from -2\^255 to 2\^255 - 1"):
        arguments().of_call("alice", "Slashing", "any", given)


def test_what_is_missing_is_said_before_anything_is_signed() -> None:
    given = {name: value for name, value in GIVEN.items() if name != "node"}
    with pytest.raises(UsageError, match=r"^Slashing.report lacks node$"):
        arguments().of_call("alice", "Slashing", "report", given)


def test_a_pool_that_nobody_created_takes_no_call() -> None:
    with pytest.raises(UsageError, match=r"^Pool:7 has not been created$") as refused:
        arguments().of_call("alice", "Pool:7", "any", {})
    assert refused.value.hint == "created: none"
    read = {"read": {"to": "Pool:7", "function": "any"}}
    with pytest.raises(UsageError, match=r"^Pool:7 has not been created$"):
        report(evidence=read)


def test_an_argument_too_few() -> None:
    with pytest.raises(UsageError, match=r"Slashing.any lacks yes, pair"):
        arguments().of_call("alice", "Slashing", "any", {"numbers": []})


def test_a_contract_that_takes_no_signatures() -> None:
    given = {"signatures": {"signers": []}}
    with pytest.raises(UsageError, match=r"has no parameter 'signatures'"):
        arguments().of_call("alice", "Other", "any", given)
