"""A run's folder on a real chain, and bundles changed after the fact; see `conftest.recording`."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devnet.chain import DEFAULT_MNEMONIC, Account, Chain, MinedBlock, Transaction, sign
from devnet.record.folder import RunFolder, digest, seal
from devnet.record.history import History

GENESIS = 1_767_225_600
BLOCK_SECONDS = 720
NAMES = tuple(f"account-{place}" for place in range(10))
# Runtime code of a counter: each call adds one to slot 0.
COUNTER = bytes.fromhex("6009600c60003960096000f3" + "600054600101600055")


@dataclass(frozen=True)
class Recording:
    """A run's folder with the chain that fills it, block by block, as the runner does."""

    folder: RunFolder
    chain: Chain
    accounts: dict[str, Account]

    @property
    def path(self) -> Path:
        return self.folder.path

    def write(self, mined: MinedBlock) -> None:
        History(self.folder).mined(mined, ())

    def pay(self, nonce: int, *, senders: tuple[str, ...] = NAMES[:3]) -> MinedBlock:
        """One block in which each of these sends one wei to the next."""
        raw = [
            sign(
                self.accounts[sender],
                Transaction(nonce=nonce, to=self.accounts["account-9"].address, value=1),
            )
            for sender in senders
        ]
        mined = self.chain.mine(raw)
        self.write(mined)
        return mined

    def call(self, to: str | None, nonce: int, data: bytes = b"") -> MinedBlock:
        mined = self.chain.mine(
            [sign(self.accounts["account-0"], Transaction(nonce=nonce, to=to, data=data))]
        )
        self.write(mined)
        return mined

    def wait(self, blocks: int) -> None:
        for mined in self.chain.advance(blocks):
            self.write(mined)

    def seal(self, verdict: str = "passed") -> Path:
        head = self.chain.head
        facts = {"verdict": verdict, "last_block": {"number": head.number, "hash": head.hash}}
        return seal(self.path, facts)


def genesis(**changes: object) -> dict[str, object]:
    chain = {
        "genesis_timestamp": GENESIS,
        "chain_id": 31337,
        "block_seconds": BLOCK_SECONDS,
        "mnemonic": DEFAULT_MNEMONIC,
        "accounts": len(NAMES),
        "prune_history": False,
    }
    return {"chain": {**chain, **changes}, "deployment": {}}


def repack(
    bundle: Path, change: Callable[[dict[str, bytes]], None], *, rehash: bool = True
) -> Path:
    """The bundle with its files changed; `rehash` writes a manifest that vouches for the change."""
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    folder = bundle.with_name("altered")
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    if rehash and "manifest.json" in files:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = {
            name: digest(folder / name) for name in files if name != "manifest.json"
        }
        files["manifest.json"] = json.dumps(manifest).encode()
    altered = bundle.with_name("altered.kompute.zip")
    with zipfile.ZipFile(altered, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return altered


def change_line(
    files: dict[str, bytes], line: int, change: Callable[[dict[str, object]], None]
) -> None:
    """Edit one record of `blocks.jsonl`, counted from 1."""
    lines = files["blocks.jsonl"].splitlines()
    record = json.loads(lines[line - 1])
    change(record)
    lines[line - 1] = json.dumps(record).encode()
    files["blocks.jsonl"] = b"\n".join(lines) + b"\n"
