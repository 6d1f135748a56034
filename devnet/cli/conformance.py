"""`devnet conformance`."""

from __future__ import annotations

import difflib
import logging
import shutil
import textwrap
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from devnet.base.telling import columns, counted
from devnet.cli import failures, terminal
from devnet.cli.options import cluster_option, json_option

if TYPE_CHECKING:
    from cluster.conformance.row import Row
    from cluster.conformance.suite import Outcome
    from devnet.daemon.failures import Failure

SLOT = "conformance"
_COLOURS = {"declared": "yellow", "fails": "red"}


class _RowNames(click.ParamType):
    """Names of rows, and patterns of them."""

    name = "row"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from cluster.conformance.rows import rows

        found = (row for row in rows() if row.name.startswith(incomplete))
        return [CompletionItem(row.name, help=row.says) for row in found]


@click.command("conformance")
@click.argument("names", nargs=-1, type=_RowNames(), metavar="[ROWS]...")
@cluster_option
@json_option
def command(names: tuple[str, ...], cluster: str, as_json: bool) -> None:
    """Show what a cluster does of what Kubernetes does, row by row, on a cluster of its own.

    ROWS are names or patterns such as 'env.*'; all when none is given. What the cluster is declared
    not to serve is told with its reason, and tried all the same. Exit 1 when a row fails.
    """
    from devnet.base import CheckFailed, Toolchain, UsageError
    from devnet.base.environment import python_environment
    from devnet.base.folder import STATE
    from devnet.cli.slots import held_slot
    from devnet.daemon.failures import failure_of
    from devnet.runs.clusters import choose

    toolchain = Toolchain(say=terminal.say)
    kind, why = choose(cluster, toolchain)
    if kind.modelled:
        raise UsageError(
            f"{kind.name} has no Kubernetes API to show anything of ({why})",
            hint="devnet conformance --cluster native",
        )

    from cluster.conformance.subject import NODES, subject
    from cluster.conformance.suite import play
    from cluster.errors import ClusterError
    from cluster.kubernetes.cluster import KubernetesCluster
    from cluster.registry import Making

    asked = _chosen(names)
    outcomes: list[Outcome] = []
    broken: Failure | None = None
    log = logging.getLogger("conformance")
    with held_slot(SLOT, kind.name) as folder:
        state = folder.path / STATE
        making = Making(NODES, state, folder.id, toolchain, log, python_environment(), ())
        kubectl = toolchain.controlplane() / "kubectl"
        terminal.say(f"raising {kind.name} for {counted(len(asked), 'row')}")
        made = kind.make(making)
        assert isinstance(made, KubernetesCluster)
        try:
            with made, subject(made, made.packing, state / "folder", kubectl) as there:
                for each in play(there, asked):
                    outcomes.append(each)
                    _tell(each, as_json=as_json)
        except ClusterError as error:
            if not outcomes:
                raise
            broken = failure_of(error)  # what was shown before it is told all the same
        ok = broken is None and all(each.ok for each in outcomes)
        if ok:
            shutil.rmtree(state)
    if as_json:
        terminal.print_json(_document(kind.name, len(asked), outcomes, broken))
    else:
        _print_verdict(kind.name, len(asked), outcomes)
    if broken is not None:
        failures.tell(broken)
    if not ok:
        terminal.say(f"what its parts said is in {state / 'logs'}")
        raise SystemExit(broken.exit_code if broken else CheckFailed.exit_code)


def _chosen(names: tuple[str, ...]) -> tuple[Row, ...]:
    """The rows of these names and patterns, in their own order; all for none."""
    from cluster.conformance.rows import rows
    from devnet.base import UsageError

    every = rows()
    unknown = [name for name in names if not any(fnmatchcase(row.name, name) for row in every)]
    if unknown:
        known = [row.name for row in every]
        close = [match for name in unknown for match in difflib.get_close_matches(name, known, n=1)]
        told = " or ".join(f"'{name}'" for name in dict.fromkeys(close))
        raise UsageError(
            f"no row of the conformance table is {' or '.join(map(repr, unknown))}",
            hint=f"did you mean {told}?" if told else "docs/reference/conformance.md",
        )
    wished = names or ("*",)
    return tuple(row for row in every if any(fnmatchcase(row.name, name) for name in wished))


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    """One row of the table: on stdout, or as progress beside an object of all."""
    colour = _COLOURS.get(outcome.state, "")
    for line in row_lines(outcome):
        if as_json:
            terminal.say(line, colour)
        else:
            terminal.print_line(terminal.painted(line, colour) if colour else line)


def row_lines(outcome: Outcome) -> list[str]:
    """`holds      0.4 s  env.value: a plain value`, and what is to be said of it below."""
    head = f"{outcome.state:<8} {outcome.seconds:5.1f} s  "
    indent = " " * len(head)
    lines: list[str] = []
    for text in filter(None, (f"{outcome.row.name}: {outcome.row.says}", outcome.text)):
        lines += textwrap.wrap(
            text,
            columns(),
            initial_indent=indent if lines else head,
            subsequent_indent=indent if lines else f"{indent}  ",
            break_on_hyphens=False,
        )
    return lines


def _counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    from cluster.conformance.suite import State

    return {state.value: sum(each.state is state for each in outcomes) for state in State}


def _print_verdict(cluster: str, asked: int, outcomes: Sequence[Outcome]) -> None:
    counts = _counts(outcomes)
    missing = asked - len(outcomes)
    word = "failed" if counts["fails"] or missing else "passed"
    seconds = sum(each.seconds for each in outcomes)
    not_played = f"{missing} not played, " if missing else ""
    terminal.print_text(
        f"{word}: of {counted(asked, 'row')} on {cluster}, {counts['holds']} hold, "
        f"{counts['declared']} declared, {counts['fails']} failed, {not_played}{seconds:.1f} s",
        "green" if word == "passed" else "red",
        head=word,
    )


def _document(
    cluster: str, asked: int, outcomes: Sequence[Outcome], broken: Failure | None
) -> dict[str, object]:
    """With the error's own keys where it ended before all rows were played."""
    error = (
        {"error": broken.message, "hint": broken.hint, "exit_code": broken.exit_code}
        if broken
        else {}
    )
    return {
        "ok": broken is None and all(each.ok for each in outcomes),
        **error,
        "cluster": cluster,
        "asked": asked,
        "counts": _counts(outcomes),
        "rows": [
            {
                "name": each.row.name,
                "says": each.row.says,
                "state": each.state.value,
                "text": each.text,
                "seconds": round(each.seconds, 3),
            }
            for each in outcomes
        ],
    }
