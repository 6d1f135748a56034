"""Tables of frozen rows with an undo log, so that a refused transaction leaves no trace."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_NEW: Final = object()


class Refused(Exception):
    """The rules refuse a transaction; `name` is the contracts' named error for the reason."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def narrow(value: int, bits: int) -> int:
    """A value the contracts keep in so many bits; refused as their SafeCast does."""
    if value >> bits:
        raise Refused("SafeCastOverflowedUintDowncast")
    return value


def add(value: int, more: int, bits: int) -> int:
    """A sum that the contracts keep in so many bits; panics as theirs does where it overflows."""
    if (value + more) >> bits:
        raise Refused("Panic")
    return value + more


class Journal:
    """What the transaction at hand has overwritten, in order."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[tuple[dict[Any, Any], Any, Any]] = []

    def note(self, rows: dict[Any, Any], key: Any, old: Any) -> None:
        self._entries.append((rows, key, old))

    def keep(self) -> None:
        """The transaction succeeded."""
        self._entries.clear()

    def undo(self) -> None:
        """The transaction was refused: every row as it was before."""
        while self._entries:
            rows, key, old = self._entries.pop()
            if old is _NEW:
                del rows[key]
            else:
                rows[key] = old


class Table(Generic[K, V]):
    """Like a mapping of Solidity: a row never written reads as `absent`. Rows are immutable."""

    __slots__ = ("_absent", "_journal", "_rows")

    def __init__(self, journal: Journal, absent: V) -> None:
        self._journal = journal
        self._absent = absent
        self._rows: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        return self._rows.get(key, self._absent)

    def __setitem__(self, key: K, value: V) -> None:
        self._journal.note(self._rows, key, self._rows.get(key, _NEW))
        self._rows[key] = value

    def __contains__(self, key: K) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def items(self) -> ItemsView[K, V]:
        return self._rows.items()


class Cell(Generic[V]):
    """One value under the same undo log."""

    __slots__ = ("_table",)

    def __init__(self, journal: Journal, value: V) -> None:
        self._table: Table[None, V] = Table(journal, value)

    @property
    def value(self) -> V:
        return self._table[None]

    @value.setter
    def value(self, value: V) -> None:
        self._table[None] = value
