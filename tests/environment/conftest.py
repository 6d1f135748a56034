"""A hostile environment, and the proxy it names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hostile import Proxy, poison, refusing_proxy


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with refusing_proxy() as proxy:
        yield proxy


@pytest.fixture
def hostile(proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set for this process; the values, by name."""
    variables = poison(tmp_path / "poison") | proxy.variables()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables
