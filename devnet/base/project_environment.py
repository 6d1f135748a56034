"""A checkout's environment, `.tox/project`: what it was made from, and whether that still holds.

`run` asks before each command, and tox before each check (toxfile.py). What a check or a running
devnet uses is never exchanged without a word. Standard library only: `run` needs it on a bare
Python, and so does tox.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

SOURCES: Final = ("requirements.lock", "pyproject.toml", "tox.ini")
# Of the tox that `run` starts: it holds the lock already.
HELD_VARIABLE: Final = "KOMPUTE_ENVIRONMENT_HELD"
INTERRUPTED: Final = 130
_STAMP: Final = "made-from.json"
_POLL_SECONDS: Final = 0.1
_BEGUN, _FAILED = "begun", "failed"
_OTHER_PYTHON = (
    "{folder} is Python {theirs}'s ({interpreter}), and this is Python {ours}: run it with that"
    " one, or end what runs in it and delete {work}"
)


class OtherPython(Exception):
    """The environment is another Python's, and works: a devnet may run in it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What an environment is made from.

    `sources`: a digest of the lock, the project file and tox.ini; `begun` while it is made,
    `failed` after an installer has said no.
    """

    checkout: str  # links resolved
    version: str  # 3.11.4
    interpreter: str  # links resolved
    sources: str

    @classmethod
    def of(
        cls, checkout: Path, interpreter: str = sys.executable, version: str | None = None
    ) -> Origin:
        """Of the checkout as it is now, and this Python."""
        return cls(
            os.path.realpath(checkout),
            version or platform.python_version(),
            os.path.realpath(interpreter),
            digest(*(checkout / name for name in SOURCES)),
        )


@dataclass(frozen=True, slots=True)
class ProjectEnvironment:
    """The folder that tox makes it in, and what it has to be made from."""

    folder: Path
    wanted: Origin

    @contextmanager
    def locked(self, stop: threading.Event | None = None) -> Iterator[int]:
        """Alone with it; yields the lock's descriptor. SystemExit when `stop` is set meanwhile."""
        with held(self.folder.with_suffix(".lock"), stop) as descriptor:
            yield descriptor

    def origin(self) -> Origin | None:
        """What it was made from; None when nobody knows."""
        try:
            return Origin(**json.loads((self.folder / _STAMP).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def difference(self) -> str | None:
        """Why it cannot be used as it is: `""` when there is none yet; None when it can.

        Raises OtherPython.
        """
        if not self.folder.is_dir():
            return ""
        return self._worthless() or self._outdated()

    def begin(self) -> None:
        """Remove what nothing can be built on, and every word of what it was made from."""
        if self.folder.is_dir() and self._worthless():
            # where tox keeps the packager, made for the same checkout by the same Python
            for place in (self.folder, self.folder.with_name(".pkg")):
                shutil.rmtree(place, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write(_BEGUN)

    def end(self, *, failed: bool = False) -> None:
        """Note what it is made from now; after a failure, that it is not what it should be."""
        self._write(_FAILED if failed else self.wanted.sources)

    def _worthless(self) -> str | None:
        found, wanted = self.origin(), self.wanted
        if found is None or found.sources == _BEGUN:
            return f"nobody finished the one in {self.folder}, or an older `run` made it"
        if found.checkout != wanted.checkout:
            return f"the one here was made for {found.checkout}"
        for program in ("python", "devnet"):
            if (lacks := broken(self.folder / "bin" / program)) and (
                program == "python" or found.sources != _FAILED
            ):
                return f"the one here is broken: {lacks}"
        if found.version.split(".")[:2] != wanted.version.split(".")[:2]:
            raise OtherPython(
                _OTHER_PYTHON.format(
                    folder=self.folder,
                    theirs=found.version,
                    interpreter=found.interpreter,
                    ours=wanted.version,
                    work=self.folder.parent,
                )
            )
        if (found.version, found.interpreter) != (wanted.version, wanted.interpreter):
            return f"the one here is of Python {found.version} ({found.interpreter})"
        return None

    def _outdated(self) -> str | None:
        found = self.origin()
        if found == self.wanted:
            return None
        if found and found.sources == _FAILED:
            return "the last attempt failed"
        return f"{', '.join(SOURCES[:-1])} or {SOURCES[-1]} has changed"

    def _write(self, sources: str) -> None:
        for old in self.folder.glob("made-from*"):
            old.unlink()
        noted = asdict(self.wanted) | {"sources": sources}
        beside = self.folder / f".{_STAMP}.partial"
        beside.write_text(json.dumps(noted, indent=2) + "\n")
        beside.replace(self.folder / _STAMP)


def broken(program: Path) -> str | None:
    """What a program of an environment lacks to be started: itself, or what its `#!` names."""
    if not os.access(program, os.X_OK):  # a link to nothing, too
        return f"{program} cannot be started"
    with program.open("rb") as stream:
        line = stream.readline(4096)
    if line.startswith(b"#!"):
        interpreter = os.fsdecode(line[2:].strip().split(b" ")[0])
        if not os.access(interpreter, os.X_OK):
            return f"{program} needs {interpreter}, which cannot be started"
    return None


def digest(*files: Path) -> str:
    """Of the files' bytes, in their order; a file that is absent has none."""
    hashed = hashlib.sha256()
    for file in files:
        data = file.read_bytes() if file.exists() else b""
        hashed.update(b"%d:" % len(data) + data)
    return hashed.hexdigest()[:16]


@contextmanager
def held(path: Path, stop: threading.Event | None = None) -> Iterator[int]:
    """A lock between processes; the kernel lets go of it when the last that holds it dies."""
    stop = stop or threading.Event()
    path.parent.mkdir(parents=True, exist_ok=True)
    told = False
    with path.open("w") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say("another process is making the environment; waiting for it")
                told = True
            if stop.wait(_POLL_SECONDS):
                raise SystemExit(INTERRUPTED)
        yield stream.fileno()


def say(text: str, *, command_last: bool = False) -> None:
    """A line of `run` on stderr."""
    from devnet.base.telling import wrapped

    lines = wrapped(f"run: {text}", command_last=command_last)
    print(*lines, sep="\n", file=sys.stderr, flush=True)
