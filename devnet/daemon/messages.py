"""What goes over the control socket: one JSON object a line.

A request is `{"id": 1, "verb": "status" | "step" | "stop", …}`; a `step` carries
`"step": {"stake": {"worker": "all"}}`. It is answered by any number of `{"id": 1, "say": "…"}`
(`"passing": true` with those that the next one replaces), then by one
`{"id": 1, "ok": true, "result": {…}}`, or by
`{"id": 1, "ok": false, "error": "…", "hint": "…", "exit_code": 2}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from devnet.base import DevnetError
from devnet.base.telling import Passing
from devnet.daemon.failures import failure_of

LINE_BYTES = 1 << 20
ALIVE_SECONDS = 2.0  # a request that takes longer hears that often that it is still worked on


class Refused(DevnetError):
    """An error of the other process, with its exit code."""

    def __init__(self, message: str, *, hint: str, exit_code: int) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


def line(value: Mapping[str, Any]) -> bytes:
    """The object as a line."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def parsed(data: bytes) -> dict[str, Any]:
    """The object of a line; raises ValueError for anything else."""
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def said(text: str) -> dict[str, Any]:
    """A line of progress as the fields of a message."""
    return {"say": text} | ({"passing": True} if isinstance(text, Passing) else {})


def heard(message: Mapping[str, Any]) -> str:
    """The line of progress that a message carries."""
    text = str(message["say"])
    return Passing(text) if message.get("passing") else text


def refusal(error: BaseException) -> dict[str, Any]:
    """An error as the fields of an answer."""
    failure = failure_of(error)
    return {
        "ok": False,
        "error": failure.message,
        "hint": failure.hint,
        "exit_code": failure.exit_code,
    }


def refused(answer: Mapping[str, Any]) -> Refused:
    """The error an answer carries."""
    return Refused(
        str(answer.get("error", "no reason was given")),
        hint=str(answer.get("hint", "")),
        exit_code=int(answer.get("exit_code", 4)),
    )
