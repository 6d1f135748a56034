"""Imports make no circle, those for types counted: what needs a guard to be imported is misplaced.

import-linter holds the floors; within one floor it lets modules import each other.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

PACKAGES = ("devnet", "cluster", "loadtests")


def circle(*packages: str) -> list[str]:
    """The modules of one circle, each imported by the next; empty where there is none."""
    graph = grimp.build_graph(*packages, cache_dir=None, exclude_type_checking_imports=False)
    imported = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as found:
        modules: list[str] = found.args[1]
        return modules
    return []


def test_no_module_is_in_a_circle() -> None:
    assert circle(*PACKAGES) == []


@pytest.mark.parametrize("guarded", [False, True])
def test_an_import_for_types_closes_a_circle(
    guarded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / f"circling{guarded:d}"
    package.mkdir()
    back = f"from {package.name} import one\n"
    if guarded:
        back = f"from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    {back}"
    for name, text in {"__init__": "", "one": f"import {package.name}.two\n", "two": back}.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    one, two = f"{package.name}.one", f"{package.name}.two"
    assert set(circle(package.name)) == {one, two}
