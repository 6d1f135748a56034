"""The state machine: Hypothesis draws moves, both sides make them, everything is compared."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate
from typing import ClassVar

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from .action import Action, Advance, Send
from .moves import MOVES
from .sight import Draw
from .tally import Tally
from .twins import Disagreement, Twins

STEPS_A_SEQUENCE = 200
PASSES = 6  # moves asked in turn until one has something to do
JOINS = 4  # one in so many transactions is mined in the block of the one before

_WEIGHTS = list(accumulate(move.weight for move in MOVES))


class Found(AssertionError):
    """The machine found a disagreement; `actions` are all that led to it."""

    def __init__(self, actions: tuple[Action, ...], wrong: Disagreement) -> None:
        super().__init__(str(wrong))
        self.actions, self.wrong = actions, wrong


class Protocol(RuleBasedStateMachine):
    """One sequence of moves from a fresh network; `twins` and `tally` are shared by all."""

    twins: ClassVar[Twins]
    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self.failed = False
        self.twins.begin()
        self.tally.sequences += 1

    @rule(seed=st.integers(0, 2**64 - 1))
    def move(self, seed: int) -> None:
        """One move: a transaction, some time, or the few transactions that belong together."""
        draw = Draw(f"{seed} {len(self.twins.done)}")
        joins = self._joins(draw)
        for action in self._drawn(draw, joins):
            try:
                self.twins.act(replace(action, joins=joins) if isinstance(action, Send) else action)
            except Disagreement as wrong:
                self.failed = True
                raise Found(tuple(done for done, _ in self.twins.done), wrong) from None
            self.tally.note(*self.twins.done[-1])
            joins = self._joins(draw)

    def teardown(self) -> None:
        """Everything once more, whatever was taken as unchanged meanwhile."""
        if not self.failed:
            self.twins.check_whole()

    def _joins(self, draw: Draw) -> bool:
        """Whether the next transaction is one more of the block at the head."""
        return draw.rarely(JOINS) and self.twins.joinable

    def _drawn(self, draw: Draw, joins: bool) -> Iterable[Action]:
        for _ in range(PASSES):
            chosen = MOVES[bisect_right(_WEIGHTS, draw.integer(0, _WEIGHTS[-1] - 1))]
            made = chosen.make(draw, self.twins.sight(joins=joins))
            if isinstance(made, Send | Advance):
                return (made,)
            if made is not None:
                return made
        return (Advance(1),)


def play(twins: Twins, tally: Tally, sequences: int, *, seed: int | None = None) -> None:
    """So many sequences; raises Found at the first disagreement.

    Without a seed the sequences are always the same. Hypothesis does not shrink: `reducing` does,
    since it knows what an action is.
    """
    machine = type("Protocol", (Protocol,), {"twins": twins, "tally": tally})
    chosen = settings(
        max_examples=sequences,
        stateful_step_count=STEPS_A_SEQUENCE,
        deadline=None,
        database=None,
        derandomize=seed is None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
    )
    if seed is not None:
        machine._hypothesis_internal_use_seed = seed  # type: ignore[attr-defined]
    run_state_machine_as_test(machine, settings=chosen)  # type: ignore[no-untyped-call]
