"""`devnet logs`."""

from __future__ import annotations

import difflib
import time
from pathlib import Path

import click

from devnet.cli import terminal
from devnet.cli.numbers import Whole
from devnet.cli.options import name_option

LOOK_SECONDS = 0.3


@click.command("logs")
@click.argument("part", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option(
    "-n",
    "--tail",
    type=Whole(0, 1_000_000),
    default=100,
    show_default=True,
    metavar="N",
    help="How many of its last lines.",
)
@name_option
def command(part: str | None, follow: bool, tail: int, name: str) -> None:
    """Show the log of PART: daemon, anvil, etcd, a worker's kubelet, a pod, …

    Without PART: the list of parts; with -f: all of them, each line with its part.
    """
    from devnet.base import UsageError
    from devnet.base.folder import DevnetFolder

    folder = DevnetFolder.existing(name)
    parts = log_files(folder.logs, newest_run(folder.runs, folder.state().get("run")))
    if part is None and not follow:
        rows = [(known, _lines(path), str(path)) for known, path in parts.items()]
        terminal.print_table(("part", "lines", "file"), rows, right=("lines",))
        return
    if part is not None and part not in parts:
        close = difflib.get_close_matches(part, parts, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(parts) or 'none'}"
        raise UsageError(f"no log of '{part}' in the devnet `{name}`", hint=hint)
    chosen = parts if part is None else {part: parts[part]}
    _show(chosen, tail if part is not None else min(tail, 10), follow, prefixed=part is None)


def log_files(logs: Path, run: Path | None) -> dict[str, Path]:
    """The parts of a devnet by name: its daemon, then whatever wrote a log in the run's folder."""
    found = {path.stem: path for path in sorted(logs.glob("*.log"))}
    if run is not None:
        working = logs.parent / "state" / run.name  # while it runs; they end up in the run
        for folder in (run / "logs", working):
            for path in sorted(folder.rglob("*.log")):
                found.setdefault(path.stem, path)
    return found


def newest_run(runs: Path, current: str | None) -> Path | None:
    """The run of a running devnet, else the newest one."""
    if current:
        return Path(current)
    folders = [path for path in runs.glob("*") if path.is_dir()]
    return max(folders, key=lambda path: path.name, default=None)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def _show(parts: dict[str, Path], tail: int, follow: bool, *, prefixed: bool) -> None:
    width = max(map(len, parts), default=0)
    offsets: dict[str, int] = {}
    for name, path in parts.items():
        data = path.read_bytes()
        offsets[name] = len(data)
        lines = data.decode(errors="replace").splitlines()
        _print(name if prefixed else "", width, lines[len(lines) - min(tail, len(lines)) :])
    while follow:
        for name, path in parts.items():
            with path.open("rb") as stream:
                stream.seek(offsets[name])
                data = stream.read()
            data = data[: data.rfind(b"\n") + 1]
            offsets[name] += len(data)
            _print(name if prefixed else "", width, data.decode(errors="replace").splitlines())
        time.sleep(LOOK_SECONDS)


def _print(name: str, width: int, lines: list[str]) -> None:
    for line in lines:
        terminal.print_line(f"{name.ljust(width)} | {line}" if name else line)
