"""From the actions that led to a failure, the few that are enough for it.

Delta debugging on actions and not on Hypothesis' choices: an action keeps its meaning when those
before it go, because its values are relative to the block it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from eth_abi.exceptions import EncodingError

from devnet.base.errors import DevnetError
from devnet.protocol import ObservedTransaction

from .action import Action, Advance, Send
from .twins import Disagreement, Twins

MOST_PLAYS = 1_500
# What an action speaks of may have gone with an earlier one.
MEANINGLESS = (DevnetError, EncodingError, KeyError, ValueError)

Same = Callable[[Disagreement], bool]


def same_as(wrong: Disagreement, *, whole: bool = False) -> Same:
    """Whether another failure is of the same kind: an invariant in common, else no invariant.

    `whole` asks for all of its invariants.
    """

    def same(other: Disagreement) -> bool:
        if not wrong.invariants:
            return not other.invariants
        common = wrong.invariants & other.invariants
        return common == wrong.invariants if whole else bool(common)

    return same


def failure(twins: Twins, actions: Sequence[Action]) -> tuple[int, Disagreement] | None:
    """After how many of the actions it fails, and how; None where it does not."""
    twins.begin()
    for place, action in enumerate(actions, start=1):
        try:
            twins.act(action)
        except Disagreement as wrong:
            return place, wrong
        except MEANINGLESS:
            return None
    return None


def failure_at_last(twins: Twins, actions: Sequence[Action]) -> Disagreement | None:
    """What is wrong after all of them: checked once, which is most of the cost of a step."""
    twins.begin()
    try:
        for action in actions:
            twins.do(action)
        twins.check()
    except Disagreement as wrong:
        return wrong
    except MEANINGLESS:
        return None
    return None


def reduced(
    twins: Twins, actions: Sequence[Action], same: Same, plays: int = MOST_PLAYS
) -> tuple[Action, ...]:
    """None of these can go, and no jump of time be shorter, without the failure going, too.

    Plays at most so many sequences; what it has then is what it gives.
    """
    reducer = _Reducer(twins, same, plays)
    if not reducer.keeps(tuple(actions)):
        raise ValueError("these actions do not fail")
    reducer.drop_pieces(waiting=True)  # first, since everything else keeps its time
    reducer.join_jumps()
    reducer.drop_pieces(waiting=False)
    reducer.shorten_jumps()
    reducer.drop_pieces(waiting=False)
    reducer.part()
    found = failure(twins, reducer.kept)
    return reducer.kept if found is None else reducer.kept[: found[0]]


class _Reducer:
    """`kept` fails, with these outcomes."""

    def __init__(self, twins: Twins, same: Same, plays: int) -> None:
        self._twins, self._same, self._plays = twins, same, plays
        self.kept: tuple[Action, ...] = ()
        self._seen: list[ObservedTransaction | None] = []

    def keeps(self, actions: tuple[Action, ...]) -> bool:
        """Whether these fail in the same way; if so they are kept."""
        if self._plays <= 0 or not actions:
            return False
        self._plays -= 1
        found = failure_at_last(self._twins, actions)
        if found is None or not self._same(found):
            return False
        self.kept = tuple(action for action, _ in self._twins.done)
        self._seen = [seen for _, seen in self._twins.done]
        return True

    def drop_pieces(self, *, waiting: bool) -> None:
        """Ever smaller pieces; `waiting` leaves their blocks, so that the rest keeps its time."""
        size = max(len(self.kept) // 2, 1)
        while True:
            start, went = 0, False
            while start < len(self.kept):
                left = without(self.kept, self._seen, start, start + size, waiting=waiting)
                if left != self.kept and self.keeps(left):
                    went = True
                    start += waiting
                else:
                    start += size
            if size == 1 and (not went or waiting):
                return
            size = max(size // 2, 1)

    def join_jumps(self) -> None:
        """Jumps in a row are one."""
        joined: list[Action] = []
        for action in self.kept:
            last = joined[-1] if joined else None
            if isinstance(action, Advance) and isinstance(last, Advance):
                joined[-1] = Advance(last.blocks + action.blocks)
            else:
                joined.append(action)
        self.keeps(tuple(joined))

    def shorten_jumps(self) -> None:
        """By bisection; what must hold at an exact block stays."""
        for place in range(len(self.kept)):
            while place < len(self.kept):
                action = self.kept[place]
                if not isinstance(action, Advance) or action.blocks == 1:
                    break
                before, after = self.kept[:place], self.kept[place + 1 :]
                shorter = sorted({1, action.blocks // 2, action.blocks - 1})
                if not any(self.keeps((*before, Advance(n), *after)) for n in shorter):
                    break

    def part(self) -> None:
        """What need not be in one block is not."""
        for place, action in enumerate(self.kept):
            if isinstance(action, Send) and action.joins:
                alone = replace(action, joins=False)
                self.keeps((*self.kept[:place], alone, *self.kept[place + 1 :]))


def without(
    actions: Sequence[Action],
    seen: Sequence[ObservedTransaction | None],
    start: int,
    stop: int,
    *,
    waiting: bool,
) -> tuple[Action, ...]:
    """The actions without those from `start` to `stop`; `seen` is what became of each.

    `waiting` leaves the blocks of what is gone, so that the rest is mined where it was.
    """
    rest = tuple(actions[stop:])
    for action, outcome in zip(actions[start:stop][::-1], seen[start:stop][::-1], strict=True):
        rest = renumbered(action, outcome, rest)
    blocks = sum(_blocks(action) for action in actions[start:stop])
    first = rest[0] if rest else None
    if blocks and isinstance(first, Send) and first.joins:  # its block began in what is gone
        rest = (replace(first, joins=False), *rest[1:])
        blocks -= 1
    wait = (Advance(blocks),) if waiting and rest and blocks else ()
    return (*actions[:start], *wait, *rest)


def _blocks(action: Action) -> int:
    return action.blocks if isinstance(action, Advance) else int(not action.joins)


# What numbers rows: the event, and the argument that names such a row in later calls.
_NUMBERED: Final = {
    "OrderCreated": ("Market", "id", "id"),
    "Invoked": ("Market", "invocation", "invocation"),
    "IncidentReported": ("Slashing", "id", "id"),
}


def renumbered(
    gone: Action, seen: ObservedTransaction | None, later: Sequence[Action]
) -> tuple[Action, ...]:
    """The later actions, with what `gone` counted up not counted."""
    if not isinstance(gone, Send) or seen is None or not seen.ok:
        return tuple(later)
    changed = list(later)
    for event in seen.events:
        numbered = _NUMBERED.get(event.name)
        if numbered is not None:
            contract, value, argument = numbered
            number = event.args[value]
            changed = [_lower(action, contract, argument, number) for action in changed]
    if gone.function == "publish":
        changed = [_sequence_lower(action, gone) for action in changed]
    return tuple(changed)


def _lower(action: Action, contract: str, argument: str, above: int) -> Action:
    if not isinstance(action, Send) or action.contract != contract:
        return action
    number = action.args.get(argument)
    if not isinstance(number, int) or number <= above:
        return action
    return replace(action, args={**action.args, argument: number - 1})


def _sequence_lower(action: Action, gone: Send) -> Action:
    if not isinstance(action, Send) or action.function != "publish":
        return action
    result = action.args["result"]
    if result["node"] != gone.args["result"]["node"] or result["sequence"] == 0:
        return action
    return replace(
        action, args={**action.args, "result": {**result, "sequence": result["sequence"] - 1}}
    )
