"""The portal's actor: first balances, and what gatekeepers tell the outside."""

from __future__ import annotations

from devnet.actors.messages import (
    AdmissionRefused,
    Admitted,
    Forwarded,
    InvocationServed,
    MeasureFailed,
    ResultFetched,
    ResultSigned,
)
from devnet.actors.operations import FetchResult, Send
from devnet.actors.portal import Desk, Grant, Portal, Refused
from devnet.actors.view import guest_of
from tests.actors.stage import Stage, time_of

NODE = "0x" + "a1" * 20
CLIENT = "0x" + "c3" * 20
GUEST = guest_of(NODE)


def test_the_treasury_gives_outside_accounts_their_first_balances_once() -> None:
    portal = Portal(Desk(), [Grant(NODE, 5), Grant(CLIENT, 7)])
    view = Stage().view(10)

    assert portal.due() == 0
    assert portal.act(view, []) == [
        Send("treasury", "Kompute", "transfer", (NODE, 5)),
        Send("treasury", "Kompute", "transfer", (CLIENT, 7)),
    ]
    assert portal.due() is None
    assert portal.act(view, []) == []


def test_an_admission_and_a_refusal_reach_whoever_asked() -> None:
    desk = Desk()
    portal, view = Portal(desk), Stage().view(10)

    admitted = desk.place(("admission", GUEST))
    portal.act(view, [Forwarded(GUEST, Admitted(b"\x01" * 32, 99, b"\x02" * 65))])
    assert admitted.result(0) == {
        "hardware_id": "0x" + "01" * 32,
        "deadline": 99,
        "signatures": "0x" + "02" * 65,
    }

    desk.clear(("admission", GUEST))
    refused = desk.place(("admission", GUEST))
    portal.act(view, [Forwarded(GUEST, AdmissionRefused("taken"))])
    assert refused.result(0) == Refused("taken")


def test_a_signed_result_keeps_its_order_and_shows_bytes_as_hex() -> None:
    desk = Desk()
    place = desk.place(("measurement", GUEST))
    fields = (NODE, 3, 1, 10, b"\xaa" * 32, 1_000_000, 2, 3, 4, 5)

    signed = ResultSigned(fields, 3, 1, 10, b"\xbb")
    Portal(desk).act(Stage().view(10), [Forwarded(GUEST, signed)])

    assert place.result(0) == {
        "result": [NODE, 3, 1, 10, "0x" + "aa" * 32, 1_000_000, 2, 3, 4, 5],
        "cycle": 3,
        "sequence": 1,
        "measured_block": 10,
        "signatures": "0xbb",
    }


def test_an_answer_nobody_waits_for_any_more_is_not_that_to_the_next_question() -> None:
    desk = Desk()
    desk.place(("measurement", GUEST))
    desk.clear(("measurement", GUEST))
    Portal(desk).act(Stage().view(10), [Forwarded(GUEST, MeasureFailed("late"))])
    assert not desk.place(("measurement", GUEST)).done()


def test_a_result_is_fetched_and_lies_ready_before_its_client_asks() -> None:
    desk = Desk()
    portal, view = Portal(desk), Stage().view(10)

    served = Forwarded(CLIENT, InvocationServed(4, 0, b"\x0f" * 32))
    assert portal.act(view, [served]) == [FetchResult(4)]
    assert portal.act(view, [ResultFetched(4, b"out")]) == []

    assert desk.place(("result", 4)).result(0) == {
        "exit_code": 0,
        "result_hash": "0x" + "0f" * 32,
        "output": "0x" + b"out".hex(),
    }


def test_an_outage_is_answered_with_the_chain_s_time() -> None:
    desk = Desk()
    place = desk.place(("outage", f"node-lost:{GUEST}"))
    portal = Portal(desk)
    portal.act(Stage().view(12), [Stage().lost("worker-1", 12)])
    assert not place.done()
    portal.act(Stage().view(13), [Stage().lost(GUEST, 13)])
    assert place.result(0) == {"at": time_of(13)}
