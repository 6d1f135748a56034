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
    from devnet.cli.files import BUNDLE_SUFFIX, bundle_path
    from devnet.runs.bundle import open_bundle
    from devnet.runs.folder import write_atomically
    from devnet.runs.report.page import render

    path = bundle_path(bundle)
    with open_bundle(path) as opened:
        page = render(opened, str(opened.manifest.get("verdict", "cut short")))
        verdict = str(opened.manifest.get("verdict", "cut short"))
    target = output or (
        path / "report.html"
        if path.is_dir()
        else path.with_name(path.name.removesuffix(BUNDLE_SUFFIX) + ".html")
    )
    write_atomically(target, page)
    if as_json:
        terminal.print_json({"bundle": str(path), "report": str(target), "verdict": verdict})
    else:
        terminal.print_line(str(target))
