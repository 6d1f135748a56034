"""The control socket: status at once, requests queued, errors with their exit codes."""

from __future__ import annotations

import contextlib
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devnet.base import StartFailed, UsageError
from devnet.base.folder import DevnetFolder
from devnet.daemon.caller import Caller
from devnet.daemon.control import LOOK_SECONDS, ControlSocket
from devnet.daemon.messages import Refused, refusal

MANY_DESCRIPTORS = 1200


@pytest.fixture
def folder(tmp_path: Path) -> DevnetFolder:
    return DevnetFolder.open(start=tmp_path)


@pytest.fixture
def arrived() -> threading.Event:
    return threading.Event()


@pytest.fixture
def control(folder: DevnetFolder, arrived: threading.Event) -> Iterator[ControlSocket]:
    with ControlSocket(
        folder.socket,
        at_once={"status": lambda: {"block": 7}},
        arrived=arrived.set,
        doing=lambda: "advance, block 7",
    ) as socket:
        yield socket


class Asking(threading.Thread):
    """One request on its way; `result` or `error` once it was answered."""

    def __init__(
        self, folder: DevnetFolder, verb: str, said: list[str] | None = None, **fields: Any
    ) -> None:
        super().__init__(daemon=True)
        self._folder, self._verb, self._fields = folder, verb, fields
        self.said = [] if said is None else said
        self.result: dict[str, Any] | None = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = Caller(self._folder).ask(self._verb, self.said.append, **self._fields)
        except (Refused, StartFailed, UsageError) as error:
            self.error = error

    def done(self) -> None:
        self.join(10)
        assert not self.is_alive()


def test_the_socket_is_its_owners(folder: DevnetFolder, control: ControlSocket) -> None:
    assert os.stat(folder.socket).st_mode & 0o777 == 0o600


def test_status_is_answered_while_a_step_waits(
    folder: DevnetFolder, control: ControlSocket, arrived: threading.Event
) -> None:
    step = Asking(folder, "step", step={"stake": {"worker": "all"}})
    assert arrived.wait(5)
    assert Caller(folder).ask("status") == {"block": 7}
    asked = control.take()
    assert asked is not None
    assert asked.fields["step"] == {"stake": {"worker": "all"}}
    assert control.take() is None
    asked.finish({"ok": True, "result": {"did": "500 KOMP"}})
    step.done()
    assert step.result == {"did": "500 KOMP"}


def test_who_waits_hears_what_is_being_done(
    folder: DevnetFolder, control: ControlSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devnet.daemon.control.ALIVE_SECONDS", 0.05)
    heard = threading.Event()
    step = Asking(folder, "step", said=Said(heard), step={})
    assert heard.wait(5)
    asked = control.take()
    assert asked is not None
    asked.finish({"ok": True, "result": {}})
    step.done()
    assert step.said[0] == "advance, block 7"


class Said(list[str]):
    def __init__(self, heard: threading.Event) -> None:
        super().__init__()
        self._heard = heard

    def append(self, text: str) -> None:
        super().append(text)
        self._heard.set()


def test_an_error_keeps_its_exit_code_and_hint(
    folder: DevnetFolder, control: ControlSocket, arrived: threading.Event
) -> None:
    step = Asking(folder, "step", step={})
    assert arrived.wait(5)
    asked = control.take()
    assert asked is not None
    asked.finish(refusal(UsageError("no such worker", hint="did you mean 'worker-1'?")))
    step.done()
    assert isinstance(step.error, Refused)
    assert (str(step.error), step.error.hint, step.error.exit_code) == (
        "no such worker",
        "did you mean 'worker-1'?",
        2,
    )


def test_leaving_answers_those_who_wait(folder: DevnetFolder) -> None:
    arrived = threading.Event()
    with ControlSocket(folder.socket, at_once={}, arrived=arrived.set, doing=lambda: ""):
        step = Asking(folder, "step", step={})
        assert arrived.wait(5)
    step.done()
    assert "the devnet is stopping" in str(step.error)
    assert not folder.socket.exists()


def test_nobody_there_is_a_usage_error_that_names_the_remedy(folder: DevnetFolder) -> None:
    with pytest.raises(UsageError, match="the devnet `default` does not run") as caught:
        Caller(folder).ask("status")
    assert caught.value.hint == "devnet up"
    folder.write_state({"phase": "broken", "error": "anvil ended with -9"})
    with pytest.raises(UsageError, match="does not run any more: anvil ended with -9"):
        Caller(folder).ask("status")


def test_whoever_asks_is_served_beyond_the_descriptors_that_select_takes(
    folder: DevnetFolder, control: ControlSocket, arrived: threading.Event
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY_DESCRIPTORS:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY_DESCRIPTORS), hard))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while True:
            opened = stack.enter_context(open(os.devnull))
            if opened.fileno() > 1024:
                break
        # The listener waits with a number it has from before.
        assert Caller(folder).ask("status") == {"block": 7}
        asking = Asking(folder, "step", step={"claim": {}})
        assert arrived.wait(10)
        asked = control.take()
        assert asked is not None
        assert threading.Event().wait(3 * LOOK_SECONDS) is False  # looked at, whether it has left
        assert not asked.gone
        asked.finish({"ok": True, "result": {"did": "claimed"}})
        asking.join(10)
    assert (asking.result, asking.error) == ({"did": "claimed"}, None)
