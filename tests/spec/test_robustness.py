"""Whatever stands in a file, loading it ends in a value or in `SpecError`, never in a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devnet.spec import STEPS, NetworkSpec, SpecError, step_from_mapping
from devnet.spec.validation import keys_of

if TYPE_CHECKING:
    from tests.spec.conftest import Town

WORDS = st.one_of(
    st.sampled_from(
        [
            "",
            "all",
            "worker-1",
            "web",
            "alice",
            "20 KOMP",
            "-1 KOMP",
            "12h",
            "1/16",
            ">= 3",
            "9" * 70,
            "1e99 KOMP",
            "true",
            "container",
            "offline",
            "aws",
            "vcpu_hour",
            "0",
        ]
    ),
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(),
    st.text(max_size=8),
)
VALUES = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "count", "profile", "x", "kind"]), inner),
    ),
    max_leaves=6,
)
QUIET = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def ends_well(load: Callable[[], object]) -> bool:
    """Loading gives a value, or names at least one fault; any other exception is a crash."""
    try:
        return load() is not None
    except SpecError as error:
        return len(error.faults) > 0


@QUIET
@given(tree=st.dictionaries(st.sampled_from(keys_of(NetworkSpec)), VALUES))
def test_any_network_loads_or_is_refused(town: Town, tree: dict[str, Any]) -> None:
    base = yaml.safe_load(town.original_network)
    town.write_network(yaml.safe_dump({**base, **tree}, allow_unicode=True))
    assert ends_well(town.network)


@QUIET
@given(data=st.data(), verb=st.sampled_from(sorted(STEPS)))
def test_any_step_loads_or_is_refused(town: Town, data: st.DataObject, verb: str) -> None:
    values = data.draw(st.dictionaries(st.sampled_from(keys_of(STEPS[verb])), VALUES))
    town.write_scenario(
        yaml.safe_dump(
            {"version": 1, "name": "any", "network": "network.yaml", "steps": [{verb: values}]},
            allow_unicode=True,
        )
    )
    assert ends_well(town.scenario)
    assert ends_well(lambda: step_from_mapping(verb, values))


@QUIET
@given(text=st.text(max_size=60))
def test_any_text_loads_or_is_refused(town: Town, text: str) -> None:
    town.scenario_path.write_text(text, encoding="utf-8", errors="replace")
    assert ends_well(town.scenario)
