"""What is kept short for speed is equal to what it stands for."""

from __future__ import annotations

import click

from cluster.providers import names
from devnet.cli.options import cluster_names
from devnet.cli.verbs import command_of, described
from devnet.runs.clusters import AUTO
from devnet.spec import STEPS
from devnet.spec.fields import Name, Positive
from devnet.spec.registry import Step, step


def test_the_clusters_of_the_option_are_those_there_are() -> None:
    assert cluster_names() == (AUTO, *names()) == ("auto", "sim", "native")


def test_every_verb_has_an_option_for_each_field() -> None:
    for verb, model in STEPS.items():
        options = {name for param in command_of(verb).params for name in param.opts}
        fields = {field.alias or name for name, field in model.model_fields.items()}
        if model.listed:
            fields = {model.listed}
        assert {f"--{field.replace('_', '-')}" for field in fields} <= options
        assert {"--devnet", "--json"} <= options
        known = fields | {"part"}  # read by the daemon
        assert set(model.positional) <= known, verb


def test_what_is_carried_out_takes_the_words_that_help_tells() -> None:
    def taken(command: click.Command) -> tuple[list[str | None], dict[str | None, list[str]]]:
        """Arguments by their places, options by what they are called."""
        arguments = [p.name for p in command.params if isinstance(p, click.Argument)]
        options = {p.name: p.opts for p in command.params if isinstance(p, click.Option)}
        return arguments, options

    for verb in STEPS:
        quick, whole = command_of(verb), described(verb)
        assert (quick.name, taken(quick)) == (whole.name, taken(whole))


def test_a_verb_is_a_class_for_the_command_line_too() -> None:
    @step("wave", "worker", "times")
    class Wave(Step):
        """Wave at a worker."""

        worker: Name
        times: Positive = 1

    try:
        command = command_of("wave")
    finally:
        del STEPS["wave"]
    assert command.help == "Wave at a worker."
    arguments = [param.metavar for param in command.params if isinstance(param, click.Argument)]
    assert arguments == ["[WORKER]", "[TIMES]"]
    assert "--times" in {name for param in command.params for name in param.opts}
