"""A run's folder, written as the run goes, and the one file it is sealed into."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from devnet.base.obstacles import at

BUNDLE_VERSION = 1
SUFFIX = ".kompute.zip"
MANIFEST = "manifest.json"
LINES = ("blocks.jsonl", "inputs.jsonl", "history.jsonl", "events.jsonl", "steps.jsonl")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes


class RunFolder:
    """Context manager; every line is on its way to the disk once its call returns.

    The folder itself is readable as a bundle at any moment, also after a SIGKILL.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._streams: dict[str, TextIO] = {}

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "logs").mkdir(exist_ok=True)
        for name in LINES:
            self._streams[name] = (self.path / name).open("a", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stream in self._streams.values():
            with contextlib.suppress(OSError):  # what was not written has been raised by `line`
                stream.close()
        self._streams.clear()

    def line(self, name: str, value: Mapping[str, Any]) -> None:
        """Append one record to a `.jsonl` file."""
        stream = self._streams[name]
        with at(self.path / name):
            stream.write(json.dumps(value, separators=(",", ":")) + "\n")
            stream.flush()

    def document(self, name: str, value: Any) -> None:
        """Write a whole JSON file, atomically."""
        write_atomically(self.path / name, json.dumps(value, indent=1) + "\n")

    def text(self, name: str, value: str) -> None:
        write_atomically(self.path / name, value)


def write_atomically(path: Path, text: str) -> None:
    """Either the old file or the whole new one, whatever happens meanwhile."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with at(path):
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def content(folder: Path) -> tuple[Path, ...]:
    """The files a bundle of this run consists of, without its manifest, in order."""
    names = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".") and path.name != MANIFEST
    ]
    return tuple(path for path in names if path.suffix in {".json", ".jsonl", ".yaml", ".log"})


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def seal(folder: Path, facts: Mapping[str, Any]) -> Path:
    """Write the manifest (hashes of all files, and `facts`) and the bundle beside the folder."""
    hashes = {path.relative_to(folder).as_posix(): digest(path) for path in content(folder)}
    manifest = {"version": BUNDLE_VERSION, **facts, "files": hashes}
    write_atomically(folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    bundle = folder.with_name(folder.name + SUFFIX)
    partial = bundle.with_name(f".{bundle.name}.{os.getpid()}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (folder / MANIFEST, *content(folder)):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _ZIP_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes())
        partial.replace(bundle)
    finally:
        partial.unlink(missing_ok=True)
    return bundle
