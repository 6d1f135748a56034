"""Writes the reference of the command line: `python -m devnet.cli.reference [FILE]`.

Everything but the short frame is taken from the commands themselves; a test holds the published
page equal to this.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from devnet.cli.ape import cli
from devnet.cli.catalogue import COMMANDS, STEPS
from devnet.cli.verbs import described

DEFAULT_FILE = Path("docs/reference/cli.md")

_HEAD = """\
# Command line

`./run ARGUMENTS` in a checkout, `devnet ARGUMENTS` where the package is installed and
`ape devnet ARGUMENTS` are the same. This page is written by `python -m devnet.cli.reference`.

Results go to stdout, progress to stderr. `--json` prints one object on stdout, also where a command
fails. `NO_COLOR` is obeyed. Text for people is wrapped at the terminal's width, up to 100 columns,
and at 80 where there is none; `COLUMNS` overrides both. What takes long says so: on a terminal in
one line that is written over, elsewhere after 10, 30 and 60 s, then each minute.

## Exit codes

| code | meaning |
|---|---|
| 0 | all went well |
| 1 | a check failed: an expectation, an invariant, the model, a request |
| 2 | usage error, or a fault in a network or scenario file |
| 3 | the machine lacks something; the message names the command that mends it |
| 4 | a part did not start, or died |
| 5 | a replay diverged, or a bundle was altered |
| 130 | interrupted (Ctrl-C) |

## Environment

| variable | meaning |
|---|---|
| `KOMPUTE_DEVNET` | the default of `--name` and `--devnet` |
| `KOMPUTE_CACHE` | where tools and built things are kept ([caches](../how-to/caches.md)) |
| `KOMPUTE_SET_…` | overrides of a file ([change a network](../how-to/change-a-network.md)) |
| `NO_COLOR` | no colours |
| `PYTHON` | the interpreter `./run` starts with; `python3` otherwise |
"""


def reference() -> str:
    """The whole page."""
    parts = [_HEAD, "## Commands\n"]
    parts += [_section(name) for name in COMMANDS]
    parts.append(
        "## Steps on a running devnet\n\nEach is a step of a [scenario](scenario.md) of the same "
        "name, with the same keys as\noptions. What stands in brackets may be given without its "
        "option.\n"
    )
    parts += [_section(name) for name in STEPS]
    return "\n".join(parts)


def _section(name: str) -> str:
    context = click.Context(cli, info_name="devnet")
    command = described(STEPS[name].verb) if name in STEPS else cli.get_command(context, name)
    assert command is not None
    inner = click.Context(command, info_name=name, parent=context)
    usage = " ".join(command.collect_usage_pieces(inner))
    lines = [f"### {name}\n", f"`devnet {name} {usage}`\n", _text(command), ""]
    rows = list(_options(command, inner))
    if rows:
        lines += ["| option | meaning | default |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _text(command: click.Command) -> str:
    paragraphs = (command.help or "").strip().split("\n\n")
    return "\n\n".join("\n".join(line.strip() for line in p.splitlines()) for p in paragraphs)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        if not isinstance(parameter, click.Option) or "--help" in parameter.opts:
            continue
        names = ", ".join(f"`{name}`" for name in parameter.opts)
        metavar = "" if parameter.is_flag else f" {_cell(_metavar(parameter))}"
        default = _default(parameter)
        yield f"| {names}{metavar} | {_cell(parameter.help or '')} | {default} |"


def _metavar(option: click.Option) -> str:
    # Not click's own `make_metavar`, whose arguments differ between its releases.
    return option.metavar or option.type.name.partition(" ")[0].upper()


def _default(option: click.Option) -> str:
    shown = option.show_default and option.default is not None and not option.is_flag
    return f"`{option.default}`" if shown else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FILE
    target.write_text(reference(), encoding="utf-8")
    print(target)
