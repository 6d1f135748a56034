"""A YAML file as plain text values that remember where each of them stands.

Scalars stay text (`"0.50"`, `"1e20"`), so nothing is rounded before its field reads it exactly.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import yaml

from devnet.base.environment import OVERRIDE_PREFIX
from devnet.base.errors import UsageError
from devnet.spec.units import did_you_mean

Loc = tuple[str | int, ...]

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_VALUES = 100_000


_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ["str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value"]
}
_NULLS = {"", "~", "null"}
_PATH_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]", re.ASCII)
_PATH = re.compile(r"[^.\[\]]+(\[\d{1,6}\]|\.[^.\[\]]+)*", re.ASCII)
_LONGEST_PATH = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: a file and its line from 1, or an override and line 0."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a file. `path` is dotted (`workers[1].profile`), empty for the whole."""

    file: str
    line: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.message}; {self.hint}" if self.hint else self.message
        return f"{where}: {self.path}: {what}" if self.path else f"{where}: {what}"


class SpecError(UsageError):
    """Every fault of a file (and of the files it names) at once, one per line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        assert self.faults, "a file without faults is not refused"
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Document:
    """`tree` is made of dicts, lists, texts and None; `places` says where each path stands.

    `faults` are those of the reading itself (duplicate keys, tags); a part of a document (`at`)
    keeps the `prefix` its paths are shown with. A list read as the value of a key (`under`) has
    that key in its paths, and it is `unwritten` where these are shown.
    """

    file: str
    tree: Any
    places: Mapping[Loc, Place]
    faults: tuple[Fault, ...] = ()
    prefix: Loc = ()
    unwritten: str = ""

    def fault(self, loc: Loc, message: str, hint: str = "") -> Fault:
        """A fault at `loc`, or at the nearest enclosing value that was written."""
        place = self.place(loc)
        shown = loc[1:] if self.unwritten and loc[:1] == (self.unwritten,) else loc
        return Fault(place.file, place.line, path_text((*self.prefix, *shown)), message, hint)

    def place(self, loc: Loc) -> Place:
        """Where a value, or the nearest enclosing one that was written, stands."""
        written = loc
        while written and written not in self.places:
            written = written[:-1]
        return self.places.get(written, Place(self.file, 1))

    def line(self, loc: Loc = ()) -> int:
        """The line of a value, 0 where it was not written in a file."""
        return self.places[loc].line if loc in self.places else 0

    def at(self, loc: Loc) -> Document:
        """The part of the document at `loc`, which must exist."""
        tree = self.tree
        for part in loc:
            tree = tree[part]
        size = len(loc)
        places = {
            known[size:]: place for known, place in self.places.items() if known[:size] == loc
        }
        return Document(self.file, tree, places, prefix=(*self.prefix, *loc))

    def under(self, key: str) -> Document:
        """The whole as the value of a key that nobody wrote."""
        places = {(key, *known): place for known, place in self.places.items()}
        places |= {(): self.places[()]} if () in self.places else {}
        return replace(self, tree={key: self.tree}, places=places, unwritten=key)


def path_text(loc: Loc) -> str:
    """`("workers", 1, "profile")` as `workers[1].profile`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_document(path: Path) -> Document:
    """Read one YAML document; raises `SpecError` if it is no YAML at all.

    Bounded: 1 MiB, 32 levels, 100 000 values after aliases are followed.
    """
    file = os.fspath(path)
    text = _read(path, file)
    try:
        _bounded(text, file)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SpecError([Fault(file, line, "", f"not YAML: {error.problem}")]) from None
    except yaml.YAMLError as error:
        raise SpecError([Fault(file, 1, "", f"not YAML: {error}".replace("\n", " "))]) from None
    if node is None:
        raise SpecError([Fault(file, 1, "", "the file is empty")])
    reader = _Reader(file)
    tree = reader.value(node, ())
    return Document(file, tree, reader.places, tuple(reader.faults))


def document_of(tree: Any, label: str, prefix: Loc = ()) -> Document:
    """A document that was never a file (a command line, a test); `label` stands for the file."""
    return Document(label, tree, {(): Place(label, 0)}, prefix=prefix)


