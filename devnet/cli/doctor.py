"""`devnet doctor`."""

from __future__ import annotations

import click

from devnet.cli import terminal
from devnet.cli.options import json_option


@click.command("doctor")
@click.option("--install", is_flag=True, help="Get what is missing for sim now (npm, PyPI).")
@click.option("--native", is_flag=True, help="With --install: what native needs as well.")
@json_option
def command(install: bool, native: bool, as_json: bool) -> None:
    """Say what this machine has and lacks: version, path, size, and the command that mends it.

    Looks only; --install gets what is missing, announced with size and time.
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
        terminal.print_json({"ok": not lacking, "parts": [part.as_json() for part in parts]})
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
    if lacking and not as_json:
        raise MachineLacks(f"devnet cannot run here without: {', '.join(lacking)}")
    if lacking:
        raise SystemExit(MachineLacks.exit_code)
