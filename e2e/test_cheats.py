"""Workers whose machines cheat in performance tests, and the line that says how each was caught."""

from __future__ import annotations

import re

import pytest
from conftest import SCENARIOS, Devnet, available_clusters

ELSEWHERE = r"chain run \d+: \d+ links in \d+ ms of the processor, where a core makes \d+ at most"
LINES = {
    "sim": {
        "worker-2": r"not the figures of its profile: cpu_steps_per_second 500000 is not 125000",
        "worker-3": r"the seed is not that of the block, the node and the nonce",
        "worker-4": r"not the figures of its profile: storage_bytes 13750000 is not 6875000",
        "worker-5": r"another node's measurement",
    },
    "native": {
        "worker-2": ELSEWHERE,
        "worker-3": ELSEWHERE,
        "worker-4": r"disk: block \d+ is wrong",
        "worker-5": ELSEWHERE,  # worker-5's own control group stood idle
    },
}


@pytest.mark.parametrize("cluster", [name for name in available_clusters() if name in LINES])
def test_each_cheating_worker_is_caught(cluster: str, devnet: Devnet) -> None:
    ended = devnet("run", SCENARIOS / "cheating-workers.yaml", "--cluster", cluster, "--json")
    assert ended.code == 0, ended.err
    measured = [step for step in ended.json()["steps"] if step["verb"] == "measure"]
    told = dict(zip(LINES[cluster], (step["did"] for step in measured), strict=True))
    for worker, line in LINES[cluster].items():
        assert told[worker].startswith(f"rejected with Cheated, as expected: {worker}: ")
        assert re.search(line, told[worker]), told[worker]
