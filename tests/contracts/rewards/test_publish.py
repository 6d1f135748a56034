"""Publication of V (W1 to W5)."""

from __future__ import annotations

from typing import Any

import pytest
from contracts_stage import GATEKEEPERS, KOMP, MONTH, PARAMETERS, Stage, address, signed

NODE = address("node-1")
L, G = PARAMETERS.cycle_blocks, PARAMETERS.gap_blocks


def refusal(stage: Stage, n: int = 1, **changes: Any) -> tuple[str, dict[str, Any]]:
    """Name and values of the error for a result with these changes, well signed."""
    given = stage.attested(stage.result(n, **changes))
    error = stage.refused(f"node-{n}", "Rewards", "publish", *given)
    return error.name, dict(error.values)


@pytest.mark.parametrize(
    ("months", "factors", "v"),
    [
        (1, {}, 10**18),
        (3, {}, 1_05 * 10**16),
        (6, {}, 1_10 * 10**16),
        (12, {}, 1_20 * 10**16),
        (1, {"c1": 0, "c2": 0, "c3": 1}, 10**12),
        (3, {"sgx": 1, "b": 1, "c1": 1, "c2": 0, "c3": 0}, 1),  # 1.05 rounds down
        (12, {"sgx": 3, "b": 1, "c1": 1, "c2": 1, "c3": 1}, 10),  # 10.8 rounds down
        (12, {"sgx": 2 * 10**6}, 2_40 * 10**16),
        (1, {"b": 10**7}, 10**19),
        (1, {"c1": 10**8, "c2": 0, "c3": 0}, 10**20),
    ],
)
def test_w1_v(stage: Stage, months: int, factors: dict[str, int], v: int) -> None:
    stage.stake(1, months)
    sent = stage.publish(1, **factors)
    assert sent.event("Published") == {"node": NODE, "cycle": 0, "sequence": 1, "v": v}
    assert stage.read("Rewards", "cycleAccountV", 0, NODE) == v
    assert stage.read("Rewards", "cycleTotalV", 0) == v


def test_w1_w3_s_is_read_at_publication(stage: Stage) -> None:
    unlock_at = stage.stake(1, 12).event("Staked")["unlockAt"]
    stage.until(unlock_at - 1)
    stage.mine()  # its hash is within reach
    assert stage.publish(1).event("Published")["v"] == 10**18  # at unlockAt: S3
    stage.mine(G)
    stage.send("owner-1", "Staking", "restake", NODE, 3)
    assert stage.publish(1).event("Published")["v"] == 105 * 10**16


@pytest.mark.parametrize(
    "factors",
    [
        {"sgx": 0},
        {"sgx": 2 * 10**6 + 1},
        {"b": 10**7 + 1},
        {"c1": 10**12 + 1},
        {"c2": 10**12 + 1},
        {"c3": 2**256 - 1},
    ],
    ids=str,
)
def test_w2_factors_out_of_range(stage: Stage, factors: dict[str, int]) -> None:
    stage.stake(1)
    name, values = refusal(stage, **factors)
    assert name == "FactorOutOfRange"
    assert values == {
        "sgx": 10**6,
        "b": 10**6,
        "c1": 5 * 10**5,
        "c2": 3 * 10**5,
        "c3": 2 * 10**5,
    } | (factors)


def test_w2_v_is_above_0_and_at_most_max_v(stage: Stage) -> None:
    stage.stake(1)
    assert refusal(stage, b=0) == ("ValueOutOfRange", {"v": 0, "maxV": 10**20})
    above = {"c1": 10**8 + 1, "c2": 0, "c3": 0}
    assert refusal(stage, **above) == ("ValueOutOfRange", {"v": 10**20 + 10**12, "maxV": 10**20})
    assert refusal(stage, c1=0, c2=0, c3=0)[0] == "ValueOutOfRange"


