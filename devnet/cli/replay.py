"""`devnet replay`."""

from __future__ import annotations

import click

from devnet.cli import terminal
from devnet.cli.options import json_option


@click.command("replay")
@click.argument("bundle", required=False)
@json_option
def command(bundle: str | None, as_json: bool) -> None:
    """Rebuild every block of BUNDLE and compare the hashes; exit 5 at the first that differs.

    Without BUNDLE: the newest one here.
    """
    from devnet.base import Toolchain
    from devnet.cli.files import bundle_path
    from devnet.record.replay import replay

    path = bundle_path(bundle)
    result = replay(path, Toolchain(say=terminal.say), say=terminal.say)
    if as_json:
        terminal.print_json(result.to_json())
    else:
        last = result.last_block
        terminal.print_text(f"the same to block {last.number} {last.hash}")
        terminal.print_text(f"bundle     {path}")
