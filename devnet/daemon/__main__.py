"""`python -m devnet.daemon FOLDER DESCRIPTOR ORDER`: what `devnet up` starts."""

from __future__ import annotations

import gc
import sys
from pathlib import Path


def main(folder: str, descriptor: str, order: str) -> int:
    """Imports are most of the start, and looking for garbage among them a tenth of that: it is
    looked for from the moment on when `serve` has them all."""
    gc.disable()
    from devnet.base.folder import DevnetFolder
    from devnet.daemon.serving import serve
    from devnet.daemon.starting import StartOrder

    return serve(DevnetFolder(Path(folder)), StartOrder.from_text(order), int(descriptor))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
