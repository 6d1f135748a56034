"""`python -m benchmarks [NAME …] [--json]`: all benchmarks, or those named; one row a promise.

A benchmark is a module here with `measure(smallest)`, which gives one promise or a tuple of them: a
`Ratio`, a `Bound` or an `Excess`; in its smallest form it takes seconds and shows only that it
still runs, as the tests do. Exit 1 when a promise is missed, 2 for an unknown name, 3 when
the machine lacks something.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from importlib import import_module
from pathlib import Path

import click

from benchmarks.bound import Bound, Excess
from benchmarks.ratio import Ratio
from devnet.base import DevnetError

Promise = Ratio | Bound | Excess
HEADINGS = ("benchmark", "what", "ours", "peer", "ratio", "limit", "verdict")


def present() -> list[str]:
    """The benchmarks there are."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return [path.stem for path in modules if "\ndef measure(" in path.read_text()]


def measured(name: str, smallest: bool) -> Iterator[Promise]:
    """Whatever the benchmark measures, once it is all measured."""
    found = import_module(f"benchmarks.{name}").measure(smallest)
    yield from found if isinstance(found, tuple) else (found,)


def record(name: str, promise: Promise, judged: bool = True) -> dict[str, object]:
    """A row as JSON: figures as numbers in `unit`, `ratio` None without a peer, `held` None for one
    that is not judged."""
    return {
        "benchmark": name,
        "what": promise.what,
        "unit": promise.unit,
        "ours": float(promise.ours),
        "peer": float(promise.peer) if promise.peer else None,
        "ratio": float(promise.ours / promise.peer) if promise.peer else None,
        "limit": limit_of(promise),
        "held": promise.held if judged else None,
    }


def limit_of(promise: Promise) -> str:
    if isinstance(promise, Ratio):
        return f"ratio {'>=' if promise.at_least else '<='} {float(promise.target):g}"
    return promise.limit


def row(name: str, promise: Promise, judged: bool = True) -> tuple[str, ...]:
    """A row for people, in the order of HEADINGS."""
    peer = promise.peer
    verdict = "held" if promise.held else "MISSED"
    return (
        name,
        promise.what,
        figure(promise.ours, promise.unit),
        figure(peer, promise.unit) if peer else "-",
        f"{float(promise.ours / peer):.2f}" if peer else "-",
        limit_of(promise),
        verdict if judged else "-",
    )


def figure(value: Fraction, unit: str) -> str:
    exact = value.denominator == 1
    return f"{int(value):,} {unit}".replace(",", " ") if exact else f"{float(value):.4g} {unit}"


def table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ((cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in rows)
    return "\n".join("  ".join(line).rstrip() for line in padded)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--smallest", is_flag=True, help="Seconds each, to see that it runs; nothing is judged."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
def main(names: tuple[str, ...], smallest: bool, as_json: bool) -> None:
    """Measure the benchmarks of these names, all without one."""
    known = present()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(
            f"no benchmark named {', '.join(unknown)}; known: {', '.join(known)}"
        )
    found: list[tuple[str, Promise]] = []
    failed = 0
    for name in names or known:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        try:
            found += [(name, promise) for promise in measured(name, smallest)]
        except DevnetError as error:
            print(f"{name}: {error}" + (f" ({error.hint})" if error.hint else ""), file=sys.stderr)
            failed = failed or error.exit_code
    judged = not smallest
    if as_json:
        print(json.dumps([record(name, promise, judged) for name, promise in found], indent=2))
    elif found:
        print(table([HEADINGS, *(row(name, promise, judged) for name, promise in found)]))
    sys.exit(failed or int(judged and not all(promise.held for _, promise in found)))


if __name__ == "__main__":
    main()
