"""Hardware profiles that a network file names by their own files: read in its place, so that every
fault has its line, and the network printed whole holds all figures by itself.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from devnet.spec.document import Document, Fault, Loc, Place, SpecError, read_document

KEY = "profiles"
_STAND_IN = {  # of a file that cannot be read: its own fault is told, and none that follows from it
    "cpu": "1",
    "memory": "1Gi",
    "storage": "1Gi",
    "disk_write": "1M",
    "network": "1M",
}


class OrFile:
    """Annotates an entry that a path may stand for; for editors, since readers see it read."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        path = {"type": "string", "description": "a file, relative to this one, named as it is"}
        return {"anyOf": [handler(schema), path]}


def with_machines(document: Document, base: Path) -> Document:
    """The document with each path in `profiles` replaced by what its file says.

    The profile has the file's name without its ending. What is wrong with a file is a fault of the
    document; paths are relative to `base`.
    """
    tree = document.tree
    if not isinstance(tree, dict) or not isinstance(tree.get(KEY), list):
        return document
    entries, places = list(tree[KEY]), dict(document.places)
    faults = list(document.faults)
    for n, entry in enumerate(entries):
        if isinstance(entry, str):
            loc: Loc = (KEY, n)
            entries[n], found, wrong = _read(base / entry, document.place(loc))
            places |= {(*loc, *below): place for below, place in found.items()}
            faults += [_told(document, loc, entry, fault) for fault in wrong]
    return replace(document, tree={**tree, KEY: entries}, places=places, faults=tuple(faults))


def _read(path: Path, named: Place) -> tuple[dict[str, Any], dict[Loc, Place], list[Fault]]:
    """The entry of a file, where its values stand, and what is wrong with the reading."""
    name = {"name": path.stem}
    at_name: dict[Loc, Place] = {("name",): named}
    try:
        read = read_document(path)
    except SpecError as error:
        return name | _STAND_IN, at_name, list(error.faults)
    if not isinstance(read.tree, dict):
        fault = read.fault((), "must be a mapping of cpu, memory, storage, disk_write, network")
        return name | _STAND_IN, at_name, [fault]
    faults = list(read.faults)
    if "name" in read.tree:
        what = f"a profile's file names it: '{path.stem}'"
        faults.append(read.fault(("name",), what, "leave the key out"))
    return read.tree | name, dict(read.places) | at_name, faults


def _told(document: Document, loc: Loc, entry: str, fault: Fault) -> Fault:
    """At its line of the file; where nothing could be read, at the entry that names the file."""
    if not fault.line:
        return document.fault(loc, f"{fault.message}; seen '{entry}'", fault.hint)
    shown = document.fault(loc, "").path
    return replace(fault, path=f"{shown}.{fault.path}" if fault.path else shown)
