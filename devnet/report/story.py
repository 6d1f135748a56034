"""All a report tells, gathered from a run's files in one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from devnet.chain import Block
from devnet.record.bundle import Bundle, NotABundle
from devnet.record.folder import SUFFIX
from devnet.report.cycles import Cycles, read_cycles
from devnet.report.events import read_events, tolerant
from devnet.report.incidents import Incident, read_incidents
from devnet.report.ledger import Ledger, read_ledger
from devnet.report.load import Load, read_load
from devnet.report.orders import Order, read_orders
from devnet.report.prices import Prices, read_prices

SHORT: Final = 12  # signs of a name that needs no cut
MADE: Final = ("version", "commit", "date", "anvil", "python")


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step; `start` and `end` are protocol time, seconds."""

    index: int
    verb: str
    text: str
    did: str
    failure: str
    first_block: int
    last_block: int
    seconds: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Story:
    """What happened in a run; `verdict` is the run's own."""

    verdict: str
    cluster: str
    unsandboxed: bool
    scenario: str
    network: str
    seed: str
    last_block: Block | None
    genesis_timestamp: int | None
    blocks: int
    transactions: int
    steps: tuple[StepLine, ...]
    planned: int
    ledger: Ledger
    cycles: Cycles
    incidents: tuple[Incident, ...]
    prices: Prices
    orders: tuple[Order, ...]
    names: Mapping[str, str]
    notes: tuple[str, ...]
    attack: Mapping[str, Any]  # as `AttackOutcome.to_json`, empty where the run was none
    load: Load | None
    made: Mapping[str, str]  # by what: the versions and the date of `devnet.record.provenance`
    replay: str  # the command that proves it
    block_transactions: tuple[tuple[int, int], ...]  # number of a block, transactions in it

    def name(self, address: str) -> str:
        """An account's or contract's name, else the address, cut to what tells it apart."""
        known = self.names.get(address)
        return known or (f"{address[:6]}…{address[-4:]}" if len(address) > SHORT else address)


def read_story(bundle: Bundle, verdict: str, cluster: str = "") -> Story:
    """Never fails on what a run's file lacks or on a line that is broken: it is noted."""
    notes: list[str] = []

    def note(text: str) -> None:
        if text not in notes:
            notes.append(text)

    genesis = _or_empty(lambda: bundle.genesis, note)
    chain, deployment = _mapping(genesis, "chain"), _mapping(genesis, "deployment")
    parameters = _mapping(deployment, "parameters")
    last, in_blocks = _blocks(bundle, note)
    events = read_events(bundle.events(), note)
    scenario = _yaml(bundle, "scenario.yaml", note)
    steps = tuple(
        step
        for record in tolerant(bundle.steps(), note)
        if (step := _step(record, chain, note)) is not None
    )
    manifest = bundle.manifest
    made = _mapping(manifest, "made")
    return Story(
        verdict=verdict,
        cluster=cluster or str(manifest.get("cluster", "")),
        unsandboxed=manifest.get("unsandboxed") is True,
        scenario=str(scenario.get("name") or manifest.get("scenario", "")),
        network=str(_yaml(bundle, "network.yaml", note).get("name") or ""),
        seed=str(scenario.get("seed", manifest.get("seed", ""))),
        last_block=last,
        genesis_timestamp=_whole(chain.get("genesis_timestamp")),
        blocks=last.number if last else 0,
        transactions=sum(count for _, count in in_blocks),
        steps=steps,
        planned=len(scenario["steps"]) if isinstance(scenario.get("steps"), list) else 0,
        ledger=read_ledger(events),
        cycles=read_cycles(events, _running_cycle(last, deployment, parameters)),
        incidents=read_incidents(events),
        prices=read_prices(
            events,
            _whole(parameters.get("utilization_heartbeat_seconds")),
            last.timestamp if last else None,
        ),
        orders=read_orders(events),
        names=_names(bundle, genesis, note),
        notes=(*notes, *(text for text in bundle.notes if bundle.sealed or "cut off" in text)),
        attack=_attack(manifest),
        load=_load(bundle, note),
        made={key: str(made[key]) for key in MADE if made.get(key)},
        replay=f"devnet replay {_file(bundle)}",
        block_transactions=in_blocks,
    )


