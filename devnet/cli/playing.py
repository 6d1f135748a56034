"""One scenario played for a person: told step by step, and cleared up when it does not end."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from devnet.base import Toolchain
from devnet.base.folder import DevnetFolder
from devnet.cli import terminal
from devnet.cli.files import BUNDLE_SUFFIX
from devnet.runs.runner import RunResult, run_scenario
from devnet.spec.scenario import Scenario

if TYPE_CHECKING:
    from devnet.runs.session import StepOutcome


def play(
    scenario: Scenario,
    cluster: str,
    folder: DevnetFolder,
    toolchain: Toolchain,
    on_step: Callable[[StepOutcome], None],
) -> RunResult:
    """Carry out the scenario in a held folder; raises what kept it from its end."""
    with keeping_what_happened(folder):
        return run_scenario(
            scenario,
            cluster=cluster,
            folder=folder,
            toolchain=toolchain,
            say=terminal.say,
            on_step=on_step,
        )


@contextlib.contextmanager
def keeping_what_happened(folder: DevnetFolder) -> Iterator[None]:
    """A run that is cut short leaves its bundle, and says where; one that never began (no anvil,
    a taken port) leaves nothing."""
    before = set(folder.runs.glob("*"))
    try:
        yield
    except BaseException:
        for run in sorted(set(folder.runs.glob("*")) - before):
            if run.is_dir():
                _keep_what_happened(run)
        raise


def _keep_what_happened(run: Path) -> None:
    bundle = run.with_name(run.name + BUNDLE_SUFFIX)
    blocks = run / "blocks.jsonl"
    if blocks.exists() and blocks.stat().st_size > 0:
        terminal.say(f"cut short; what happened is in {bundle if bundle.exists() else run}")
        return
    shutil.rmtree(run, ignore_errors=True)
    bundle.unlink(missing_ok=True)
