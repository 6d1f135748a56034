"""Whatever anybody sends: each decoder gives a value or its one refusal, never another error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_abi.exceptions import DecodingError
from hypothesis import example, given
from hypothesis import strategies as st

from devnet.chain import read_raw, rlp, transaction_hash
from devnet.protocol import ProtocolError, decode_error
from devnet.protocol.cbor import decode_pairs
from devnet.protocol.codec import Codec
from devnet.protocol.contracts import Interface
from devnet.protocol.errors import KINDS

# Words as a stranger chooses them: offsets, lengths and values at every limit.
LIMITS = (0, 1, 31, 32, 33, 64, 96, 128, 160, 192, 255, 2**31, 2**32, 2**63 - 1, 2**63, 2**64)
WORDS = st.sampled_from([*LIMITS, 2**128, 2**255, 2**256 - 32, 2**256 - 1]) | st.integers(0, 600)
CALLDATA = st.lists(WORDS.map(lambda word: word.to_bytes(32, "big")), max_size=24).map(b"".join)
ANY = CALLDATA | st.binary(max_size=300) | st.tuples(CALLDATA, st.binary(max_size=33)).map(b"".join)


@pytest.fixture(scope="session")
def codecs(everything: dict[str, Any]) -> list[Codec]:
    """Of all inputs, outputs and events of all contracts."""
    found: dict[str, Codec] = {}
    for built in everything.values():
        face = Interface.of(built["abi"])
        for function in face.by_selector.values():
            found |= {c.signature: c for c in (function.inputs, function.outputs)}
        for kind in face.by_topic.values():
            found |= {c.signature: c for c in (kind.topics, kind.data)}
    assert len(found) > 50, len(found)
    assert any("[]" in signature and "bytes" in signature for signature in found)
    return [found[signature] for signature in sorted(found)]


@given(data=ANY)
@example(data=b"".join(n.to_bytes(32, "big") for n in (0, 0, 0, 0x80, 2**63)))
@example(data=b"".join(n.to_bytes(32, "big") for n in (0x20, 2**255, 0x20)))
@example(data=b"".join(n.to_bytes(32, "big") for n in (0x20, 4)) + b"\xff\xfe\xfd\xfc" + bytes(28))
def test_calls_results_and_events(codecs: list[Codec], data: bytes) -> None:
    for codec in codecs:
        try:
            values = codec.decode(data)
        except DecodingError:
            continue
        assert len(values) == len(codec.parameters)


@given(data=ANY)
def test_errors(data: bytes) -> None:
    for selector, kind in KINDS.items():
        error = decode_error(selector + data)
        assert isinstance(error, ProtocolError)
        assert error.name in (kind.name, "Unknown")
        assert error.sentence
    assert decode_error(data).sentence


STRING = Codec.of([{"name": "text", "type": "string"}])
CALLS = Codec.of(
    [
        {
            "name": "calls",
            "type": "tuple[]",
            "components": [{"name": "to", "type": "address"}, {"name": "data", "type": "bytes"}],
        }
    ]
)


def test_a_string_that_is_no_text_is_refused() -> None:
    with pytest.raises(DecodingError, match="UTF-8"):
        STRING.decode(encode(["bytes"], [b"\xff\xfe"]))


def test_pointers_that_all_lead_to_the_same_bytes_do_not_unfold() -> None:
    words = 2_000
    one = encode(["address", "bytes"], ["0x" + "11" * 20, bytes(32 * words)])
    heads = b"".join((32 * words).to_bytes(32, "big") for _ in range(words))
    data = (32).to_bytes(32, "big") + words.to_bytes(32, "big") + heads + one
    assert len(data) < 200_000  # and 128 MB of values
    with pytest.raises(DecodingError, match="unfold"):
        CALLS.decode(data)
    many = [{"to": "0x" + "11" * 20, "data": bytes([n % 256]) * 40} for n in range(words)]
    assert CALLS.decode(CALLS.encode((many,))) == (tuple(many),)


@given(data=st.binary(max_size=80))
@example(data=b"\x61a" + b"\x9a\xff\xff\xff\xff")
@example(data=b"\x61a" + b"\x5b" + b"\xff" * 8)
@example(data=b"\x81" * 5_000)
@example(data=b"\x61a\xc1\x00" * 20)
@example(data=b"\xa1\x80\x01")
@example(data=b"\xc4\x82\x3b\xff\xff\xff\xff\xff\xff\xff\xff\x01")
@example(data=b"\xd8\x1e\x82\x01\x00")
def test_pairs_of_a_request(data: bytes) -> None:
    try:
        pairs = decode_pairs(data)
    except ValueError:
        return
    assert all(isinstance(key, str) for key in pairs)


@pytest.mark.parametrize("read", [read_raw, rlp.decode, transaction_hash, rlp.first_of])
@given(
    kind=st.sampled_from([b"", b"\x01", b"\x02", b"\x03", b"\x04"]), data=st.binary(max_size=120)
)
@example(kind=b"", data=b"\xf8\xff" + b"\xc1" * 60)
@example(kind=b"\x03", data=b"\xff" * 9)
def test_raw_transactions(read: Callable[[bytes], object], kind: bytes, data: bytes) -> None:
    try:
        assert read(kind + data) is not None
    except ValueError:
        return


def test_lists_in_lists_end_before_the_stack_does() -> None:
    nested = b"\xc0"
    while len(nested) < 20_000:
        nested = rlp.encode_list([nested])
    with pytest.raises(ValueError, match="deep"):
        rlp.decode(nested)
