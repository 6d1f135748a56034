"""Calls, results and events by name over the interfaces' own ABIs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from eth_abi.abi import encode

from devnet.base.errors import UsageError
from devnet.chain import Log, Receipt, keccak
from devnet.protocol import Contracts, Deployment, Event, Genesis, Report, observers_word
from devnet.protocol.deployment import POOL_FACTORY, pool_address

FEED = "Feed:aws:vcpu_hour"
NODE = "0x" + "ab" * 20
OWNER = "0x" + "cd" * 20
SENDER = "0x" + "ef" * 20
TX = "0x" + "77" * 32
RESULT = {
    "node": NODE,
    "cycle": 2,
    "sequence": 5,
    "measuredBlock": 141,
    "measuredHash": b"\x22" * 32,
    "sgx": 1_000_000,
    "b": 2_000_000,
    "c1": 3,
    "c2": 4,
    "c3": 5,
}


@pytest.fixture(scope="module")
def contracts(deployment: Deployment) -> Contracts:
    return Contracts(deployment)


def receipt(*logs: Log) -> Receipt:
    return Receipt(
        block=9,
        hash=TX,
        index=0,
        sender=SENDER,
        to=None,
        ok=True,
        gas_used=1,
        logs=logs,
        contract_address=None,
    )


def test_a_call_with_a_struct_goes_there_and_back(contracts: Contracts) -> None:
    call = contracts.encode("Rewards", "publish", tuple(RESULT.values()), b"\x01" * 130)
    assert call == contracts.encode("Rewards", "publish", RESULT, b"\x01" * 130)
    assert call.to == contracts.address("Rewards")
    words = "(address,uint256,uint256,uint256,bytes32,uint256,uint256,uint256,uint256,uint256)"
    assert call.data[:4] == keccak(f"publish({words},bytes)".encode())[:4]
    decoded = contracts.decode(call.to, call.data)
    assert decoded is not None
    assert (decoded.contract, decoded.function) == ("Rewards", "publish")
    assert decoded.args == {"result": RESULT, "signatures": b"\x01" * 130}


def test_feeds_share_an_abi_and_keep_their_names(contracts: Contracts) -> None:
    report = Report(b"\x07" * 32, 3, 1, 99, observers_word((2, 0, 1)), (-1, 2, 3))
    call = contracts.encode(FEED, "transmit", report, b"")
    decoded = contracts.decode(call.to, call.data)
    assert decoded is not None
    assert decoded.contract == FEED
    assert decoded.args == {"report": asdict(report), "signatures": b""}
    assert Report.of(decoded.args["report"]) == report


def test_what_is_not_ours_decodes_to_nothing(contracts: Contracts) -> None:
    assert contracts.decode(None, b"\x60") is None
    assert contracts.decode(SENDER, b"\x12\x34\x56\x78") is None
    assert contracts.decode(contracts.address("Market"), b"\x12\x34\x56\x78") is None
    assert contracts.decode(contracts.address("Market"), b"") is None


def test_results_are_values_or_mappings(contracts: Contracts) -> None:
    assert contracts.result("Staking", "stakeOf", encode(["uint256"], [7])) == 7
    assert contracts.result("Staking", "ownerOf", encode(["address"], [OWNER])) == OWNER
    assert contracts.result("Staking", "restake", b"") is None
    stored = encode(["(uint128,uint64,uint128,uint64)"], [(1, 2, 3, 4)])
    assert contracts.result("Pricing", "stored", stored) == {
        "price": 1,
        "storedAt": 2,
        "pending": 3,
        "pendingAt": 4,
    }
    latest = encode(["uint80", "int256", "uint256", "uint256", "uint80"], [9, -5, 1, 2, 9])
    assert contracts.result(FEED, "latestRoundData", latest) == {
        "id": 9,
        "answer": -5,
        "startedAt": 1,
        "updatedAt": 2,
        "answeredInRound": 9,
    }


def test_events_keep_the_declared_order_and_leave_out_others(contracts: Contracts) -> None:
    topic = keccak(b"IncidentReported(uint256,address,uint8,uint256,uint256,bytes32)")
    reported = Log(
        contracts.address("Slashing"),
        (topic, encode(["uint256"], [4]), encode(["address"], [NODE])),
        encode(["uint8", "uint256", "uint256", "bytes32"], [1, 100, 200, b"\x33" * 32]),
        0,
    )
    foreign = Log(SENDER, reported.topics, reported.data, 1)
    unknown = Log(contracts.address("Slashing"), (keccak(b"Other()"),), b"", 2)
    anonymous = Log(contracts.address("Slashing"), (), b"", 3)
    (event,) = contracts.events(receipt(foreign, reported, unknown, anonymous))
    assert event == Event(
        contract="Slashing",
        name="IncidentReported",
        args={
            "id": 4,
            "node": NODE,
            "level": 1,
            "from": 100,
            "to": 200,
            "evidence": b"\x33" * 32,
        },
        block=9,
        tx=TX,
    )
    assert list(event.args) == ["id", "node", "level", "from", "to", "evidence"]


def test_an_array_in_an_event_is_read(contracts: Contracts) -> None:
    log = Log(
        contracts.address(FEED),
        (
            keccak(
                b"NewTransmission(uint32,int192,address,uint32,int192[],bytes32,bytes32,uint40)"
            ),
            encode(["uint32"], [2]),
        ),
        encode(
            ["int192", "address", "uint32", "int192[]", "bytes32", "bytes32", "uint40"],
            [5, SENDER, 99, [-4, 5, 6], b"\x01" * 32, b"\x02" * 32, 257],
        ),
        0,
    )
    (event,) = contracts.events(receipt(log))
    assert event.args == {
        "aggregatorRoundId": 2,
        "answer": 5,
        "transmitter": SENDER,
        "observationsTimestamp": 99,
        "observations": (-4, 5, 6),
        "observers": b"\x01" * 32,
        "configDigest": b"\x02" * 32,
        "epochAndRound": 257,
    }


@pytest.mark.parametrize(
    ("contract", "function", "message", "hint"),
    [
        ("Stakin", "stake", "no contract is named 'Stakin'", "did you mean 'Staking'?"),
        ("Staking", "stak", "Staking has no function 'stak'", "did you mean 'stake'?"),
    ],
)
def test_a_wrong_name_is_answered_with_the_near_one(
    contracts: Contracts, contract: str, function: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        contracts.encode(contract, function)
    assert caught.value.hint == hint


def test_a_deployment_is_saved_and_loaded(deployment: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    deployment.save(path)
    assert Deployment.load(path) == deployment
    assert [item.name for item in tmp_path.iterdir()] == ["deployment.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is no deployment"), ("[]", "is no deployment"), ('{"version": 9}', "version 9")],
)
def test_a_file_that_is_no_deployment_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        Deployment.load(path)


def test_addresses_are_lower_case_everywhere(deployment: Deployment) -> None:
    mixed = Deployment(
        {"Staking": "0x" + "Ab" * 20}, deployment.abis, deployment.parameters, deployment.genesis
    )
    assert mixed.addresses == {"Staking": NODE}
    assert mixed.names() == {NODE: "Staking"}
    assert Contracts(mixed).address("Staking") == NODE


def test_views_are_told_from_what_changes_something(contracts: Contracts) -> None:
    assert contracts.function("Rewards", "currentCycle").view
    assert not contracts.function("Rewards", "claimAll").view
    for function, view in (("orderOf", True), ("accept", False)):
        call = contracts.encode("Market", function, 1)
        decoded = contracts.decode(call.to, call.data)
        assert decoded is not None
        assert (decoded.function, decoded.view) == (function, view)


FACTORY = "0x" + "fa" * 20


def with_pools() -> Contracts:
    """Contracts of which only a factory's event is known."""
    fields = (("pool", True), ("operator", True), ("commissionBps", False))
    inputs = [
        {"name": name, "type": "uint256" if name == "commissionBps" else "address", "indexed": yes}
        for name, yes in fields
    ]
    abi = [{"type": "event", "name": "PoolCreated", "inputs": inputs}]
    genesis = Genesis(31337, 0, 0)
    return Contracts(Deployment({POOL_FACTORY: FACTORY}, {POOL_FACTORY: abi}, {}, genesis))


