"""Runs that were cut short by a SIGKILL, made into readable bundles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from devnet.runs.folder import LINES, MANIFEST, content, seal

CUT_SHORT = "cut short"
_STATE = "state"


def seal_cut_short(runs: Path, cluster: str) -> Iterator[Path]:
    """Seal every run below `runs` that has no manifest; the caller holds the devnet's folder."""
    for path in sorted(runs.glob("*/")):
        if not (path / MANIFEST).exists() and any((path / name).exists() for name in LINES):
            for name in LINES:
                _drop_half_line(path / name)
            forget_state(path)
            yield seal(path, _facts(path, cluster))


def forget_state(run: Path) -> None:
    """Remove what parts kept for themselves (databases, keys), but nothing a bundle holds."""
    state = run / _STATE
    kept = set(content(run))
    for path in sorted(state.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept:
            path.unlink(missing_ok=True)


def _facts(run: Path, cluster: str) -> dict[str, Any]:
    scenario: dict[str, Any] = {}
    if (run / "scenario.yaml").exists():
        scenario = yaml.safe_load((run / "scenario.yaml").read_text(encoding="utf-8"))
    last = _last_line(run / "blocks.jsonl")
    return {
        "scenario": scenario.get("name", ""),
        "cluster": cluster,
        "seed": scenario.get("seed", 0),
        "verdict": CUT_SHORT,
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
