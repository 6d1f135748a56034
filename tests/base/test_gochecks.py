"""The Go sources are formatted; what is not is named. Their own tests hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base.errors import CheckFailed, MachineLacks
from devnet.base.gochecks import check_format, run_tests, vet
from devnet.base.golang import Go, controlplane_sources, get_go
from devnet.base.store import Store, default_cache
from devnet.base.toolchain import Toolchain, say_on_stderr


@pytest.fixture(scope="module")
def go() -> Go:
    return get_go(Store(default_cache()), say_on_stderr)


def module(folder: Path, code: str) -> Path:
    (folder / "go.mod").write_text("module example\n\ngo 1.26\n")
    (folder / "main.go").write_text(code)
    return folder


def test_the_sources_are_formatted(go: Go) -> None:
    check_format(go, controlplane_sources())


def test_what_is_not_formatted_is_named(go: Go, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match=r"gofmt would write main\.go otherwise"):
        check_format(go, module(tmp_path, "package main\nfunc  main() {}\n"))


def test_what_vet_finds_is_told(go: Go, tmp_path: Path) -> None:
    code = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Printf("%d", "x") }\n'
    with pytest.raises(MachineLacks, match="Printf format %d has arg"):
        vet(go, module(tmp_path, code))


@pytest.mark.timeout(1200)
def test_the_sources_own_tests_hold(go: Go) -> None:
    told = run_tests(go, controlplane_sources(), Toolchain().bubblewrap())
    packages = ("lifecycle", "light", "node", "node/cgroup", "node/runtime", "node/sandbox")
    for name in packages:
        assert any(line.startswith("ok") and f"controlplane/{name}\t" in line for line in told)
