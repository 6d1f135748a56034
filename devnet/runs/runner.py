"""A scenario from its file to its verdict: the world raised, every step carried out, all sealed."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devnet.base import DevnetFolder, Toolchain
from devnet.chain import Block
from devnet.record.folder import RunFolder, seal
from devnet.report import write_report
from devnet.runs.attacks import AttackOutcome, Holdings, judged
from devnet.runs.pace import WorkPace
from devnet.runs.session import Session, StepOutcome
from devnet.runs.world import World
from devnet.spec.loading import resolved_yaml
from devnet.spec.scenario import Scenario, scenario_yaml

PASSED, FAILED, CUT_SHORT = "passed", "failed", "cut short"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to; `to_json` is what `devnet run --json` prints."""

    verdict: str
    cluster: str
    scenario: str
    steps: tuple[StepOutcome, ...]
    last_block: Block
    bundle: Path
    report: Path
    seconds: float
    faults: tuple[str, ...] = ()  # found when every value was read again at the end
    attack: AttackOutcome | None = None

    @property
    def ok(self) -> bool:
        return self.verdict == PASSED

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "cluster": self.cluster,
            "scenario": self.scenario,
            "faults": list(self.faults),
            "attack": self.attack.to_json() if self.attack else None,
            "steps": [
                {
                    "index": step.index,
                    "verb": step.verb,
                    "text": step.text,
                    "did": step.did,
                    "ok": step.ok,
                    "failure": step.failure,
                    "seconds": round(step.seconds, 3),
                    "blocks": [step.first_block, step.last_block],
                }
                for step in self.steps
            ],
            "last_block": {"number": self.last_block.number, "hash": self.last_block.hash},
            "bundle": str(self.bundle),
            "report": str(self.report),
            "seconds": round(self.seconds, 3),
        }


def run_scenario(
    scenario: Scenario,
    *,
    cluster: str,
    folder: DevnetFolder,
    toolchain: Toolchain,
    say: Callable[[str], None],
    on_step: Callable[[StepOutcome], None] = lambda outcome: None,
) -> RunResult:
    """Carry out a scenario to its end or its first failed step.

    Whatever happens, also Ctrl-C, the run's folder is sealed into a readable bundle; what
    happened is then raised. The caller holds the devnet's folder.
    """
    started = time.monotonic()
    path = folder.runs / run_name(scenario.name)
    state = folder.path / "state" / path.name
    with RunFolder(path) as run:
        run.text("network.yaml", resolved_yaml(scenario.network))
        run.text("scenario.yaml", scenario_yaml(scenario, "network.yaml"))
        verdict, head, outcomes, kind = CUT_SHORT, Block(0, 0, ""), [], cluster
        faults: list[str] = []
        attack: AttackOutcome | None = None
        try:
            with World(
                scenario.network,
                cluster=cluster,
                run=run,
                state=state,
                devnet_id=folder.id,
                toolchain=toolchain,
                seed=scenario.seed,
                say=say,
            ) as world:
                kind = world.kind
                session = Session(world, WorkPace(world.scheduler, world.patience_blocks))
                outcomes = session.outcomes
                before = Holdings.of(scenario.attack, world.readings)
                try:
                    verdict = _carry_out(session, scenario, on_step)
                    faults = world.checks.last_word()
                    if scenario.attack is not None:
                        after = Holdings.of(scenario.attack, world.readings)
                        held = verdict == PASSED and not faults
                        attack = judged(scenario.attack, before, after, held=held)
                        faults += attack.faults if held else ()
                    verdict = FAILED if faults else verdict
                finally:
                    head = session.head
        finally:
            keep_logs(state, path)
            facts = {
                "scenario": scenario.name,
                "cluster": kind,
                "seed": scenario.seed,
                "verdict": verdict,
                "last_block": {"number": head.number, "hash": head.hash},
                "attack": attack.to_json() if attack else None,
            }
            bundle = seal(path, facts)
            report = write_report(path, verdict)
    return RunResult(
        verdict,
        kind,
        scenario.name,
        tuple(outcomes),
        head,
        bundle,
        report,
        time.monotonic() - started,
        tuple(faults),
        attack,
    )


def _carry_out(session: Session, scenario: Scenario, on_step: Callable[[StepOutcome], None]) -> str:
    for step in scenario.steps:
        outcome = session.perform(step)
        on_step(outcome)
        if not outcome.ok:
            return FAILED
    return PASSED


def keep_logs(state: Path, run: Path) -> None:
    """Put the parts' logs into the run, and take their working files away."""
    for log in sorted(state.rglob("*.log")):
        name = "-".join(log.relative_to(state).parts)
        shutil.copyfile(log, run / "logs" / name)
    shutil.rmtree(state, ignore_errors=True)


def run_name(scenario: str) -> str:
    """A folder name that sorts by time and meets no other."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{scenario.replace(' ', '-')}-{secrets.token_hex(2)}"
