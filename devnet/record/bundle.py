"""A run read back: from its one file, or from its folder, also when it was cut short.

Nothing is unpacked: members of the file are read where they are, within fixed limits, so that a
bundle from a stranger can neither fill the disk nor write a file.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, Protocol

from devnet.base.errors import ReplayDiverged, UsageError
from devnet.record.folder import BUNDLE_VERSION, LINES, MANIFEST, content, digest

MAX_MEMBERS: Final = 10_000
MAX_BYTES: Final = 8 << 30  # unpacked, all members together
MAX_DOCUMENT_BYTES: Final = 64 << 20
MAX_LINE_BYTES: Final = 64 << 20
_PIECE_BYTES: Final = 1 << 20
# What replay and report rest on: none of it may stand outside the manifest.
_ESSENTIAL: Final = ("genesis.json", *LINES)
_UNREADABLE: Final = (OSError, EOFError, zipfile.BadZipFile, zlib.error)
_HEX: Final = frozenset("0123456789abcdef")


class NotABundle(UsageError):
    """The path holds no run that can be read, or of another version."""


class BundleAltered(ReplayDiverged):
    """A file is not the one the manifest was written for; hashes are SHA-256, hex."""

    def __init__(self, bundle: Path, file: str, recorded: str, found: str) -> None:
        super().__init__(
            f"{bundle}: {file} was altered after the run\n"
            f"  recorded  {recorded}\n  found     {found}",
            hint="get the bundle again from whoever made it",
        )
        self.file, self.recorded, self.found = file, recorded, found


@dataclass(frozen=True, slots=True)
class RecordedTransaction:
    """A signed transaction's bytes and the hash the chain gave it, lower-case hex."""

    hash: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class RecordedBlock:
    """One line of `blocks.jsonl`: `run` blocks of which the last is named, the others empty."""

    line: int
    number: int
    timestamp: int
    hash: str
    run: int
    transactions: tuple[RecordedTransaction, ...]


