"""Options that several commands share."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from devnet.cli.failures import JSON_ASKED, hinted

Body = TypeVar("Body", bound=Callable[..., Any])
AUTO = "auto"
UNSANDBOXED = "unsandboxed"


def cluster_names() -> tuple[str, ...]:
    """What `--cluster` takes."""
    from cluster.providers import names

    return (AUTO, *names())


def _remember(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    if value:
        ctx.meta[JSON_ASKED] = True
    return value


def json_option(body: Body) -> Body:
    """`--json`: the result as one object on stdout."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=_remember,
        help="Print the result as one JSON object.",
    )(body)


def name_option(body: Body) -> Body:
    """Which devnet."""
    return _of_devnet(body, "--name", "--devnet")


def devnet_option(body: Body) -> Body:
    """Which devnet, where a step has a `--name` of its own."""
    return _of_devnet(body, "--devnet")


def _of_devnet(body: Body, *spelled: str) -> Body:
    return click.option(
        *spelled,
        "name",
        default="default",
        envvar="KOMPUTE_DEVNET",
        show_default=True,
        metavar="NAME",
        help="The devnet, a folder of .devnet/.",
    )(body)


def known_cluster(ctx: click.Context, _: click.Parameter, value: str) -> str:
    """Refuses a cluster nobody knows before anything is made or imported."""
    known = cluster_names()
    if value not in known:
        close = difflib.get_close_matches(value, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
        raise hinted(click.UsageError(f"no cluster named '{value}'", ctx), hint)
    return value


def cluster_option(body: Body) -> Body:
    return click.option(
        "--cluster",
        default="auto",
        callback=known_cluster,
        show_default=True,
        metavar="|".join(cluster_names()),
        help="What the nodes are; auto takes the best this machine serves.",
    )(body)


def _overrides(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        path, equals, text = value.partition("=")
        if not equals or not path:
            what = f"{value[:80]!r} is not path=value, such as cycle.blocks=140"
            raise click.BadParameter(what, ctx, parameter)
        if path in found:
            raise click.BadParameter(f"'{path[:80]}' is set twice", ctx, parameter)
        found[path] = text
    return found


def unsandboxed_option(body: Body) -> Body:
    """`--unsandboxed`, of a command with `--set`, whose mapping then has it."""

    @functools.wraps(body)
    def told(*args: Any, overrides: dict[str, str], unsandboxed: bool, **more: Any) -> Any:
        if unsandboxed:
            if UNSANDBOXED in overrides:
                raise click.UsageError(
                    f"it is said twice whether it is unsandboxed: --{UNSANDBOXED} and "
                    f"--set {UNSANDBOXED}"
                )
            overrides = {**overrides, UNSANDBOXED: "true"}
        return body(*args, overrides=overrides, **more)

    return click.option(
        f"--{UNSANDBOXED}",
        is_flag=True,
        help="native: pods are plain processes that do whatever you may; for a machine that "
        "allows no sandbox.",
    )(told)  # type: ignore[return-value]


def set_option(body: Body) -> Body:
    """`--set path=value`, repeatable; gives a mapping."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        callback=_overrides,
        metavar="PATH=VALUE",
        help="Override a value of the file, such as cycle.blocks=140; repeatable.",
    )(body)
