"""The measured program: does what the gatekeeper says, one command at a time, and proves it.

It runs on the worker under the node's limits, alone in its folder with the standard library only.
It connects to the gatekeeper named on its stdin; commands and answers are lines of JSON. It keeps
to its CPU share by itself too, for machines where nothing else enforces it.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator
from io import BufferedRWPair
from typing import Any

BLOCK_BYTES = 256 << 10
DIGEST_BYTES = 32
_BURST_STEPS = 5000  # some 2 ms: after each sleep a core is cold
_DISK_FILE = os.path.join(os.environ.get("TMPDIR", "."), "fill.bin")
_SESSION_SECONDS = 120

Throttle = Callable[[], None]
TimedChain = tuple[list[str], int, int]  # checkpoints, nanoseconds worked and waited


def derive(seed: bytes, *labels: object) -> bytes:
    """A seed of its own for each part of a test."""
    text = "/".join(map(str, labels)).encode()
    return hashlib.sha256(seed + b"/" + text).digest()


def advance(state: bytes, steps: int) -> bytes:
    """`steps` links of the hash chain: each is the SHA-256 of the one before."""
    sha256 = hashlib.sha256
    for _ in range(steps):
        state = sha256(state).digest()
    return state


def block(seed: bytes, index: int, previous_tail: bytes, size: int) -> bytes:
    """Block `index` of a fill. It needs its predecessor's tail, so a lost block costs the fill."""
    return hashlib.shake_128(seed + index.to_bytes(8, "big") + previous_tail).digest(size)


def tail(data: bytes) -> bytes:
    """What the next block needs: a block's last 32 bytes, filled up when it is shorter."""
    return data[-DIGEST_BYTES:].rjust(DIGEST_BYTES, b"\0")


def block_sizes(total: int) -> list[int]:
    """Whole blocks, and a shorter last one."""
    whole, rest = divmod(total, BLOCK_BYTES)
    return [BLOCK_BYTES] * whole + ([rest] if rest else [])


def answer(nonce: bytes, data: bytes) -> str:
    """The answer to a challenge, in hex: it needs every byte of the block."""
    return hashlib.sha256(nonce + data).hexdigest()


def share_keeper(milli_cpu: int) -> Throttle:
    """A function to call every millisecond of work: sleeps off what is above the share."""
    began, used = time.monotonic_ns(), time.process_time_ns()

    def keep() -> None:
        worked = time.process_time_ns() - used
        ahead = worked * 1000 // milli_cpu - (time.monotonic_ns() - began)
        if ahead > 0:
            time.sleep(ahead / 1e9)

    return keep


def run_chain(seed: bytes, steps: int, every: int, throttle: Throttle) -> list[str]:
    """The chain's state after each `every` steps, in hex."""
    state, checkpoints = seed, []
    for done in range(0, steps, every):
        left = min(every, steps - done)
        while left:
            burst = min(left, _BURST_STEPS)
            state = advance(state, burst)
            left -= burst
            throttle()
        checkpoints.append(state.hex())
    return checkpoints


