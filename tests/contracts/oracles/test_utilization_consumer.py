"""Chainlink's own LinkToken and Operator with our consumer: request, answer, failed callback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from contracts_stage import ACCOUNTS, PARAMETERS, Sent, Stage, address

from devnet.base.toolchain import Toolchain
from devnet.chain.keccak import keccak
from devnet.deploy import compile_chainlink, execute
from devnet.deploy.parameters import REQUEST_FEE, UTILIZATION_JOB
from devnet.protocol.artifacts import Artifacts
from devnet.protocol.cbor import decode_pairs

CONSUMER = "UtilizationConsumer"
FEES = 10 * REQUEST_FEE
U = 123_456_789_012_345_678


@pytest.fixture(scope="session")
def chainlink(artifacts: Artifacts) -> Artifacts:
    """Ours and Chainlink's."""
    toolchain = Toolchain()
    return artifacts | compile_chainlink(toolchain, toolchain.say)


@pytest.fixture
def asking(base: Stage, chainlink: Artifacts) -> Iterator[Stage]:
    """Alice has LINK and lets the consumer take it; oracle nodes 1 and 2 may answer."""
    snapshot = base.chain.snapshot()
    parameters = replace(PARAMETERS, request_response=True, resources=("vcpu_hour",))
    deployment, _ = execute(parameters, chainlink, base.chain, ACCOUNTS["deployer"])
    stage = Stage(base.chain, chainlink, deployment)
    stage.send("deployer", "LinkToken", "grantMintRole", address("deployer"))
    stage.send("deployer", "LinkToken", "mint", address("alice"), FEES)
    stage.send("alice", "LinkToken", "approve", stage.address(CONSUMER), FEES)
    nodes = [address("oracle-1"), address("oracle-2")]
    stage.send("oracle-1", "Operator", "setAuthorizedSenders", nodes)
    yield stage
    base.chain.revert(snapshot)


def link(stage: Stage, owner: str) -> int:
    return int(stage.read("LinkToken", "balanceOf", owner))


def answered(asked: Sent, value: int | None = U, **changes: Any) -> tuple[Any, ...]:
    """The arguments of the answer to a request."""
    given = {**asked.event("OracleRequest"), **changes}
    first = changes.get("first", given["requestId"])
    data = first + (value.to_bytes(32, "big") if value is not None else b"")
    names = ("requestId", "payment", "callbackAddr", "callbackFunctionId", "cancelExpiration")
    return (*(given[name] for name in names), data)


def latest(stage: Stage) -> tuple[int, int]:
    return tuple(stage.read(CONSUMER, "latest").values())  # type: ignore[return-value]


def test_a_request_pays_the_operator_and_says_what_is_asked_in_cbor(asking: Stage) -> None:
    consumer, operator = asking.address(CONSUMER), asking.address("Operator")
    sent = asking.send("alice", CONSUMER, "request")
    asked = sent.event("OracleRequest")
    identity = keccak(bytes.fromhex(consumer[2:]) + (1).to_bytes(32, "big"))
    assert (asked["specId"], asked["requestId"]) == (UTILIZATION_JOB, identity)
    assert (asked["requester"], asked["callbackAddr"]) == (consumer, consumer)
    assert (asked["payment"], asked["dataVersion"]) == (REQUEST_FEE, 2)
    assert asked["callbackFunctionId"] == keccak(b"fulfill(bytes32,uint256)")[:4]
    assert decode_pairs(asked["data"]) == {"get": "utilization", "times": 10**18}
    requested = {"requestId": identity, "by": address("alice")}
    assert sent.event("UtilizationRequested") == requested
    balances = (link(asking, address("alice")), link(asking, consumer), link(asking, operator))
    assert balances == (FEES - REQUEST_FEE, 0, REQUEST_FEE)
    assert asking.read(CONSUMER, "isPending", identity)
    assert latest(asking) == (0, 0)


def test_the_answer_is_stored_once(asking: Stage) -> None:
    asked = asking.send("alice", CONSUMER, "request")
    sent = asking.send("oracle-1", "Operator", "fulfillOracleRequest2", *answered(asked))
    assert sent.names == ["OracleResponse", "UtilizationStored"]
    assert sent.event("UtilizationStored")["utilization"] == U
    assert latest(asking) == (U, sent.timestamp)
    assert not asking.read(CONSUMER, "isPending", asked.event("OracleRequest")["requestId"])
    assert asking.read("Operator", "withdrawable") == REQUEST_FEE
    again = asking.refused("oracle-1", "Operator", "fulfillOracleRequest2", *answered(asked))
    assert again.sentence == "Must have a valid requestId"
    assert latest(asking) == (U, sent.timestamp)


@pytest.mark.parametrize("value", [10**18 + 1, 2**256 - 1, None], ids=["above 1", "huge", "none"])
def test_a_failed_callback_does_not_revert_and_changes_nothing(
    asking: Stage, value: int | None
) -> None:
    asked = asking.send("alice", CONSUMER, "request")
    sent = asking.send("oracle-2", "Operator", "fulfillOracleRequest2", *answered(asked, value))
    assert sent.names == ["OracleResponse"]
    assert latest(asking) == (0, 0)
    assert asking.read(CONSUMER, "isPending", asked.event("OracleRequest")["requestId"])
    # The operator has its fee and will not answer again.
    assert asking.read("Operator", "withdrawable") == REQUEST_FEE
    assert asking.refused("oracle-2", "Operator", "fulfillOracleRequest2", *answered(asked, U))


