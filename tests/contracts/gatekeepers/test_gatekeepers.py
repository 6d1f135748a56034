"""The registry of gatekeepers and their quorums (R3, R4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from contracts_stage import ACCOUNTS, GATEKEEPERS, Stage, address, signed, sorted_by_address

from devnet.chain import keccak, sign_digest

PERF, SLASH, CRITICAL = range(3)
NOBODY = "0x" + "00" * 20
DIGEST = keccak(b"what is signed")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ASCENDING = [account.name for account in sorted_by_address(GATEKEEPERS)]


def one(name: str, digest: bytes = DIGEST) -> bytes:
    return sign_digest(ACCOUNTS[name], digest)


def high_s(signature: bytes) -> bytes:
    """The same signature with s in the upper half."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes((55 - signature[64],))


LOW, MIDDLE, HIGH = ASCENDING
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "none": (lambda: b"", "TooFewSignatures"),
    "one": (lambda: one(LOW), "TooFewSignatures"),
    "64 bytes": (lambda: one(LOW)[:64] + one(HIGH), "SignaturesMalformed"),
    "one byte more": (lambda: one(LOW) + one(HIGH) + b"\0", "SignaturesMalformed"),
    "twice the same": (lambda: one(LOW) + one(LOW), "SignersNotAscending"),
    "descending": (lambda: one(HIGH) + one(LOW), "SignersNotAscending"),
    "high s": (lambda: one(LOW) + high_s(one(HIGH)), "SignaturesMalformed"),
    "v of 0": (lambda: one(LOW) + one(HIGH)[:64] + b"\0", "SignaturesMalformed"),
    "r and s of 0": (lambda: one(LOW) + bytes(64) + b"\x1b", "SignaturesMalformed"),
    "a stranger": (lambda: signed(DIGEST, LOW, "mallory"), "NotGatekeeper"),
    "a surplus stranger": (lambda: signed(DIGEST, LOW, HIGH, "mallory"), "NotGatekeeper"),
    "a surplus duplicate": (lambda: one(LOW) + one(HIGH) * 2, "SignersNotAscending"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_r4_refused_signatures(stage: Stage, case: str) -> None:
    signatures, name = REFUSED[case]
    refused = stage.refused_read("Gatekeepers", "check", DIGEST, signatures(), PERF)
    assert refused.name == name


def test_r4_another_digest_has_other_signers(stage: Stage) -> None:
    signatures = signed(keccak(b"another"), LOW, HIGH)
    refused = stage.refused_read("Gatekeepers", "check", DIGEST, signatures, PERF)
    assert refused.name in {"NotGatekeeper", "SignersNotAscending"}


@pytest.mark.parametrize(
    ("quorum", "names", "needed"),
    [
        (PERF, ASCENDING[:2], 2),
        (PERF, ASCENDING, 2),
        (SLASH, ASCENDING[1:], 2),
        (CRITICAL, ASCENDING, 3),
    ],
    ids=["perf", "perf with a surplus", "slash", "critical"],
)
def test_r4_quorums_of_three(stage: Stage, quorum: int, names: list[str], needed: int) -> None:
    assert stage.read("Gatekeepers", "needed", quorum) == needed
    stage.read("Gatekeepers", "check", DIGEST, signed(DIGEST, *names), quorum)
    few = signed(DIGEST, *names[: needed - 1])
    error = stage.refused_read("Gatekeepers", "check", DIGEST, few, quorum)
    assert error.values == {"given": needed - 1, "needed": needed}


@pytest.mark.parametrize(
    ("n", "k", "slash", "critical"), [(1, 1, 1, 1), (2, 2, 2, 2), (4, 3, 3, 3), (5, 3, 3, 4)]
)
def test_r4_quorums_by_number(stage: Stage, n: int, k: int, slash: int, critical: int) -> None:
    members = [address(f"gatekeeper-{place}") for place in range(1, n + 1)]
    assert stage.create("Others", "Gatekeepers", address("governance"), members, k) is None
    assert stage.read("Others", "count") == n
    assert [stage.read("Others", "needed", q) for q in range(3)] == [k, slash, critical]


@pytest.mark.parametrize(
    ("n", "k"), [(0, 0), (1, 0), (2, 1), (3, 1), (3, 4), (4, 2), (5, 2), (5, 6)]
)
def test_r4_k_is_above_half_and_at_most_n(stage: Stage, n: int, k: int) -> None:
    members = [address(f"gatekeeper-{place}") for place in range(1, n + 1)]
    error = stage.create("Others", "Gatekeepers", address("governance"), members, k)
    assert error is not None
    assert (error.name, error.values) == ("QuorumOutOfRange", {"k": k, "n": n})


def test_r3_governance_alone_changes_gatekeepers(stage: Stage) -> None:
    fourth = address("gatekeeper-4")
    change = ([fourth], [address(LOW)], 2)
    refused = stage.refused("gatekeeper-1", "Gatekeepers", "change", *change)
    assert refused.name == "NotGovernance"
    sent = stage.send("governance", "Gatekeepers", "change", *change)
    assert sent.names == ["GatekeeperRemoved", "GatekeeperAdded", "PerfQuorumChanged"]
    assert stage.read("Gatekeepers", "count") == 3
    assert stage.read("Gatekeepers", "isGatekeeper", fourth)
    stage.read("Gatekeepers", "check", DIGEST, signed(DIGEST, HIGH, "gatekeeper-4"), PERF)
    removed = signed(DIGEST, LOW, HIGH)
    refused = stage.refused_read("Gatekeepers", "check", DIGEST, removed, PERF)
    assert (refused.name, refused.values) == ("NotGatekeeper", {"account": address(LOW)})


@pytest.mark.parametrize(
    ("added", "removed", "k", "name"),
    [
        ([], [], 1, "QuorumOutOfRange"),
        ([], [], 4, "QuorumOutOfRange"),
        ([], [], 2**255 + 2, "QuorumOutOfRange"),
        (["gatekeeper-4"], [], 2, "QuorumOutOfRange"),
        ([], list(GATEKEEPERS), 0, "QuorumOutOfRange"),
        ([NOBODY], [], 3, "ZeroAddress"),
        (["gatekeeper-1"], [], 3, "AlreadyGatekeeper"),
        (["gatekeeper-4", "gatekeeper-4"], [], 3, "AlreadyGatekeeper"),
        ([], ["mallory"], 2, "NotGatekeeper"),
        ([], ["gatekeeper-1", "gatekeeper-1"], 1, "NotGatekeeper"),
    ],
)
def test_r4_a_change_keeps_the_quorum_possible(
    stage: Stage, added: list[str], removed: list[str], k: int, name: str
) -> None:
    accounts = [a if a == NOBODY else address(a) for a in added]
    given = (accounts, [address(r) for r in removed], k)
    assert stage.refused("governance", "Gatekeepers", "change", *given).name == name
    assert stage.read("Gatekeepers", "count") == 3


@pytest.mark.parametrize(
    ("count", "quorum", "removed", "after"),
    [(3, 2, 1, 2), (3, 3, 1, 2), (3, 2, 2, 1), (5, 4, 1, 4), (5, 3, 1, 3), (5, 5, 3, 2)],
)
def test_g2_a_removal_leaves_k_where_it_may(
    stage: Stage, count: int, quorum: int, removed: int, after: int
) -> None:
    added = [address(name) for name in ("gatekeeper-4", "gatekeeper-5")[: count - 3]]
    stage.send("governance", "Gatekeepers", "change", added, [], quorum)
    gone = [address(name) for name in GATEKEEPERS[:removed]]
    refused = stage.refused("guardian", "Gatekeepers", "remove", gone)
    assert (refused.name, refused.values["caller"]) == ("NotGovernance", address("guardian"))
    sent = stage.send("governance", "Gatekeepers", "remove", gone)
    assert sent.names == ["GatekeeperRemoved"] * removed + ["PerfQuorumChanged"]
    assert sent.event("PerfQuorumChanged") == {"k": after}
    assert stage.read("Gatekeepers", "needed", PERF) == after
    assert stage.read("Gatekeepers", "count") == count - removed
    assert not stage.read("Gatekeepers", "isGatekeeper", gone[0])


def test_g2_not_everybody_is_removed(stage: Stage) -> None:
    everybody = [address(name) for name in GATEKEEPERS]
    refused = stage.refused("governance", "Gatekeepers", "remove", everybody)
    assert (refused.name, refused.values) == ("QuorumOutOfRange", {"k": 1, "n": 0})
    stranger = stage.refused("governance", "Gatekeepers", "remove", [address("mallory")])
    assert stranger.name == "NotGatekeeper"
