"""Writes the table of attacks from their scenarios: `python -m devnet.spec.attacks_page [FILE]`."""

from __future__ import annotations

import sys
from pathlib import Path

from devnet.spec.attack import Attack
from devnet.spec.scenario import load_scenario

FOLDER = Path("e2e/scenarios/attacks")
PAGE = Path("docs/reference/attacks.md")
_HEAD = """\
# Attacks

`devnet run e2e/scenarios/attacks` plays them all, each on a devnet of its own, and ends with a line
for each: what was tried, what stopped it, who lost what. Every step states what must happen, such
as the error that refuses it; what an account lost is read from the chain
([how](scenario.md#attack)), and all invariants and the model are checked after every step.

This page is generated from the scenarios: `python -m devnet.spec.attacks_page`.

| attack | attempt | stopped by | lost | scenario |
|---|---|---|---|---|
"""


def page(folder: Path) -> str:
    """The whole page, a row for each scenario, by attack and by file."""
    found = [(load_scenario(path, environment={}), path) for path in sorted(folder.glob("*.yaml"))]
    rows = sorted(
        (scenario.attack.line, path.name, _row(scenario.attack, path))
        for scenario, path in found
        if scenario.attack is not None
    )
    return _HEAD + "".join(row for *_, row in rows)


def _row(attack: Attack, path: Path) -> str:
    lost = ", ".join(f"{name} {claim}" for name, claim in attack.lost.items())
    link = f"[{path.stem}](../../{FOLDER.as_posix()}/{path.name})"
    rules = ", ".join(attack.stopped_by)
    return f"| {attack.line} | {attack.attempt} | {rules} | {lost} | {link} |\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.write_text(page(FOLDER), encoding="utf-8")
    print(target)
