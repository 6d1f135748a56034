"""Messages made from their type strings are those packed by hand, and every part can be changed."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from devnet.protocol import Domains, Report, messages, observers_word
from devnet.protocol.typed import digest, message_type

CHAIN_ID = 31337
NODE, OWNER, CONTRACT = (f"0x{place:040x}" for place in (7, 8, 77))
DOMAINS = Domains(CHAIN_ID, {"Slashing": CONTRACT, "Staking": CONTRACT, "Feed:komp_usd": CONTRACT})
INCIDENT = {"node": NODE, "level": 1, "from": 10, "to": 20, "evidence": b"\x05" * 32}


def test_a_message_with_small_integers_and_bytes() -> None:
    made = digest(message_type(messages.INCIDENT), INCIDENT, CHAIN_ID, CONTRACT)
    assert made == DOMAINS.incident(NODE, 1, 10, 20, b"\x05" * 32)


def test_a_message_with_addresses() -> None:
    fields = {"node": NODE, "owner": OWNER, "hardwareId": b"\x01" * 32, "deadline": 9}
    made = digest(message_type(messages.ADMISSION), fields, CHAIN_ID, CONTRACT)
    assert made == DOMAINS.admission(NODE, OWNER, b"\x01" * 32, 9)


def test_a_message_with_an_array_as_it_is_decoded() -> None:
    report = Report(b"\x0c" * 32, 1, 1, 99, observers_word([0, 1]), (-5, 40 * 10**15))
    made = digest(message_type(messages.REPORT), asdict(report), CHAIN_ID, CONTRACT)
    assert made == DOMAINS.report("Feed:komp_usd", report)


@pytest.mark.parametrize("length", [31, 33])
def test_bytes_of_another_length_are_refused(length: int) -> None:
    fields = INCIDENT | {"evidence": bytes(length)}
    with pytest.raises(ValueError, match=rf"evidence: {length} bytes where 32 are due"):
        digest(message_type(messages.INCIDENT), fields, CHAIN_ID, CONTRACT)


def test_another_chain_or_contract_is_another_digest() -> None:
    kind = message_type(messages.INCIDENT)
    made = {
        digest(kind, INCIDENT, chain, contract)
        for chain, contract in ((CHAIN_ID, CONTRACT), (1, CONTRACT), (CHAIN_ID, NODE))
    }
    assert len(made) == 3


def test_a_text_that_is_no_type() -> None:
    with pytest.raises(ValueError, match="no EIP-712 type: Incident"):
        message_type("Incident")
