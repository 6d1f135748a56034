"""A scenario from its file to its verdict: the world raised, every step carried out, all sealed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devnet.base import DevnetFolder, Toolchain
from devnet.chain import Block
from devnet.runs.attacks import AttackOutcome, Holdings, judged
from devnet.runs.life import FAILED, PASSED, Facts, Life, Remains, saying
from devnet.runs.pace import WorkPace
from devnet.runs.session import Session, StepOutcome
from devnet.runs.world import World
from devnet.spec.loading import resolved_yaml
from devnet.spec.scenario import Scenario, scenario_yaml


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to; `to_json` is what `devnet run --json` prints."""

    verdict: str
    cluster: str
    scenario: str
    steps: tuple[StepOutcome, ...]
    last_block: Block
    remains: Remains
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
                    "unchecked_since": step.unchecked_since,
                }
                for step in self.steps
            ],
            "last_block": {"number": self.last_block.number, "hash": self.last_block.hash},
            **self.remains.to_json(),
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
    facts = Facts(
        scenario.name,
        cluster,
        scenario.seed,
        more={"attack": None},
        unsandboxed=scenario.network.unsandboxed,
    )
    faults: list[str] = []
    attack: AttackOutcome | None = None
    with Life.begin(folder, scenario.name, facts, saying(say)) as life:
        life.record.text("network.yaml", resolved_yaml(scenario.network))
        life.record.text("scenario.yaml", scenario_yaml(scenario, "network.yaml"))
        with World(
            scenario.network,
            cluster=cluster,
            run=life.record,
            state=life.state,
            devnet_id=folder.id,
            toolchain=toolchain,
            seed=scenario.seed,
            say=say,
        ) as world:
            facts.cluster = world.kind
            session = Session(world, WorkPace(world.scheduler, world.patience_blocks))
            before = Holdings.of(scenario.attack, world.readings)
            try:
                verdict = _carry_out(session, scenario, on_step)
                faults = world.checks.last_word()
                if scenario.attack is not None:
                    after = Holdings.of(scenario.attack, world.readings)
                    held = verdict == PASSED and not faults
                    attack = judged(scenario.attack, before, after, held=held)
                    faults += attack.faults if held else ()
                    facts.more["attack"] = attack.to_json()
                facts.verdict = FAILED if faults else verdict
            finally:
                if lost := world.losses():
                    facts.more["ended"] = lost
                head = session.head
                facts.last_block = {"number": head.number, "hash": head.hash}
    return RunResult(
        facts.verdict,
        facts.cluster,
        scenario.name,
        tuple(session.outcomes),
        head,
        life.remains,
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
