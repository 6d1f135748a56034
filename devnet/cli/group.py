"""The root group: commands imported on use, failures told in one way, signals as exit codes."""

from __future__ import annotations

import difflib
import os
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from devnet.base.environment import OVERRIDE_PREFIX
from devnet.base.telling import columns
from devnet.cli import failures, terminal
from devnet.cli.catalogue import COMMANDS, ENTRIES, STEPS, entry_of

FIRST = ("demo", "doctor", "up", "status", "down", "run", "replay", "load", "economics")


def first_screen() -> list[str]:
    """What `devnet` alone says: where to begin, and where the rest is."""
    width = max(map(len, FIRST))
    return [
        "A local devnet of the Kompute protocol. Begin with: devnet demo",
        "",
        *(f"  {name.ljust(width)}  {COMMANDS[name].help}" for name in FIRST),
        "",
        f"devnet --help lists all {len(COMMANDS)} commands, and {len(STEPS)} steps for a running "
        "devnet.",
    ]


def reads_overrides(command: click.Command) -> bool:
    """Whether a command reads a network or scenario file, which `KOMPUTE_SET_…` may override."""
    return command.name == "demo" or any(option.name == "overrides" for option in command.params)


def tell_unused(command: click.Command) -> None:
    """Nothing that was set is passed over in silence, though a shell may have it set for others."""
    unused = sorted(name for name in os.environ if name.startswith(OVERRIDE_PREFIX))
    if unused:
        verb = "is" if len(unused) == 1 else "are"
        terminal.say(f"{', '.join(unused)} {verb} not used: {command.name} reads no file")


class LazyGroup(click.Group):
    """A click group that knows its commands' names and helps by the catalogue alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = entry_of(cmd_name)
        if entry is None:
            return None
        if entry.verb:
            from devnet.cli.verbs import command_of

            return command_of(entry.verb)
        command: click.Command = import_module(f"devnet.cli.{entry.module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if entry_of(args[0]) is None and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], ENTRIES, n=1)
            error = click.UsageError(f"no command '{args[0]}'", ctx)
            raise failures.hinted(error, f"did you mean '{close[0]}'?" if close else "")
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing and not reads_overrides(command):
            tell_unused(command)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, entries in (("Commands", COMMANDS), ("Steps on a running devnet", STEPS)):
            with formatter.section(title):
                formatter.write_dl([(entry.name, entry.help) for entry in entries.values()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [
            CompletionItem(entry.name, help=entry.help)
            for entry in ENTRIES.values()
            if entry.name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        extra.setdefault("terminal_width", columns())  # of every help below
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with failures.told(ctx):
            return super().invoke(ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            for line in first_screen():
                terminal.print_line(line)
            ctx.exit()
        with failures.told(ctx):
            return super().parse_args(ctx, args)