def overridden(document: Document, overrides: Mapping[str, str], source: str) -> Document:
    """The document with `path=value` overrides set; a value is YAML in one line.

    `source` says where they came from: `--set` for the command line. A list entry is addressed by
    its index or by its name: `workers[0].profile`, `workers.worker-1.profile`.
    """
    tree, places = _copied(document.tree), dict(document.places)
    faults: list[Fault] = []
    said: dict[Loc, str] = {}
    for path, text in overrides.items():
        shown = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"
        if len(path) > _LONGEST_PATH or not _PATH.fullmatch(path) or not path.isprintable():
            shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)
            faults.append(Fault(source, 0, shown, "not a path", "for example workers[0].profile"))
            continue
        try:
            _bounded(text, source)
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError:
            what = f"the value is not YAML; seen {text[:_LONGEST_PATH]!r}"
            faults.append(Fault(source, 0, shown, what))
            continue
        except SpecError as error:
            faults.append(Fault(source, 0, shown, f"the value has {error.faults[0].message}"))
            continue
        reader = _Reader(source, placed_line=0)
        loc = _found(tree, path)
        if isinstance(loc, str):
            faults.append(Fault(source, 0, shown, "no such path in the file", loc))
            continue
        if loc in said:
            faults.append(Fault(source, 0, shown, f"set twice, first as '{said[loc]}'"))
            continue
        said[loc] = path
        value = None if node is None else reader.value(node, loc)
        faults.extend(reader.faults)
        _put(tree, loc, value)
        for known in [known for known in places if known[: len(loc)] == loc]:
            del places[known]
        made = {loc[:size]: Place(source, 0) for size in range(1, len(loc))}
        places = made | places | reader.places | {loc: Place(source, 0)}
    if faults:
        raise SpecError(faults)
    return replace(document, tree=tree, places=places)


def environment_overrides(environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """`KOMPUTE_SET_CYCLE__BLOCKS=140` as {"cycle.blocks": (variable, "140")}; `__` is a dot."""
    found = {}
    for variable in sorted(environment):
        if variable.startswith(OVERRIDE_PREFIX):
            name = variable.removeprefix(OVERRIDE_PREFIX).lower().replace("__", ".")
            found[name] = (variable, environment[variable])
    return found


def pruned(document: Document, locs: Iterable[Loc]) -> tuple[Document, dict[Loc, Loc]]:
    """The document without the values at `locs`, and where each remaining path stood before."""
    gone, before = set(locs), {}

    def walk(value: Any, now: Loc, then: Loc) -> Any:
        before[now] = then
        if isinstance(value, dict):
            kept = [key for key in value if (*then, key) not in gone]
            return {key: walk(value[key], (*now, key), (*then, key)) for key in kept}
        if isinstance(value, list):
            left = [index for index in range(len(value)) if (*then, index) not in gone]
            return [walk(value[i], (*now, n), (*then, i)) for n, i in enumerate(left)]
        return value

    tree = walk(document.tree, (), ())
    places = {now: document.places[then] for now, then in before.items() if then in document.places}
    return replace(document, tree=tree, places=places), before


class _Reader:
    """Turns YAML nodes into plain values and collects places and faults on the way."""

    def __init__(self, file: str, placed_line: int | None = None) -> None:
        self.file, self._placed_line = file, placed_line
        self.places: dict[Loc, Place] = {}
        self.faults: list[Fault] = []

    def value(self, node: yaml.Node, loc: Loc, key: yaml.Node | None = None) -> Any:
        self._place(loc, key or node)
        if len(loc) > MAX_DEPTH or len(self.places) > MAX_VALUES:
            message = f"more than {MAX_DEPTH} levels or {MAX_VALUES} values"
            raise SpecError([self._fault(node, loc[:3], message, "an alias inside itself?")])
        if node.tag not in _PLAIN_TAGS:
            self.faults.append(self._fault(node, loc, f"tags are not allowed; seen '{node.tag}'"))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*loc, n)) for n, child in enumerate(node.value)]
        plain = isinstance(node, yaml.ScalarNode) and node.style is None
        return None if plain and node.value in _NULLS else str(node.value)

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append(self._fault(key, loc, "a key must be one word"))
                continue
            name = str(key.value)
            if name in tree:
                first = self.places[(*loc, name)].line
                self.faults.append(
                    self._fault(key, (*loc, name), f"duplicate key; first on line {first}")
                )
                continue
            tree[name] = self.value(child, (*loc, name), key)
        return tree

    def _line(self, node: yaml.Node) -> int:
        line: int = node.start_mark.line + 1
        return line if self._placed_line is None else self._placed_line

    def _place(self, loc: Loc, node: yaml.Node) -> None:
        self.places[loc] = Place(self.file, self._line(node))

    def _fault(self, node: yaml.Node, loc: Loc, message: str, hint: str = "") -> Fault:
        return Fault(self.file, self._line(node), path_text(loc), message, hint)


