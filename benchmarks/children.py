"""The environment of measured processes: bytecode is kept, as an ordinary Python keeps it.

The checks run with PYTHONDONTWRITEBYTECODE; a user's second start does not compile every module
again, and that start is what is measured.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def environment(bytecode: Path) -> dict[str, str]:
    """This process's, with this checkout first and its bytecode in the folder `bytecode`."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    search = [str(ROOT), *filter(None, [kept.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(search), "PYTHONPYCACHEPREFIX": str(bytecode)}