def run_chains(seeds: list[bytes], steps: int, every: int, milli_cpu: int) -> list[TimedChain]:
    """One process a chain, so that each has a core."""
    share = max(1, milli_cpu // len(seeds))
    pipes = []
    for seed in seeds[1:]:
        reading, writing = os.pipe()
        if os.fork() == 0:
            with os.fdopen(writing, "w") as out:
                json.dump(timed_chain(seed, steps, every, share), out)
            os._exit(0)
        os.close(writing)
        pipes.append(reading)
    results = [timed_chain(seeds[0], steps, every, share)]
    for reading in pipes:
        with os.fdopen(reading) as source:
            results.append(tuple(json.load(source)))
        os.wait()
    return results


def timed_chain(seed: bytes, steps: int, every: int, milli_cpu: int) -> TimedChain:
    """A chain's checkpoints, and nanoseconds that this process worked and waited meanwhile."""
    used, waited = time.process_time_ns(), waited_ns()
    checkpoints = run_chain(seed, steps, every, share_keeper(milli_cpu))
    return checkpoints, time.process_time_ns() - used, waited_ns() - waited


def waited_ns() -> int:
    """How long this process was ready to run and did not; 0 where the kernel does not tell."""
    try:
        with open("/proc/self/schedstat") as file:
            return int(file.read().split()[1])
    except (OSError, IndexError):
        return 0


def stolen_ns() -> int | None:
    """What the machine's own host has taken from each core so far, on average."""
    try:
        with open("/proc/stat") as file:
            ticks = int(file.readline().split()[8])
    except (OSError, IndexError, ValueError):
        return None
    return ticks * 10**9 // os.sysconf("SC_CLK_TCK") // (os.cpu_count() or 1)


def pressed_ns() -> int | None:
    """How long something on this machine has waited for a core so far (PSI)."""
    try:
        with open("/proc/pressure/cpu") as file:
            some = file.readline()
        return int(some.rpartition("total=")[2]) * 1000
    except (OSError, ValueError):
        return None


def processor(
    runs: list[TimedChain], stolen: int | None, pressed: int | None
) -> dict[str, int | None]:
    """What is told of the processor beside a run; the last two as they were when it began."""
    return {
        "used_ns": sum(used for _, used, _ in runs),
        "waited_ns": sum(waited for _, _, waited in runs),
        "cores": len(os.sched_getaffinity(0)),
        "stolen_ns": since(stolen, stolen_ns()),
        "pressed_ns": since(pressed, pressed_ns()),
    }


def since(before: int | None, now: int | None) -> int | None:
    """The difference, where both are known."""
    return None if before is None or now is None else max(0, now - before)


def fill(seed: bytes, total: int, throttle: Throttle) -> Iterator[bytes]:
    """The blocks of a fill in order."""
    previous = b"\0" * DIGEST_BYTES
    for index, size in enumerate(block_sizes(total)):
        data = block(seed, index, previous, size)
        previous = tail(data)
        yield data
        throttle()


class Session:
    """One connection to the gatekeeper; holds what has been filled until it ends."""

    def __init__(self, stream: BufferedRWPair, milli_cpu: int) -> None:
        self._stream, self._milli_cpu = stream, milli_cpu
        self._memory: list[bytes] = []
        self._received = b""

    def serve(self) -> None:
        """Obey until the gatekeeper says `end` or is gone."""
        verbs = {
            "chain": self._chain,
            "fill memory": self._fill_memory,
            "fill disk": self._fill_disk,
            "read memory": self._read_memory,
            "read disk": self._read_disk,
            "down": self._down,
            "up": self._up,
        }
        while line := self._stream.readline():
            command = json.loads(line)
            if command["do"] == "end":
                return
            reply = verbs[command["do"]](command)
            if reply is not None:
                self._stream.write(json.dumps(reply).encode() + b"\n")
            self._stream.flush()

    def _chain(self, command: dict[str, Any]) -> dict[str, Any]:
        seeds = [bytes.fromhex(seed) for seed in command["seeds"]]
        stolen, pressed = stolen_ns(), pressed_ns()
        runs = run_chains(seeds, command["steps"], command["every"], self._milli_cpu)
        return {
            "checkpoints": [checkpoints for checkpoints, _, _ in runs],
            "processor": processor(runs, stolen, pressed),
        }

    def _fill_memory(self, command: dict[str, Any]) -> dict[str, Any]:
        throttle = share_keeper(self._milli_cpu)
        self._memory = []  # of an earlier fill, which would not fit beside this one
        self._memory = list(fill(bytes.fromhex(command["seed"]), command["bytes"], throttle))
        return {"tails": [tail(data).hex() for data in self._memory]}

    def _fill_disk(self, command: dict[str, Any]) -> dict[str, Any]:
        throttle = share_keeper(self._milli_cpu)
        tails = []
        with open(_DISK_FILE, "wb") as file:
            for data in fill(bytes.fromhex(command["seed"]), command["bytes"], throttle):
                file.write(data)
                tails.append(tail(data).hex())
            file.flush()
            os.fsync(file.fileno())
        return {"tails": tails}

    def _read_memory(self, command: dict[str, Any]) -> dict[str, Any]:
        nonce = bytes.fromhex(command["nonce"])
        return {"answers": [answer(nonce, self._memory[index]) for index in command["blocks"]]}

    def _read_disk(self, command: dict[str, Any]) -> dict[str, Any]:
        nonce, answers = bytes.fromhex(command["nonce"]), []
        self._memory = []
        with open(_DISK_FILE, "rb") as file:
            for index in command["blocks"]:
                file.seek(index * BLOCK_BYTES)
                answers.append(answer(nonce, file.read(BLOCK_BYTES)))
        os.unlink(_DISK_FILE)
        return {"answers": answers}

    def _down(self, command: dict[str, Any]) -> dict[str, Any]:
        self._received = self._stream.read(command["bytes"])
        return {"digest": hashlib.sha256(self._received).hexdigest()}

    def _up(self, command: dict[str, Any]) -> None:
        self._stream.write(self._received)


def take(seconds: float) -> dict[str, int]:
    """Take all of the processor there is to be had, on every core, and tell how much it was."""
    cores = len(os.sched_getaffinity(0))
    began = time.monotonic_ns()
    end = began + int(seconds * 1e9)
    for _ in range(cores):
        if os.fork() == 0:
            while time.monotonic_ns() < end:
                advance(b"", _BURST_STEPS)
            os._exit(0)
    for _ in range(cores):
        os.wait()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_ns = int((usage.ru_utime + usage.ru_stime) * 1e9)
    return {"used_ns": used_ns, "took_ns": time.monotonic_ns() - began, "cores": cores}


def serve(kind: type[Session] = Session) -> int:
    """Connect to the gatekeeper and obey it in a session of that kind."""
    order = json.loads(sys.stdin.read())
    with socket.create_connection((order["host"], order["port"]), timeout=_SESSION_SECONDS) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with link.makefile("rwb") as stream:
            stream.write(json.dumps({"token": order["token"]}).encode() + b"\n")
            stream.flush()
            kind(stream, order["milli_cpu"]).serve()
    print("done")
    return 0


def main() -> int:
    if sys.argv[1:2] == ["take"]:
        print(json.dumps(take(float(sys.argv[2]))))
        return 0
    return serve()


if __name__ == "__main__":
    sys.exit(main())
