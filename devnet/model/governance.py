"""Passed proposals behind a timelock and a veto, and the calls that are governed (G2, R5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from eth_abi.exceptions import DecodingError

from devnet.model import appeals, feeds, gatekeepers, pools, pricing, rewards, shares
from devnet.model.calls import Call
from devnet.model.gatekeepers import Quorum, check
from devnet.model.state import State
from devnet.model.tables import Refused, narrow
from devnet.protocol.codec import Codec, Parameter, topic_of
from devnet.protocol.deployment import FEED_ABI, abi_name
from devnet.protocol.messages import calls_hash
from devnet.protocol.states import ProposalState, ProposalStatus

Rule = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Governed:
    """A function that governance alone may call (R5), and the rule it follows.

    `contract` is the ABI's name: the rule of a feed is told which one, too.
    """

    contract: str
    function: str
    inputs: Codec
    rule: Rule

    @property
    def selector(self) -> bytes:
        return topic_of(self.function, self.inputs)[:4]


class NotGoverned(Exception):
    """A queued call of something that is not governed: the model has no rule for what it does."""

    def __init__(self, contract: str, selector: bytes) -> None:
        super().__init__(contract, selector)
        self.contract, self.selector = contract, "0x" + selector.hex()


def queue(state: State, call: Call) -> None:
    """G2: a CRITICAL quorum attests what a proposal has decided."""
    proposal, calls = call.args["proposal"], call.args["calls"]
    _require_unknown(state, proposal)
    deadline = call.args["deadline"]
    if call.timestamp > deadline:
        raise Refused("AttestationExpired")
    digest = state.domains.execution(state.parameters.space, proposal, calls, deadline)
    check(state, digest, call.args["signatures"], Quorum.CRITICAL)
    _queue(state, call, proposal, calls)


def queue_removal(state: State, call: Call) -> None:
    """G2, R5: the guardian queues a removal of gatekeepers, who attest no such thing.

    It adds none and chooses no k: whoever did would hold quorums.
    """
    proposal = call.args["proposal"]
    _require_guardian(state, call)
    _require_unknown(state, proposal)
    if not call.args["removed"]:
        raise Refused("NothingRemoved")
    data = _REMOVE.selector + _REMOVE.inputs.encode((call.args["removed"],))
    calls = ({"to": state.parameters.addresses["Gatekeepers"], "data": data},)
    _queue(state, call, proposal, calls)


def execute(state: State, call: Call) -> None:
    """G2: anyone, once the timelock is over; all calls or none."""
    proposal, calls = call.args["proposal"], call.args["calls"]
    record = _queued(state, proposal)
    if calls_hash(calls) != record.calls:
        raise Refused("CallsMismatch")
    if call.timestamp < record.queuedAt + state.parameters.timelock:
        raise Refused("TimelockOpen")
    state.proposals[proposal] = replace(record, state=ProposalStatus.EXECUTED)
    state.emit("ExecutionQueue", "Executed", {"proposal": proposal})
    for entry in calls:
        _perform(state, call, entry["to"], entry["data"])


def veto(state: State, call: Call) -> None:
    """G2: the guardian stops what is queued, for ever."""
    proposal = call.args["proposal"]
    _require_guardian(state, call)
    record = _queued(state, proposal)
    state.proposals[proposal] = replace(record, state=ProposalStatus.VETOED)
    state.emit("ExecutionQueue", "Vetoed", {"proposal": proposal})


def set_guardian(state: State, call: Call) -> None:
    """R5: the queue alone, by a proposal of its own."""
    if call.sender != state.parameters.addresses["ExecutionQueue"]:
        raise Refused("NotGovernance")
    state.guardian.value = call.args["guardian_"]
    state.emit("ExecutionQueue", "GuardianChanged", {"guardian": state.guardian.value})


def _perform(state: State, call: Call, to: str, data: bytes) -> None:
    inputs, rule = _callee(state, to, data[:4])
    try:
        args = inputs.decode_named(data[4:])
    except DecodingError:
        raise Refused("FailedCall") from None  # the contract refuses them without a word
    sender = state.parameters.addresses["ExecutionQueue"]
    try:
        rule(state, Call(sender, call.block, call.timestamp, args))
    except Refused as refused:
        raise Refused("FailedCall" if refused.name == "NoReason" else refused.name) from None


def _callee(state: State, to: str, selector: bytes) -> tuple[Codec, Rule]:
    """What a call of that selector runs there: what is governed, or what a pool has for anyone."""
    contracts = {address: name for name, address in state.parameters.addresses.items()}
    contract = contracts.get(to) or shares.name_at(state, to)
    if contract is None:
        raise Refused("AddressEmptyCode")
    for known in GOVERNED:
        if (known.contract, known.selector) == (_kind(state, contract), selector):
            of_feed = known.contract == FEED_ABI
            return known.inputs, partial(known.rule, name=contract) if of_feed else known.rule
    known_functions = state.parameters.functions
    functions = known_functions.get(contract, known_functions.get(abi_name(contract)))
    if functions is not None and selector not in functions:
        raise Refused("FailedCall")  # no function answers, and no contract has a fallback
    if functions is not None and (rule := pools.rule_of(contract, functions[selector].name)):
        return functions[selector].inputs, rule
    raise NotGoverned(contract, selector)


def _kind(state: State, contract: str) -> str:
    """The ABI's name; a mock of a feed is none of the feeds that are governed (O7)."""
    feed = state.parameters.feeds.get(contract)
    return contract if feed is not None and feed.operator else abi_name(contract)


