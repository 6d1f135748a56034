"""The texts an agent serves: resource metrics and the tail of a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.native.agent.kubelet import tail_offset
from cluster.native.agent.metrics import PodUsage, Usage, text


def test_resource_metrics_in_the_kubelets_format() -> None:
    pods = [PodUsage("kompute", "web-1", "main", 1_700_000_000.5, Usage(2_500_000_000, 9 << 20))]
    assert text(Usage(10**10, 1 << 30), pods, now_seconds=1_700_000_100.25) == (
        "node_cpu_usage_seconds_total 10.000000000 1700000100250\n"
        "node_memory_working_set_bytes 1073741824 1700000100250\n"
        'container_cpu_usage_seconds_total{container="main",namespace="kompute",pod="web-1"} '
        "2.500000000 1700000100250\n"
        'container_memory_working_set_bytes{container="main",namespace="kompute",pod="web-1"} '
        "9437184 1700000100250\n"
        'container_start_time_seconds{container="main",namespace="kompute",pod="web-1"} '
        "1700000000.500 1700000100250\n"
    )


def test_zeros_are_clamped_since_they_would_drop_the_pod() -> None:
    lines = text(Usage(0, 0), [], now_seconds=1).splitlines()
    assert lines == [
        "node_cpu_usage_seconds_total 0.000001000 1000",
        "node_memory_working_set_bytes 4096 1000",
    ]


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (None, b"one\ntwo\nthree\n"),
        (0, b""),
        (1, b"three\n"),
        (2, b"two\nthree\n"),
        (9, b"one\ntwo\nthree\n"),
    ],
)
def test_the_tail_of_a_log(tmp_path: Path, lines: int | None, kept: bytes) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo\nthree\n")
    assert log.read_bytes()[tail_offset(log, lines) :] == kept
