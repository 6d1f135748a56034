"""A serverless function to invoke on the devnet: payload on stdin, a small picture on stdout.

The picture is drawn from the payload's hash alone, so that its own hash, which goes on chain (M5),
is the same on every node. It is plain PGM: text, which passes through any log unharmed.
"""

from __future__ import annotations

import hashlib
import sys

SIDE = 16  # pixels
MAX_PAYLOAD_BYTES = 2**20


def thumbnail(payload: bytes) -> bytes:
    """`SIDE` x `SIDE` grey pixels as plain PGM (https://netpbm.sourceforge.net/doc/pgm.html)."""
    pixels = hashlib.shake_256(payload).digest(SIDE * SIDE)
    rows = (pixels[start : start + SIDE] for start in range(0, len(pixels), SIDE))
    lines = ["P2", f"# sha256 {hashlib.sha256(payload).hexdigest()}", f"{SIDE} {SIDE}", "255"]
    lines += (" ".join(map(str, row)) for row in rows)
    return ("\n".join(lines) + "\n").encode("ascii")


def main() -> int:
    payload = sys.stdin.buffer.read(MAX_PAYLOAD_BYTES + 1)
    if len(payload) > MAX_PAYLOAD_BYTES:
        print(f"thumbnail: the payload is larger than {MAX_PAYLOAD_BYTES} bytes", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(thumbnail(payload))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
