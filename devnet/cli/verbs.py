"""Every step of the registry as a command that acts on the running devnet.

A step is checked by the daemon, so a command that is carried out needs its words alone; only what
help and completion tell is read from the step's model, whose import takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from devnet.cli import terminal
from devnet.cli.options import devnet_option, json_option
from devnet.spec.verbs import words_of

if TYPE_CHECKING:
    from devnet.spec.registry import Step


def command_of(verb: str) -> click.Command:
    """The command of a step: its positional subjects, an option a field, --devnet, --json.

    It is made of the step's words; what it tells of itself it asks `described` for.
    """
    words = words_of(verb)
    if words is None:
        return described(verb)
    options = [click.Option(_names(key)) for key in words.keys]
    return _command(verb, words.positional, options, cls=_Undescribed)


def described(verb: str) -> click.Command:
    """The same with its descriptions, from the step's model."""
    from devnet.spec import STEPS

    model = STEPS[verb]
    options = [_option(key, model) for key in _keys(model)]
    return _command(verb, model.positional, options, help=(model.__doc__ or "").strip())


class _Undescribed(click.Command):
    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        described(_verb(self)).format_help(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        return described(_verb(self)).shell_complete(ctx, incomplete)


def _verb(command: click.Command) -> str:
    return str(command.name).replace("-", "_")


def _command(
    verb: str,
    positional: Iterable[str],
    options: Sequence[click.Option],
    cls: type[click.Command] = click.Command,
    **more: Any,
) -> click.Command:
    @click.pass_context
    def act(ctx: click.Context, /, name: str, as_json: bool, **given: Any) -> None:
        _perform(ctx, verb, name, as_json, given)

    body: Callable[..., Any] = json_option(devnet_option(act))
    command = click.command(verb.replace("_", "-"), cls=cls, **more)(body)
    arguments = [
        click.Argument([_parameter(key, "of")], required=False, metavar=f"[{key.upper()}]")
        for key in positional
    ]
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
    outcome = Caller(DevnetFolder.existing(name)).ask("step", terminal.say, step={verb: values})
    first, last = outcome["blocks"]
    blocks = f"block {last}" if first == last else f"blocks {first} to {last}"
    if as_json:
        terminal.print_json(outcome)
        if not outcome["ok"]:
            raise SystemExit(CheckFailed.exit_code)
    elif not outcome["ok"]:
        raise CheckFailed(f"{verb}: {outcome['failure']}")
    else:
        terminal.print_text(f"{verb}: {outcome['did']} ({blocks}, {outcome['seconds']:.1f} s)")


def _keys(model: type[Step]) -> list[str]:
    """The fields under the names a file uses (`from`, not `source`); of a list, the list alone."""
    if model.listed:
        return [model.listed]
    keys = [field.alias or key for key, field in model.model_fields.items()]
    return sorted(keys, key=lambda key: key in _LAST)


def _option(key: str, model: type[Step]) -> click.Option:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    schema = model.model_json_schema(by_alias=True)["properties"][key]
    told = fields[key].description or schema.get("description") or _DESCRIPTIONS.get(key, "")
    return click.Option(_names(key), metavar=_metavar(key, schema), help=_sentence(told))


def _names(key: str) -> list[str]:
    """The option of a key, and its parameter."""
    return [f"--{key.replace('_', '-')}", _parameter(key, "as")]


MOST_SPELLED_OUT = 40  # characters of choices in the place of a value
_LAST = ("expect_error",)
_METAVARS = {"expect_error": "ERROR"}
# Of fields that say nothing of themselves.
_DESCRIPTIONS = {
    "amount": "how much",
    "blocks": "so many blocks",
    "change": "by so much of what it asks now",
    "client": "a client of the network file",
    "commission": "the operator's part of the rewards; absent: none",
    "cycle": "which one; absent: all past ones",
    "duration": "how long the order runs; absent: as long as one may",
    "event": "one that the last step left on chain",
    "expect_error": "the contract's error it must be rejected with",
    "feed": "a feed of the network file",
    "from": "who pays; absent: the treasury",
    "function": "a function of the contract",
    "member": "a client of the network file",
    "months": "the period",
    "name": "what later steps call it; absent: the service's name",
    "operator": "the client that opens it",
    "oracle": "an oracle node of the network file",
    "order": "an order's name",
    "path": "of the URL; absent: /",
    "payload": "what the service is given",
    "pool": "a pool's name",
    "proposal": "a proposal's name",
    "resource": "a resource that has a price",
    "invariants": "all of them hold",
    "level": "2 for malice, 3 for a security risk",
    "model": "contracts and model agree",
    "service": "a service of the network file",
    "stake": "of the worker's node",
    "time": "so long, in whole blocks",
    "times": "how often; absent: once",
    "upheld": "true or false",
    "usd": "in dollars",
    "vendor": "a vendor of prices",
    "worker": "a worker, several with commas, or all",
}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _metavar(key: str, schema: dict[str, Any]) -> str:
    for choice in (schema, *schema.get("anyOf", ())):
        if "enum" in choice:
            choices = "|".join(map(str, choice["enum"]))
            return choices if len(choices) <= MOST_SPELLED_OUT else key.upper()
        if choice.get("examples"):
            return f"'{choice['examples'][0]}'"
    whole = any(choice.get("type") == "integer" for choice in (schema, *schema.get("anyOf", ())))
    return "N" if whole else _METAVARS.get(key, key.upper())


def _parameter(key: str, role: str) -> str:
    """A Python name of its own: `from` is none, and a key may be positional and an option."""
    return f"{role}_{key}"


def _value(text: str) -> Any:
    """Text as it is; `{…}` and `[…]` as YAML with texts inside."""
    if text[:1] in "{[" and text:
        import yaml

        try:
            return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  makes texts only
        except yaml.YAMLError:
            return text
    return text
