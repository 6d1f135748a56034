"""Every step of the registry as a command that acts on the running devnet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import yaml

from devnet.cli import terminal
from devnet.cli.options import json_option
from devnet.spec import STEPS
from devnet.spec.registry import Step


def command_of(verb: str) -> click.Command:
    """The command of a step: its positional subjects, an option a field, --devnet, --json."""
    model = STEPS[verb]
    arguments = [
        click.Argument([_parameter(key, "of")], required=False, metavar=f"[{key.upper()}]")
        for key in model.positional
    ]
    options = [_option(key, model) for key in _keys(model)]

    @click.pass_context
    def act(ctx: click.Context, /, name: str, as_json: bool, **given: Any) -> None:
        _perform(ctx, verb, name, as_json, given)

    body: Callable[..., Any] = json_option(_devnet_option(act))
    command = click.command(verb.replace("_", "-"), help=_help(model))(body)
    command.params = [*arguments, *options, *command.params]
    return command


def _perform(
    ctx: click.Context, verb: str, name: str, as_json: bool, given: dict[str, Any]
) -> None:
    from devnet.base import CheckFailed
    from devnet.base.folder import DevnetFolder
    from devnet.daemon import Caller

    values: dict[str, Any] = {}
    for parameter, value in given.items():
        if value is None:
            continue
        key = parameter.partition("_")[2]
        if key in values:
            raise click.UsageError(f"'{key}' was given twice", ctx)
        values[key] = _value(value)
    outcome = Caller(DevnetFolder.existing(name)).ask(
        "step", terminal.Milestones(), step={verb: values}
    )
    first, last = outcome["blocks"]
    blocks = f"block {last}" if first == last else f"blocks {first} to {last}"
    if as_json:
        terminal.print_json(outcome)
        if not outcome["ok"]:
            raise SystemExit(CheckFailed.exit_code)
    elif not outcome["ok"]:
        raise CheckFailed(f"{verb}: {outcome['failure']}")
    else:
        terminal.print_line(f"{verb}: {outcome['did']} ({blocks}, {outcome['seconds']:.1f} s)")


def _keys(model: type[Step]) -> list[str]:
    """The fields under the names a file uses (`from`, not `source`); of a list, the list alone."""
    if model.listed:
        return [model.listed]
    return [field.alias or key for key, field in model.model_fields.items()]


def _option(key: str, model: type[Step]) -> click.Option:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    schema = model.model_json_schema(by_alias=True)["properties"][key]
    help_text = fields[key].description or schema.get("description") or _DESCRIPTIONS.get(key, "")
    return click.Option(
        [f"--{key.replace('_', '-')}", _parameter(key, "as")],
        metavar=_metavar(key, schema),
        help=help_text,
    )


MOST_SPELLED_OUT = 40  # characters of choices in the place of a value
_DESCRIPTIONS = {
    "expect_error": "the contract's error it must be rejected with",
    "worker": "a worker, several with commas, or all",
}


def _metavar(key: str, schema: dict[str, Any]) -> str:
    for choice in (schema, *schema.get("anyOf", ())):
        if "enum" in choice:
            choices = "|".join(map(str, choice["enum"]))
            return choices if len(choices) <= MOST_SPELLED_OUT else key.upper()
        if choice.get("examples"):
            return f"'{choice['examples'][0]}'"
    whole = any(choice.get("type") == "integer" for choice in (schema, *schema.get("anyOf", ())))
    return "N" if whole else key.upper()


def _parameter(key: str, role: str) -> str:
    """A Python name of its own: `from` is none, and a key may be positional and an option."""
    return f"{role}_{key}"


def _value(text: str) -> Any:
    """Text as it is; `{…}` and `[…]` as YAML with texts inside."""
    if text[:1] in "{[" and text:
        try:
            return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  makes texts only
        except yaml.YAMLError:
            return text
    return text


def _help(model: type[Step]) -> str:
    return (model.__doc__ or "").strip()


def _devnet_option(body: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--devnet",
        "name",
        default="default",
        envvar="KOMPUTE_DEVNET",
        show_default=True,
        metavar="NAME",
        help="The devnet, a folder of .devnet/.",
    )(body)
