"""Runs with the real tools: anvil, the compiled contracts, the control plane where it was built."""

from __future__ import annotations

import pytest

from devnet.base.toolchain import Toolchain


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return Toolchain()
