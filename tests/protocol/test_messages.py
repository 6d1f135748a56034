"""Digests packed by hand equal eth_account's own EIP-712 encoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from devnet.chain import DEFAULT_MNEMONIC, derive, recover
from devnet.protocol import Domains, Report, collect
from devnet.protocol import messages as types

CHAIN_ID = 31337
ADDRESSES = {
    name: f"0x{place:040x}"
    for place, name in enumerate(("Staking", "Rewards", "Slashing", "Market", "Feed:komp_usd"), 77)
}
DOMAINS = Domains(CHAIN_ID, ADDRESSES)

uint = st.integers(0, 2**256 - 1)
uint64 = st.integers(0, 2**64 - 1)
word = st.binary(min_size=32, max_size=32)
address = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


def expected(contract: str, declaration: str, *values: object) -> bytes:
    """The digest by eth_account, from the type's declaration."""
    name, fields = declaration.rstrip(")").split("(")
    pairs = [field.split() for field in fields.split(",")]
    document: dict[str, Any] = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            name: [{"type": kind, "name": field} for kind, field in pairs],
        },
        "primaryType": name,
        "domain": {
            "name": "Kompute",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": ADDRESSES[contract],
        },
        "message": {field: value for (_, field), value in zip(pairs, values, strict=True)},
    }
    return bytes(_hash_eip191_message(encode_typed_data(full_message=document)))


@given(address, address, word, uint)
def test_admission(node: str, owner: str, hardware_id: bytes, deadline: int) -> None:  # S6
    digest = DOMAINS.admission(node, owner, hardware_id, deadline)
    assert digest == expected("Staking", types.ADMISSION, node, owner, hardware_id, deadline)


@given(address, uint, uint, uint, word, st.lists(uint, min_size=5, max_size=5))
def test_result(
    node: str, cycle: int, sequence: int, block: int, block_hash: bytes, factors: list[int]
) -> None:  # W3
    digest = DOMAINS.result(node, cycle, sequence, block, block_hash, *factors)
    fields = (node, cycle, sequence, block, block_hash, *factors)
    assert digest == expected("Rewards", types.RESULT, *fields)


@given(address, st.integers(0, 255), uint64, uint64, word)
def test_incident(node: str, level: int, start: int, end: int, evidence: bytes) -> None:  # L6
    digest = DOMAINS.incident(node, level, start, end, evidence)
    assert digest == expected("Slashing", types.INCIDENT, node, level, start, end, evidence)


@given(
    word,
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.integers(0, 2**32 - 1),
    word,
    st.lists(st.integers(-(2**191), 2**191 - 1), max_size=9),
)
def test_report(
    config: bytes, epoch: int, number: int, at: int, observers: bytes, seen: list[int]
) -> None:  # O1
    report = Report(config, epoch, number, at, observers, tuple(seen))
    digest = DOMAINS.report("Feed:komp_usd", report)
    fields = (config, epoch, number, at, observers, seen)
    assert digest == expected("Feed:komp_usd", types.REPORT, *fields)


@given(uint, uint, uint, uint)
def test_running(order: int, seq: int, replicas: int, at: int) -> None:  # M6
    digest = DOMAINS.running(order, seq, replicas, at)
    assert digest == expected("Market", types.RUNNING, order, seq, replicas, at)


@given(uint, uint, uint)
def test_counters(order: int, invocations: int, mib_milliseconds: int) -> None:  # M3
    digest = DOMAINS.counters(order, invocations, mib_milliseconds)
    assert digest == expected("Market", types.COUNTERS, order, invocations, mib_milliseconds)


@pytest.mark.parametrize(
    ("interface", "declaration"),
    [
        ("IStaking", types.ADMISSION),
        ("IRewards", types.RESULT),
        ("ISlashing", types.INCIDENT),
        ("IOcrAggregator", types.REPORT),
        ("IMarket", types.RUNNING),
        ("IMarket", types.COUNTERS),
    ],
)
def test_the_types_are_those_of_the_interfaces(interface: str, declaration: str) -> None:
    source = (Path(__file__).parents[2] / "contracts/interfaces" / f"{interface}.sol").read_text()
    in_one_line = " ".join(line.strip(" /") for line in source.splitlines())
    assert declaration in in_one_line.replace(", ", ",")


def test_a_digest_binds_chain_and_contract() -> None:
    here = DOMAINS.running(1, 1, 1, 1)
    other_chain = Domains(1, ADDRESSES).running(1, 1, 1, 1)
    other_contract = Domains(CHAIN_ID, {"Market": ADDRESSES["Staking"]}).running(1, 1, 1, 1)
    assert len({here, other_chain, other_contract}) == 3


@given(word, st.sets(st.integers(0, 19), max_size=6))
def test_signatures_ascend_by_signer(digest: bytes, chosen: set[int]) -> None:  # R4
    signers = [ACCOUNTS[place] for place in chosen]
    signatures = collect(digest, signers)
    found = [recover(digest, signatures[at : at + 65]) for at in range(0, len(signatures), 65)]
    assert found == sorted(account.address for account in signers)


@pytest.mark.parametrize(
    ("values", "message"),
    [(("0x12", bytes(32)), "0x12 is no address"), (("0x" + "11" * 20, b"short"), "5 bytes where")],
)
def test_values_that_misfit_are_refused(values: tuple[str, bytes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DOMAINS.admission(values[0], "0x" + "11" * 20, values[1], 0)


ACCOUNTS = list(derive(DEFAULT_MNEMONIC, map(str, range(20))).values())
