"""A whole load run on `sim`, real Locust and real chain; and what must never pass as one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devnet.base import DevnetFolder, Toolchain, UsageError
from devnet.record.replay import replay
from devnet.runs import load
from devnet.runs.load import LoadResult, run_load
from devnet.spec import load_network
from devnet.spec.network import NetworkSpec

ROOT = Path(__file__).parents[2]


def network() -> NetworkSpec:
    return load_network(ROOT / "e2e" / "networks" / "load.yaml")


def run(folder: Path, toolchain: Toolchain, *, users: int, seconds: int) -> LoadResult:
    return run_load(
        network(),
        users=users,
        seconds=seconds,
        cluster="sim",
        seed=3,
        folder=DevnetFolder.open("load", folder),
        toolchain=toolchain,
        say=lambda text: None,
    )


def test_users_go_through_every_stage_and_all_they_did_is_on_the_chain(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    result = run(tmp_path, toolchain, users=4, seconds=10)

    assert result.verdict.faults == ()
    assert result.ok
    stages = {stage.stage: stage for stage in result.verdict.stages}
    assert stages["stake"].on_chain == 4
    for stage in stages.values():
        assert stage.on_chain == stage.succeeded > 0
    assert stages["incident"].on_chain == stages["slash"].on_chain == stages["top up"].on_chain
    assert (result.verdict.failures, result.verdict.dropped) == (0, 0)

    # Users outside the devnet, sending when they like: it is still block for block the same again.
    again = replay(result.remains.bundle, toolchain, say=lambda text: None)
    assert (again.last_block.number, again.last_block.hash) == (
        result.last_block.number,
        result.last_block.hash,
    )


def test_a_locust_that_dies_is_no_success(
    tmp_path: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = tmp_path / "dead"
    dead.write_text("#!/bin/sh\necho 'no users today'\nexit 3\n")
    dead.chmod(0o755)
    monkeypatch.setattr(load, "PYTHON", str(dead))

    result = run(tmp_path, toolchain, users=1, seconds=5)

    assert not result.ok
    log = result.remains.bundle.with_name(result.remains.bundle.name.removesuffix(".kompute.zip"))
    faults = result.verdict.faults
    expected = (
        f"locust ended with exit code 3 after 0 kinds of request; its log: {log}/logs/locust.log"
    )
    assert expected in faults
    assert "stake: nothing on chain" in faults
    assert result.remains.bundle.exists()
    assert json.loads((log / "manifest.json").read_text())["verdict"] == "failed"


def test_a_network_without_a_function_has_no_loop_to_go_through(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    spec = network()
    container_only = spec.model_copy(update={"services": spec.services[:1]}).placed(spec.base)
    with pytest.raises(UsageError, match="no serverless service"):
        run_load(
            container_only,
            users=1,
            seconds=5,
            cluster="sim",
            seed=1,
            folder=DevnetFolder.open("load", tmp_path),
            toolchain=toolchain,
            say=lambda text: None,
        )
    assert not list(tmp_path.glob(".devnet/load/runs/*"))
