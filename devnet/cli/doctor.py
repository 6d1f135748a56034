"""`devnet doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from devnet.cli import terminal
from devnet.cli.options import json_option

if TYPE_CHECKING:
    from devnet.base import Toolchain


@click.command("doctor")
@click.option("--install", is_flag=True, help="Get what is missing for sim now (npm, PyPI).")
@click.option("--native", is_flag=True, help="With --install: what native needs as well.")
@json_option
def command(install: bool, native: bool, as_json: bool) -> None:
    """Say what this machine has and lacks: version, path, size, and the command that mends it.

    Looks only; --install gets what is missing, announced with size and time. Where native's
    programs are there, a node tries what it would enforce here, as it does for `devnet up`.
    """
    from devnet.base import MachineLacks, Toolchain, doctor_report

    toolchain = Toolchain(say=terminal.say)
    if native and not install:
        raise click.UsageError("--native goes with --install")
    if install:
        toolchain.solc_environment()  # node, anvil, solc and the libraries
        if native:
            toolchain.controlplane()
            toolchain.bubblewrap()
    parts = doctor_report(toolchain)
    lacking = [part.name for part in parts if part.needed and not part.found]
    if as_json:
        document = {"ok": not lacking, "parts": [part.as_json() for part in parts]}
        terminal.print_json(document | {"native": _tried(toolchain)})
    else:
        rows = [
            (
                part.name,
                "found" if part.found else "missing",
                part.version,
                terminal.size_text(part.size_bytes),
                part.note or part.path,
            )
            for part in parts
        ]
        terminal.print_table(("part", "", "version", "size", "where"), rows, right=("size",))
        mends = [(part.name, part.mend) for part in parts if part.mend]
        if mends:
            terminal.print_line()
            terminal.print_table(("to mend", "run"), mends)
        tried = [(word, said) for word, told in _tried(toolchain).items() for said in told]
        if tried:
            terminal.print_line()
            terminal.print_table(("native", "says a node that tried it here"), tried)
    if lacking and not as_json:
        raise MachineLacks(f"devnet cannot run here without: {', '.join(lacking)}")
    if lacking:
        raise SystemExit(MachineLacks.exit_code)


def _tried(toolchain: Toolchain) -> dict[str, list[str]]:
    """`enforced` and `narrowed`, or `refused` in the machine's words with what would hold
    `unsandboxed`; empty where nothing was tried because native's programs are not there yet."""
    from cluster.errors import ClusterLacks
    from cluster.native.trial import try_node
    from devnet.base.bubblewrap import find_bubblewrap

    tools, bubblewrap = toolchain.controlplane_cached(), find_bubblewrap(toolchain.store)
    if tools is None or bubblewrap is None:
        return {}
    try:
        said = try_node(tools, bubblewrap)
    except ClusterLacks as error:
        return {"refused": [str(error)], "unsandboxed": _unsandboxed(tools)}
    return {"enforced": list(said.enforced), "narrowed": list(said.narrowed)}


def _unsandboxed(tools: Path) -> list[str]:
    """What a node of plain processes says, or why there can be none either."""
    from cluster.errors import ClusterLacks
    from cluster.native.trial import try_node

    try:
        said = try_node(tools, None)
    except ClusterLacks as error:
        return [str(error)]
    return ["--unsandboxed would do:", *said.enforced, *said.narrowed]
