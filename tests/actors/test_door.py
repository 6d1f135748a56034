"""The portal's HTTP side, over real sockets; the devnet behind it is stated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from cluster.interface import ClusterEvent, EventKind
from devnet.actors.door import Door
from devnet.actors.messages import AdmissionAsked, MeasureAsked, PayloadGiven
from devnet.actors.portal import Answer, Desk, Key, Refused
from devnet.actors.view import guest_of

NODE = "0x" + "A1" * 20
OWNER = "0x" + "b2" * 20
GUEST = guest_of(NODE)
NO_NODE = "0x" + "00" * 20
NO_KEY = f"{NO_NODE} stands for no node"
MACHINE = "0x" + "07" * 32


@dataclass
class StatedDevnet:
    """Stands for the scheduler and all behind it: answers each message with what is stated."""

    desk: Desk
    answers: dict[Key, Answer] = field(default_factory=dict)
    asked: list[tuple[str, object]] = field(default_factory=list)

    def answer(self, actor: str, message: object) -> None:
        self.asked.append((actor, message))
        self._give()

    def cluster_event(self, event: ClusterEvent) -> None:
        self.asked.append(("all", event))
        self._give()

    def _give(self) -> None:
        for key, answer in self.answers.items():
            self.desk.give(key, answer)


@pytest.fixture()
def devnet() -> StatedDevnet:
    return StatedDevnet(Desk())


@pytest.fixture()
def client(devnet: StatedDevnet) -> Iterator[httpx.Client]:
    with Door(devnet.desk, devnet, lambda: "gatekeeper-1") as door:
        with httpx.Client(base_url=door.url, trust_env=False, timeout=10) as made:
            yield made


def test_an_admission_is_asked_of_the_lead_and_answered(
    devnet: StatedDevnet, client: httpx.Client
) -> None:
    devnet.answers[("admission", GUEST)] = {"deadline": 5}
    body = {"node": NODE, "owner": OWNER, "hardware_id": "0x" + "07" * 32}

    answer = client.post("/admissions", json=body)

    assert (answer.status_code, answer.json()) == (200, {"deadline": 5})
    asked = AdmissionAsked(GUEST, OWNER, NODE.lower(), b"\x07" * 32)
    assert devnet.asked == [("gatekeeper-1", asked)]


def test_what_gatekeepers_refuse_is_a_conflict_with_their_reason(
    devnet: StatedDevnet, client: httpx.Client
) -> None:
    devnet.answers[("measurement", GUEST)] = Refused("signed already")
    answer = client.post("/measurements", json={"node": NODE})
    assert (answer.status_code, answer.json()) == (409, {"error": "signed already"})
    assert devnet.asked == [("gatekeeper-1", MeasureAsked(GUEST))]


@pytest.mark.parametrize(
    ("offline", "kind"), [(True, EventKind.NODE_LOST), (False, EventKind.NODE_READY)]
)
def test_an_outage_is_seen_by_all(
    devnet: StatedDevnet, client: httpx.Client, offline: bool, kind: EventKind
) -> None:
    devnet.answers[("outage", f"{kind}:{GUEST}")] = {"at": 1}
    answer = client.post("/outages", json={"node": NODE, "offline": offline})
    assert (answer.status_code, answer.json()) == (200, {"at": 1})
    assert devnet.asked == [("all", ClusterEvent(kind, GUEST, GUEST))]


def test_a_payload_is_taken_without_an_answer(devnet: StatedDevnet, client: httpx.Client) -> None:
    answer = client.post("/payloads", json={"invocation": 3, "payload": "0x6b"})
    assert (answer.status_code, answer.json()) == (202, {})
    assert devnet.asked == [("gatekeeper-1", PayloadGiven(3, b"k"))]


def test_a_result_is_given_once(devnet: StatedDevnet, client: httpx.Client) -> None:
    devnet.desk.give(("result", 3), {"output": "0x"}, keep=True)
    answer = client.get("/results/3")
    assert (answer.status_code, answer.json()) == (200, {"output": "0x"})
    assert not devnet.desk.place(("result", 3)).done()


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/admissions", {"node": NODE}, "owner"),
        ("/measurements", {"node": "0x12"}, "0x12 is no address"),
        ("/measurements", [], "list indices"),
        ("/admissions", {"node": NO_NODE, "owner": OWNER, "hardware_id": MACHINE}, NO_KEY),
        ("/measurements", {"node": NO_NODE}, NO_KEY),
        ("/outages", {"node": NO_NODE, "offline": True}, NO_KEY),
        ("/admissions", {"node": NODE, "owner": OWNER, "hardware_id": "0x07"}, "1 bytes where 32"),
        ("/payloads", {"invocation": 1, "payload": "6b"}, "does not begin with 0x"),
        ("/payloads", {"invocation": "one", "payload": "0x"}, "one"),
    ],
)
def test_what_cannot_be_read_is_told_and_goes_nowhere(
    devnet: StatedDevnet, client: httpx.Client, path: str, body: Any, says: str
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert devnet.asked == []


def test_another_path_is_not_found(client: httpx.Client) -> None:
    assert client.get("/").status_code == 404
    assert client.post("/results/3", json={}).status_code == 404


def test_a_body_beyond_a_mebibyte_is_not_read(client: httpx.Client) -> None:
    answer = client.post("/payloads", content=b"x" * (2**20 + 1))
    assert answer.status_code == 413
