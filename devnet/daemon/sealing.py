"""Runs that were cut short by a SIGKILL, made into readable bundles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from devnet.base.folder import DevnetFolder
from devnet.record.folder import LINES, MANIFEST, seal

STATE = "state"


def state_of(folder: DevnetFolder, run: Path) -> Path:
    """Where the parts of a run keep their own files while it goes."""
    return folder.path / STATE / run.name


def seal_cut_short(folder: DevnetFolder, cluster: str) -> Iterator[Path]:
    """Seal every run of a devnet that has no manifest; the caller holds the folder.

    `cluster` is what the run was played on, as far as it is known.
    """
    for path in sorted(folder.runs.glob("*/")):
        if not (path / MANIFEST).exists() and any((path / name).exists() for name in LINES):
            yield _seal(folder, path, cluster)


def _seal(folder: DevnetFolder, path: Path, cluster: str) -> Path:
    # Imported where a run is really sealed: they bring chain and cluster with them.
    from devnet.report import write_report
    from devnet.runs.runner import CUT_SHORT, keep_logs

    for name in LINES:
        _drop_half_line(path / name)
    keep_logs(state_of(folder, path), path)
    write_report(path, CUT_SHORT)
    return seal(path, _facts(path, cluster, CUT_SHORT))


def _facts(run: Path, cluster: str, verdict: str) -> dict[str, Any]:
    scenario: dict[str, Any] = {}
    if (run / "scenario.yaml").exists():
        scenario = yaml.safe_load((run / "scenario.yaml").read_text(encoding="utf-8"))
    last = _last_line(run / "blocks.jsonl")
    return {
        "scenario": scenario.get("name", ""),
        "cluster": cluster,
        "seed": scenario.get("seed", 0),
        "verdict": verdict,
        "last_block": {"number": last.get("number", 0), "hash": last.get("hash", "")},
    }


def _last_line(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    lines = path.read_bytes().splitlines()
    value: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return value


def _drop_half_line(path: Path) -> None:
    """A writer killed in the middle of a line leaves no newline at its end."""
    if not path.exists():
        return
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        path.write_bytes(data[: data.rfind(b"\n") + 1])
