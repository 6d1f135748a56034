"""Every verb has a performer, which its own family registers."""

from __future__ import annotations

from importlib import import_module

import pytest

from devnet.spec import STEPS
from devnet.spec.verbs import FAMILIES
from devnet.steps import PERFORMERS

# A family's performers stand in the module of the same name, but for these.
PERFORMED_IN = {"steps": "protocol", "expectation": "expectations"}


def test_no_verb_is_without_a_performer() -> None:
    assert set(PERFORMERS) == set(STEPS)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_registers_its_own(family: str) -> None:
    """A verb is two source files: its step and its performer."""
    verbs = {verb for verb, step in STEPS.items() if step.__module__ == f"devnet.spec.{family}"}
    module = import_module(f"devnet.steps.{PERFORMED_IN.get(family, family)}")
    performed = {
        verb for verb, performer in PERFORMERS.items() if performer.__module__ == module.__name__
    }
    assert performed == verbs != set()
