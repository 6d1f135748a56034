"""What the machine of a cheating worker runs in the place of the measured program.

It lies beside `program.py`, on the standard library only, as that does. What each cheat is:
`cluster.perftest.cheats`.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from typing import Any

import program  # type: ignore[import-not-found]  # in the job's folder

_LOOK_SECONDS = 1.0


class ComputesElsewhere(program.Session):  # type: ignore[misc]
    """Has the links made by a faster machine behind it, and claims to have worked all the time."""

    behind = 0  # its port

    def _chain(self, command: dict[str, Any]) -> dict[str, Any]:
        began = time.monotonic_ns()
        with socket.create_connection(("127.0.0.1", self.behind), timeout=60) as link:
            with link.makefile("rwb") as stream:
                stream.write(json.dumps(command).encode() + b"\n")
                stream.flush()
                reply: dict[str, Any] = json.loads(stream.readline())
        took = time.monotonic_ns() - began
        reply["processor"]["used_ns"] = took * self._milli_cpu // 1000
        return reply


class AnswersBefore(program.Session):  # type: ignore[misc]
    """Has the answers of an earlier test, and gives them to every later one."""

    known: dict[str, Any] | None = None

    def _chain(self, command: dict[str, Any]) -> dict[str, Any]:
        if self.known is None:
            seeds = [bytes(32)] * len(command["seeds"])
            made = program.run_chains(seeds, command["steps"], command["every"], 10**6)
            AnswersBefore.known = {
                "checkpoints": [checkpoints for checkpoints, _, _ in made],
                "processor": program.processor(made, None, None),
            }
            return AnswersBefore.known
        return self.known


class SharesDisk(program.Session):  # type: ignore[misc]
    """Writes nothing: what is on the disk is the other node's, filled from another seed."""

    def _fill_disk(self, command: dict[str, Any]) -> dict[str, Any]:
        own = bytes.fromhex(command["seed"])
        command = {**command, "seed": program.derive(own, "of the other").hex()}
        super()._fill_disk(command)
        tails = [program.tail(data).hex() for data in self._honest(own, command["bytes"])]
        return {"tails": tails}

    @staticmethod
    def _honest(seed: bytes, total: int) -> Any:
        return program.fill(seed, total, lambda: None)


CHEATS = {
    "computes_elsewhere": ComputesElsewhere,
    "answers_before": AnswersBefore,
    "shares_disk": SharesDisk,
}


def serve_behind() -> int:
    """Be the machine behind: say the port, then make links as fast as it goes, until whoever
    started it is gone."""
    starter = os.getppid()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_LOOK_SECONDS)
        print(listener.getsockname()[1], flush=True)
        while os.getppid() == starter:
            try:
                link, _ = listener.accept()
            except TimeoutError:
                continue
            link.settimeout(None)
            with link, link.makefile("rwb") as stream:
                line = stream.readline()
                if not line:
                    continue
                command = json.loads(line)
                seeds = [bytes.fromhex(seed) for seed in command["seeds"]]
                made = program.run_chains(seeds, command["steps"], command["every"], 10**6)
                reply = {
                    "checkpoints": [checkpoints for checkpoints, _, _ in made],
                    "processor": program.processor(made, None, None),
                }
                stream.write(json.dumps(reply).encode() + b"\n")
                stream.flush()
    return 0


def main() -> int:
    if sys.argv[1:2] == ["behind"]:
        return serve_behind()
    kind = CHEATS[sys.argv[1]]
    ComputesElsewhere.behind = int(sys.argv[2])
    return int(program.serve(kind))


if __name__ == "__main__":
    sys.exit(main())
