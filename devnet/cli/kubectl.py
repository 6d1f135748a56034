"""`devnet kubectl …`."""

from __future__ import annotations

import os

import click

from devnet.cli import terminal
from devnet.cli.options import name_option


@click.command(
    "kubectl",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    add_help_option=False,
)
@name_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(name: str, arguments: tuple[str, ...]) -> None:
    """kubectl on the devnet's control plane; all ARGUMENTS are its own.

    For a devnet of another name: devnet kubectl --devnet NAME get nodes.
    """
    from devnet.base import Toolchain, UsageError
    from devnet.base.folder import DevnetFolder
    from devnet.daemon import Caller

    status = Caller(DevnetFolder.existing(name)).ask("status")
    if not status["kubeconfig"]:
        raise UsageError(
            f"the devnet `{name}` runs on {status['cluster']}, which has no Kubernetes API",
            hint="devnet down, then: devnet up --cluster native",
        )
    for sentence in status["ended"]:  # its own words would be "connection refused"
        terminal.say(sentence)
    program = Toolchain(say=terminal.say).controlplane() / "kubectl"
    environment = os.environ | {"KUBECONFIG": status["kubeconfig"]}
    os.execve(program, ["kubectl", *arguments], environment)  # noqa: S606
