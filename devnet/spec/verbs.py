"""The step verbs with their help and the words they take, for a command line that answers at once.

The models are slow to import, so all of it is read from the text of the modules that register them;
a test holds the outcome equal to the registry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FAMILIES: Final = (
    *("steps", "faults", "incidents", "governing", "pools", "sending"),
    "expectation",
)
OF_EVERY_STEP: Final = ("expect_error",)
_STEP: Final = re.compile(
    r'^@step\("(\w+)"[^)]*\)\nclass \w+\(\w+\):\n {4}"""(.+?)"""', re.MULTILINE | re.DOTALL
)
_CLASS: Final = re.compile(
    r'^(?:@step\("(\w+)"([^)]*)\)\n)?class (\w+)\((\w+)\):\n((?: {4}.*\n|\n)+)', re.MULTILINE
)
_FIELD: Final = re.compile(r"^ {4}([a-z]\w*): (.+?)(?=^ {4}\S|\Z)", re.MULTILINE | re.DOTALL)
_ALIAS: Final = re.compile(r'\balias="(\w+)"')
_LISTED: Final = re.compile(r'^ {4}listed: ClassVar\[str\] = "(\w+)"', re.MULTILINE)
_WORD: Final = re.compile(r'"(\w+)"')


@dataclass(frozen=True, slots=True)
class Words:
    """What a step takes on a command line: without their option in this order, and as options."""

    positional: tuple[str, ...]
    keys: tuple[str, ...]


def words_of(verb: str) -> Words | None:
    """The words of a verb; None where no text of ours tells them all: the model does."""
    for family in FAMILIES:
        text = _text(family)
        if f'@step("{verb}"' in text:
            return _words(verb, text)
    return None


def _words(verb: str, text: str) -> Words | None:
    fields: dict[str, tuple[str, ...]] = {"Step": OF_EVERY_STEP}
    for registered, positional, name, base, body in _CLASS.findall(text):
        if base in fields:
            fields[name] = tuple(dict.fromkeys((*fields[base], *_keys(body))))
        if registered == verb and name in fields:
            listed = _LISTED.search(body)
            keys = (listed[1],) if listed else fields[name]
            return Words(tuple(_WORD.findall(positional)), keys)
    return None


def _keys(body: str) -> Iterator[str]:
    for name, declared in _FIELD.findall(body):
        if not declared.startswith("ClassVar"):
            alias = _ALIAS.search(declared)
            yield alias[1] if alias else name


def _verbs() -> Iterator[tuple[str, str]]:
    for family in FAMILIES:
        yield from _STEP.findall(_text(family))


def _text(family: str) -> str:
    return Path(__file__).with_name(f"{family}.py").read_text(encoding="utf-8")


VERBS: dict[str, str] = dict(_verbs())
