"""The root group under the name Ape asks for: `ape devnet …` is `devnet …`."""

from __future__ import annotations

import click

from devnet import __version__
from devnet.cli.group import LazyGroup

__all__ = ["cli"]


@click.group(
    cls=LazyGroup,
    name="devnet",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", message="devnet %(version)s")
def cli() -> None:
    """A local devnet of the Kompute protocol: contracts, oracles, cluster, scenarios.

    Begin with `devnet demo`; `devnet up` starts a devnet that stays, the steps act on it.
    """
