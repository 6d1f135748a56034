"""Why Chainlink's contracts could not be compiled is said in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base import MachineLacks, Toolchain
from devnet.deploy import compile_chainlink
from devnet.deploy.chainlink import SOURCES


class BrokenToolchain(Toolchain):
    """The package is empty or whole, the compiler a script that fails."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "cache", say=lambda line: None)
        self.folder = folder

    def contracts_libraries(self) -> Path:
        return self.folder / "node_modules"

    def solc(self, version: str = "") -> Path:
        compiler = self.folder / "solc"
        compiler.write_text("#!/bin/sh\necho 'no such evm version' >&2\nexit 3\n")
        compiler.chmod(0o755)
        return compiler


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(MachineLacks, match=r"solc \S+ failed: .*No such file.*LinkToken\.sol"):
        compile_chainlink(BrokenToolchain(tmp_path), lambda line: None)


def test_the_compiler_s_own_words_are_said(tmp_path: Path) -> None:
    for path in SOURCES.values():
        source = tmp_path / "node_modules" / path
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text("")
    with pytest.raises(MachineLacks, match="exit status 3") as refused:
        compile_chainlink(BrokenToolchain(tmp_path), lambda line: None)
    assert str(refused.value).splitlines()[1] == "no such evm version"