def pool_created(pool: str) -> Receipt:
    topic = keccak(b"PoolCreated(address,address,uint256)").hex()
    words = (topic, pool[2:].zfill(64), OWNER[2:].zfill(64))
    topics = tuple(bytes.fromhex(word) for word in words)
    return receipt(Log(address=FACTORY, topics=topics, data=encode(["uint256"], [0]), index=0))


def test_threads_that_see_pools_at_once_name_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(factory: str, number: int) -> str:
        time.sleep(0.001)  # so that the threads meet
        return pool_address(factory, number)

    monkeypatch.setattr("devnet.protocol.contracts.pool_address", slowly)
    found = with_pools()
    created = pool_created(pool_address(FACTORY, 20))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(found.events, [created] * 8))
    assert {name: number for name, number in found.names.items() if name != FACTORY} == {
        pool_address(FACTORY, number): f"Pool:{number}" for number in range(1, 21)
    }


def test_an_address_that_no_pool_can_have_is_no_endless_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("devnet.protocol.contracts.MOST_UNSEEN", 3)
    found = with_pools()
    for pool in ("0x" + "0" * 40, pool_address(FACTORY, 4)):
        assert [event.args["pool"] for event in found.events(pool_created(pool))] == [pool]
    assert list(found.names) == [FACTORY]
    for number in (3, 6, 5):
        found.events(pool_created(pool_address(FACTORY, number)))
    assert list(found.names.values()) == [POOL_FACTORY, *(f"Pool:{n}" for n in range(1, 7))]
