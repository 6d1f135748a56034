"""`python -m analysis.mutation [--deep] [--contract NAME] [--size N] [--jobs N] [--report FILE]`.

A fixed sample of all mutants, or all; exit 1 when one survives, or has no end, that nothing
explains, when none was tried, or when a test fails without any mutant, since it would notice every
one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import yaml

from analysis.compiler import Compiler
from analysis.mutation.building import Sources
from analysis.mutation.killing import (
    TRIED,
    Fate,
    Outcome,
    Trial,
    before,
    by_contract,
    limit_of,
    outcomes,
)
from analysis.mutation.mutants import Mutant, sample
from devnet.base import Toolchain
from devnet.deploy import compile_contracts
from devnet.spec.units import did_you_mean

SURVIVORS: Final = Path(__file__).with_name("survivors.yaml")
SEED: Final = 7
SAMPLE: Final = 45
JOBS: Final = 2
PROGRESS: Final = 20
ALIVE: Final = frozenset({Fate.SURVIVED, Fate.LATE})
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one contract, or of all: mutants noticed by a test, and those that were not (`alive`).

    Neither `explained` ones nor those that do not compile (`unbuilt`) are in the score.
    """

    name: str
    killed: int
    alive: int
    explained: int
    unbuilt: int

    @property
    def score_percent(self) -> str:
        """Killed of those that were not explained."""
        tried = self.killed + self.alive
        return f"{100 * self.killed / tried:.1f} %" if tried else "-"

    def line(self) -> str:
        return (
            f"{self.name}: {self.score_percent} ({self.killed} of {self.killed + self.alive} "
            f"killed, {self.explained} explained, {self.unbuilt} not compiled)"
        )


def explanations(path: Path = SURVIVORS) -> dict[Key, str]:
    """The reason by function and change."""
    return {
        (entry["at"], entry["change"]): " ".join(entry["because"].split())
        for entry in yaml.safe_load(path.read_text())
    }


def key(mutant: Mutant) -> Key:
    return mutant.at, mutant.change


def tallies(done: Sequence[Outcome], explained: Mapping[Key, str]) -> list[Tally]:
    """One a contract, then the sum; the same code as the original counts nowhere."""
    rows = []
    for name, many in by_contract([one for one in done if one.fate is not Fate.SAME]).items():
        built = [one for one in many if one.fate is not Fate.UNBUILT]
        open_ = [one for one in built if key(one.mutant) not in explained]
        killed = sum(one.fate is Fate.KILLED for one in open_)
        counts = len(open_) - killed, len(built) - len(open_), len(many) - len(built)
        rows.append(Tally(name, killed, *counts))
    total = Tally(
        "mutation score",
        sum(row.killed for row in rows),
        sum(row.alive for row in rows),
        sum(row.explained for row in rows),
        sum(row.unbuilt for row in rows),
    )
    return [*rows, total]


def faults(done: Sequence[Outcome], explained: Mapping[Key, str]) -> Iterator[str]:
    """What nothing explains, explanations of what a test notices, and nothing tried at all."""
    for one in sorted(done, key=lambda one: (one.mutant.file, one.mutant.line)):
        place = f"{one.mutant.file}:{one.mutant.line}: {one.mutant.at}: {one.mutant.change}"
        known = key(one.mutant) in explained
        if one.fate is Fate.SURVIVED and not known:
            yield f"survived  {place}"
        elif one.fate is Fate.LATE and not known:
            yield f"no end within {one.seconds:.0f} s  {place}"
        elif one.fate is Fate.KILLED and known:
            yield f"explained, but {one.by} notices it: {place}"
    if not any(one.fate in TRIED for one in done):
        yield "no mutant was tried"


def refuse_unknown(contracts: Sequence[str], every: Sequence[Mutant]) -> None:
    """Raises click.BadParameter where one of the names has no mutants."""
    known = {mutant.contract for mutant in every}
    for name in contracts:
        if name not in known:
            hint = did_you_mean(name, known) or f"one of {', '.join(sorted(known))}"
            raise click.BadParameter(
                f"no contract named {name} has mutants; {hint}", param_hint="--contract"
            )


@click.command()
@click.option("--deep", is_flag=True, help="All mutants instead of the sample.")
@click.option("--contract", "contracts", multiple=True, help="Only this contract; repeatable.")
@click.option("--size", default=SAMPLE, show_default=True, help="Mutants of the sample.")
@click.option("--jobs", default=JOBS, show_default=True, help="Mutants tried at once.")
@click.option("--report", type=click.Path(path_type=Path), help="Every outcome as JSON.")
def main(deep: bool, contracts: tuple[str, ...], size: int, jobs: int, report: Path | None) -> None:
    """Sow errors into the contracts and see whether their tests notice."""
    sources, toolchain, explained = Sources.of(Compiler()), Toolchain(), explanations()
    every = sources.mutants()
    stale = sorted(set(explained) - {key(mutant) for mutant in every})
    chosen = every if deep else sample(every, size, SEED)
    refuse_unknown(contracts, every)
    if contracts:
        chosen = [mutant for mutant in chosen if mutant.contract in contracts]
    # Explained ones cost a whole run each, and only `--deep` looks at them again.
    tried = [one for one in chosen if deep or key(one) not in explained]
    original = compile_contracts(toolchain, toolchain.say)
    unmutated = before(original, sources.compiler.root)
    if unmutated.by is not None or unmutated.late:
        broken = f"{unmutated.by} fails" if unmutated.by else "the tests have no end"
        print(f"mutation score: none, since {broken} without any mutant")
        sys.exit(1)
    trial = Trial(original, limit_of(unmutated.seconds, jobs))
    done = [Outcome(one, Fate.UNTRIED) for one in chosen if one not in tried]
    for outcome in outcomes(sources, trial, tried, jobs):
        done.append(outcome)
        if len(done) % PROGRESS == 0:
            print(f"{len(done)} of {len(chosen)} mutants", file=sys.stderr)
        if report is not None:
            report.write_text(json.dumps([_document(one) for one in done], indent=1) + "\n")
        if outcome.fate in ALIVE and key(outcome.mutant) not in explained:
            place = f"{outcome.mutant.at}: {outcome.mutant.change}"
            print(f"{outcome.fate.value}  {place}", file=sys.stderr)
    wrong = [*faults(done, explained), *(f"no such mutant: {at}: {what}" for at, what in stale)]
    rows = tallies(done, explained)
    print("\n".join([*wrong, *(row.line() for row in rows)]))
    sys.exit(1 if wrong else 0)


def _document(outcome: Outcome) -> dict[str, object]:
    mutant = outcome.mutant
    return {
        "file": mutant.file,
        "line": mutant.line,
        "at": mutant.at,
        "change": mutant.change,
        "fate": outcome.fate.value,
        "by": outcome.by,
        "seconds": round(outcome.seconds, 2),
    }


if __name__ == "__main__":
    main()
