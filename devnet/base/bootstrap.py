"""What `run` does before there is any environment: standard library only, on a bare Python 3.11.

A small environment with uv and tox is made in the cache; tox makes the project's environment from
the lock, for `./run demo` as for `./run e2e`, so there is one of it and one way to it.
"""

import sys

if __name__ == "__main__":  # modules beside it bear names of the standard library's
    del sys.path[0]

import collections
import hashlib
import html.parser
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from devnet.base.obstacles import Obstacle
    from devnet.base.project_environment import ProjectEnvironment

OLDEST = (3, 11)
CHECKS = ("e2e", "unit", "contracts", "lint", "bench")
DEVNET = "devnet"  # before a command that a check bears the name of
BOTH = {"contracts": "the checks of the contracts; for those of a running devnet:"}
RUN_LOCK = "requirements-run.lock"
MACHINE_LACKS = 3
NO_PYTHON = """\
run: Python 3.11 or newer is needed: set PYTHON=/path/to/python3, or install one
run: (this is {}, {})"""
NETWORK = "check the network and pip's index settings (`pip config list`)"
NETWORK_WORDS = re.compile(
    r"failed to fetch|error sending request|dns error|name resolution|could not connect|connection"
    r"|network is|host is|no route|timed ?out|certificate|\bproxy\b|https?://.*\b[45]\d\d\b"
    r"|not found in the (package )?registry",
    re.IGNORECASE,
)
ABOVE = "what it printed is above"
ENDING_SECONDS = 10
KEPT_LINES = 30
NO_UV = "uv cannot be had; check the network and pip's index settings, or: sudo apt-get install {}"


def main(arguments: list[str]) -> NoReturn:
    """`bootstrap.py CHECKOUT [CHECK | [devnet] DEVNET ARGUMENTS…]`; replaces itself by it."""
    if sys.version_info < OLDEST:
        print(NO_PYTHON.format(platform.python_version(), sys.executable), file=sys.stderr)
        sys.exit(MACHINE_LACKS)
    checkout, words = Path(arguments[0]), arguments[1:]
    sys.path.insert(0, str(checkout))
    from devnet.base.environment import keep_loopback_direct
    from devnet.base.registries import uv_environment  # needs the path
    from devnet.base.streams import hold_standard_streams

    hold_standard_streams()
    for number in (signal.SIGTERM, signal.SIGHUP):  # what is being made ends with this process
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
    os.environ.update(uv_environment())
    keep_loopback_direct()
    tools = run_environment(checkout)
    # tox-uv and the toolchain look for uv on PATH.
    os.environ["PATH"] = f"{tools / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    work = work_folder(checkout)
    tox = [str(tools / "bin" / "tox"), "run", "-c", str(checkout / "tox.ini")]
    tox += ["--workdir", str(work)]
    if words and words[0] in CHECKS:
        if words[0] in BOTH:
            say(f"{BOTH[words[0]]} ./run {DEVNET} {words[0]}", command_last=True)
        project_environment(checkout, work, tox)
        replace([*tox, "-qq", "-e", words[0], "--", *words[1:]])
    if words and words[0] == DEVNET:
        del words[0]
    devnet = project_environment(checkout, work, tox) / "bin" / "devnet"
    replace([str(devnet), *words])


