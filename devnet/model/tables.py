"""Tables of frozen rows with an undo log, so that a refused transaction leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_NEW: Final = object()
_put = dict.__setitem__
_remove = dict.__delitem__


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


_Entry = tuple[dict[Any, Any], Any, Any]  # rows, key, old value


class Journal:
    """What the transaction at hand has overwritten, in order.

    `note` is the list's own append, since every row that is written goes through it.
    """

    __slots__ = ("_entries", "note")

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self.note: Callable[[_Entry], None] = self._entries.append

    def keep(self) -> None:
        """The transaction succeeded."""
        self._entries.clear()

    def undo(self) -> None:
        """The transaction was refused: every row as it was before."""
        while self._entries:
            rows, key, old = self._entries.pop()
            if old is _NEW:
                _remove(rows, key)
            else:
                _put(rows, key, old)


class Table(dict[K, V]):
    """Like a mapping of Solidity: a row never written reads as `absent`. Rows are immutable.

    It is a dictionary, so that a read is one: rows are written one by one, and only the journal
    takes them away again.
    """

    __slots__ = ("_absent", "_note")

    def __init__(self, journal: Journal, absent: V) -> None:
        super().__init__()
        self._note = journal.note
        self._absent = absent

    def __missing__(self, key: K) -> V:
        return self._absent

    def __setitem__(self, key: K, value: V) -> None:
        self._note((self, key, self.get(key, _NEW)))
        _put(self, key, value)


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
