"""Every command with its module and one line of help, without importing any of them."""

from __future__ import annotations

from dataclasses import dataclass

from devnet.spec.verbs import VERBS

_COMMANDS = (
    ("demo", "demo", "Play the full loop, ending in a ledger, a verdict and a report."),
    ("doctor", "doctor", "Say what this machine has and lacks, and the command that mends it."),
    ("up", "up", "Start a devnet that stays until `devnet down`."),
    ("status", "status", "Show the running devnet: cluster, URLs, block, nodes, orders."),
    ("logs", "logs", "Show the logs of its parts: anvil, control plane, kubelets, pods."),
    ("down", "down", "Stop the devnet; nothing of it is left running."),
    ("gc", "gc", "Remove what a killed devnet left: processes, cgroups, sockets, partial files."),
    ("run", "run", "Carry out scenarios, each on a fresh devnet of its own."),
    ("replay", "replay", "Rebuild every block of a bundle and compare the hashes."),
    ("load", "load", "Put a devnet under the load of many users (Locust), with a verdict."),
    ("economics", "economics", "Live through years of a network by its rules alone, with plots."),
    ("conformance", "conformance", "Show what a cluster does of what Kubernetes does, by row."),
    ("report", "report", "Write the HTML report of a bundle again and say where it is."),
    ("accounts", "accounts", "List a running devnet's accounts by name, with --keys their keys."),
    ("contracts", "contracts", "List a running devnet's contracts: address and name."),
    ("abi", "abi", "Print the ABI of a contract of the running devnet."),
    ("env", "env", "Print the running devnet as variables of a shell."),
    ("kubectl", "kubectl", "kubectl on the devnet's control plane."),
    ("ape", "ape_command", "Ape on the running devnet, with its accounts and contracts."),
    ("profiles", "profiles", "List the hardware profiles, or measure them."),
    ("config", "config", "Print a network file whole, with every default filled in."),
    ("toolchain", "toolchain", "Get a tool of the devnet's and print its path."),
    ("version", "version", "Show the version."),
    ("completion", "completion", "Print the completion script of a shell."),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One command. `module` is below `devnet.cli` and empty for a step verb."""

    name: str
    module: str
    help: str
    verb: str = ""


COMMANDS = {name: Entry(name, module, text) for name, module, text in _COMMANDS}
STEPS = {
    verb.replace("_", "-"): Entry(verb.replace("_", "-"), "", text, verb)
    for verb, text in VERBS.items()
}
ENTRIES: dict[str, Entry] = COMMANDS | STEPS


def entry_of(name: str) -> Entry | None:
    """The command of a name; a verb may also be written as in a scenario, `top_up`."""
    return ENTRIES.get(name) or STEPS.get(name.replace("_", "-"))