def _queue(state: State, call: Call, proposal: bytes, calls: Sequence[Mapping[str, Any]]) -> None:
    queued_at = narrow(call.timestamp, 40)
    record = ProposalState(ProposalStatus.QUEUED, queued_at, calls_hash(calls))
    state.proposals[proposal] = record
    due = call.timestamp + state.parameters.timelock
    queued = {"proposal": proposal, "calls": calls, "due": due}
    state.emit("ExecutionQueue", "Queued", queued)


def _require_unknown(state: State, proposal: bytes) -> None:
    if state.proposals[proposal].state is not ProposalStatus.UNKNOWN:
        raise Refused("AlreadyQueued")  # once ever


def _queued(state: State, proposal: bytes) -> ProposalState:
    record = state.proposals[proposal]
    if record.state is not ProposalStatus.QUEUED:
        raise Refused("NotQueued")
    return record


def _require_guardian(state: State, call: Call) -> None:
    if call.sender != state.guardian.value:
        raise Refused("NotGuardian")


def _governed(contract: str, function: str, rule: Rule, **inputs: str) -> Governed:
    parameters = [Parameter(name, kind) for name, kind in inputs.items()]
    return Governed(contract, function, Codec(parameters), rule)


# R5: all there is for governance to call.
GOVERNED: Final = (
    _governed(
        "Gatekeepers",
        "change",
        gatekeepers.change,
        added="address[]",
        removed="address[]",
        perfQuorum="uint256",
    ),
    _governed("Gatekeepers", "remove", gatekeepers.remove, removed="address[]"),
    _governed("Rewards", "setMaxV", rewards.set_max_v, maxV_="uint256"),
    _governed(
        "Pricing",
        "setContingency",
        pricing.set_contingency,
        resource="uint8",
        costUsd1e18="uint128",
        multiplier1e18="uint64",
        on="bool",
    ),
    _governed(
        FEED_ABI,
        "setConfig",
        feeds.set_config,
        oracles_="address[]",
        faulty_="uint8",
        minAnswer_="int152",
        maxAnswer_="int152",
    ),
    _governed("Slashing", "setArbiter", appeals.set_arbiter, arbiter_="address"),
    _governed("ExecutionQueue", "setGuardian", set_guardian, guardian_="address"),
)
_REMOVE: Final = GOVERNED[1]
