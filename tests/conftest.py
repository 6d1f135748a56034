"""What every suite below takes beside pytest's own options."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--deep`: what costs more than it finds in every run."""
    said = "a million steps, every seeded error, every row of the conformance table"
    parser.addoption("--deep", action="store_true", help=said)
