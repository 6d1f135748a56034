"""Writes the page of the conformance table: `python -m cluster.conformance.page [FILE]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from cluster.conformance.row import Row
from cluster.conformance.rows import rows
from cluster.conformance.served import NOT_SERVED

PAGE = Path("docs/reference/conformance.md")
_HEAD = """\
# Conformance

`devnet conformance --cluster native` raises a cluster of its own and plays each row on it against
its API, with the official client and with kubectl; exit 1 when one fails. A row is one suite's for
every cluster with an API. What a cluster cannot serve is declared with its reason, and tried all
the same: a declared row that holds is a failure, too.

This page is generated from the table: `python -m cluster.conformance.page`.
"""


def page() -> str:
    """The whole page, a heading a subject, and what each cluster is declared not to serve."""
    every = sorted(rows(), key=lambda row: row.subject)
    parts = [_HEAD, f"{len(every)} rows.\n"]
    for subject, found in groupby(every, key=lambda row: row.subject):
        parts.append(f"## {subject}\n")
        parts.append("\n".join(["| row | behaviour |", "|---|---|", *map(_line, found), ""]))
    for cluster in NOT_SERVED:
        parts.append(f"## What {cluster} does not serve\n")
        parts.append("\n".join(["| row | where | why |", "|---|---|---|", *_declared(cluster), ""]))
    return "\n".join(parts)


def _line(row: Row) -> str:
    return f"| `{row.name}` | {row.says} |"


def _declared(cluster: str) -> Iterator[str]:
    for name, each in sorted(NOT_SERVED[cluster].items()):
        yield f"| `{name}` | {each.where or 'everywhere'} | {each.reason} |"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.write_text(page(), encoding="utf-8")
    print(target)
