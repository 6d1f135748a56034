"""The peer of the load benchmark: sends signed transactions one by one over a kept connection.

`python -m benchmarks.keepalive URL FILE`: says "ready"; for each line it reads, it sends all and
says "done".
"""

from __future__ import annotations

import http.client
import sys
from pathlib import Path
from urllib.parse import urlsplit

from loadtests.transfers import in_turn, read_lanes, send_body

HEADERS = {"Content-Type": "application/json"}


def main(url: str, path: Path) -> None:
    """One request in flight at any time."""
    bodies = [send_body(raw) for raw in in_turn(read_lanes(path))]
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.connect()
    print("ready", flush=True)
    while sys.stdin.readline():
        for body in bodies:
            connection.request("POST", "/", body, HEADERS)
            answer = connection.getresponse().read()
            if b'"error"' in answer:
                raise SystemExit(f"refused: {answer[:200].decode()}")
        print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
