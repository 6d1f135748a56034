"""The script that draws a page's charts: Plotly's basic bundle from npm, compressed, inline."""

from __future__ import annotations

import base64
import gzip
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

from devnet.base.errors import MachineLacks
from devnet.base.solidity import get_libraries
from devnet.base.store import Store, default_cache

PACKAGE: Final = "plotly.js-basic-dist-min/plotly-basic.min.js"
NO_CHARTS: Final = "The charts are left out, their tables are here: the script that draws them {}"


def drawing_script() -> tuple[Markup, str]:
    """What goes into the page's script element, gzip as base64, and what was missing, if anything.

    A page without charts is still a page: each chart's values also stand in a table.
    """
    try:
        modules = get_libraries(Store(default_cache()), lambda line: None)
        return Markup(_compressed(modules / PACKAGE)), ""  # noqa: S704
    except (MachineLacks, OSError) as error:
        return Markup(), NO_CHARTS.format(f"could not be had: {error}")


@cache
def _compressed(script: Path) -> str:
    return base64.b64encode(gzip.compress(script.read_bytes(), 9, mtime=0)).decode()
