"""What is kept short for speed is equal to what it stands for."""

from __future__ import annotations

from cluster.providers import names
from devnet.cli.options import cluster_names
from devnet.cli.verbs import POSITIONAL, command_of
from devnet.runs.clusters import AUTO
from devnet.spec import STEPS


def test_the_clusters_of_the_option_are_those_there_are() -> None:
    assert cluster_names() == (AUTO, *names()) == ("auto", "sim", "native")


def test_every_verb_has_an_option_for_each_field() -> None:
    assert set(POSITIONAL) == set(STEPS)
    for verb, model in STEPS.items():
        options = {name for param in command_of(verb).params for name in param.opts}
        fields = {field.alias or name for name, field in model.model_fields.items()}
        assert {f"--{field.replace('_', '-')}" for field in fields} <= options
        assert {"--devnet", "--json"} <= options
