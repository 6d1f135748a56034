"""The command line's side of the control socket."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable
from typing import Any

from devnet.base import Interrupted, StartFailed, UsageError
from devnet.base.folder import DEFAULT_NAME, DevnetFolder, socket_address
from devnet.daemon.messages import LINE_BYTES, heard, line, parsed, refused

CONNECT_SECONDS = 5.0
SILENT_SECONDS = 30.0  # the daemon says every two seconds that it is alive


class Caller:
    """Asks the daemon of one devnet, one request a connection."""

    def __init__(self, folder: DevnetFolder) -> None:
        self._folder = folder
        self._identities = itertools.count(1)

    def ask(
        self, verb: str, say: Callable[[str], None] = lambda text: None, **fields: Any
    ) -> dict[str, Any]:
        """The result of a request; `say` hears what the daemon does meanwhile.

        Raises UsageError when no daemon runs, StartFailed when it fell silent or ended, and
        `Refused` with the daemon's own error. An interrupt ends the step as well: the daemon sees
        that the connection is closed.
        """
        identity = next(self._identities)
        with self._connected() as connection:
            connection.settimeout(SILENT_SECONDS)
            try:
                connection.sendall(line({"id": identity, "verb": verb, **fields}))
                with connection.makefile("rb") as lines:
                    while data := lines.readline(LINE_BYTES):
                        answer = parsed(data)
                        if "say" in answer:
                            say(heard(answer))
                        elif answer.get("ok"):
                            result: dict[str, Any] = answer["result"]
                            return result
                        else:
                            raise refused(answer)
            except KeyboardInterrupt:
                (asked,) = fields.get("step") or (verb,)
                raise Interrupted(
                    f"interrupted; the devnet `{self._folder.name}` cancels the {asked}",
                    hint="devnet status says at which block it is",
                ) from None
            except TimeoutError:
                raise StartFailed(
                    f"the devnet `{self._folder.name}` has not said a word for "
                    f"{SILENT_SECONDS:g} s",
                    hint="devnet logs daemon; devnet down ends it",
                ) from None
            except (OSError, ValueError) as error:
                raise self._ended(str(error)) from error
        raise self._ended("it closed the connection")

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(CONNECT_SECONDS)
        try:
            with socket_address(self._folder.socket) as address:
                connection.connect(address)
        except OSError:
            connection.close()
            raise self._not_running() from None
        return connection

    def _ended(self, reason: str) -> StartFailed:
        return StartFailed(
            f"the devnet `{self._folder.name}` ended before it answered: {reason}",
            hint=f"devnet logs daemon{_name_option(self._folder.name)}",
        )

    def _not_running(self) -> UsageError:
        name, state = self._folder.name, self._folder.state()
        phase, option = state.get("phase"), _name_option(name)
        if phase == "broken":
            return UsageError(
                f"the devnet `{name}` does not run any more: {state['error']}",
                hint=f"devnet logs daemon{option} tells more; devnet up{option} starts it again",
            )
        if phase == "run" and self._folder.is_held():
            ended = "; ".join(["", *state.get("ended", ())])
            return UsageError(
                f"the devnet `{name}` is that of a run which is going on ({state['pid']}) and "
                f"answers no questions{ended}",
                hint="the run says how far it is; devnet up starts one that answers",
            )
        if phase == "starting" and self._folder.is_held():
            return UsageError(f"the devnet `{name}` is still starting", hint="devnet status")
        if state:
            gone = "" if self._folder.is_held() else f": its daemon ({state.get('pid')}) was killed"
            return UsageError(
                f"the devnet `{name}` does not run any more{gone}",
                hint=f"devnet logs daemon{option} says why; devnet up{option} starts it again",
            )
        return UsageError(f"the devnet `{name}` does not run", hint=f"devnet up{option}")


def _name_option(name: str) -> str:
    return "" if name == DEFAULT_NAME else f" --name {name}"
