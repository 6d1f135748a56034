"""`devnet run`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from devnet.cli import terminal
from devnet.cli.numbers import SEED
from devnet.cli.options import cluster_option, json_option, set_option, unsandboxed_option

if TYPE_CHECKING:
    from devnet.base.folder import DevnetFolder
    from devnet.runs.runner import RunResult
    from devnet.runs.session import StepOutcome

SLOT = "run"


@click.command("run")
@click.argument("scenarios", nargs=-1, required=True)
@cluster_option
@set_option
@unsandboxed_option
@click.option("--seed", type=SEED, metavar="N", help="Instead of the scenario's own.")
@click.option(
    "--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML there."
)
@click.option("--keep", is_flag=True, help="Stay after the last step until Ctrl-C.")
@json_option
def command(
    scenarios: tuple[str, ...],
    cluster: str,
    overrides: dict[str, str],
    seed: int | None,
    junit: Path | None,
    keep: bool,
    as_json: bool,
) -> None:
    """Carry out SCENARIOS, each on a fresh devnet of its own; exit 1 when a step fails.

    A SCENARIO is a file, a folder (all of it, folders inside too but for hidden ones and networks),
    or the name of one that comes with devnet (full-loop). Each run leaves a bundle that `devnet
    replay` re-executes.
    """
    from devnet.base import Toolchain, UsageError
    from devnet.cli.files import scenario_files
    from devnet.cli.progress import print_attacks, print_summary, print_verdict, say_step
    from devnet.cli.slots import held_slot
    from devnet.spec.document import Fault, SpecError
    from devnet.spec.scenario import Scenario, load_scenario

    if seed is not None and "seed" in overrides:
        raise UsageError("the seed is given twice: --seed and --set seed")
    if seed is not None:
        overrides = overrides | {"seed": str(seed)}
    if junit is not None and not junit.absolute().parent.is_dir():
        raise UsageError(f"--junit: there is no folder {junit.absolute().parent}")
    loaded: list[Scenario] = []
    faults: list[Fault] = []
    for path in scenario_files(scenarios):
        try:
            loaded.append(load_scenario(path, overrides))
        except SpecError as error:
            faults += error.faults
    if faults:
        raise SpecError(faults)

    from devnet.cli.playing import play

    toolchain = Toolchain(say=terminal.say)
    results: list[RunResult] = []
    with held_slot(SLOT, cluster) as folder:
        for scenario in loaded:
            terminal.say(f"{scenario.name} ({scenario.path}), seed {scenario.seed}")
            on_step = _kept(folder, len(scenario.steps)) if keep else say_step
            result = play(scenario, cluster, folder, toolchain, on_step)
            results.append(result)
            if not as_json:
                print_verdict(result)
    if not as_json:
        print_attacks(results)
    if len(results) > 1 and not as_json:
        print_summary(results)
    if junit is not None:
        from devnet.runs.junit import write_junit

        write_junit(junit, results)
    if as_json:
        terminal.print_json(document(results))
    leave_if_failed(results, as_json=as_json)


def _kept(folder: DevnetFolder, steps: int) -> Callable[[StepOutcome], None]:
    """Tell each step, and stay in the last one, or in the one that failed, until Ctrl-C."""
    from devnet.cli.progress import say_step

    def on_step(outcome: StepOutcome) -> None:
        say_step(outcome)
        if outcome.ok and outcome.index < steps:
            return
        terminal.say(f"kept as it is until Ctrl-C; files in {folder.path}")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()

    return on_step


def leave_if_failed(results: list[RunResult], *, as_json: bool) -> None:
    """Exit code 1 when a run did not pass; its own lines have told it already."""
    from devnet.base import CheckFailed

    failed = [result.scenario for result in results if not result.ok]
    if failed and not as_json and len(results) > 1:
        raise CheckFailed(f"{len(failed)} of {len(results)} failed: {', '.join(failed)}")
    if failed:
        raise SystemExit(CheckFailed.exit_code)


def document(results: list[RunResult]) -> dict[str, Any]:
    """What `--json` prints: the run, or all of them under one verdict."""
    if len(results) == 1:
        return results[0].to_json()
    return {
        "verdict": "passed" if all(result.ok for result in results) else "failed",
        "seconds": round(sum(result.seconds for result in results), 3),
        "attacks": [result.attack.to_json() for result in results if result.attack is not None],
        "runs": [result.to_json() for result in results],
    }
