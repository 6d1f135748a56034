"""`python -m analysis.rules [FILE]`: writes the table rule -> contract -> model -> test.

It is made of what the code cites; a test holds the published page equal to this, and fails where
no function and no test has a rule, and nothing says why.
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
cite; `analysis/rules.yaml` is the list of rules, and has the reasons where no function cites one.
What the rules say where the whitepaper is silent is in
[protocol choices](../explanation/protocol-choices.md).

| rule | about | contract | model | test |
|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """`reasons` says by column why no function has it; `beside` names it, but is not of it."""

    name: str
    about: str
    reasons: Mapping[str, str]
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """The declarations that cite a rule, by column, each once, the nearest first."""

    rule: Rule
    cited: Mapping[str, tuple[Citation, ...]]

    def of(self, column: str) -> tuple[Citation, ...]:
        """Those that are of the rule."""
        return tuple(one for one in self.cited[column] if one.at not in self.rule.beside)

    def is_held(self, column: str) -> bool:
        """Whether a function has it, or a test; a constant or an event alone does nothing."""
        return any(one.detail == 0 or column == "test" for one in self.of(column))

    def faults(self) -> list[str]:
        """Columns with neither a function nor a reason, and reasons that have become idle."""
        rule, everywhere = self.rule, {one.at for many in self.cited.values() for one in many}
        return [
            *(f"has no {c}" for c in COLUMNS if not self.is_held(c) and c not in rule.reasons),
            *(f"has a {c} and a reason" for c in COLUMNS if self.is_held(c) and c in rule.reasons),
            *(f"is not named by {at} any more" for at in sorted(rule.beside - everywhere)),
        ]

    def line(self) -> str:
        cells = [self.rule.name, self.rule.about, *(self._cell(name) for name in COLUMNS)]
        return f"| {' | '.join(cells)} |"

    def _cell(self, column: str) -> str:
        found = self.of(column)
        names = ", ".join(f"`{one.at}`" for one in found[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        if self.is_held(column):
            return names + more
        reason = f"*{self.rule.reasons.get(column, 'nothing')}*"
        return f"{names}{more}: {reason}" if names else reason


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
            frozenset(entry.get("beside", ())),
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


def _by_rule(citations: Iterable[Citation]) -> dict[str, list[Citation]]:
    """Each declaration once, at its nearest; contracts' tests come before others, as folders do."""
    grouped: dict[str, dict[str, Citation]] = {}
    for one in sorted(citations, key=lambda one: (one.detail, one.at)):
        grouped.setdefault(one.rule, {}).setdefault(one.at, one)
    return {rule: list(found.values()) for rule, found in grouped.items()}


def main(arguments: list[str]) -> None:
    file = Path(arguments[0]) if arguments else DEFAULT_FILE
    file.write_text(page(), encoding="utf-8")
    for row in rows():
        for fault in row.faults():
            print(f"{row.rule.name} ({row.rule.about}) {fault}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