def _file(bundle: Bundle) -> str:
    """The name of the one file a run is sealed into."""
    name = bundle.path.name
    return name if name.endswith(SUFFIX) else name + SUFFIX


def _load(bundle: Bundle, note: Callable[[str], None]) -> Load | None:
    verdict = _or_empty(lambda: _document(bundle, "verdict.json"), note)
    statistics = _or_empty(lambda: _document(bundle, "load.json"), note)
    try:
        return read_load(verdict, statistics)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        note(f"what Locust counted cannot be read: {error!r}")
        return None


def _document(bundle: Bundle, name: str) -> Mapping[str, Any]:
    value = bundle.document(name)
    return value if isinstance(value, Mapping) else {}


def _attack(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    attack = _mapping(manifest, "attack")
    whole = {"line", "attempt", "stopped_by", "lost", "faults", "verdict"} <= set(attack)
    return attack if whole else {}


def _blocks(
    bundle: Bundle, note: Callable[[str], None]
) -> tuple[Block | None, tuple[tuple[int, int], ...]]:
    """The last block, and of those with transactions how many they hold."""
    last: Block | None = None
    counts: list[tuple[int, int]] = []
    try:
        for block in bundle.blocks():
            last = Block(block.number, block.timestamp, block.hash)
            if block.transactions:
                counts.append((block.number, len(block.transactions)))
    except NotABundle as error:
        note(str(error))
    return last, tuple(counts)


def _step(
    record: Mapping[str, Any], chain: Mapping[str, Any], note: Callable[[str], None]
) -> StepLine | None:
    try:
        first, last = int(record["first_block"]), int(record["last_block"])
        end = int(record["timestamp"])
        elapsed = (last - first) * int(chain.get("block_seconds", 0))
        return StepLine(
            index=int(record["index"]),
            verb=str(record["verb"]),
            text=str(record["text"]),
            did=str(record["did"]),
            failure=str(record["failure"]),
            first_block=first,
            last_block=last,
            seconds=float(record.get("seconds", 0)),
            start=end - elapsed,
            end=end,
        )
    except (KeyError, TypeError, ValueError) as error:
        note(f"a step cannot be read: {error!r}")
        return None


def _running_cycle(
    last: Block | None, deployment: Mapping[str, Any], parameters: Mapping[str, Any]
) -> int | None:
    first, length = _whole(deployment.get("block")), _whole(parameters.get("cycle_blocks"))
    if last is None or first is None or not length:
        return None
    return max(0, last.number - first) // length  # C1


def _names(
    bundle: Bundle, genesis: Mapping[str, Any], note: Callable[[str], None]
) -> Mapping[str, str]:
    deployed = _mapping(_mapping(genesis, "deployment"), "addresses")
    named = {**deployed, **_mapping(genesis, "accounts")}
    names = {str(address).lower(): str(name) for name, address in named.items()}
    names.update(_or_empty(lambda: bundle.names, note))
    return names


def _or_empty(
    read: Callable[[], Mapping[str, Any]], note: Callable[[str], None]
) -> Mapping[str, Any]:
    try:
        return read()
    except NotABundle as error:
        note(str(error))
        return {}


def _yaml(bundle: Bundle, name: str, note: Callable[[str], None]) -> Mapping[str, Any]:
    try:
        value = yaml.safe_load(bundle.text(name))
    except (yaml.YAMLError, NotABundle) as error:
        note(f"{name} cannot be read: {error}")
        return {}
    return value if isinstance(value, dict) else {}


def _mapping(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