def _read(path: Path, file: str) -> str:
    try:
        if (kind := kind_of(path)) != "file":
            raise SpecError([Fault(file, 0, "", f"not a file but a {kind}", _instead(path, kind))])
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # no name of a file holds a NUL
        raise SpecError([Fault(file, 0, "", "no such file", nearby(path))]) from None
    except OSError as error:
        raise SpecError(
            [Fault(file, 0, "", f"cannot be read: {error.strerror or error}")]
        ) from None
    if len(data) > MAX_BYTES:
        raise SpecError([Fault(file, 0, "", f"larger than {MAX_BYTES} bytes")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SpecError([Fault(file, line, "", "not UTF-8 text")]) from None


def kind_of(path: Path) -> str:
    """`file` or what else it is: reading a pipe or a device may never end.

    Raises OSError where there is nothing.
    """
    mode = path.stat().st_mode
    kinds = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "folder",
        stat.S_IFIFO: "pipe",
        stat.S_IFCHR: "device",
        stat.S_IFBLK: "device",
        stat.S_IFSOCK: "socket",
    }
    return kinds.get(stat.S_IFMT(mode), "special file")


def _instead(path: Path, kind: str) -> str:
    if kind == "folder":
        files = sorted(entry.name for entry in path.iterdir() if entry.suffix in (".yaml", ".yml"))
        return f"in it: {', '.join(files[:5])}" if files else ""
    return "write it to a file first"


def nearby(path: Path) -> str:
    """`did you mean 'x'?` for a file or folder beside `path` with a similar name."""
    try:
        beside = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return ""
    return did_you_mean(path.name, beside)


def _bounded(text: str, file: str) -> None:
    """Refuse too deep a file before composing it, since the composer recurses."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > 4 * MAX_VALUES:
            message = f"more than {MAX_DEPTH} levels or {MAX_VALUES} values"
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise SpecError([Fault(file, line, "", message)])


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(child) for key, child in value.items()}
    return [_copied(child) for child in value] if isinstance(value, list) else value


def _found(tree: Any, path: str) -> Loc | str:
    """The location a dotted path names; its last part may be new, the others must exist. Where they
    do not, a hint: the text that stands in the way, which may name a file that has the rest."""
    parts = [name or int(index) for name, index in _PATH_PART.findall(path)]
    loc: list[str | int] = []
    value = tree
    for part in parts:
        step: str | int = part
        if isinstance(value, list):
            named = [
                n for n, e in enumerate(value) if isinstance(e, dict) and e.get("name") == part
            ]
            step = named[0] if named else _index(part)
            if not 0 <= step < len(value):
                return _named_like(part, value, loc)
            value = value[step]
        elif isinstance(value, str):
            return _is_text(value, loc)
        elif isinstance(part, int):
            return ""  # an entry of what is no list
        elif isinstance(value, dict):
            value = value.get(part)
        elif value is not None or not loc:
            return ""  # else a section the file leaves to its defaults
        loc.append(step)
    return tuple(loc) or ""


def _is_text(value: str, loc: Sequence[str | int]) -> str:
    return f"{path_text(tuple(loc))} is the text {value[:_LONGEST_PATH]!r}"


def _named_like(part: str | int, entries: list[Any], loc: Sequence[str | int]) -> str:
    """Of the first entry that is a text and, as a path, has that name."""
    for n, entry in enumerate(entries):
        if isinstance(entry, str) and PurePath(entry).stem == part:
            return _is_text(entry, [*loc, n])
    return ""


def _index(part: str | int) -> int:
    """Of an entry written `workers[0]` or `workers.0`; -1 where it is none."""
    if isinstance(part, int):
        return part
    return int(part) if part.isascii() and part.isdigit() and len(part) < 7 else -1


def _put(tree: Any, loc: Loc, value: Any) -> None:
    for part in loc[:-1]:
        if isinstance(tree, dict) and tree.get(str(part)) is None:
            tree[str(part)] = {}
        tree = tree[part]
    tree[loc[-1]] = value
