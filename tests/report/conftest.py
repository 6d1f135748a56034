"""A run that was made up, and its story."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.record.bundle import open_bundle
from devnet.report.story import Story, read_story
from tests.report.fabricated import fabricate


@pytest.fixture()
def run(tmp_path: Path) -> Path:
    return fabricate(tmp_path / "run")


@pytest.fixture()
def story(run: Path) -> Story:
    with open_bundle(run, verify=False) as bundle:
        return read_story(bundle, "passed", "sim")
