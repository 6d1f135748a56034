"""`devnet status`."""

from __future__ import annotations

import time
from typing import Any

import click

from devnet.cli import terminal
from devnet.cli.options import json_option, name_option

UNSANDBOXED = "unsandboxed: its pods are plain processes of yours"


@click.command("status")
@name_option
@json_option
def command(name: str, as_json: bool) -> None:
    """Show the running devnet: cluster, URLs, block, nodes, orders.

    Answers at once, also while a step is being carried out.
    """
    from devnet.base.folder import DevnetFolder
    from devnet.daemon import Caller

    status = Caller(DevnetFolder.existing(name)).ask("status")
    if as_json:
        terminal.print_json(status)
    else:
        print_status(status)


def print_status(status: dict[str, Any]) -> None:
    """The table of `up` and `status`."""
    block = status["block"]
    moment = time.strftime("%Y-%m-%d %H:%M", time.gmtime(block["timestamp"]))
    rows = [
        ("devnet", f"{status['name']} (daemon {status['pid']})"),
        ("network", status["network"]),
        ("cluster", status["cluster"] + (f" ({UNSANDBOXED})" if status["unsandboxed"] else "")),
        ("block", f"{block['number']} in cycle {status['cycle']}, protocol time {moment} UTC"),
        (
            "pace",
            f"a block of {status['block_seconds']} s every {status['seconds_per_block']:g} s",
        ),
        ("rpc", f"{status['rpc']} (chain id {status['chain_id']})"),
        ("kubeconfig", status["kubeconfig"] or f"none: {status['cluster']} has no API server"),
        ("files", status["run"]),
    ]
    if status["step"]:
        rows.append(("step", status["step"]))
    rows += [("ended", sentence) for sentence in status["ended"]]
    rows += [("incident", _incident(entry)) for entry in status["incidents"]]
    rows += [("foreign", entry["seen"]) for entry in status["foreign"]]
    if status["unmodelled"]:
        rows.append(("unmodelled", status["unmodelled"]["seen"]))
    rows += [("narrowed", sentence) for sentence in status["narrowed"]]
    terminal.print_table(("", ""), rows)
    terminal.print_line()
    terminal.print_table(
        ("worker", "profile", "region", "state"),
        [
            (name, worker["profile"], worker["region"], _state(worker))
            for name, worker in status["workers"].items()
        ],
    )
    if status["orders"]:
        terminal.print_line()
        terminal.print_table(
            ("order", "id", "client", "service", "billed", "url"),
            [
                (
                    *(name, order["id"], order["client"], order["service"]),
                    *(order["billed"], order["url"] or "-"),
                )
                for name, order in status["orders"].items()
            ],
        )


def _state(worker: dict[str, Any]) -> str:
    return ", ".join(filter(None, (worker["state"], worker["fault"])))


def _incident(entry: dict[str, Any]) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(entry['at']))} {entry['seen']}"