def run_environment(checkout: Path) -> Path:
    """The environment with uv and tox, one for each Python, made when it is missing or broken."""
    from devnet.base.project_environment import broken, digest, held

    lock_file = checkout / RUN_LOCK
    # tox makes the project's environment with the Python of its own
    python = hashlib.sha256(os.fsencode(os.path.realpath(sys.executable))).hexdigest()[:8]
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder = cache() / "run" / f"{digest(lock_file)}-{python}-{version}"

    def works() -> bool:
        programs = (folder / "bin" / name for name in ("python", "tox"))
        return (folder / "done").exists() and not any(map(broken, programs))

    if works():
        return folder
    with held(folder.with_suffix(".lock")):
        if works():
            return folder
        say("getting uv and tox from PyPI (30 MB, some 10 s, once)")
        shutil.rmtree(folder, ignore_errors=True)
        uv = find_uv(folder.with_suffix(".uv"))
        run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        python = str(folder / "bin" / "python")
        run(
            [
                uv,
                "pip",
                "install",
                "--quiet",
                "--python",
                python,
                "--require-hashes",
                "-r",
                str(lock_file),
            ]
        )
        shutil.rmtree(folder.with_suffix(".uv"), ignore_errors=True)
        (folder / "done").touch()
    return folder


def project_environment(checkout: Path, work: Path, tox: list[str]) -> Path:
    """The project's environment, made by tox where it is not what it should be."""
    from devnet.base import project_environment as environments

    environment = environments.ProjectEnvironment(
        work / "project", environments.Origin.of(checkout)
    )
    if difference(environment) is not None:
        with environment.locked() as lock:
            if (reason := difference(environment)) is not None:
                say(
                    "making the project's environment from its lock (570 MB, some 30 s, once)"
                    + (f": {reason}" if reason else "")
                )
                making = [*tox, "-e", "unit", "--notest"]
                run(making, quiet=True, lock=lock, **{environments.HELD_VARIABLE: "1"})
    return environment.folder


def difference(environment: "ProjectEnvironment") -> str | None:
    """Why it has to be made; leaves where it is another Python's."""
    from devnet.base.project_environment import OtherPython

    try:
        return environment.difference()
    except OtherPython as error:
        leave(str(error))


def find_uv(into: Path) -> str:
    """uv from PATH; else by pip, by a venv's pip, or as a wheel read from pip's own index."""
    if found := shutil.which("uv"):
        return found
    uv = into / "bin" / "uv"
    shutil.rmtree(into, ignore_errors=True)
    if importlib.util.find_spec("pip") and attempt(
        [sys.executable, "-m", "pip", "install", "-q", "--target", str(into), "uv"]
    ):
        return str(uv)
    if (
        importlib.util.find_spec("ensurepip")
        and attempt([sys.executable, "-m", "venv", str(into)])
        and attempt([str(into / "bin" / "python"), "-m", "pip", "install", "-q", "uv"])
    ):
        return str(uv)
    shutil.rmtree(into, ignore_errors=True)
    try:
        return str(uv_from_wheel(into))
    except (OSError, ValueError, LookupError) as error:
        from devnet.base import obstacles

        if obstacles.of_error(error):
            raise
        leave(f"{error}\n{NO_UV.format('python3-venv python3-pip')}")


def uv_from_wheel(into: Path) -> Path:
    """Unpack uv's newest wheel for this machine; its sha256 is the index's."""
    configured = os.environ.get("UV_DEFAULT_INDEX")
    if not configured:
        raise LookupError("this Python has neither pip nor venv, and no package index is set")
    index = configured.rstrip("/") + "/uv/"
    page = Links()
    with urllib.request.urlopen(index, timeout=60) as answer:  # noqa: S310
        page.feed(answer.read().decode())
    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    systems = {"linux": ("manylinux",), "darwin": ("macosx",)}.get(sys.platform, ("win",))
    libc = systems if platform.libc_ver()[0] or sys.platform != "linux" else ("musllinux",)
    wheels = []
    for link in page.links:
        name = urllib.parse.urlparse(link).path.rsplit("/", 1)[-1]
        release = re.match(r"uv-(\d+)\.(\d+)\.(\d+)-py3-none-", name)
        if release and machine in name and any(system in name for system in libc):
            wheels.append((tuple(map(int, release.groups())), link))
    if not wheels:
        raise LookupError(f"{index} has no uv for {sys.platform} on {machine}")
    address, _, fragment = urllib.parse.urljoin(index, max(wheels)[1]).partition("#")
    into.mkdir(parents=True)
    wheel = into / "uv.whl"
    with urllib.request.urlopen(address, timeout=300) as answer:  # noqa: S310
        wheel.write_bytes(answer.read())
    expected = fragment.removeprefix("sha256=")
    if (
        fragment.startswith("sha256=")
        and hashlib.sha256(wheel.read_bytes()).hexdigest() != expected
    ):
        raise ValueError(f"{address} does not have its sha256")
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        uv = into / "bin" / "uv"
        uv.parent.mkdir()
        uv.write_bytes(archive.read(member))
    uv.chmod(0o755)
    return uv