def test_r5_governance_sets_max_v(stage: Stage) -> None:
    stage.stake(1)
    assert stage.refused("mallory", "Rewards", "setMaxV", 1).name == "NotGovernance"
    sent = stage.send("governance", "Rewards", "setMaxV", 10**18 - 1)
    assert sent.event("MaxVChanged") == {"maxV": 10**18 - 1}
    assert stage.read("Rewards", "maxV") == 10**18 - 1
    assert refusal(stage)[0] == "ValueOutOfRange"
    stage.send("governance", "Rewards", "setMaxV", 10**18)
    stage.publish(1)


@pytest.mark.parametrize("largest", ["c1", "c2", "c3"])
def test_w2_the_largest_factors_are_within_range(stage: Stage, largest: str) -> None:
    stage.stake(1)
    factors = {"sgx": 1, "b": 1, "c1": 0, "c2": 0, "c3": 0, largest: 10**12}
    assert stage.publish(1, **factors).event("Published")["v"] == 10**12


def test_c3_an_open_cycle_is_not_claimable(stage: Stage) -> None:
    stage.stake(1)
    stage.send("treasury", "Rewards", "addReward", KOMP)
    stage.publish(1)
    assert stage.read("Rewards", "claimable", NODE, stage.cycle) == 0


def test_w3_a_quorum_signs_every_field(stage: Stage) -> None:
    stage.stake(1)
    result = stage.result()
    _, signatures = stage.attested(result)
    for field in ("sgx", "b", "c1", "c2", "c3"):
        changed = {**result, field: result[field] + 1}
        error = stage.refused("node-1", "Rewards", "publish", changed, signatures)
        assert error.name in {"NotGatekeeper", "SignersNotAscending"}, field
    one = stage.attested(stage.result(), "gatekeeper-1")
    assert stage.refused("node-1", "Rewards", "publish", *one).name == "TooFewSignatures"
    own = stage.attested(stage.result(), "node-1", "owner-1")
    assert stage.refused("node-1", "Rewards", "publish", *own).name == "NotGatekeeper"


def test_r4_a_result_needs_the_quorum_of_measurements(stage: Stage) -> None:
    stage.stake(1)
    stage.send("governance", "Gatekeepers", "change", [], [], 3)  # an incident still needs 2
    error = stage.refused("node-1", "Rewards", "publish", *stage.attested(stage.result()))
    assert (error.name, error.values) == ("TooFewSignatures", {"given": 2, "needed": 3})
    stage.send("node-1", "Rewards", "publish", *stage.attested(stage.result(), *GATEKEEPERS[:3]))


def test_r4_a_signature_for_another_contract_or_chain_is_void(stage: Stage) -> None:
    stage.stake(1)
    elsewhere = type(stage.domains)(1, stage.deployment.addresses)
    result = stage.result()
    foreign = signed(elsewhere.result(*result.values()), "gatekeeper-1", "gatekeeper-2")
    error = stage.refused("node-1", "Rewards", "publish", result, foreign)
    assert error.name in {"NotGatekeeper", "SignersNotAscending"}
    moved = {**stage.deployment.addresses, "Rewards": stage.address("Market")}
    result = stage.result()
    digest = type(stage.domains)(31337, moved).result(*result.values())
    foreign = signed(digest, "gatekeeper-1", "gatekeeper-2")
    error = stage.refused("node-1", "Rewards", "publish", result, foreign)
    assert error.name in {"NotGatekeeper", "SignersNotAscending"}


def test_w4_the_node_itself_publishes(stage: Stage) -> None:
    stage.stake(1)
    given = stage.attested(stage.result())
    error = stage.refused("owner-1", "Rewards", "publish", *given)
    assert error.values == {"caller": address("owner-1"), "node": NODE}


def test_s4_only_active_nodes_publish(stage: Stage) -> None:
    assert refusal(stage)[0] == "NotActive"  # never registered
    stage.stake(1)
    stage.send("owner-1", "Staking", "requestExit", NODE)
    assert refusal(stage) == ("NotActive", {"node": NODE})


@pytest.mark.parametrize("blocks", [1, G - 1, G, G + 1])
def test_w4_publications_are_g_blocks_apart(stage: Stage, blocks: int) -> None:
    stage.stake(1)
    first = stage.publish(1).block
    stage.until_block(first + blocks)
    if blocks < G:
        assert refusal(stage) == ("PublishedTooSoon", {"lastBlock": first, "gap": G})
    else:
        assert stage.publish(1).event("Published")["sequence"] == 2


