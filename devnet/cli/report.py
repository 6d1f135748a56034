"""`devnet report`."""

from __future__ import annotations

from pathlib import Path

import click

from devnet.cli import terminal
from devnet.cli.options import json_option


@click.command("report")
@click.argument("bundle", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it."
)
@json_option
def command(bundle: str | None, output: Path | None, as_json: bool) -> None:
    """Write the HTML report of BUNDLE (or of a run's folder) again, and say where it is.

    Without BUNDLE: of the newest one here.
    """
    from devnet.cli.files import bundle_path
    from devnet.record.bundle import open_bundle
    from devnet.record.folder import write_atomically
    from devnet.report.page import render, write_report

    path = bundle_path(bundle)
    with open_bundle(path) as opened:
        verdict = str(opened.manifest.get("verdict", "cut short"))
        for note in opened.notes:
            terminal.say(note)
        if output is not None:
            write_atomically(output, render(opened, verdict))
    page = output or write_report(path)
    if as_json:
        terminal.print_json({"bundle": str(path), "report": str(page), "verdict": verdict})
    else:
        terminal.print_line(str(page))
