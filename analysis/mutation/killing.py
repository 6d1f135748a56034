"""Whether the contract tests notice a mutant, and what becomes of many mutants at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from enum import Enum
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from analysis.mutation.building import Built, Sources, batches
from analysis.mutation.mutants import Mutant
from analysis.mutation.playing import TESTS, Played, all_tests, play, warm
from devnet.protocol.artifacts import Artifacts

BEFORE_SECONDS: Final = 3600.0
# An endless loop ends at the gas limit; a chain that never comes ends at so many times what all
# tests took without a mutant, for each that runs beside it.
SLOWER: Final = 3.0
SHORTEST_SECONDS: Final = 60.0
# Neighbours mostly die by the same tests.
REMEMBERED: Final = 6


class Fate(Enum):
    """`SAME` code as the original; `UNBUILT` does not compile; `LATE` had no end in its time."""

    KILLED = "killed"
    SURVIVED = "survived"
    LATE = "late"
    SAME = "same code"
    UNBUILT = "not compiled"
    UNTRIED = "not tried"


TRIED: Final = frozenset({Fate.KILLED, Fate.SURVIVED, Fate.LATE})


@dataclass(frozen=True, slots=True)
class Outcome:
    """`by` is the test that failed, where one did."""

    mutant: Mutant
    fate: Fate
    seconds: float = 0.0
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What every mutant is tried with: the contracts as they are, and seconds for its tests."""

    original: Artifacts
    limit_seconds: float


def before(original: Artifacts, root: Path) -> Played:
    """All tests without any mutant: one that fails would notice every one."""
    warm()
    return play(original, [str(path) for path in all_tests(root)], root, BEFORE_SECONDS)


def limit_of(seconds: float, jobs: int) -> float:
    """Seconds for the tests of a mutant where those of the original took so many."""
    return max(SHORTEST_SECONDS, SLOWER * jobs * seconds)


def outcomes(
    sources: Sources, trial: Trial, mutants: Sequence[Mutant], jobs: int
) -> Iterator[Outcome]:
    """Of every mutant, as they come; `jobs` anvils run at once."""
    warm()
    assert sources.trees  # once, before the workers copy it
    left, killers = batches(mutants), dict[str, tuple[str, ...]]()
    running: set[Future[list[Outcome]]] = set()
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        while left or running:
            while left and len(running) < jobs:
                batch = left.pop(0)
                known = killers.get(batch[0].file, ())
                running.add(pool.submit(_batch_outcomes, sources, trial, batch, known))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for one in (outcome for done in finished for outcome in done.result()):
                killers[one.mutant.file] = remembered(killers.get(one.mutant.file, ()), one)
                yield one


def remembered(killers: tuple[str, ...], outcome: Outcome) -> tuple[str, ...]:
    """The tests that noticed mutants of a file, the last first; they are the next one's first."""
    if outcome.by is None:
        return killers
    others = [name for name in killers if name != outcome.by]
    return (outcome.by, *others)[:REMEMBERED]


def tests_of(file: str, root: Path) -> list[list[str]]:
    """Test paths in the order in which they are worth a try: those beside it, then all others."""
    folder = TESTS / Path(file).parent.name
    own = [folder] if (root / folder).is_dir() else []
    others = [path for path in all_tests(root) if path not in own]
    return [[str(path) for path in many] for many in (own, others) if many]


def _batch_outcomes(
    sources: Sources, trial: Trial, batch: Sequence[Mutant], killers: tuple[str, ...]
) -> list[Outcome]:
    built = sources.build(batch)
    compiled = {one.mutant for one in built}
    done = [Outcome(one, Fate.UNBUILT) for one in batch if one not in compiled]
    for one in built:
        done.append(_outcome(one, trial, sources.compiler.root, killers))
        killers = remembered(killers, done[-1])
    return done


def _outcome(built: Built, trial: Trial, root: Path, killers: Sequence[str]) -> Outcome:
    if not built.contracts:
        return Outcome(built.mutant, Fate.SAME)
    start = time.monotonic()
    artifacts = Artifacts({**trial.original.contracts, **built.contracts})
    outcome = Outcome(built.mutant, Fate.SURVIVED)
    for tests in tests_of(built.mutant.file, root):
        played = play(artifacts, tests, root, trial.limit_seconds, killers)
        killers = ()
        if played.by is not None:
            outcome = replace(outcome, fate=Fate.KILLED, by=played.by)
            break
        if played.late:
            outcome = replace(outcome, fate=Fate.LATE)
            break
    return replace(outcome, seconds=time.monotonic() - start)


def by_contract(outcomes: Sequence[Outcome]) -> Mapping[str, list[Outcome]]:
    """Sorted by contract, then by place."""
    grouped: dict[str, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda one: (one.mutant.contract, one.mutant.line)):
        grouped.setdefault(outcome.mutant.contract, []).append(outcome)
    return grouped
