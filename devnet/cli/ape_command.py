"""`devnet ape …`."""

from __future__ import annotations

import os

import click

from devnet.cli import terminal
from devnet.cli.options import name_option


@click.command(
    "ape",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    add_help_option=False,
)
@name_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(name: str, arguments: tuple[str, ...]) -> None:
    """Ape on the running devnet; all ARGUMENTS are its own, such as: devnet ape console.

    It works in the project with the contracts. Where no devnet runs, what needs no chain works
    (compile, test).
    """
    from devnet.base import Toolchain
    from devnet.daemon.caller import Caller
    from devnet.deploy.compilation import APE

    toolchain = Toolchain(say=terminal.say)
    environment = os.environ | toolchain.solc_environment()
    status = _status(name, Caller)
    if status is None:
        terminal.say(f"no devnet `{name}` runs: Ape starts a chain of its own")
    else:
        environment["APE_FOUNDRY_HOST"] = str(status["rpc"])
        environment["KOMPUTE_DEVNET_RUN"] = str(status["run"])
    os.chdir(toolchain.ape_project())
    os.execve(APE[0], [*APE, *arguments], environment)  # noqa: S606


def _status(name: str, caller: type) -> dict[str, object] | None:
    from devnet.base import UsageError
    from devnet.base.folder import DevnetFolder

    try:
        found: dict[str, object] = caller(DevnetFolder.existing(name)).ask("status")
    except UsageError:
        return None
    return found
