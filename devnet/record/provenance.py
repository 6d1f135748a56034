"""What made a run: which version and commit, when, on what chain; `made` in its manifest."""

from __future__ import annotations

import json
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import devnet
from devnet.base.assets import checkout
from devnet.base.environment import plain_environment
from devnet.base.solidity import find_libraries
from devnet.base.store import Store, default_cache

ANVIL_PACKAGE: Final = "@foundry-rs/anvil/package.json"
GIT_SECONDS: Final = 5.0


def provenance() -> dict[str, Any]:
    """`version` and `commit` of this devnet (None away from a checkout; `-dirty` with changes),
    `anvil`, `python`, and `date`, when the run was sealed, UTC."""
    return {
        "version": devnet.__version__,
        "commit": commit(),
        "anvil": anvil_version(find_libraries(Store(default_cache()))),
        "python": platform.python_version(),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def anvil_version(modules: Path | None) -> str | None:
    """Of npm's package (asking the binary takes longer); None where it is not installed."""
    if modules is None:
        return None
    try:
        document = json.loads((modules / ANVIL_PACKAGE).read_text(encoding="utf-8"))
        return str(document["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def commit() -> str | None:
    """Of the checkout this code runs from; None without git, or for an installed package."""
    root = checkout()
    if root is None:
        return None
    describe = ("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *describe],
            env=plain_environment(),  # GIT_DIR would name another repository
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
