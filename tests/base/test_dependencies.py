"""What pyproject declares is used: imported where it runs, or named here as what it is."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("devnet", "cluster", "loadtests")
# Used without an import: Ape's plugins, and a program.
PLUGINS_AND_TOOLS = {"ape-foundry", "ape-solidity", "uv"}
IMPORTED_AS = {"eth-ape": "ape", "pyyaml": "yaml"}


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {re.split(r"[<>=;\[ ]", line, maxsplit=1)[0] for line in project["dependencies"]}


def imported() -> set[str]:
    """The first words of all imports, those inside functions too."""
    found: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
    return found


def test_every_dependency_is_used() -> None:
    words = imported()
    unused = {
        name
        for name in declared() - PLUGINS_AND_TOOLS
        if IMPORTED_AS.get(name, name.replace("-", "_")) not in words
    }
    assert unused == set()


def test_the_exceptions_are_declared() -> None:
    assert PLUGINS_AND_TOOLS | set(IMPORTED_AS) <= declared()


def test_the_lock_has_every_dependency() -> None:
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    assert {name.lower() for name in declared()} <= locked
