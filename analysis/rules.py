"""`python -m analysis.rules [FILE]`: writes the table rule -> contract -> model -> test.

It is made of what the code cites; a test holds the published page equal to this, and fails where
a rule has nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from analysis.citations import Citation, files, of_python, of_solidity, of_tests
from analysis.compiler import own_texts

ROOT: Final = Path(__file__).parents[1]
RULES: Final = Path(__file__).with_name("rules.yaml")
DEFAULT_FILE: Final = ROOT / "docs" / "reference" / "protocol.md"
COLUMNS: Final = ("contract", "model", "test")
TESTS: Final = ("tests/contracts", "tests/model", "tests/properties")
SHOWN: Final = 3
HEAD: Final = """\
# The protocol's rules

Where each rule is written in a contract, where the model has it, and what tests it. This page is
written by `python -m analysis.rules`, from the ids that comments, docstrings and names of tests
cite; `analysis/rules.yaml` is the list of rules. What the rules say where the whitepaper is silent
is in [protocol choices](../explanation/protocol-choices.md).

| rule | about | contract | model | test |
|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """`reasons` says by column why a rule has nothing there."""

    name: str
    about: str
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """The declarations that cite a rule, by column, the nearest first."""

    rule: Rule
    cited: Mapping[str, tuple[str, ...]]

    def missing(self) -> list[str]:
        """Columns without a citation or a reason."""
        return [name for name in COLUMNS if not self.cited[name] and name not in self.rule.reasons]

    def line(self) -> str:
        cells = [self.rule.name, self.rule.about, *(self._cell(name) for name in COLUMNS)]
        return f"| {' | '.join(cells)} |"

    def _cell(self, column: str) -> str:
        found = self.cited[column]
        if not found:
            return f"*{self.rule.reasons.get(column, 'nothing')}*"
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return ", ".join(f"`{at}`" for at in found[:SHOWN]) + more


def rules(path: Path = RULES) -> tuple[Rule, ...]:
    """In the protocol's order."""
    return tuple(
        Rule(
            entry["rule"],
            entry["about"],
            {
                name: reason
                for name in COLUMNS
                if (reason := entry.get(name) or entry.get("nowhere")) is not None
            },
        )
        for entry in yaml.safe_load(path.read_text())
    )


def rows(root: Path = ROOT) -> tuple[Row, ...]:
    """One a rule, of what the checkout at `root` cites."""
    cited = {
        "contract": _by_rule(_contracts(root)),
        "model": _by_rule(_model(root)),
        "test": _by_rule(_tests(root)),
    }
    return tuple(
        Row(rule, {name: tuple(cited[name].get(rule.name, ())) for name in COLUMNS})
        for rule in rules()
    )


def page(root: Path = ROOT) -> str:
    """The published page."""
    return HEAD + "".join(f"{row.line()}\n" for row in rows(root))


def unknown(root: Path = ROOT) -> list[str]:
    """Citations of contracts and model that name no rule of the list."""
    known = {rule.name for rule in rules()}
    return sorted(
        f"{one.at}: {one.rule}"
        for one in (*_contracts(root), *_model(root))
        if one.rule not in known
    )


def _contracts(root: Path) -> Iterator[Citation]:
    for text in own_texts(root).values():
        yield from of_solidity(text)


def _model(root: Path) -> Iterator[Citation]:
    for path, text in files(root, "devnet/model"):
        yield from of_python(Path(path).stem, text)


def _tests(root: Path) -> Iterator[Citation]:
    for folder in TESTS:
        for path, text in files(root, folder):
            yield from of_tests(path.removeprefix("tests/"), text)


def _by_rule(citations: Iterable[Citation]) -> dict[str, list[str]]:
    """Each declaration once, at its nearest; contracts' tests come before others, as folders do."""
    nearest: dict[tuple[str, str], int] = {}
    for one in citations:
        key = one.rule, one.at
        nearest[key] = min(one.detail, nearest.get(key, one.detail))
    grouped: dict[str, list[str]] = {}
    for (rule, at), _ in sorted(nearest.items(), key=lambda entry: (entry[1], entry[0][1])):
        grouped.setdefault(rule, []).append(at)
    return grouped


def main(arguments: list[str]) -> None:
    file = Path(arguments[0]) if arguments else DEFAULT_FILE
    file.write_text(page(), encoding="utf-8")
    for row in rows():
        for column in row.missing():
            print(f"{row.rule.name} ({row.rule.about}) has no {column}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
