"""`--set path=value`: any text is an override or one named fault, and nothing is set in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devnet.spec import NetworkSpec, SpecError, load_network
from devnet.spec.document import overridden, read_document

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "e2e" / "networks" / "small.yaml"
WORDS = st.sampled_from(
    ["workers", "cycle", "blocks", "worker-1", "name", "0", "1", "²", "٣", "foo", "-1", "oracles"]
)
PIECES = st.sampled_from([".", "..", "[", "]", "[0]", "[9]", "[²]", "[-1]", "=", " ", "\x00", "\n"])
PATHS = st.lists(WORDS | PIECES | st.text(max_size=3), max_size=8).map("".join)
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["{a: 1, a: 2}", "[[", "*x", "&x [*x]", "!!python/x y", "- 1", "\ud800", "null"]
    ),
)


def loaded(overrides: dict[str, str]) -> NetworkSpec | SpecError:
    try:
        return load_network(SMALL, overrides, environment={})
    except SpecError as error:
        return error


@given(PATHS, VALUES)
@example("foo[0].bar", "1")
@example("workers.².name", "x")
@example("workers[²].name", "x")
@example("[" * 4000, "1")
@example("name", "[" * 4000)
@example("name", "[" * 100_000)
@example("cycle..blocks", "140")
@example("a." * 5000, "1")
@example("name[0]", "1")
@example("\n.workers", "")
@example("workers.\x1b[2Jx", "1")
@example("name.x", "1")
@example("", "1")
@settings(max_examples=400, deadline=None)
def test_any_override_is_taken_or_refused_by_its_source(path: str, value: str) -> None:
    found = loaded({path: value})
    if isinstance(found, SpecError):
        assert all(fault.message for fault in found.faults)
        assert "\n" not in str(found.faults[0]).replace(path, "").replace(value, "")
    else:
        assert found.name  # a whole network


@given(PATHS, VALUES)
@settings(max_examples=200, deadline=None)
def test_what_is_taken_is_where_it_was_said(path: str, value: str) -> None:
    document = read_document(SMALL)
    try:
        after = overridden(document, {path: value}, "--set")
    except SpecError:
        return
    told = [place for place in after.places.values() if place.file == "--set"]
    assert told, "an override without a place"


@pytest.mark.parametrize(
    ("overrides", "fault"),
    [
        ({"cycle..blocks": "140"}, "--set: cycle..blocks: not a path"),
        ({"foo[0].bar": "1"}, "--set: foo[0].bar: no such path in the file"),
        ({"chain.foo.bar": "1"}, "--set: chain.foo: unknown key"),
        ({"seed": "abc"}, "--set: seed: a key of scenarios, and this is a network; --seed gives"),
        (
            {"workers[0].profile": "large", "workers.worker-1.profile": "small"},
            "--set: workers.worker-1.profile: set twice, first as 'workers[0].profile'",
        ),
        ({"cycle": "{blocks: 70, blocks: 80}"}, "--set: cycle.blocks: duplicate key"),
        ({"cycle.blocks": "14"}, "cycle.gap_blocks: 2 * gap_blocks must be at most blocks / 7"),
        ({"cycle.blocks": "14"}, "; cycle.blocks is set by --set; at most 1"),
    ],
)
def test_a_fault_says_what_to_mend(overrides: dict[str, str], fault: str) -> None:
    found = loaded(overrides)
    assert isinstance(found, SpecError)
    assert fault in str(found)


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("KOMPUTE_SET_CYCLE__BLOCKS", "abc", "KOMPUTE_SET_CYCLE__BLOCKS: cycle.blocks: not a"),
        ("KOMPUTE_SET_CYCLE__BLOCKS", "14", "cycle.blocks is set by KOMPUTE_SET_CYCLE__BLOCKS"),
        ("KOMPUTE_SET_CHAIN__FOO__BAR", "3", "KOMPUTE_SET_CHAIN__FOO__BAR: chain.foo: unknown"),
        ("KOMPUTE_SET_", "3", "KOMPUTE_SET_: not a path"),
        ("KOMPUTE_SET_CYCLE____BLOCKS", "3", "KOMPUTE_SET_CYCLE____BLOCKS: cycle..blocks: not a"),
    ],
)
def test_a_variable_that_is_wrong_is_named(variable: str, value: str, fault: str) -> None:
    with pytest.raises(SpecError) as error:
        load_network(SMALL, environment={variable: value})
    assert fault in str(error.value)