class Source(Protocol):
    """Where the files of a run are."""

    def names(self) -> tuple[str, ...]:
        """Of all files of the bundle, relative, with `/`."""

    def open(self, name: str) -> BinaryIO:
        """Raises KeyError for a name it has not got."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A run's files as values; every iterator starts at the file's beginning.

    A file that is missing reads as empty, since a run cut short lacks some. `notes` collects, as
    reading goes, what a person should know: cut-off lines, files outside the manifest.
    """

    path: Path
    manifest: Mapping[str, Any]
    source: Source = field(repr=False)
    notes: list[str] = field(default_factory=list)

    @property
    def sealed(self) -> bool:
        """Whether the run ended in order, so that its files are covered by hashes."""
        return bool(self.manifest)

    def document(self, name: str) -> Any:
        """A whole JSON file, `{}` when it is missing; raises NotABundle when it is none."""
        try:
            return json.loads(self.text(name) or "{}")
        except (ValueError, RecursionError) as error:
            raise NotABundle(f"{self.path}: {name} is no JSON: {error}") from error

    def text(self, name: str) -> str:
        """A whole file, empty when it is missing."""
        return _read(self.path, self.source, name).decode(errors="replace")

    @property
    def genesis(self) -> Mapping[str, Any]:
        """`genesis.json`: the chain's settings and the deployment."""
        return self._mapping("genesis.json")

    @property
    def names(self) -> Mapping[str, str]:
        """Account and contract names by lower-case address."""
        return {str(key).lower(): str(name) for key, name in self._mapping("names.json").items()}

    def blocks(self) -> Iterator[RecordedBlock]:
        """Raises NotABundle naming the line that is no block."""
        for line, record in self.numbered("blocks.jsonl"):
            try:
                yield _block(line, record)
            except (KeyError, TypeError, ValueError) as error:
                raise NotABundle(
                    f"{self.path}: blocks.jsonl:{line} is no block: {error!r}"
                ) from error

    def steps(self) -> Iterator[Mapping[str, Any]]:
        """The outcome of each step, with the ledger it left."""
        return self.records("steps.jsonl")

    def history(self) -> Iterator[Mapping[str, Any]]:
        """Each operation's invocation and, where it is known, its outcome."""
        return self.records("history.jsonl")

    def events(self) -> Iterator[Mapping[str, Any]]:
        """The contracts' events in order."""
        return self.records("events.jsonl")

    def inputs(self) -> Iterator[Mapping[str, Any]]:
        """What came to the actors from outside."""
        return self.records("inputs.jsonl")

    def records(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The lines of a `.jsonl` file; raises NotABundle naming a line that is no record."""
        return (record for _, record in self.numbered(name))

    def numbered(self, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Lines with their numbers from 1. A last line that was cut off is left out, and said."""
        try:
            stream = self.source.open(name)
        except KeyError:
            return
        with stream:
            for line, text in enumerate(_lines(self.path, name, stream), start=1):
                try:
                    record = json.loads(text)
                except (ValueError, RecursionError) as error:
                    # A line is written before its end-of-line: only the last one can lack it.
                    if text.endswith(b"\n"):
                        raise NotABundle(
                            f"{self.path}: {name}:{line} is no JSON: {error}"
                        ) from error
                    self._note(f"{name}:{line}, the last line, was cut off and is left out")
                    return
                if not isinstance(record, dict):
                    raise NotABundle(f"{self.path}: {name}:{line} is no record")
                yield line, record

    def _mapping(self, name: str) -> Mapping[str, Any]:
        value = self.document(name)
        if not isinstance(value, dict):
            raise NotABundle(f"{self.path}: {name} is no JSON object")
        return value

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


@contextmanager
def open_bundle(path: Path, *, verify: bool = True) -> Iterator[Bundle]:
    """A run's bundle or its folder; `verify` compares every file with the manifest's hashes.

    Raises NotABundle for anything else and for another version, BundleAltered for a file that
    differs from the manifest. A folder without a manifest is a run that was cut short: readable.
    """
    if path.is_dir():
        yield _opened(path, _Folder(path), verify)
        return
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise NotABundle(f"there is no bundle {path}", hint="devnet run prints its path") from None
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise NotABundle(f"{path} is no bundle: {error}") from error
    with archive:
        yield _opened(path, _Archive(path, archive), verify)


def _opened(path: Path, source: Source, verify: bool) -> Bundle:
    names = source.names()
    if MANIFEST not in names and (isinstance(source, _Archive) or not _looks_like_a_run(names)):
        raise NotABundle(f"{path} is no bundle: it has no {MANIFEST}")
    manifest = Bundle(path, {}, source).document(MANIFEST)
    bundle = Bundle(path, manifest if isinstance(manifest, dict) else {}, source)
    if MANIFEST not in names:
        bundle._note("the run was cut short: it has no manifest, nothing vouches for its files")
        return bundle
    version, files = bundle.manifest.get("version"), bundle.manifest.get("files")
    if version != BUNDLE_VERSION:
        raise NotABundle(
            f"{path} is a bundle of version {version!r}; this devnet reads {BUNDLE_VERSION}",
            hint="use the devnet that made it",
        )
    if not isinstance(files, dict):
        raise NotABundle(f"{path}: {MANIFEST} lists no files")
    if verify:
        _verify(bundle, files)
    return bundle


def _looks_like_a_run(names: tuple[str, ...]) -> bool:
    return any(name in names for name in (*_ESSENTIAL, "scenario.yaml"))


def _verify(bundle: Bundle, files: Mapping[str, Any]) -> None:
    names = bundle.source.names()
    for name, recorded in files.items():
        found = _digest(bundle, name) if name in names else "no such file"
        if found != recorded:
            raise BundleAltered(bundle.path, name, str(recorded), found)
    for name in names:
        if name in _ESSENTIAL and name not in files:
            raise BundleAltered(bundle.path, name, "no such file", _digest(bundle, name))
        if name != MANIFEST and name not in files:
            bundle._note(f"{name} is not in the manifest")


def _digest(bundle: Bundle, name: str) -> str:
    if isinstance(bundle.source, _Folder):
        return digest(bundle.path / name)
    total = hashlib.sha256()
    with bundle.source.open(name) as stream:
        try:
            while piece := stream.read(_PIECE_BYTES):
                total.update(piece)
        except _UNREADABLE as error:
            raise NotABundle(f"{bundle.path}: {name} cannot be read: {error}") from error
    return total.hexdigest()


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._names = tuple(
            file.relative_to(path).as_posix()
            for file in (*content(path), path / MANIFEST)
            if file.is_file()
        )

    def names(self) -> tuple[str, ...]:
        return self._names

    def open(self, name: str) -> BinaryIO:
        if name not in self._names:
            raise KeyError(name)
        return (self._path / name).open("rb")


class _Archive:
    """The members of a zip file, once their names and sizes have been found harmless."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        members = archive.infolist()
        total = sum(member.file_size for member in members)
        if len(members) > MAX_MEMBERS or total > MAX_BYTES:
            raise NotABundle(
                f"{path} would unpack to {len(members)} files of {total} bytes; "
                f"the limits are {MAX_MEMBERS} and {MAX_BYTES}"
            )
        names = [member.filename for member in members]
        for name in names:
            pure = PurePosixPath(name)
            if pure.is_absolute() or ".." in pure.parts or "\\" in name or "\0" in name:
                raise NotABundle(f"{path} has a file that would lie outside of it: {name!r}")
        for name, times in Counter(names).items():
            if times > 1:
                raise NotABundle(f"{path} has {times} files named {name!r}")
        self._names = tuple(name for name in names if not name.endswith("/"))

    def names(self) -> tuple[str, ...]:
        return self._names

    def open(self, name: str) -> BinaryIO:
        try:
            # Reads no more than the size that was counted above, whatever the data say.
            return self._archive.open(name)  # type: ignore[return-value]
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise NotABundle(f"{self._path}: {name} cannot be read: {error}") from error


def _read(path: Path, source: Source, name: str) -> bytes:
    try:
        stream = source.open(name)
    except KeyError:
        return b""
    with stream:
        try:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
        except _UNREADABLE as error:
            raise NotABundle(f"{path}: {name} cannot be read: {error}") from error
    if len(data) > MAX_DOCUMENT_BYTES:
        raise NotABundle(f"{path}: {name} is larger than {MAX_DOCUMENT_BYTES} bytes")
    return data


def _lines(path: Path, name: str, stream: BinaryIO) -> Iterator[bytes]:
    try:
        while text := stream.readline(MAX_LINE_BYTES + 1):
            if len(text) > MAX_LINE_BYTES:
                raise NotABundle(f"{path}: {name} has a line longer than {MAX_LINE_BYTES} bytes")
            yield text
    except _UNREADABLE as error:
        raise NotABundle(f"{path}: {name} cannot be read: {error}") from error


def _block(line: int, record: Mapping[str, Any]) -> RecordedBlock:
    number, timestamp, run = (_count(record, key) for key in ("number", "timestamp", "run"))
    transactions = tuple(
        RecordedTransaction(_hash(item["hash"]), bytes.fromhex(_hex(item["raw"])))
        for item in record["transactions"]
    )
    if run < 1 or (run > 1 and transactions):
        raise ValueError(f"a run of {run} blocks with {len(transactions)} transactions")
    return RecordedBlock(line, number, timestamp, _hash(record["hash"]), run, transactions)


def _count(record: Mapping[str, Any], key: str) -> int:
    value = record[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{key} is {value!r}")
    return value


def _hex(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"{str(value)[:80]!r} is no hex")
    return value[2:]


def _hash(value: object) -> str:
    text = _hex(value)
    if len(text) != 64 or not set(text) <= _HEX:
        raise ValueError(f"{str(value)[:80]!r} is no hash")
    return "0x" + text
