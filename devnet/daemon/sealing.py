"""Runs that were cut short by a SIGKILL, made into readable bundles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from devnet.base.folder import DevnetFolder
from devnet.record.folder import LINES, MANIFEST
from devnet.runs.life import Facts, Life


def seal_cut_short(folder: DevnetFolder, cluster: str) -> Iterator[Path]:
    """Seal every run of a devnet that has no manifest; the caller holds the folder.

    `cluster` is what the run was played on, as far as it is known.
    """
    for path in sorted(folder.runs.glob("*/")):
        if not (path / MANIFEST).exists() and any((path / name).exists() for name in LINES):
            with Life.left(folder, path, _facts(path, cluster)) as life:
                pass
            yield life.remains.bundle


def _facts(run: Path, cluster: str) -> Facts:
    scenario: dict[str, Any] = {}
    if (run / "scenario.yaml").exists():
        scenario = yaml.safe_load((run / "scenario.yaml").read_text(encoding="utf-8"))
    last = _last_line(run / "blocks.jsonl")
    block = {"number": last.get("number", 0), "hash": last.get("hash", "")}
    name, seed = scenario.get("name", ""), scenario.get("seed", 0)
    network = run / "network.yaml"
    asked = yaml.safe_load(network.read_text(encoding="utf-8")) if network.exists() else {}
    unsandboxed = asked.get("unsandboxed") is True
    return Facts(name, cluster, seed, last_block=block, unsandboxed=unsandboxed)


def _last_line(path: Path) -> dict[str, Any]:
    """The last whole line: what a writer was killed in is no line."""
    if not path.exists():
        return {}
    lines = [line for line in path.read_bytes().splitlines(keepends=True) if line[-1:] == b"\n"]
    value: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return value
