"""`devnet gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from devnet.cli import terminal
from devnet.cli.options import json_option

if TYPE_CHECKING:
    from devnet.daemon import Cleared


@click.command("gc")
@json_option
def command(as_json: bool) -> None:
    """Remove what killed devnets left here: processes, cgroups, sockets, partial files.

    Looks at every devnet of the nearest .devnet folder; those that run are left alone. A run that
    was cut short is sealed into a readable bundle. Exit 1 where something could not be ended.
    """
    from devnet.base.errors import CheckFailed
    from devnet.daemon import clear_all

    cleared = clear_all()
    if as_json:
        terminal.print_json({"devnets": [each.to_json() for each in cleared]})
    else:
        for each in cleared:
            print_cleared(each)
        if not cleared:
            terminal.print_text("no devnet here")
    if any(each.left for each in cleared):
        raise SystemExit(CheckFailed.exit_code)


def print_cleared(cleared: Cleared) -> None:
    """One devnet's leftovers, each on its line."""
    if cleared.running:
        terminal.print_text(f"{cleared.name}: runs, left alone")
        return
    if not cleared.anything:
        terminal.print_text(f"{cleared.name}: clean")
        return
    terminal.print_text(f"{cleared.name}: cleared")
    for kind, things in (
        ("ended process", cleared.processes),
        ("removed cgroup", cleared.cgroups),
        ("removed file", cleared.files),
        ("sealed", cleared.bundles),
        ("could not end", cleared.left),
    ):
        for thing in things:
            terminal.print_text(f"  {kind} {thing}")
