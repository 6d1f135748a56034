"""A sample of sequences on a real chain: the in-process EVM decides as anvil does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.base.toolchain import Toolchain
from devnet.chain import Anvil, Chain, Rpc
from devnet.protocol import ObservedTransaction
from properties.machine import play
from properties.real import RealChain
from properties.tally import Tally
from properties.twins import Twins, network

SEQUENCES = 4


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Twins]:
    """The same network on anvil."""
    spec, directory = network()
    toolchain = Toolchain()
    with (
        Anvil(
            toolchain.anvil(),
            genesis_timestamp=spec.chain.genesis_timestamp,
            folder=tmp_path,
            accounts=len(directory.accounts),
        ) as anvil,
        Rpc(anvil.url) as rpc,
    ):
        yield Twins(RealChain(spec, directory, toolchain, Chain(rpc, spec.chain.block_seconds)))


def decision(seen: ObservedTransaction) -> tuple[object, ...]:
    """Whom a false signature seems to be of depends on what was signed: the block's hash, too,
    which each chain has its own of."""
    if seen.error in ("NotGatekeeper", "SignersNotAscending"):
        return (seen.ok, "signers")
    if "actual" in seen.error_values:  # W4: the hash that a block has
        values = {name: seen.error_values[name] for name in seen.error_values.keys() - {"actual"}}
        return (seen.ok, seen.error, values)
    return (seen.ok, seen.error, seen.error_values)


@pytest.mark.timeout(600)
def test_a_sample_is_the_same_on_anvil(twins: Twins, real: Twins) -> None:
    """Same outcomes, same events, same ledger, after every action of some sequences."""
    for seed in range(SEQUENCES):
        play(twins, Tally(), 1, seed=seed)
        sequence = list(twins.done)
        assert len(sequence) > 100
        real.begin()
        for action, seen in sequence:
            again = real.act(action)
            if seen is None or again is None:
                assert seen is again
                continue
            assert decision(again) == decision(seen), action
            assert [(e.contract, e.name, e.args) for e in again.events] == [
                (e.contract, e.name, e.args) for e in seen.events
            ], action
        real.check_whole()
        assert real.ledger() == twins.ledger()
