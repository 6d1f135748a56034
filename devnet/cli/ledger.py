"""The ledger a run left, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devnet.cli import terminal


def print_ledger(bundle: Path) -> None:
    """The ledger after the last step of a bundle; nothing when no step was carried out."""
    from devnet.runs.bundle import open_bundle

    ledger: Any = {}
    with open_bundle(bundle, verify=False) as opened:
        for step in opened.steps():
            ledger = step.get("ledger", {})
    if isinstance(ledger, Mapping):
        for section, content in ledger.items():
            _print_section(str(section), content)


def _print_section(section: str, content: Any) -> None:
    if isinstance(content, Mapping) and all(isinstance(row, Mapping) for row in content.values()):
        keys = list(dict.fromkeys(key for row in content.values() for key in row))
        rows = [[name, *(row.get(key, "") for key in keys)] for name, row in content.items()]
        titles = [section, *map(str, keys)]
    elif isinstance(content, Mapping):
        rows = [[name, value] for name, value in content.items()]
        titles = [section, ""]
    else:
        rows, titles = [[content]], [section]
    terminal.print_table(titles, rows)
    terminal.print_line()
