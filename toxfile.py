"""tox's side of `run`: all checks share one environment, and none takes it from beneath another.

tox notes which check made an environment, and where another one is to use it, removes it and makes
it anew: below a devnet that is up, and below a check in the next terminal. Besides it installs the
package again at every start. Here a check installs only where the environment is not what it
should be (devnet.base.project_environment), and one at a time.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from tox.plugin import impl
from tox.tox_env.api import ToxEnv
from tox.tox_env.errors import Fail
from tox.tox_env.info import Info
from tox.tox_env.register import ToxEnvRegister

try:
    from tox_uv._run import UvVenvRunner as Runner
except ImportError:  # this tox gets itself one with tox-uv first (`requires` in tox.ini)
    from tox.tox_env.python.virtual_env.runner import VirtualEnvRunner as Runner

CHECKOUT = Path(__file__).resolve().parent
sys.path.insert(0, str(CHECKOUT))
from devnet.base.project_environment import (  # noqa: E402
    HELD_VARIABLE,
    Origin,
    OtherPython,
    ProjectEnvironment,
)

sys.path.remove(str(CHECKOUT))


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

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._stop = threading.Event()
        self._is_made = False

    @staticmethod
    def id() -> str:
        return "shared"

    @property
    def cache(self) -> Notes:
        return Notes(self.env_dir)

    def setup(self) -> None:
        """Make the environment, alone, where it is not what it should be; else leave it as it is.

        Raises Fail where it is another Python's.
        """
        python = self.base_python
        environment = ProjectEnvironment(
            self.env_dir,
            Origin.of(
                CHECKOUT,
                python.extra.get("executable") or sys.executable,
                ".".join(map(str, python.version_info[:3])),
            ),
        )
        lock = nullcontext() if HELD_VARIABLE in os.environ else environment.locked(self._stop)
        with lock:
            try:
                self._is_made = environment.difference() is None
            except OtherPython as error:
                raise Fail(str(error)) from error
            if not self._is_made:
                environment.begin()
            try:
                super().setup()
            except (Exception, SystemExit):
                if not self._is_made and not self._stop.is_set():
                    environment.end(failed=True)
                raise
            if not self._is_made:
                environment.end(failed=self._is_partial())

    def interrupt(self) -> None:
        self._stop.set()
        super().interrupt()

    def _is_partial(self) -> bool:
        names = ("skip_pkg_install", "skip_env_install", "package_only")
        return any(getattr(self.options, name, False) for name in names)

    def _clean(self, transitive: bool = False) -> None:
        super()._clean(transitive)
        self._is_made = False

    def _install_deps(self) -> None:
        if not self._is_made:
            super()._install_deps()

    def _setup_pkg(self) -> None:
        if not self._is_made:
            super()._setup_pkg()


@impl
def tox_register_tox_env(register: ToxEnvRegister) -> None:
    """`runner = shared` in tox.ini."""
    register.add_run_env(SharedRunner)
