"""`devnet demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from devnet.cli import terminal
from devnet.cli.options import cluster_option, json_option

if TYPE_CHECKING:
    from devnet.base import Toolchain
    from devnet.base.folder import DevnetFolder
    from devnet.runs.runner import RunResult
    from devnet.spec.scenario import Scenario

SLOT = "demo"
SIM = "sim"


@click.command("demo")
@cluster_option
@json_option
def command(cluster: str, as_json: bool) -> None:
    """Play the full loop: stake, measure, publish, order, serve, slash, reward, claim.

    It plays on sim at once. Where the control plane of native has to be built first, that runs
    beside it; then the same scenario is played on the best cluster this machine serves. Ends in a
    ledger, a verdict and a report.
    """
    from devnet.base import Toolchain
    from devnet.cli.build import ControlPlaneBuild
    from devnet.cli.files import FULL_LOOP, scenario_files
    from devnet.cli.run import document, leave_if_failed
    from devnet.cli.slots import held_slot
    from devnet.runs.clusters import choose
    from devnet.spec.scenario import load_scenario

    (path,) = scenario_files((FULL_LOOP,))
    scenario = load_scenario(path)
    toolchain = Toolchain(say=terminal.say)
    best, reason = choose(cluster, toolchain)
    with held_slot(SLOT, cluster) as folder:
        with ControlPlaneBuild(folder, toolchain, needed=best.name != SIM) as build:
            results = [_play(scenario, SIM, folder, toolchain, as_json)]
            if best.name != SIM and results[0].ok:
                build.wait()
                terminal.say(f"now the same on real Kubernetes ({reason})")
                results.append(_play(scenario, best.name, folder, toolchain, as_json))
            elif cluster != SIM:
                terminal.say(reason)
    if as_json:
        terminal.print_json(document(results))
    leave_if_failed(results, as_json=as_json)


def _play(
    scenario: Scenario, cluster: str, folder: DevnetFolder, toolchain: Toolchain, as_json: bool
) -> RunResult:
    from devnet.cli.ledger import print_ledger
    from devnet.cli.playing import play
    from devnet.cli.progress import print_verdict, say_step

    steps = f"{len(scenario.steps)} steps, more than a day of protocol time"
    terminal.say(f"playing {scenario.name} on {cluster}: {steps}")
    result = play(scenario, cluster, folder, toolchain, say_step)
    if not as_json:
        print_ledger(result.remains.bundle)
        print_verdict(result)
        terminal.print_line()
    return result