@pytest.mark.parametrize(
    ("back", "ok"), [(1, True), (0, False), (-1, False), (30, True)], ids=lambda v: str(v)
)
def test_w4_measured_before_now(stage: Stage, back: int, ok: bool) -> None:
    stage.stake(1)
    stage.mine(40)
    number = stage.block + 1
    if ok:
        stage.publish(1, measuredBlock=number - back)
        return
    name, values = refusal(stage, measuredBlock=number - back)
    assert name == "MeasuredOutOfRange"
    assert values == {"measuredBlock": number - back, "lastBlock": 0, "blockNumber": number}


def test_w4_a_future_block_with_a_zero_hash_is_refused(stage: Stage) -> None:
    stage.stake(1)
    future = stage.block + 5
    name, _ = refusal(stage, measuredBlock=future, measuredHash=bytes(32))
    assert name == "MeasuredOutOfRange"
    name, values = refusal(stage, measuredHash=bytes(32))
    assert name == "MeasuredHashMismatch"
    assert values["given"] == bytes(32)
    assert values["actual"] != bytes(32)


def test_w4_measured_after_the_last_publication(stage: Stage) -> None:
    stage.stake(1)
    last = stage.publish(1).block
    stage.mine(10)
    assert refusal(stage, measuredBlock=last)[0] == "MeasuredOutOfRange"
    stage.publish(1, measuredBlock=last + 1)


def test_w4_a_hash_reaches_256_blocks(base: Stage, artifacts: Any) -> None:
    """Over cycles of 700 blocks, or the cycle would end first."""
    chain = base.chain
    snapshot = chain.snapshot()
    stage = Stage(chain, artifacts, base.deployment)
    names = ("Kompute", "Gatekeepers", "Staking", "Slashing")
    others = [stage.address(name) for name in names]
    assert stage.create("Long", "Rewards", *others, 700, 5, 10**20) is None
    stage.stake(1)
    stage.mine(1)
    first = stage.block
    block_hash = bytes.fromhex(str(chain.block_hash(first))[2:])
    result = {**stage.result(), "measuredBlock": first, "measuredHash": block_hash, "cycle": 0}
    long = type(stage.domains)(31337, {"Rewards": stage.address("Long")})
    signatures = signed(long.result(*result.values()), "gatekeeper-1", "gatekeeper-2")
    for offset, name in ((257, "MeasuredOutOfRange"), (256, None)):
        inner = chain.snapshot()
        stage.until_block(first + offset)
        if name:
            error = stage.refused("node-1", "Long", "publish", result, signatures)
            assert (error.name, error.values["blockNumber"]) == (name, first + 257)
        else:
            stage.send("node-1", "Long", "publish", result, signatures)
        chain.revert(inner)
    chain.revert(snapshot)


def test_w4_the_gap_is_between_two_publications_only(stage: Stage) -> None:
    """The first comes in a block whose number is below the gap."""
    names = ("Kompute", "Gatekeepers", "Staking", "Slashing")
    others = [stage.address(name) for name in names]
    assert stage.create("Long", "Rewards", *others, 70_000, 5_000, 10**20) is None
    stage.stake(1)
    stage.mine(1)
    long = type(stage.domains)(31337, {"Rewards": stage.address("Long")})
    result = {**stage.result(), "cycle": 0}
    signatures = signed(long.result(*result.values()), *GATEKEEPERS[:2])
    assert stage.block < 5_000
    sent = stage.send("node-1", "Long", "publish", result, signatures)
    assert sent.event("Published")["sequence"] == 1


