"""tox's side of `run`: all checks share one environment, and none takes it from beneath another.

tox notes which check made an environment, and where another one is to use it, removes it and makes
it anew: below a devnet that is up, and below a check in the next terminal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tox.plugin import impl
from tox.tox_env.api import ToxEnv
from tox.tox_env.info import Info
from tox.tox_env.register import ToxEnvRegister

try:
    from tox_uv._run import UvVenvRunner as Runner
except ImportError:  # this tox gets itself one with tox-uv first (`requires` in tox.ini)
    from tox.tox_env.python.virtual_env.runner import VirtualEnvRunner as Runner


class Notes(Info):
    """What tox notes of an environment (lock, Python, options), but for the check that made it."""

    @contextmanager
    def compare(
        self, value: Any, section: str, sub_section: str | None = None
    ) -> Iterator[tuple[bool, Any]]:
        if section == ToxEnv.__name__:
            yield True, value
            return
        with super().compare(value, section, sub_section) as compared:
            yield compared


class SharedRunner(Runner):
    """Runs a check in the environment of all checks."""

    @staticmethod
    def id() -> str:
        return "shared"

    @property
    def cache(self) -> Notes:
        return Notes(self.env_dir)


@impl
def tox_register_tox_env(register: ToxEnvRegister) -> None:
    """`runner = shared` in tox.ini."""
    register.add_run_env(SharedRunner)
