"""A client's orders and invocations (M1, M5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devnet.actors.client import Client
from devnet.actors.messages import (
    Ask,
    InvocationServed,
    Invoke,
    Measure,
    PayloadGiven,
    PlaceOrder,
    ResultFetched,
    SendFailed,
)
from devnet.actors.operations import Done, Fail, FetchResult, Send, Tell
from devnet.actors.view import View, spec_hash
from devnet.chain.keccak import keccak
from devnet.protocol.errors import ProtocolError
from tests.actors.stage import Stage, happened, order_state, sends

PAYLOAD, OUTPUT = b"kompute", b"a thumbnail"


@pytest.fixture()
def stage() -> Stage:
    stage = Stage()
    service = spec_hash(stage.spec.service("thumbnail"))
    stage.reads.orders[1] = order_state(stage.address("alice"), service)
    stage.reads.orders[2] = order_state(stage.address("bob"), service)
    return stage


@pytest.fixture()
def view(stage: Stage) -> View:
    return stage.view(20)


@pytest.fixture()
def alice() -> Client:
    return Client("alice")


def invoked(invocation: int, *, order: int = 1, payload: bytes = PAYLOAD) -> object:
    args = {"id": order, "invocation": invocation, "payloadHash": keccak(payload)}
    return happened("Invoked", 20, **args)


def completed(invocation: int) -> object:
    return happened("Completed", 22, invocation=invocation)


def served(invocation: int, output: bytes = OUTPUT) -> InvocationServed:
    return InvocationServed(invocation, 0, keccak(output))


# Orders


def test_a_container_order_names_the_rate_of_one_replica_with_a_tenth_of_slack(
    stage: Stage, view: View, alice: Client
) -> None:
    stage.reads.prices_in_komp |= {"vcpu_hour": 1_000_000, "gib_hour": 64_000}

    (send,) = alice.act(view, [PlaceOrder(1, "web", 2, 20, 3600, 4)])

    # 50 milli-CPU: 50 000; 32 MiB: 2 000; and 10 %.
    service = spec_hash(stage.spec.service("web"))
    request = (0, service, 50, 32, 0, 4, 3600, 20, 57_200, 0)
    assert send == Send("alice", "Market", "createOrder", (request,), 1)


def test_an_order_without_a_price_to_lock_fails_in_the_contract_s_words(
    stage: Stage, view: View, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(resource: str) -> int:
        raise ProtocolError("PriceStale", {}, f"the price of {resource} is stale")

    monkeypatch.setattr(view.reads, "price_in_komp", stale)
    wish = PlaceOrder(7, "web", 1, 10**18, 3600, 2)
    failed = Fail(7, "the price of vcpu_hour is stale", "PriceStale")
    assert alice.act(view, [wish]) == [failed]
    assert alice.act(view, []) == []  # nothing of it is kept


def test_a_serverless_order_names_both_rates(stage: Stage, view: View, alice: Client) -> None:
    stage.reads.prices_in_komp |= {"million_requests": 1_000, "function_gib_second": 20}

    (send,) = alice.act(view, [PlaceOrder(1, "thumbnail", 1, 20, 3600, 1)])

    service = spec_hash(stage.spec.service("thumbnail"))
    assert isinstance(send, Send)
    assert send.args == ((1, service, 50, 32, 0, 1, 3600, 20, 1_100, 22),)


def test_a_machine_s_rate_has_its_storage(stage: Stage, view: View, alice: Client) -> None:
    web = stage.spec.service("web")
    changes = {"kind": "virtual_machine", "storage": 72 * 2**30}
    machine = web.model_copy(update={"name": "machine", **changes})
    spec = stage.spec.model_copy(update={"services": (machine,)})
    view = replace(view, directory=replace(view.directory, spec=spec))
    stage.reads.prices_in_komp |= {"vcpu_hour": 1_000_000, "gib_hour": 64_000}
    stage.reads.prices_in_komp |= {"storage_gib_month": 5_000}

    (send,) = alice.act(view, [PlaceOrder(1, "machine", 2, 20, 3600, 4)])

    # 52 000 as a container, 500 for the storage; and 10 %.
    assert isinstance(send, Send)
    assert send.args == ((2, spec_hash(machine), 50, 32, 72, 4, 3600, 20, 57_750, 0),)


def created(stage: Stage, identity: int, client: str = "alice") -> object:
    return happened("OrderCreated", 21, id=identity, client=stage.address(client))


def test_fewer_replicas_than_the_maximum_are_set_once_the_order_exists(
    stage: Stage, view: View, alice: Client
) -> None:
    alice.act(view, [PlaceOrder(1, "web", 2, 20, 3600, 4), PlaceOrder(2, "web", 3, 20, 3600, 3)])

    assert alice.act(view, [created(stage, 9, "bob")]) == []
    assert sends(alice.act(view, [created(stage, 10)])) == [("alice", "scale", (10, 2))]
    assert alice.act(view, [created(stage, 11)]) == []  # all three from the start
    assert alice.act(view, [created(stage, 12)]) == []


def test_a_refused_order_leaves_the_others_their_own_replicas(
    stage: Stage, view: View, alice: Client
) -> None:
    orders = [
        PlaceOrder(1, "web", 2, 20, 3600, 4),
        PlaceOrder(2, "web", 3, 10**30, 3600, 5),
        PlaceOrder(3, "web", 1, 20, 3600, 6),
    ]
    _, second, _ = sends(alice.act(view, orders))
    refused = SendFailed("Market", "createOrder", second[2], "ERC20InsufficientBalance")

    # As the scheduler delivers them: refusals, then the block's events.
    operations = alice.act(view, [refused, created(stage, 10), created(stage, 11)])

    assert sends(operations) == [("alice", "scale", (10, 2)), ("alice", "scale", (11, 1))]


def test_what_a_client_is_asked_for_is_sent_as_it_stands(view: View, alice: Client) -> None:
    assert alice.act(view, [Ask(1, "Market", "scale", (7, 3)), Ask(2, "Pool:1", "harvest")]) == [
        Send("alice", "Market", "scale", (7, 3), 1),
        Send("alice", "Pool:1", "harvest", (), 2),
    ]


# Invocations (M5)


def test_each_invocation_is_sent_by_its_hash_and_its_payload_handed_over(
    view: View, alice: Client
) -> None:
    send = Send("alice", "Market", "invoke", (1, keccak(PAYLOAD)), 5, closes=False)
    assert alice.act(view, [Invoke(5, 1, PAYLOAD, 2)]) == [send, send]

    given = alice.act(view, [invoked(30), invoked(31), invoked(32)])

    assert given == [
        Tell("gatekeeper-1", PayloadGiven(30, PAYLOAD)),
        Tell("gatekeeper-1", PayloadGiven(31, PAYLOAD)),  # two were asked for, 32 is not ours
    ]


def test_another_client_s_invocation_of_the_same_bytes_is_not_ours(
    view: View, alice: Client
) -> None:
    alice.act(view, [Invoke(5, 1, PAYLOAD, 1)])

    assert alice.act(view, [invoked(30, order=2)]) == []
    assert alice.act(view, [invoked(31)]) == [Tell("gatekeeper-1", PayloadGiven(31, PAYLOAD))]


def test_a_result_is_fetched_checked_and_put_on_chain(view: View, alice: Client) -> None:
    alice.act(view, [Invoke(5, 1, PAYLOAD, 2)])
    alice.act(view, [invoked(30), invoked(31)])

    assert alice.act(view, [served(30)]) == [FetchResult(30)]
    completion = alice.act(view, [ResultFetched(30, OUTPUT)])
    args = (30, 0, keccak(OUTPUT))
    assert completion == [Send("alice", "Market", "complete", args, 5, closes=False)]

    assert alice.act(view, [completed(30)]) == []
    alice.act(view, [served(31)])
    alice.act(view, [ResultFetched(31, OUTPUT)])
    assert alice.act(view, [completed(31)]) == [Done(5)]


@pytest.mark.parametrize(
    ("fetched", "seen"), [(b"another", keccak(b"another").hex()), (None, "nothing")]
)
def test_a_result_that_is_not_what_its_hash_says_is_refused(
    view: View, alice: Client, fetched: bytes | None, seen: str
) -> None:
    alice.act(view, [Invoke(5, 1, PAYLOAD, 1)])
    alice.act(view, [invoked(30)])
    alice.act(view, [served(30)])

    told = keccak(OUTPUT).hex()
    reason = f"result of invocation 30: {seen} is stored, not {told}"
    assert alice.act(view, [ResultFetched(30, fetched)]) == [Fail(5, reason, "WrongResult")]


def test_an_invocation_that_nobody_ran_ends_and_fails_its_wish(view: View, alice: Client) -> None:
    """M5: it ends on chain as any other."""
    alice.act(view, [Invoke(5, 1, PAYLOAD, 1)])
    alice.act(view, [invoked(30)])
    nothing = keccak(b"")
    alice.act(view, [InvocationServed(30, 255, nothing, "the deposit of order 1 is used up")])
    assert alice.act(view, [ResultFetched(30, b"")]) == [
        Send("alice", "Market", "complete", (30, 255, nothing), 5, closes=False),
        Fail(5, "the deposit of order 1 is used up", "NotRun"),
    ]


def test_a_refused_invocation_is_not_waited_for(view: View, alice: Client) -> None:
    alice.act(view, [Invoke(5, 1, PAYLOAD, 2)])
    refused = SendFailed("Market", "invoke", (1, keccak(PAYLOAD)), "OrderNotOpen")
    alice.act(view, [refused, invoked(30)])  # the other one was accepted
    alice.act(view, [served(30)])
    alice.act(view, [ResultFetched(30, OUTPUT)])
    assert alice.act(view, [completed(30)]) == [Done(5)]  # the scheduler has failed wish 5 before

    alice.act(view, [Invoke(6, 1, PAYLOAD, 1)])
    alice.act(view, [SendFailed("Market", "invoke", (1, keccak(PAYLOAD)), "OrderNotOpen")])
    alice.act(view, [Invoke(7, 1, PAYLOAD, 1)])
    alice.act(view, [invoked(31), served(31)])
    alice.act(view, [ResultFetched(31, OUTPUT)])

    assert alice.act(view, [completed(31)]) == [Done(7)]


def test_a_client_wants_nothing_by_itself(alice: Client) -> None:
    assert alice.due() is None


def test_a_wish_it_does_not_know_fails(view: View, alice: Client) -> None:
    assert alice.act(view, [Measure(7)]) == [
        Fail(7, "Measure is not a wish it serves", "NotServed")
    ]
