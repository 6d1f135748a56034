"""The life of a run: its folder, its parts' own files, its facts; at its end bundle and report."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devnet.base.errors import MachineLacks
from devnet.base.folder import STATE, DevnetFolder
from devnet.record.bundle import NotABundle
from devnet.record.folder import LINES, RunFolder, seal
from devnet.record.outsiders import (
    FOREIGN_STATE,
    UNMODELLED,
    foreign_of,
    last_recorded,
    unmodelled_of,
)
from devnet.record.provenance import provenance
from devnet.report import write_report
from devnet.runs.parts import PartDied

PASSED, FAILED, CUT_SHORT = "passed", "failed", "cut short"
ENDED, BROKEN = "ended", "broken"  # of a devnet that stayed: told to stop, or by itself
MOST_LOGS = 16  # of one family
_NUMBERED = re.compile(r"-\d.*$")
NO_BLOCK = {"number": 0, "hash": ""}


@dataclass(slots=True)
class Facts:
    """What the manifest says of a run, told as it becomes known; `more` are facts of its kind."""

    scenario: str
    cluster: str
    seed: int
    verdict: str = CUT_SHORT
    last_block: dict[str, Any] = field(default_factory=lambda: dict(NO_BLOCK))
    more: dict[str, Any] = field(default_factory=dict)
    foreign: list[dict[str, Any]] = field(default_factory=list)
    unmodelled: dict[str, Any] | None = None
    unsandboxed: bool = False  # whether its workloads were plain processes, as was asked

    def held_to(self, run: Path) -> None:
        """Name no block that is not in the record, and everything that others did."""
        self.last_block = last_recorded(run) or self.last_block
        self.foreign = foreign_of(run)
        if (self.verdict == BROKEN and self.foreign) or not all(f["replays"] for f in self.foreign):
            self.verdict = FOREIGN_STATE
        self.unmodelled = unmodelled_of(run)
        if self.verdict == ENDED and self.unmodelled:
            self.verdict = UNMODELLED

    def to_json(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario,
            "cluster": self.cluster,
            **({"unsandboxed": True} if self.unsandboxed else {}),
            "seed": self.seed,
            "verdict": self.verdict,
            "last_block": self.last_block,
            **({"foreign": self.foreign} if self.foreign else {}),
            **({"unmodelled": self.unmodelled} if self.unmodelled else {}),
            **self.more,
        }


@dataclass(frozen=True, slots=True)
class Remains:
    """What a run left. `report` is None where it could not be written; `not_written` names all
    that is missing, with the reason."""

    bundle: Path
    report: Path | None
    not_written: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "bundle": str(self.bundle),
            "report": str(self.report) if self.report else None,
            "not_written": list(self.not_written),
        }


class Life:
    """A context manager. Inside, `record` is open and `facts` are told; on leaving, whatever has
    happened, also Ctrl-C, the logs of the parts are kept, the folder is sealed into a bundle, and
    only then the report is written, which so tells what the manifest tells. Then `remains` is set.

    A report or a log that cannot be written (a full disk) takes no verdict away: it is named in
    `remains`. Raises MachineLacks, with the verdict, where even the bundle cannot be written,
    unless an error of the run itself is under way. The caller holds the devnet's folder.
    """

    remains: Remains

    def __init__(
        self,
        path: Path,
        state: Path,
        facts: Facts,
        *,
        begins: bool,
        on_end: Callable[[Remains], None],
    ) -> None:
        self.path, self.state, self.facts = path, state, facts
        self.record = RunFolder(path)
        self.kept = True  # False: leave nothing, it was no run yet
        self._begins, self._on_end = begins, on_end

    @classmethod
    def begin(
        cls, folder: DevnetFolder, name: str, facts: Facts, on_end: Callable[[Remains], None]
    ) -> Self:
        """Of a new run, in a folder of its own; `on_end` is told what it left."""
        path = folder.runs / run_name(name)
        return cls(path, state_of(folder, path), facts, begins=True, on_end=on_end)

    @classmethod
    def left(cls, folder: DevnetFolder, path: Path, facts: Facts) -> Self:
        """Of a run that was killed: its record is not opened, only brought to its end."""
        state = state_of(folder, path)
        return cls(path, state, facts, begins=False, on_end=lambda remains: None)

    def __enter__(self) -> Self:
        if self._begins:
            self.record.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.record.__exit__(kind, error, trace)
        if isinstance(error, PartDied):
            self.facts.verdict = BROKEN
            before = self.facts.more.get("ended", ())
            self.facts.more["ended"] = list(dict.fromkeys((*before, *map(str, error.ended))))
        if not self.kept:
            for path in (self.path, self.state):
                shutil.rmtree(path, ignore_errors=True)
            return
        try:
            self.remains = _concluded(self.path, self.state, self.facts)
            self._on_end(self.remains)
        except OSError as full:
            if error is None:
                raise MachineLacks(
                    f"the verdict is '{self.facts.verdict}', but the bundle of {self.path} cannot "
                    f"be written: {full.strerror or full}",
                    hint="make room; `devnet replay` and `devnet report` also read that folder",
                ) from full


def _concluded(path: Path, state: Path, facts: Facts) -> Remains:
    not_written = []
    try:
        for name in LINES:
            drop_half_line(path / name)
        keep_logs(state, path)
    except OSError as error:
        not_written.append(f"logs: {error.strerror or error} ({path / 'logs'})")
    facts.held_to(path)
    bundle = seal(path, {**facts.to_json(), "made": provenance()})
    try:
        return Remains(bundle, write_report(path), tuple(not_written))
    except (OSError, NotABundle) as error:
        reason = getattr(error, "strerror", None) or error
        return Remains(bundle, None, (*not_written, f"report: {reason} ({path})"))


def saying(say: Callable[[str], None]) -> Callable[[Remains], None]:
    """An `on_end` that says what could not be written."""

    def told(remains: Remains) -> None:
        for missing in remains.not_written:
            say(f"not written: {missing}")

    return told


def state_of(folder: DevnetFolder, run: Path) -> Path:
    """Where the parts of a run keep their own files while it goes."""
    return folder.path / STATE / run.name


def keep_logs(state: Path, run: Path) -> None:
    """Put the parts' logs into the run, and take their working files away.

    A devnet that served a thousand invocations has a thousand logs of a line or two: those of
    one folder that differ only from their first number on, when they are many, become one file.
    """
    try:
        families: dict[str, list[Path]] = {}
        for log in sorted(state.rglob("*.log")):
            *folders, _ = log.relative_to(state).parts
            family = "-".join((*folders, _NUMBERED.sub("", log.stem)))
            families.setdefault(family, []).append(log)
        for family, logs in families.items():
            if len(logs) > MOST_LOGS:
                _merge(logs, run / "logs" / f"{family}.log")
                continue
            for log in logs:
                name = "-".join(log.relative_to(state).parts)
                shutil.copyfile(log, run / "logs" / name)
    finally:
        shutil.rmtree(state, ignore_errors=True)


def _merge(logs: list[Path], into: Path) -> None:
    with into.open("wb") as whole:
        for log in logs:
            content = log.read_bytes()
            whole.write(f"--- {log.stem} ---\n".encode() + content)
            if content and not content.endswith(b"\n"):
                whole.write(b"\n")


def drop_half_line(path: Path) -> None:
    """A writer killed in the middle of a line, or stopped by a full disk, leaves no newline."""
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as stream:
        data = stream.read()
        if data and not data.endswith(b"\n"):
            stream.truncate(data.rfind(b"\n") + 1)


def run_name(scenario: str) -> str:
    """A folder name that sorts by time and meets no other."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{scenario.replace(' ', '-')}-{secrets.token_hex(2)}"
