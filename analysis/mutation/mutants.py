"""Mutants: one small change each, found by walking the compiler's syntax tree."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Node = Mapping[str, Any]

# The neighbour that moves a boundary first, then the opposite.
RELATIONS: Final = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
ARITHMETIC: Final = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "**": "*"}
LOGIC: Final = {"&&": "||", "||": "&&"}
COMPOUND: Final = {"+=": ("-=", "="), "-=": ("+=", "="), "*=": ("/=",), "/=": ("*=",)}
# A revert goes with its condition, in `if (false)`.
DELETABLE: Final = frozenset({"ExpressionStatement", "EmitStatement", "Return"})
CONTINUE: Final = {"Break": "continue", "Continue": "break"}
YUL: Final = {"gt": "lt", "lt": "gt", "and": "or", "or": "and", "add": "sub", "sub": "add"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """Bytes [start, end) of `file` become `text`; `at` is the function, `change` tells people.

    `at` and `change` name a mutant as long as its function stays as it is; `line` may move.
    """

    file: str
    contract: str
    at: str
    change: str
    line: int
    start: int = field(compare=False)
    end: int = field(compare=False)
    text: str = field(compare=False)

    def applied(self, source: str) -> str:
        raw = source.encode()
        return (raw[: self.start] + self.text.encode() + raw[self.end :]).decode()

    def rank(self, seed: int) -> bytes:
        """Where it stands in the order of that seed; the same whatever else changes."""
        return hashlib.sha256(f"{seed}|{self.at}|{self.change}".encode()).digest()


def mutants_of(
    file: str, source: str, tree: Node, enums: Mapping[str, Sequence[str]]
) -> list[Mutant]:
    """All mutants of a file's contracts, by place; interfaces and libraries of others have none.

    `tree` is the compiler's AST of the file, `enums` the members of every enum by its name.
    """
    found = [
        mutant
        for contract in tree["nodes"]
        if contract["nodeType"] == "ContractDefinition" and contract["contractKind"] != "interface"
        for mutant in _Walk(file, source.encode(), contract["name"], enums).contract(contract)
    ]
    found.sort(key=lambda mutant: (mutant.start, mutant.end, mutant.text))
    return _numbered(found)


def enums_of(trees: Sequence[Node]) -> dict[str, list[str]]:
    """Members by enum, named as types are: `IGatekeepers.Quorum`."""
    return {
        entry["canonicalName"]: [member["name"] for member in entry["members"]]
        for tree in trees
        for holder in tree["nodes"]
        for entry in (holder, *holder.get("nodes", ()))
        if entry["nodeType"] == "EnumDefinition"
    }


def sample(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """`size` or a few more: from each contract its part, three at least, the same every time."""
    by_contract: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_contract.setdefault(mutant.contract, []).append(mutant)
    return [
        mutant
        for _, many in sorted(by_contract.items())
        for mutant in sorted(many, key=lambda one: one.rank(seed))[
            : max(3, size * len(many) // len(mutants))
        ]
    ]


def _numbered(mutants: list[Mutant]) -> list[Mutant]:
    """The second of the same change in one function gets ` #2`."""
    seen: Counter[tuple[str, str]] = Counter()
    out = []
    for mutant in mutants:
        seen[mutant.at, mutant.change] += 1
        number = seen[mutant.at, mutant.change]
        change = mutant.change if number == 1 else f"{mutant.change} #{number}"
        out.append(
            Mutant(
                mutant.file,
                mutant.contract,
                mutant.at,
                change,
                mutant.line,
                mutant.start,
                mutant.end,
                mutant.text,
            )
        )
    return out


class _Walk:
    """One contract of one file; offsets are in bytes, as the compiler's are."""

    def __init__(
        self, file: str, raw: bytes, contract: str, enums: Mapping[str, Sequence[str]]
    ) -> None:
        self._file, self._raw, self._contract, self._enums = file, raw, contract, enums
        self._at = contract

    def contract(self, node: Node) -> Iterator[Mutant]:
        for part in node["nodes"]:
            kind = part["nodeType"]
            if kind == "FunctionDefinition" and part.get("body"):
                self._at = f"{self._contract}.{part['name'] or part['kind']}"
                for modifier in part["modifiers"]:
                    if modifier.get("kind") == "modifierInvocation":
                        yield self._deleted(modifier)
                yield from self._inside(part["body"])
            elif kind == "VariableDeclaration" and part.get("value"):
                self._at = f"{self._contract}.{part['name']}"
                yield from self._inside(part["value"])
            elif kind == "ModifierDefinition":
                self._at = f"{self._contract}.{part['name']}"
                yield from self._inside(part["body"])

    def _inside(self, node: Node) -> Iterator[Mutant]:
        yield from self._changes(node)
        for key, value in node.items():
            if key in ("typeName", "typeDescriptions"):
                continue
            children = value if isinstance(value, list) else [value]
            for child in children:
                if isinstance(child, dict) and "nodeType" in child:
                    yield from self._inside(child)

    def _changes(self, node: Node) -> Iterator[Mutant]:
        kind = node["nodeType"]
        if kind == "BinaryOperation":
            yield from self._binary(node)
        elif kind == "Assignment":
            for other in COMPOUND.get(node["operator"], ()):
                yield self._between(node, "leftHandSide", "rightHandSide", node["operator"], other)
        elif kind == "UnaryOperation":
            yield from self._unary(node)
        elif kind == "IfStatement":
            yield from self._condition(node)
        elif kind == "Conditional":
            yield self._replaced(node, self._text(node["trueExpression"]))
            yield self._replaced(node, self._text(node["falseExpression"]))
        elif kind == "Literal" and node["kind"] == "number":
            text = self._text(node)
            yield self._replaced(node, f"({text} + 1)")
        elif kind in DELETABLE and (kind != "Return" or node.get("expression")):
            yield self._deleted(node)
        elif kind in CONTINUE:
            yield self._replaced(node, CONTINUE[kind])
        elif kind == "MemberAccess":
            yield from self._enum(node)
        elif kind.startswith("Yul"):
            yield from self._yul(node)

    def _binary(self, node: Node) -> Iterator[Mutant]:
        operator = node["operator"]
        others = RELATIONS.get(operator) or tuple(
            table[operator] for table in (ARITHMETIC, LOGIC) if operator in table
        )
        for other in others:
            yield self._between(node, "leftExpression", "rightExpression", operator, other)

    def _unary(self, node: Node) -> Iterator[Mutant]:
        text, operator = self._text(node), node["operator"]
        if operator == "!":
            yield self._replaced(node, self._text(node["subExpression"]))
        elif operator in ("++", "--"):
            yield self._replaced(node, text.replace(operator, "--" if operator == "++" else "++"))

    def _condition(self, node: Node) -> Iterator[Mutant]:
        condition = node["condition"]
        yield self._replaced(condition, "false", f"if ({self._text(condition)})", "if (false)")
        # With a revert behind it, `true` is noticed by whatever passes there.
        body = node["trueBody"]
        if body["nodeType"] != "RevertStatement":
            yield self._replaced(condition, "true", f"if ({self._text(condition)})", "if (true)")

    def _enum(self, node: Node) -> Iterator[Mutant]:
        type_name = node["typeDescriptions"].get("typeString", "")
        within = node["expression"]["typeDescriptions"].get("typeIdentifier") or ""
        members = self._enums.get(type_name.removeprefix("enum "), ())
        if within.startswith("t_type$_t_enum") and node["memberName"] in members:
            other = members[(members.index(node["memberName"]) + 1) % len(members)]
            yield self._replaced(node, f"{self._text(node['expression'])}.{other}")

    def _yul(self, node: Node) -> Iterator[Mutant]:
        if node["nodeType"] == "YulLiteral" and node["kind"] == "number":
            yield self._replaced(node, str(int(node["value"], 0) + 1))
        elif node["nodeType"] == "YulFunctionCall":
            name = node["functionName"]
            if (other := YUL.get(name["name"])) is not None:
                arguments = self._text(node)[len(name["name"]) :]
                yield self._replaced(node, other + arguments)

    def _between(self, node: Node, left: str, right: str, operator: str, other: str) -> Mutant:
        """The operator between two operands; a comment there may not hold the same letters."""
        _, end = self._span(node[left])
        start, _ = self._span(node[right])
        place = self._raw.index(operator.encode(), end, start)
        whole, behind = self._span(node)
        before = self._raw[whole:behind].decode()
        after = (
            self._raw[whole:place].decode()
            + other
            + self._raw[place + len(operator) : behind].decode()
        )
        return self._made(place, place + len(operator), other, before, after)

    def _deleted(self, node: Node) -> Mutant:
        start, end = self._span(node)
        # A statement's end does not hold its semicolon.
        statement = node["nodeType"] in DELETABLE
        return self._made(start, end, "{}" if statement else "", self._text(node), "", statement)

    def _replaced(self, node: Node, text: str, before: str = "", after: str = "") -> Mutant:
        start, end = self._span(node)
        return self._made(start, end, text, before or self._text(node), after or text)

    def _made(
        self, start: int, end: int, text: str, before: str, after: str, statement: bool = False
    ) -> Mutant:
        if statement:
            end = self._raw.index(b";", end - 1) + 1
        change = f"{_one_line(before)} -> {_one_line(after) or 'nothing'}"
        line = self._raw.count(b"\n", 0, start) + 1
        return Mutant(self._file, self._contract, self._at, change, line, start, end, text)

    def _span(self, node: Node) -> tuple[int, int]:
        start, length, _ = node["src"].split(":")
        return int(start), int(start) + int(length)

    def _text(self, node: Node) -> str:
        start, end = self._span(node)
        return self._raw[start:end].decode()


def _one_line(text: str) -> str:
    return " ".join(text.split())
