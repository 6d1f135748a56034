"""The command line: `devnet …`, the same as `ape devnet …`.

Lazy, since `devnet --help` must answer in under 0.2 s: a command's module is imported when the
command is used, and step verbs are made from the registry of `devnet.spec` then.
"""

from __future__ import annotations


def main() -> None:
    """The console script; ends the process with the README's exit codes."""
    from devnet.base.environment import keep_loopback_direct
    from devnet.cli.ape import cli
    from devnet.cli.terminal import hold_standard_streams

    hold_standard_streams()
    keep_loopback_direct()
    cli(prog_name="devnet")
