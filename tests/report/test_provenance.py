"""What made a bundle: version, commit, programs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import devnet
from devnet.base import assets
from devnet.base.toolchain import Toolchain
from devnet.record.folder import seal
from devnet.record.provenance import provenance
from devnet.report import write_report


class TestWhatMadeIt:
    def test_the_manifest_says_it_and_the_page_shows_it(self, run: Path) -> None:
        made = {
            "version": "1.2.3",
            "commit": "ab" * 20,
            "anvil": "1.7.1",
            "python": "3.11.7",
            "date": "2026-01-02T03:04:05Z",
        }
        bundle = seal(run, {"verdict": "passed", "made": made})
        text = write_report(bundle).read_text()
        assert (
            f"devnet 1.2.3, commit <code>{'ab' * 20}</code>, anvil 1.7.1, Python 3.11.7; "
            "sealed 2026-01-02T03:04:05Z"
        ) in text
        assert "<code>devnet replay run.kompute.zip</code>" in text

    def test_provenance_is_this_checkout_s(self) -> None:
        Toolchain().anvil()
        made = provenance()
        lock = json.loads((assets.root() / "package-lock.json").read_text())
        assert made["anvil"] == lock["packages"]["node_modules/@foundry-rs/anvil"]["version"]
        assert made["version"] == devnet.__version__
        root = assets.checkout()
        assert root is not None
        head = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert made["commit"] in (head, f"{head}-dirty")

    def test_away_from_a_checkout_there_is_no_commit(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("devnet.record.provenance.checkout", lambda: None)
        monkeypatch.setenv("KOMPUTE_CACHE", str(tmp_path))
        made = provenance()
        assert (made["commit"], made["anvil"]) == (None, None)