def test_answers_are_bound_to_their_request_and_to_authorized_nodes(asking: Stage) -> None:
    asked = asking.send("alice", CONSUMER, "request")
    refused = {
        "Not authorized sender": ("oracle-3", answered(asked)),
        "First word must be requestId": ("oracle-1", answered(asked, first=b"\x01" * 32)),
        "Params do not match request ID": ("oracle-1", answered(asked, payment=1)),
    }
    for reason, (sender, given) in refused.items():
        error = asking.refused(sender, "Operator", "fulfillOracleRequest2", *given)
        assert error.sentence == reason
    assert latest(asking) == (0, 0)


def test_nobody_answers_in_the_operator_s_place(asking: Stage) -> None:
    identity = asking.send("alice", CONSUMER, "request").event("OracleRequest")["requestId"]
    error = asking.refused("oracle-1", CONSUMER, "fulfill", identity, U)
    assert (error.name, dict(error.values)) == (
        "NotOperator",
        {"caller": address("oracle-1"), "operator": asking.address("Operator")},
    )


def test_a_request_nobody_made_is_unknown_to_the_consumer(asking: Stage) -> None:
    """Bob asks the operator himself, with the consumer's callback named: it is his own address
    that would be called back, so the consumer never hears of it."""
    asking.send("deployer", "LinkToken", "mint", address("bob"), REQUEST_FEE)
    data = asking.contracts.encode(
        *("Operator", "operatorRequest", address("bob"), 0, UTILIZATION_JOB),
        *(keccak(b"fulfill(bytes32,uint256)")[:4], 1, 2, b""),
    ).data
    operator = asking.address("Operator")
    sent = asking.send("bob", "LinkToken", "transferAndCall", operator, REQUEST_FEE, data)
    assert sent.event("OracleRequest")["callbackAddr"] == address("bob")
    assert asking.read(CONSUMER, "requestCount") == 0


def test_who_cannot_pay_asks_nothing(asking: Stage) -> None:
    asking.refused("bob", CONSUMER, "request")
    for _ in range(10):
        asking.send("alice", CONSUMER, "request")
    asking.refused("alice", CONSUMER, "request")
    assert asking.read(CONSUMER, "requestCount") == 10


@pytest.mark.parametrize(
    ("transfers", "calls", "payer"),
    [(False, True, "mallory"), (True, False, "Other"), (True, True, "")],
    ids=["the fee is not taken", "the operator gets none", "paid"],
)
def test_a_token_that_only_says_it_did_not_pay_is_believed(
    stage: Stage, transfers: bool, calls: bool, payer: str
) -> None:
    assert stage.create("Link", "RefusingLink", transfers, calls) is None
    given = (stage.address("Link"), address("oracle-1"), UTILIZATION_JOB, 7)
    assert stage.create("Other", CONSUMER, *given) is None
    if not payer:
        assert stage.send("mallory", "Other", "request").names == ["UtilizationRequested"]
        return
    error = stage.refused("mallory", "Other", "request")
    who = address(payer) if payer in ACCOUNTS else stage.address(payer)
    assert (error.name, dict(error.values)) == ("FeeUnpaid", {"payer": who, "fee": 7})


@pytest.fixture
def other(stage: Stage) -> bytes:
    """A consumer `Other` whose operator is an account; the id of its one request."""
    assert stage.create("Link", "RefusingLink", True, True) is None
    given = (stage.address("Link"), address("oracle-1"), UTILIZATION_JOB, 7)
    assert stage.create("Other", CONSUMER, *given) is None
    asked = stage.send("alice", "Other", "request")
    return bytes(asked.event("UtilizationRequested")["requestId"])


def test_all_is_an_answer_and_more_than_all_is_none(stage: Stage, other: bytes) -> None:
    error = stage.refused("oracle-1", "Other", "fulfill", other, 10**18 + 1)
    assert (error.name, dict(error.values)) == (
        "UtilizationOutOfRange",
        {"utilization": 10**18 + 1},
    )
    sent = stage.send("oracle-1", "Other", "fulfill", other, 10**18)
    assert sent.event("UtilizationStored") == {"requestId": other, "utilization": 10**18}


def test_what_was_not_asked_or_is_answered_is_unknown(stage: Stage, other: bytes) -> None:
    stage.send("oracle-1", "Other", "fulfill", other, U)
    for identity in (other, b"\x01" * 32):
        error = stage.refused("oracle-1", "Other", "fulfill", identity, 1)
        assert (error.name, dict(error.values)) == ("UnknownRequest", {"requestId": identity})
    assert stage.read("Other", "latest")["utilization"] == U


def test_what_it_says_of_itself(asking: Stage) -> None:
    assert asking.read(CONSUMER, "fee") == REQUEST_FEE
    assert asking.read(CONSUMER, "specId") == UTILIZATION_JOB
    assert asking.read(CONSUMER, "operator") == asking.address("Operator")
    assert asking.read("Operator", "owner") == address("oracle-1")
    assert asking.read("LinkToken", "symbol") == "LINK"
