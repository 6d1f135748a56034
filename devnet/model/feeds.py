"""Feeds: what oracle nodes report, and what a mock is told to answer (O1)."""

from __future__ import annotations

from itertools import pairwise

from devnet.chain.signer import SIGNATURE_BYTES
from devnet.model.calls import ZERO_ADDRESS, Call
from devnet.model.gatekeepers import signer_of
from devnet.model.parameters import FeedParameters
from devnet.model.state import State
from devnet.model.tables import Refused, narrow
from devnet.protocol.reports import Report
from devnet.protocol.states import RoundState


def transmit(state: State, call: Call, name: str) -> None:
    """O1: f+1 oracle nodes signed the sorted observations, one of them sends them."""
    feed, report = state.parameters.feeds[name], Report.of(call.args["report"])
    last, now = state.rounds[name], call.timestamp
    if call.sender not in feed.oracles:
        raise Refused("NotTransmitter")
    if report.configDigest != feed.config_digest:
        raise Refused("ConfigDigestMismatch")
    if report.epoch_and_round <= state.epochs[name]:
        raise Refused("StaleReport")
    if not last.startedAt < report.observationsTimestamp <= now:
        raise Refused("ObservedOutOfRange")
    answer = _median(feed, report.observations)
    _check_signatures(state, feed, state.domains.report(name, report), call.args["signatures"])
    round_id = last.id + 1
    state.epochs[name] = report.epoch_and_round
    state.rounds[name] = RoundState(
        round_id, answer, report.observationsTimestamp, narrow(now, 32), round_id
    )
    state.emit(
        name,
        "NewTransmission",
        {
            "aggregatorRoundId": round_id,
            "answer": answer,
            "transmitter": call.sender,
            "observationsTimestamp": report.observationsTimestamp,
            "observations": report.observations,
            "observers": report.observers,
            "configDigest": report.configDigest,
            "epochAndRound": report.epoch_and_round,
        },
    )
    started = {
        "roundId": round_id,
        "startedBy": call.sender,
        "startedAt": report.observationsTimestamp,
    }
    state.emit(name, "NewRound", started)
    _updated(state, name, answer, round_id, now)


def script(state: State, call: Call, name: str) -> None:
    """A mock answers whatever its operator says."""
    given = call.args["round"]
    if call.sender != state.parameters.feeds[name].operator:
        raise Refused("NotOperator")
    state.rounds[name] = RoundState(
        given["id"], given["answer"], given["startedAt"], given["updatedAt"], given["id"]
    )
    _updated(state, name, given["answer"], given["id"], given["updatedAt"])


def _updated(state: State, name: str, answer: int, round_id: int, at: int) -> None:
    updated = {"current": answer, "roundId": round_id, "updatedAt": at}
    state.emit(name, "AnswerUpdated", updated)


def _median(feed: FeedParameters, observations: tuple[int, ...]) -> int:
    if not 2 * feed.faulty < len(observations) <= len(feed.oracles):
        raise Refused("WrongObservationCount")
    if any(b < a for a, b in pairwise(observations)):
        raise Refused("ObservationsUnsorted")
    answer = observations[len(observations) // 2]
    if not feed.minimum <= answer <= feed.maximum:
        raise Refused("AnswerOutOfBounds")
    return answer


def _check_signatures(state: State, feed: FeedParameters, digest: bytes, signatures: bytes) -> None:
    if len(signatures) != (feed.faulty + 1) * SIGNATURE_BYTES:
        raise Refused("WrongSignatureCount")
    previous = ZERO_ADDRESS
    for start in range(0, len(signatures), SIGNATURE_BYTES):
        try:
            signer = signer_of(state, digest, signatures[start : start + SIGNATURE_BYTES])
        except Refused:
            signer = ZERO_ADDRESS  # what is no signature is nobody's
        if signer not in feed.oracles:
            raise Refused("NotOracle")
        if signer <= previous:
            raise Refused("DuplicateOracle")
        previous = signer