@pytest.mark.parametrize(
    ("cycle", "offset", "name"),
    [(0, 1, "WrongCycle"), (2, 1, "WrongCycle"), (1, 0, "WrongCycle"), (1, 1, None)],
    ids=["the last", "the next", "measured in the last", "both in this"],
)
def test_w4_signed_measured_and_current_cycle_agree(
    stage: Stage, cycle: int, offset: int, name: str | None
) -> None:
    stage.stake(1)
    stage.next_cycle(offset=offset)
    if name is None:
        assert stage.publish(1, cycle=cycle).event("Published")["cycle"] == 1
    else:
        assert refusal(stage, cycle=cycle) == (name, {"given": cycle, "current": 1})


def test_w4_a_block_before_genesis_has_no_cycle(stage: Stage) -> None:
    stage.stake(1)
    genesis = stage.read("Rewards", "genesis")
    assert genesis == stage.deployment.genesis.block
    stage.publish(1, measuredBlock=genesis)
    stage.mine(G)
    stage.stake(2)
    assert refusal(stage, 2, measuredBlock=genesis - 1)[0] == "MeasuredOutOfRange"


@pytest.mark.parametrize("sequence", [0, 1, 3])
def test_w4_sequences_rise_by_one(stage: Stage, sequence: int) -> None:
    stage.stake(1)
    assert stage.read("Rewards", "sequenceOf", NODE) == 0
    sent = stage.publish(1)
    stage.mine(G)
    assert refusal(stage, sequence=sequence) == (
        "WrongSequence",
        {"given": sequence, "expected": 2},
    )
    assert stage.read("Rewards", "sequenceOf", NODE) == 1
    assert stage.read("Rewards", "lastPublishedBlock", NODE) == sent.block


def test_w4_a_result_cannot_be_replayed(stage: Stage) -> None:
    stage.stake(1)
    given = stage.attested(stage.result())
    stage.send("node-1", "Rewards", "publish", *given)
    stage.mine(G)
    assert stage.refused("node-1", "Rewards", "publish", *given).name == "MeasuredOutOfRange"


def test_w5_v_adds_up(stage: Stage) -> None:
    stage.stake(1)
    stage.stake(2, 12)
    stage.publish(1)
    stage.publish(2)
    stage.mine(G)
    stage.publish(1, c1=0)
    assert stage.read("Rewards", "cycleAccountV", 0, NODE) == 15 * 10**17
    assert stage.read("Rewards", "cycleAccountV", 0, address("node-2")) == 12 * 10**17
    assert stage.read("Rewards", "cycleTotalV", 0) == 27 * 10**17
    assert stage.read("Rewards", "openCycle", NODE) == 0


@pytest.mark.parametrize(
    ("gap", "length", "ok"), [(5, 70, True), (5, 69, False), (0, 70, False), (1, 14, True)]
)
def test_w4_two_gaps_are_at_most_a_seventh(stage: Stage, gap: int, length: int, ok: bool) -> None:
    names = ("Kompute", "Gatekeepers", "Staking", "Slashing")
    others = [stage.address(name) for name in names]
    error = stage.create("Other", "Rewards", *others, length, gap, 10**20)
    assert (error is None) == ok


@pytest.mark.parametrize(("offset", "cycle"), [(0, 0), (1, 0), (L - 1, 0), (L, 1), (L + 1, 1)])
def test_c1_cycles_by_block(stage: Stage, offset: int, cycle: int) -> None:
    genesis = stage.read("Rewards", "genesis")
    stage.create(
        "Fresh",
        "Rewards",
        stage.address("Kompute"),
        stage.address("Gatekeepers"),
        stage.address("Staking"),
        stage.address("Slashing"),
        L,
        G,
        10**20,
    )
    genesis = stage.read("Fresh", "genesis")
    assert genesis == stage.block
    if offset:
        stage.mine(offset)
    assert stage.read("Fresh", "currentCycle") == cycle
    assert (stage.read("Fresh", "cycleBlocks"), stage.read("Fresh", "gapBlocks")) == (L, G)


def test_an_old_period_is_no_obstacle(stage: Stage) -> None:
    """S3: long after its period a node publishes with S = 10000."""
    staked = stage.stake(1, 12).timestamp
    stage.until(staked + 13 * MONTH)
    stage.mine()
    assert stage.publish(1).event("Published")["v"] == 10**18
    assert stage.balance("Rewards") == 0 * KOMP
