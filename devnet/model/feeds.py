"""Feeds: what oracle nodes report, who they are, what a mock is told to answer (O1, O7)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final

from devnet.chain.signer import SIGNATURE_BYTES
from devnet.model.calls import ZERO_ADDRESS, Call
from devnet.model.gatekeepers import signer_of
from devnet.model.parameters import FeedConfig
from devnet.model.state import State
from devnet.model.tables import Refused, narrow
from devnet.protocol.reports import Report, config_digest
from devnet.protocol.states import RoundState

MOST_ORACLES: Final = 31  # as many as `observers` has room for


def transmit(state: State, call: Call, name: str) -> None:
    """O1: f+1 oracle nodes signed the sorted observations, one of them sends them."""
    config, report = state.configs[name], Report.of(call.args["report"])
    last, now = state.rounds[name], call.timestamp
    if call.sender not in config.oracles:
        raise Refused("NotTransmitter")
    if report.configDigest != config.digest:
        raise Refused("ConfigDigestMismatch")
    if report.epoch_and_round <= state.epochs[name]:
        raise Refused("StaleReport")
    if not last.startedAt < report.observationsTimestamp <= now:
        raise Refused("ObservedOutOfRange")
    answer = _median(config, report.observations)
    _check_signatures(state, config, state.domains.report(name, report), call.args["signatures"])
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


def set_config(state: State, call: Call, name: str) -> None:
    """O7: governance replaces the nodes, f and the bounds; what was answered stays."""
    feed, before = state.parameters.feeds[name], state.configs[name]
    if call.sender != state.parameters.governance:
        raise Refused("NotGovernance")
    oracles, faulty = tuple(call.args["oracles_"]), call.args["faulty_"]
    bounds = call.args["minAnswer_"], call.args["maxAnswer_"]
    _check_config(oracles, faulty, bounds)
    count = before.count + 1
    digest = config_digest(
        state.parameters.chain_id,
        state.parameters.addresses[name],
        count,
        feed.description,
        feed.decimals,
        oracles,
        faulty,
        bounds,
    )
    config = FeedConfig(*bounds, faulty, oracles, digest, count)
    state.configs[name], state.epochs[name] = config, 0
    state.rounds[name] = _judged(config, state.rounds[name])
    state.emit(
        name,
        "ConfigSet",
        {
            "previousConfigDigest": before.digest,
            "configDigest": digest,
            "configCount": count,
            "oracles": oracles,
            "faulty": faulty,
            "minAnswer": config.minimum,
            "maxAnswer": config.maximum,
        },
    )


def script(state: State, call: Call, name: str) -> None:
    """A mock answers whatever its operator says."""
    given = call.args["round"]
    if call.sender != state.parameters.feeds[name].operator:
        raise Refused("NotOperator")
    if given["id"] == 0:
        raise Refused("ZeroRound")
    told = RoundState(given["id"], given["answer"], given["startedAt"], given["updatedAt"], 0)
    state.rounds[name] = _judged(state.configs[name], told)
    _updated(state, name, given["answer"], given["id"], given["updatedAt"])


def _updated(state: State, name: str, answer: int, round_id: int, at: int) -> None:
    updated = {"current": answer, "roundId": round_id, "updatedAt": at}
    state.emit(name, "AnswerUpdated", updated)


def _judged(config: FeedConfig, round_: RoundState) -> RoundState:
    """O2: what is outside the bounds was answered in no round."""
    return replace(round_, answeredInRound=round_.id if config.allows(round_.answer) else 0)


def _check_config(oracles: tuple[str, ...], faulty: int, bounds: tuple[int, int]) -> None:
    if len(oracles) > MOST_ORACLES or 3 * faulty >= len(oracles):
        raise Refused("OraclesOutOfRange")
    if bounds[0] >= bounds[1]:
        raise Refused("BoundsOutOfOrder")
    for place, node in enumerate(oracles):
        if node == ZERO_ADDRESS:
            raise Refused("ZeroAddress")
        if node in oracles[:place]:
            raise Refused("DuplicateOracle")


def _median(config: FeedConfig, observations: tuple[int, ...]) -> int:
    if not 2 * config.faulty < len(observations) <= len(config.oracles):
        raise Refused("WrongObservationCount")
    if any(b < a for a, b in pairwise(observations)):
        raise Refused("ObservationsUnsorted")
    answer = observations[len(observations) // 2]
    if not config.allows(answer):
        raise Refused("AnswerOutOfBounds")
    return answer


def _check_signatures(state: State, config: FeedConfig, digest: bytes, signatures: bytes) -> None:
    if len(signatures) != (config.faulty + 1) * SIGNATURE_BYTES:
        raise Refused("WrongSignatureCount")
    previous = ZERO_ADDRESS
    for start in range(0, len(signatures), SIGNATURE_BYTES):
        try:
            signer = signer_of(state, digest, signatures[start : start + SIGNATURE_BYTES])
        except Refused:
            signer = ZERO_ADDRESS  # what is no signature is nobody's
        if signer not in config.oracles:
            raise Refused("NotOracle")
        if signer <= previous:
            raise Refused("DuplicateOracle")
        previous = signer
