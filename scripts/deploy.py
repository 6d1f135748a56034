"""`ape run deploy`: the deployment plan of a network file, carried out by Ape."""

from __future__ import annotations

from pathlib import Path

import ape
import click
from ape.cli import ConnectedProviderCommand

# Ape takes the checkout off the path again before the command runs: import all of it here.
from cluster.profiles import profile_names
from devnet.actors.view import DEPLOYER, account_names
from devnet.chain import derive
from devnet.deploy import DeploymentParameters
from devnet.deploy.ape_execution import execute_with_ape
from devnet.spec import load_network

NETWORK = Path(__file__).parents[1] / "e2e" / "networks" / "small.yaml"


@click.command(cls=ConnectedProviderCommand)
@click.option("--file", type=click.Path(path_type=Path), default=NETWORK, help="a network file")
@click.option("--output", type=click.Path(path_type=Path), help="write deployment.json here")
def cli(file: Path, output: Path | None) -> None:
    """Deploy a network's contracts; the deployer is the mnemonic's first account."""
    spec = load_network(file, profiles=profile_names)
    accounts = derive(spec.accounts.mnemonic, account_names(spec))
    addresses = {name: account.address for name, account in accounts.items()}
    deployer = ape.accounts.test_accounts[0]
    if deployer.address.lower() != addresses[DEPLOYER]:
        raise click.UsageError("Ape's test mnemonic is not the network file's")
    deployment = execute_with_ape(DeploymentParameters.of(spec, addresses), deployer)
    for name, address in deployment.addresses.items():
        click.echo(f"{name:32} {address}")
    if output:
        deployment.save(output)
