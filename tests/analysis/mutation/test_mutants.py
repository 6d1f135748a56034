"""The changes that are sown: which, where, and the same ones every time."""

from __future__ import annotations

from collections import Counter

import pytest

from analysis.compiler import Compiler
from analysis.mutation.building import Sources
from analysis.mutation.mutants import Mutant, sample

FILE = "contracts/Door.sol"
DOOR = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDoor} from "./IDoor.sol";

contract Door is IDoor {
    uint256 private constant LIMIT = 2 days;
    uint256 private _count;
    Colour private _colour;

    modifier counted() {
        ++_count;
        _;
    }

    function enter(uint256 at, bool known) external counted returns (uint256) {
        if (at < LIMIT || !known) revert Shut(at);
        _colour = Colour.RED;
        emit Entered(at);
        return at + 1;
    }

    function leave() external {
        while (_count > 0) {
            if (_count == 3) break;
            _count -= 1;
        }
    }

    function pick(uint256 a, uint256 b) external pure returns (uint256 out) {
        out = a > b ? a : b;
        assembly ("memory-safe") {
            out := and(out, gt(out, 5))
        }
    }
}
"""
INTERFACE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

interface IDoor {
    enum Colour {
        RED,
        BLUE
    }

    event Entered(uint256 at);

    error Shut(uint256 at);

    function enter(uint256 at, bool known) external returns (uint256);
}
"""
PORCH = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Door} from "./Door.sol";

contract Porch is Door {}
"""
TEXTS = {FILE: DOOR, "contracts/IDoor.sol": INTERFACE, "contracts/Porch.sol": PORCH}


@pytest.fixture(scope="module")
def sources() -> Sources:
    return Sources(Compiler(), TEXTS)


@pytest.fixture(scope="module")
def mutants(sources: Sources) -> list[Mutant]:
    return sources.mutants()


def test_every_kind_of_change_is_made_once(mutants: list[Mutant]) -> None:
    made = sorted(f"{one.line} {one.at.removeprefix('Door.')}: {one.change}" for one in mutants)
    assert made == [
        "12 counted: ++_count -> --_count",
        "12 counted: ++_count -> nothing",
        "16 enter: counted -> nothing",
        "17 enter: !known -> known",
        "17 enter: at < LIMIT -> at <= LIMIT",
        "17 enter: at < LIMIT -> at >= LIMIT",
        "17 enter: at < LIMIT || !known -> at < LIMIT && !known",
        "17 enter: if (at < LIMIT || !known) -> if (false)",
        "18 enter: Colour.RED -> Colour.BLUE",
        "18 enter: _colour = Colour.RED -> nothing",
        "19 enter: emit Entered(at) -> nothing",
        "20 enter: 1 -> (1 + 1)",
        "20 enter: at + 1 -> at - 1",
        "20 enter: return at + 1 -> nothing",
        "24 leave: 0 -> (0 + 1)",
        "24 leave: _count > 0 -> _count <= 0",
        "24 leave: _count > 0 -> _count >= 0",
        "25 leave: 3 -> (3 + 1)",
        "25 leave: _count == 3 -> _count != 3",
        "25 leave: break -> continue",
        "25 leave: if (_count == 3) -> if (false)",
        "25 leave: if (_count == 3) -> if (true)",
        "26 leave: 1 -> (1 + 1)",
        "26 leave: _count -= 1 -> _count += 1",
        "26 leave: _count -= 1 -> _count = 1",
        "26 leave: _count -= 1 -> nothing",
        "31 pick: a > b -> a <= b",
        "31 pick: a > b -> a >= b",
        "31 pick: a > b ? a : b -> a",
        "31 pick: a > b ? a : b -> b",
        "31 pick: out = a > b ? a : b -> nothing",
        "33 pick: 5 -> 6",
        "33 pick: and(out, gt(out, 5)) -> or(out, gt(out, 5))",
        "33 pick: gt(out, 5) -> lt(out, 5)",
        "7 LIMIT: 2 days -> (2 days + 1)",
    ]


def test_a_mutant_changes_its_place_alone(mutants: list[Mutant]) -> None:
    (relation,) = [one for one in mutants if one.change == "at < LIMIT -> at <= LIMIT"]
    (deleted,) = [one for one in mutants if one.change == "return at + 1 -> nothing"]

    assert relation.applied(DOOR) == DOOR.replace("at < LIMIT", "at <= LIMIT")
    assert deleted.applied(DOOR) == DOOR.replace("return at + 1;", "{}")


def test_built_mutants_change_the_contracts_that_hold_them(
    sources: Sources, mutants: list[Mutant]
) -> None:
    wanted = {
        "at < LIMIT -> at <= LIMIT": ["Door", "Porch"],
        "a > b -> a >= b": ["Door", "Porch"],
        "_count > 0 -> _count >= 0": ["Door", "Porch"],
    }
    chosen = [one for one in mutants if one.change in wanted]
    broken = Mutant(FILE, "Door", "Door.pick", "a -> nonsense", 31, 0, 0, "nonsense ")

    built = sources.build([broken, *chosen])

    assert {one.mutant.change: sorted(one.contracts) for one in built} == wanted


def test_the_sample_takes_from_each_contract_its_part_and_three_at_least() -> None:
    many = [
        Mutant("f.sol", contract, f"{contract}.f{n}", "a -> b", n, n, n, "")
        for contract, count in (("Big", 90), ("Small", 10), ("Tiny", 2))
        for n in range(count)
    ]
    chosen = sample(many, 20, seed=7)

    assert Counter(one.contract for one in chosen) == {"Big": 17, "Small": 3, "Tiny": 2}
    assert sample(many, 20, seed=7) == chosen
    assert sample(many, 20, seed=8) != chosen
    # Another contract's lines move nobody else.
    shorter = [one for one in many if one.contract != "Small"]
    big = [one.at for one in chosen if one.contract == "Big"]
    again = [one.at for one in sample(shorter, 20, seed=7) if one.contract == "Big"]
    assert again[: len(big)] == big
