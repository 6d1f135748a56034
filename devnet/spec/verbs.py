"""The step verbs with their help, for a command line that must answer at once.

The models are slow to import, so both are read from the text of the modules that register them; a
test holds the outcome equal to the registry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FAMILIES: Final = (
    *("steps", "faults", "incidents", "governing", "pools", "sending"),
    "expectation",
)
_STEP: Final = re.compile(
    r'^@step\("(\w+)"[^)]*\)\nclass \w+\(\w+\):\n {4}"""(.+?)"""', re.MULTILINE | re.DOTALL
)


def _verbs() -> Iterator[tuple[str, str]]:
    for family in FAMILIES:
        text = Path(__file__).with_name(f"{family}.py").read_text(encoding="utf-8")
        yield from _STEP.findall(text)


VERBS: dict[str, str] = dict(_verbs())
