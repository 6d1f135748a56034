"""Which calls carry signatures, and over what: one line for each function that takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from devnet.protocol import messages

Args = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """`fields` makes the message from the call's arguments, its sender's and its target's address;
    `domain` is the verifying contract, empty for the one that is called."""

    message: str
    fields: Callable[[Args, str, str], dict[str, Any]]
    domain: str = ""


def _named(*renamed: tuple[str, str]) -> Callable[[Args, str, str], dict[str, Any]]:
    """The arguments under their own names, but for those the message calls otherwise."""
    names = dict(renamed)

    def fields(args: Args, sender: str, target: str) -> dict[str, Any]:
        return {names.get(name, name): value for name, value in args.items()}

    return fields


def _admission(args: Args, sender: str, target: str) -> dict[str, Any]:
    return {**args, "owner": sender}  # S6: whoever stakes is the owner


def _pooled(args: Args, sender: str, target: str) -> dict[str, Any]:
    return {**args, "node": args["nodeKey"], "owner": target}  # S7: the pool owns its node


def _struct(argument: str) -> Callable[[Args, str, str], dict[str, Any]]:
    """The fields of the one struct that is signed as it is sent."""

    def fields(args: Args, sender: str, target: str) -> dict[str, Any]:
        return dict(args[argument])

    return fields


def _execution(args: Args, sender: str, target: str) -> dict[str, Any]:
    calls = messages.calls_hash(args["calls"])
    return {**args, "space": messages.SNAPSHOT_SPACE, "calls": calls}


# By the ABI's name and the function's; the argument is named `signatures`, and at a registration
# the node's key signs the same as `nodeSignature` (S6).
SIGNED: Final[Mapping[tuple[str, str], Signed]] = {
    ("Staking", "stake"): Signed(messages.ADMISSION, _admission),
    ("Rewards", "publish"): Signed(messages.RESULT, _struct("result")),
    ("Slashing", "report"): Signed(messages.INCIDENT, _named()),
    ("Market", "reportRunning"): Signed(messages.RUNNING, _named(("id", "order"))),
    ("Market", "reportCounters"): Signed(messages.COUNTERS, _named(("id", "order"))),
    ("ExecutionQueue", "queue"): Signed(messages.EXECUTION, _execution),
    ("Pool", "activate"): Signed(messages.ADMISSION, _pooled, domain="Staking"),
    ("OcrAggregator", "transmit"): Signed(messages.REPORT, _struct("report")),
}
