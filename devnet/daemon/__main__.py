"""`python -m devnet.daemon FOLDER DESCRIPTOR ORDER`: what `devnet up` starts."""

from __future__ import annotations

import sys
from pathlib import Path

from devnet.base.folder import DevnetFolder
from devnet.daemon.serving import serve
from devnet.daemon.starting import StartOrder

if __name__ == "__main__":
    folder, descriptor, order = sys.argv[1:]
    sys.exit(serve(DevnetFolder(Path(folder)), StartOrder.from_text(order), int(descriptor)))
