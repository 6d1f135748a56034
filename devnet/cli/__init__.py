"""The command line: `devnet …`, the same as `ape devnet …`.

Lazy, since `devnet --help` must answer in under 0.2 s: a command's module is imported when the
command is used, and step verbs are made from the registry of `devnet.spec` then.
"""

from __future__ import annotations

import sys


def main() -> None:
    """The console script; ends the process with the README's exit codes."""
    try:
        from devnet.base.environment import keep_loopback_direct
        from devnet.base.streams import hold_standard_streams
        from devnet.cli.ape import cli

        hold_standard_streams()
        keep_loopback_direct()
        cli(prog_name="devnet")
    except KeyboardInterrupt:  # before there was anybody to take it
        print("error: interrupted", file=sys.stderr)
        sys.exit(130)