class Links(html.parser.HTMLParser):
    """The addresses of an index page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.links.append(address)


def work_folder(checkout: Path) -> Path:
    """Where tox keeps the environment: `.tox` here, or in the cache for a read-only checkout."""
    if os.access(checkout, os.W_OK):
        return checkout / ".tox"
    place = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:16]
    return cache() / "checkouts" / place


def cache() -> Path:
    """The same folder as devnet.base.store.default_cache."""
    if chosen := os.environ.get("KOMPUTE_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "kompute-devnet"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kompute-devnet"


def run(command: list[str], *, quiet: bool = False, lock: int | None = None, **own: str) -> None:
    """Run a command to its end; leave with exit code 3 when it fails.

    Its output goes to stderr, when it is `quiet` only after it has failed. It holds `lock` as long
    as it lives, and ends with this process.
    """
    from devnet.base import obstacles
    from devnet.base.environment import installing_environment

    kept: collections.deque[str] = collections.deque(maxlen=None if quiet else KEPT_LINES)
    with subprocess.Popen(
        command,
        env=installing_environment(**own),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=() if lock is None else (lock,),
        process_group=0,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                kept.append(line)
                if not quiet:
                    sys.stderr.write(line)
                    sys.stderr.flush()
        except BaseException:
            end(process)
            raise
    if process.returncode != 0:
        if quiet:
            sys.stderr.writelines(kept)
        obstacle = obstacles.of_code(process.returncode) or obstacles.in_words(kept)
        hint = NETWORK if NETWORK_WORDS.search("".join(kept)) else ABOVE
        leave(
            f"`{' '.join(command)}` {obstacles.ended(process.returncode)}"
            + (f": {met(obstacle)}" if obstacle else f"; {hint}, then run the command again")
        )


def end(process: "subprocess.Popen[str]") -> None:
    """End a command with all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(ENDING_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return


def attempt(command: list[str]) -> bool:
    """Whether the command works; it has a successor when it does not, but on a full disk."""
    from devnet.base import obstacles
    from devnet.base.environment import installing_environment

    done = subprocess.run(
        command,
        env=installing_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    obstacle = obstacles.of_code(done.returncode) or obstacles.in_words(done.stdout.splitlines())
    if done.returncode != 0 and obstacle and obstacle.lacking:
        leave(f"`{' '.join(command)}` {obstacles.ended(done.returncode)}: {met(obstacle)}")
    return done.returncode == 0


def met(obstacle: "Obstacle") -> str:
    """What it is, where the cache lies, what helps."""
    return f"{obstacle.name} (the cache is {cache()}); {obstacle.hint}"


def replace(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    try:
        os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        folder = Path(command[0]).parents[1]
        leave(f"{command[0]} cannot be started: {error.strerror}; delete {folder}")


def say(text: str, *, command_last: bool = False) -> None:
    from devnet.base import project_environment  # needs the path

    project_environment.say(text, command_last=command_last)


def leave(message: str) -> NoReturn:
    say(message, command_last=True)
    sys.exit(MACHINE_LACKS)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        from devnet.base import obstacles

        hint = obstacles.hint(error, "KOMPUTE_CACHE must be writable")
        leave(f"{obstacles.told(error)} (the cache is {cache()}); {hint}")
