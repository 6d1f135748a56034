"""What is about blocks that are gone is refused, the rest is answered."""

from __future__ import annotations

import json

import pytest

from devnet.chain.kept import BLOCK_AT, FILTERS, SEARCHES, STATES, Kept


def params_at(place: int, block: object) -> list[object]:
    return [*([f"0x{'11' * 20}", "0x0"][:place]), block, "0x0"]


ASKED = [
    *(
        (method, params_at(place, block))
        for method, place in sorted(BLOCK_AT.items())
        for block in ("0x5", 5, "5", {"blockNumber": "0x5"})
    ),
    *(
        (method, [{"fromBlock": block}])
        for method in sorted(FILTERS)
        for block in ("0x5", 5, "0x0", "earliest")
    ),
    ("trace_filter", [{"toBlock": "latest"}]),
    *((method, ["0x1", "0x2", "0x3"]) for method in sorted(SEARCHES)),
]


@pytest.mark.parametrize(("method", "params"), ASKED, ids=lambda given: json.dumps(given))
def test_what_is_about_gone_blocks_is_refused(method: str, params: list[object]) -> None:
    kept = Kept()
    assert kept.refusal(method, params) == ""  # nothing is gone yet
    kept.drop(6, [])
    refused = kept.refusal(method, params)
    assert "blocks before 6 are not kept" in refused
    assert "chain.prune_history: false" in refused


@pytest.mark.parametrize(
    ("method", "params"),
    [
        *(
            (method, params_at(place, block))
            for method, place in sorted(BLOCK_AT.items())
            for block in ("0x6", 6, "latest", "pending", None, "0x0", {"blockNumber": "0x6"})
        ),
        *((method, params_at(place, None)[:place]) for method, place in BLOCK_AT.items()),
        *((method, [{"fromBlock": block}]) for method in FILTERS for block in ("0x6", "latest")),
        ("eth_getLogs", [{}]),
        ("eth_getLogs", [{"blockHash": "0x" + "22" * 32, "fromBlock": None}]),
        ("eth_getLogs", []),
        ("eth_getLogs", {"fromBlock": "0x1"}),
        ("eth_getLogs", ["x"]),
        ("eth_getTransactionReceipt", ["0x" + "22" * 32]),
        ("eth_getTransactionReceipt", [5]),
        ("eth_getTransactionReceipt", ["0x" + "zz" * 32]),
        ("web3_sha3", ["0x" + "11" * 32]),
        ("eth_blockNumber", []),
        ("eth_getBlockByNumber", ["0x" + "f" * 70, False]),
        (None, [1]),
    ],
    ids=lambda given: json.dumps(given),
)
def test_what_is_about_others_passes(method: object, params: object) -> None:
    kept = Kept()
    kept.drop(6, ["0x" + "11" * 32])
    assert kept.refusal(method, params) == ""


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("trace_replayBlockTransactions", ["latest", ["trace"]]),
        ("debug_traceTransaction", ["0x" + "22" * 32, {"tracer": "callTracer"}]),
    ],
)
def test_what_needs_old_states_is_refused_where_they_are_not_kept(
    method: str, params: list[object]
) -> None:
    assert Kept().refusal(method, params) == ""
    assert "from a state that is not kept" in Kept(states=False).refusal(method, params)
    for passing in ("trace_block", "trace_transaction", "eth_call"):
        assert Kept(states=False).refusal(passing, params) == ""
    assert Kept(states=False).refusal("debug_traceTransaction", params[:1]) == ""


def test_the_state_of_a_block_that_has_passed_is_refused_where_only_the_head_s_is_kept() -> None:
    for states in (True, False):
        kept = Kept(states=states)
        kept.head = 9
        for method in STATES:
            place = BLOCK_AT[method]
            refused = kept.refusal(method, params_at(place, "0x8"))
            assert ("only the head's is kept, which is block 9 or later" in refused) is not states
            for block in ("0x9", "0xa", "latest", "pending"):
                assert kept.refusal(method, params_at(place, block)) == ""
        for method in BLOCK_AT.keys() - STATES - {"trace_replayBlockTransactions"}:
            assert kept.refusal(method, params_at(BLOCK_AT[method], "0x8")) == ""


def test_a_gone_hash_is_known_wherever_a_method_takes_it() -> None:
    block, transaction = "0x" + "11" * 32, "0x" + "ab" * 32
    kept = Kept()
    kept.drop(6, [block])
    kept.drop(8, [transaction])
    asked: list[tuple[str, list[object]]] = [
        ("eth_getTransactionByHash", [transaction]),
        ("eth_getTransactionReceipt", [transaction.upper().replace("0X", "0x")]),
        ("eth_getRawTransactionByHash", [transaction]),
        ("trace_transaction", [transaction]),
        ("debug_traceTransaction", [transaction, {}]),
        ("eth_getBlockByHash", [block, True]),
        ("eth_getBlockReceipts", [{"blockHash": block}]),
        ("eth_call", [{}, {"blockHash": block}]),
        ("eth_call", [{}, block]),
        ("eth_getLogs", [{"blockHash": block}]),
    ]
    for method, params in asked:
        assert "blocks before 8 are not kept" in kept.refusal(method, params), method


@pytest.mark.parametrize("digits", ["20", "0020", "0" * 67 + "20"])
@pytest.mark.parametrize("prefix", ["0x", "0X", ""])
def test_a_number_is_the_same_however_many_zeros_are_before_it(prefix: str, digits: str) -> None:
    kept = Kept()
    kept.drop(100, [])
    number = int(digits, 16 if prefix else 10)
    refusal = kept.refusal("eth_getBlockByNumber", [prefix + digits, False])
    assert refusal.startswith(f"eth_getBlockByNumber asks for block {number}: blocks before 100")
    assert kept.refusal("eth_getBlockByNumber", [prefix + "0" * 70, False]) == ""
    assert kept.refusal("eth_getBlockByNumber", [prefix, False]) == ""
