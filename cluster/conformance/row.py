"""A row of the conformance table: one behaviour of a Kubernetes cluster, by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.conformance.bench import Bench

Body = Callable[["Bench"], None]


@dataclass(frozen=True, slots=True)
class Row:
    """`name` is `subject.detail`; `says` is the behaviour in words.

    `body` shows it on a bench of its own, and raises `claims.NotHeld` or `ClusterError` where it
    does not hold. `tried`: the numbers of the behaviours it stands for (`tried.TRIED`).
    `disturbs`: it breaks or fills nodes, which others must not be in the middle of.
    """

    name: str
    says: str
    tried: tuple[int, ...]
    body: Body
    disturbs: bool = False

    @property
    def subject(self) -> str:
        """What it is about, and its heading on the page."""
        return self.name.partition(".")[0]


_ROWS: dict[str, Row] = {}


def row(name: str, *tried: int, disturbs: bool = False) -> Callable[[Body], Body]:
    """Add the function below as a row, whose name says the behaviour.

    Raises `ValueError` where there is a row of that name.
    """

    def add(body: Body) -> Body:
        register(Row(name, body.__name__.replace("_", " "), tried, body, disturbs))
        return body

    return add


def register(made: Row) -> Row:
    """Add a row made otherwise, such as one of several of a form."""
    if made.name in _ROWS:
        raise ValueError(f"a row named '{made.name}' is registered already")
    _ROWS[made.name] = made
    return made


def registered() -> tuple[Row, ...]:
    """All rows so far, those that disturb last."""
    return tuple(sorted(_ROWS.values(), key=lambda each: each.disturbs))
