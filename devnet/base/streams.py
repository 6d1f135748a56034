"""The three standard streams, where the caller closed one. Standard library only: `run` uses it."""

import fcntl
import os
import sys


def hold_standard_streams() -> None:
    """Put /dev/null where the caller closed 0, 1 or 2: else the next file or socket that is opened
    gets that number, and a child would write into it. Nothing of `sys` is None afterwards."""
    for number in (0, 1, 2):
        if not _is_open(number):
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)  # for the children's sake above all
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _is_open(number: int) -> bool:
    """A shell that reads a script may have put that where a caller closed 2: nothing to write to.
    (pyenv's `python3` is one.)"""
    try:
        mode = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError:
        return False
    return number == 0 or mode != os.O_RDONLY
