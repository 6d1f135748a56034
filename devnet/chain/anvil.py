"""One anvil process, owned: it starts with what makes a chain repeatable and never outlives us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from devnet.base import obstacles
from devnet.base.environment import ID_VARIABLE, plain_environment
from devnet.base.errors import WaitExpired
from devnet.base.waiting import log_tail, wait_for
from devnet.chain.accounts import DEFAULT_MNEMONIC
from devnet.chain.errors import AnvilFailed, NodeUnreachable
from devnet.chain.rpc import Rpc
from devnet.chain.transaction import DEVNET_CHAIN_ID

BLOCK_GAS_LIMIT: Final = 3_000_000_000
# What is freed goes back to the system, from one arena: by itself anvil keeps 60 MB more (tried).
_ALLOCATOR: Final = {
    "_RJEM_MALLOC_CONF": "narenas:1,lg_tcache_max:12,dirty_decay_ms:0,muzzy_decay_ms:0",
}

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 5.0
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Anvil:
    """A context manager: entering starts the process and waits for its RPC, leaving stops it.

    `port` 0 takes a free one at a loopback address drawn at random, where no web page that tries
    ports finds it; a given port is one of 127.0.0.1. `folder` holds its log. `accounts` of the
    mnemonic are funded at genesis with 1 000 000 ETH each. `prune_history` keeps the state of the
    head and of `older_states` before it only: calls at older blocks are refused, and debug traces
    but for `trace_transaction`. (Each is a whole copy, with the hashes of all blocks: 2 MB after
    20 000. With none, a call that a new block overtakes fails: see `overtaken`.) Enter it in a
    thread that lives as long as the chain must: the kernel kills the process with that thread.
    Raises AnvilFailed when the port is taken or the process does not come up, MachineLacks when a
    devnet could not open its files.
    """

    def __init__(
        self,
        binary: Path,
        *,
        genesis_timestamp: int,
        folder: Path,
        port: int = 0,
        mnemonic: str = DEFAULT_MNEMONIC,
        accounts: int = 10,
        devnet_id: str = "",
        prune_history: bool = False,
        older_states: int = 0,
        chain_id: int = DEVNET_CHAIN_ID,
    ) -> None:
        self.port = port
        self._host = _HOST
        self.log = folder / "anvil.log"
        self._binary, self._folder = binary, folder
        self._genesis_timestamp, self._mnemonic = genesis_timestamp, mnemonic
        self._accounts, self._devnet_id, self._prune = accounts, devnet_id, prune_history
        self._older_states = older_states
        self._chain_id = chain_id
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its JSON-RPC answers."""
        return f"http://{self._host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process is not None else None

    @property
    def exit_code(self) -> int | None:
        """Of a process that has ended by itself, minus a signal's number for one that was killed;
        None while it runs, and when it was stopped."""
        return self._process.poll() if self._process is not None else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def command(self) -> list[str]:
        """The whole command line."""
        words = [
            str(self._binary),
            *("--host", self._host, "--port", str(self.port)),
            *("--timestamp", str(self._genesis_timestamp)),
            *("--chain-id", str(self._chain_id)),
            *("--mnemonic", self._mnemonic, "--accounts", str(self._accounts)),
            *("--balance", "1000000"),
            # A block's cost rises with height under later hardforks.
            *("--hardfork", "cancun"),
            # Automine splits batches at random and wedges on long queues.
            *("--no-mining", "--order", "fifo"),
            *("--block-base-fee-per-gas", "0", "--gas-limit", str(BLOCK_GAS_LIMIT)),
            *("--no-request-size-limit", "--silent"),
            "--no-cors",  # or any web page may use it; a WebSocket it takes from any all the same
        ]
        # Without either it leaves states in the home folder for ever; it refuses both together.
        if self._prune:
            older = [str(self._older_states)] if self._older_states else []
            return [*words, "--prune-history", *older]
        return [*words, "--max-persisted-states", "0"]

    def launch(self) -> None:
        """Start the process and go on: entering waits for it. Harmless when it runs."""
        if self._process is not None:
            return
        obstacles.require_open_files()
        self._host, self.port = _claim(self.port)
        self._folder.mkdir(parents=True, exist_ok=True)
        environment = plain_environment(**_ALLOCATOR)
        if self._devnet_id:
            environment[ID_VARIABLE] = self._devnet_id
        parent = os.getpid()
        with self.log.open("ab") as stream:
            try:
                self._process = subprocess.Popen(
                    self.command(),
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=self._folder,
                    start_new_session=True,
                    preexec_fn=lambda: _die_with(parent),
                )
            except OSError as error:
                raise AnvilFailed(f"anvil ({self._binary}) cannot be run: {error}") from error

    def start(self) -> None:
        """Launch it unless that was done, and wait until block 0 answers."""
        self.launch()
        try:
            self._await_rpc()
        except BaseException:
            self.stop()
            raise

    def _await_rpc(self) -> None:
        process = self._process
        assert process is not None
        last = ""

        def answers() -> bool:
            nonlocal last
            code = process.poll()
            if code is not None:
                known = obstacles.of_code(code)
                raise AnvilFailed(
                    f"anvil on port {self.port} {obstacles.ended(code)}\n"
                    f"--- end of {self.log.name} ---\n{log_tail(self.log)}",
                    hint=known.hint if known else "",
                )
            try:
                with Rpc(self.url, timeout_seconds=1.0) as rpc:
                    genesis = rpc.call("eth_getBlockByNumber", "0x0", False)
            except NodeUnreachable as error:
                last = str(error)
                return False
            last = f"block 0 at {int(genesis['timestamp'], 16)}"
            return int(genesis["timestamp"], 16) == self._genesis_timestamp

        try:
            wait_for(
                f"anvil on port {self.port}",
                answers,
                limit_seconds=_START_SECONDS,
                seen=lambda: last,
                log=self.log,
                every_seconds=0.01,
            )
        except WaitExpired as error:
            raise AnvilFailed(str(error)) from error

    def stop(self) -> None:
        """SIGTERM, after five seconds SIGKILL; harmless when it has stopped already."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_SECONDS)


def _claim(port: int) -> tuple[str, int]:
    """The address and the port: the port itself when nobody listens there, a free one for 0."""
    if not port:
        with contextlib.suppress(OSError):  # macOS has none but 127.0.0.1
            return _bound(_drawn_host(), 0)
    try:
        return _bound(_HOST, port)
    except OSError as error:
        raise AnvilFailed(
            f"port {port} for the chain is taken: {error.strerror}",
            hint="stop what listens there, or leave chain.port out for a free one",
        ) from error


def _drawn_host() -> str:
    """One of the 2^24 loopback addresses, 127.0.0.1 and its neighbours left out."""
    return f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


def _bound(host: str, port: int) -> tuple[str, int]:
    with socket.socket() as probe:
        # As anvil binds: lingering connections of a former devnet do not count as a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return host, int(probe.getsockname()[1])


def _die_with(parent: int) -> None:
    """In the child: get SIGKILL when the thread that started us ends (Linux)."""
    if hasattr(_LIBC, "prctl"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
