"""Where the code cites a rule by its id, and in which declaration: `Staking.withdraw`, for S5."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PARTS: Final = "RTSWCLOMIGD"  # of the protocol, by the letter its rules begin with
RULE: Final = re.compile(rf"\b([{PARTS}]\d{{1,2}})\b")
IN_A_NAME: Final = re.compile(rf"(?<=_)([{PARTS.lower()}]\d{{1,2}})(?=_|$)")
CONTRACT: Final = re.compile(r"^(?:abstract )?(?:contract|interface|library) (\w+)")
# What a comment above it, or within it, belongs to.
DECLARED: Final = re.compile(
    r"^    (?! )(?:function (\w+)|(constructor)\b|modifier (\w+)|struct (\w+)|enum (\w+)"
    r"|event (\w+)|error (\w+)|[\w.()[\] =>]+? (\w+)(?: =.*)?;)"
)
COMMENT: Final = re.compile(r"//+(.*)|^\s*\*(.*)")


@dataclass(frozen=True, slots=True, order=True)
class Citation:
    """`at` names the declaration; `detail` orders those of a rule, functions first."""

    rule: str
    detail: int
    at: str


def of_solidity(text: str) -> Iterator[Citation]:
    """Of one file's comments; an interface `IFoo` speaks for `Foo`.

    Functions come first (0), then constants and structs (1); what is said of a whole contract is
    too vague to count.
    """
    contract, at, detail = "", "", 1
    above: list[str] = []
    for line in text.splitlines():
        comment, declared = COMMENT.search(line), DECLARED.match(line)
        rules = RULE.findall("".join(filter(None, comment.groups()))) if comment else []
        if (named := CONTRACT.match(line)) is not None:
            contract, at, above = _spoken_for(named.group(1)), "", []
        elif declared is not None:
            name = next(filter(None, declared.groups()))
            at, detail = f"{contract}.{name}", 0 if "function" in line or "constr" in line else 1
            rules, above = [*above, *rules], []
        elif line.startswith("    ///"):
            above += rules
            continue
        elif line.startswith("    }"):
            at = ""
        yield from (Citation(rule, detail, at) for rule in rules if at)
        if declared is not None and line.partition("//")[0].rstrip().endswith(("}", ";")):
            at = ""  # all of it on one line


def of_python(module: str, text: str) -> Iterator[Citation]:
    """Of docstrings and comments by the innermost function, class or module-level name.

    Functions first (0), then classes and names (1); a module's own docstring is too vague.
    """
    tree = ast.parse(text)
    spans = sorted(_spans(tree, module), key=lambda span: span[0] - span[1])  # the largest first
    for line, rules in _said(text):
        inside = [(detail, at) for start, end, detail, at in spans if start <= line <= end]
        if inside:
            detail, at = inside[-1]
            yield from (Citation(rule, detail, at) for rule in rules)


def of_tests(path: str, text: str) -> Iterator[Citation]:
    """Of a test's name first (0), then of what it says inside (1)."""
    tree = ast.parse(text)
    tests = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    said = list(_said(text))
    for test in tests:
        at = f"{path}::{test.name}"
        yield from (Citation(rule.upper(), 0, at) for rule in IN_A_NAME.findall(test.name))
        start = min([test.lineno, *(entry.lineno for entry in test.decorator_list)])
        for line, rules in said:
            if start <= line <= (test.end_lineno or start):
                yield from (Citation(rule, 1, at) for rule in rules)


def files(root: Path, folder: str) -> Iterator[tuple[str, str]]:
    """(path from root, text) of the Python files there, in order."""
    for path in sorted((root / folder).rglob("*.py")):
        yield path.relative_to(root).as_posix(), path.read_text()


def _spans(tree: ast.Module, module: str) -> Iterator[tuple[int, int, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.lineno, node.end_lineno or node.lineno, 0, f"{module}.{node.name}"
        elif isinstance(node, ast.ClassDef):
            yield node.lineno, node.end_lineno or node.lineno, 1, f"{module}.{node.name}"
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                yield node.lineno, node.end_lineno or node.lineno, 1, f"{module}.{target.id}"


def _said(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, rules) of every comment and of every string, which docstrings and ids are."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING) and (
            rules := RULE.findall(token.string)
        ):
            yield token.start[0], rules


def _spoken_for(name: str) -> str:
    return name[1:] if re.match(r"I[A-Z]", name) else name
