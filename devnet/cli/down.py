"""`devnet down`."""

from __future__ import annotations

import click

from devnet.cli import terminal
from devnet.cli.gc import print_cleared
from devnet.cli.options import json_option, name_option


@click.command("down")
@name_option
@json_option
def command(name: str, as_json: bool) -> None:
    """Stop the devnet in order and seal its run; nothing of it is left running.

    Exit 1 where something could not be ended.
    """
    from pathlib import Path

    from devnet.base.errors import CheckFailed, UsageError
    from devnet.base.folder import DevnetFolder, check_name, names
    from devnet.cli.files import BUNDLE_SUFFIX
    from devnet.daemon import stop

    check_name(name)
    if name not in (there := names()):
        raise UsageError(
            f"nothing to stop: there is no devnet `{name}` here; there is: "
            + (", ".join(there) or "none"),
            hint=f"devnet down --name {there[0]}"
            if there
            else "run it in the folder where `devnet up` was run",
        )
    folder = DevnetFolder.existing(name)
    state = folder.state()
    cleared = stop(folder, terminal.say)
    run = state.get("run")
    bundle = f"{run}{BUNDLE_SUFFIX}" if run and Path(f"{run}{BUNDLE_SUFFIX}").exists() else None
    if as_json:
        document = {"name": name, "was_running": bool(state), "bundle": bundle}
        terminal.print_json(document | ({"left": cleared.left} if cleared.left else {}))
    else:
        if cleared.anything:
            print_cleared(cleared)
        terminal.print_text(f"{name}: down" if state else f"{name}: was not running")
        if bundle:
            terminal.print_text(f"bundle: {bundle}")
        elif run and Path(run).exists():
            terminal.print_text(f"no bundle was written; what was recorded is in {run}")
    if cleared.left:
        raise SystemExit(CheckFailed.exit_code)
