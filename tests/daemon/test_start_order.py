"""The chain starts while the daemon imports: what is imported before it is what starts it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import python

LATER = (
    *("aiohttp", "httpx", "jinja2", "devnet.actors.scheduler", "devnet.checking", "devnet.gateway"),
    *("devnet.daemon.live", "devnet.model", "devnet.oracles", "devnet.runs.world", "devnet.steps"),
)
STARTS_THE_CHAIN = ("coincurve", "eth_abi", "devnet.chain", "devnet.protocol")


@pytest.mark.parametrize(
    ("modules", "later"),
    [
        ("devnet.daemon.serving", (*LATER, *STARTS_THE_CHAIN)),  # a faulty one is told at once
        ("devnet.daemon.serving, devnet.runs.node", LATER),
    ],
)
def test_before_the_chain_only_what_starts_it_is_imported(
    modules: str, later: tuple[str, ...]
) -> None:
    script = f"import sys, {modules}\nprint([n for n in {later!r} if n in sys.modules])"
    done = python(script)
    assert done.code == 0, done.err
    assert done.out == "[]\n"
