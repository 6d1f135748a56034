"""Every number of every option has two ends; `nan` is no number, and nothing spins over one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import pytest

from devnet.base import UsageError
from devnet.cli.ape import cli
from devnet.cli.catalogue import COMMANDS, STEPS
from devnet.cli.numbers import Decimal, Duration, Whole
from devnet.daemon.naming import step_of
from devnet.spec.loading import load_network
from tests.cli.conftest import ROOT, Shell
from tests.spec.test_numbers import HOSTILE


def options() -> Iterator[tuple[str, click.Parameter]]:
    """(command, parameter) of all that is no step; the values of steps are read as a file's."""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for parameter in command.params:
            yield name, parameter


NUMERIC = [
    pytest.param(name, parameter, id=f"{name} {parameter.opts[0]}")
    for name, parameter in options()
    if isinstance(parameter.type, Whole | Decimal | Duration)
]


def test_no_option_has_a_number_without_ends() -> None:
    plain = (click.types.IntParamType, click.types.FloatParamType)
    bounded = (Whole, Decimal)
    unbounded = [
        f"{name} {parameter.opts[0]}"
        for name, parameter in options()
        if isinstance(parameter.type, plain) and not isinstance(parameter.type, bounded)
    ]
    assert unbounded == []
    assert {str(param.id) for param in NUMERIC} >= {
        *("up --block-time", "up --seed", "run --seed", "load --users", "load --time"),
        *("load --block-time", "economics --years", "economics --seed", "logs -n"),
    }


@pytest.mark.parametrize(("name", "parameter"), NUMERIC)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_number_is_within_its_ends_or_refused_by_name(
    name: str, parameter: click.Parameter, text: str
) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    needed = ["x" for p in command.params if isinstance(p, click.Argument) and p.required]
    kind = parameter.type
    assert isinstance(kind, Whole | Decimal | Duration)
    try:
        with command.make_context(name, [*needed, f"{parameter.opts[0]}={text}"]) as context:
            value: Any = context.params[str(parameter.name)]
    except click.BadParameter as error:
        assert error.param is parameter
        return
    least, most = (kind.least, kind.most) if isinstance(kind, Duration) else (kind.min, kind.max)
    assert least is not None and most is not None
    assert least <= value <= most


BLOCK_TIMES = [each for each in NUMERIC if each.values[1].opts[0] == "--block-time"]


@pytest.mark.parametrize(("name", "parameter"), BLOCK_TIMES)
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 60), ("60s", 60), ("0.25", 0.25), ("1m", 60), ("1x", None), ("s", None), ("2d", None)],
)
def test_seconds_may_bear_their_unit(
    name: str, parameter: click.Parameter, text: str, seconds: float | None
) -> None:
    if seconds is None:
        with pytest.raises(click.BadParameter, match=repr(text) if text != "2d" else "172800"):
            parameter.type.convert(text, parameter, None)
    else:
        assert parameter.type.convert(text, parameter, None) == seconds


@pytest.mark.parametrize(("name", "parameter"), BLOCK_TIMES)
@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e41", "0", "-3", "86400.5"])
def test_what_is_outside_is_named_as_it_was_typed(
    name: str, parameter: click.Parameter, text: str
) -> None:
    with pytest.raises(click.BadParameter) as refused:
        parameter.type.convert(text, parameter, None)
    assert isinstance(parameter.type, Decimal) and parameter.type.max is not None
    ends = f"from 0.05 to {parameter.type.max:g}"
    assert refused.value.message == f"{text} is not in the range {ends}"


@pytest.mark.parametrize("name", STEPS)
def test_a_step_takes_a_number_or_refuses_it(name: str) -> None:
    """As the daemon reads it, without a daemon for each."""
    network = load_network(ROOT / "e2e" / "networks" / "small.yaml", environment={})
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    keys = {str(p.name).partition("_")[2] for p in command.params if str(p.name)[:3] != "nam"}
    for key in keys - {"json", ""}:
        for text in HOSTILE:
            try:
                step_of({STEPS[name].verb: {key: text}}, network)
            except UsageError as error:
                assert str(error)


@pytest.mark.parametrize(
    "words",
    [
        "up tiny --block-time nan",
        "up tiny --block-time inf",
        "up tiny --set cycle.blocks=1e41",
        "load --time 0s",
        "load --time 1e41d",
        "load --users 1e41",
        "run full-loop --seed -1",
        "run full-loop --set scale=2",
        "economics --years nan",
        "config small --set chain.chain_id=18446744073709551616",
        "config small --set parameters.timelock=3651d",
    ],
)
def test_the_process_says_so_at_once(devnet: Shell, words: str) -> None:
    ended = devnet(*words.split(), seconds=20)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: ") and "Traceback" not in ended.err
    named = words.split()[-2] if "--set" not in words else words.split()[-1].partition("=")[0]
    assert named in ended.err
    assert list(devnet.folder.glob("**/runs/*")) == []
