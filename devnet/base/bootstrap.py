"""What `run` does before there is any environment: standard library only, on a bare Python 3.11.

A small environment with uv and tox is made in the cache; tox makes the project's environment from
the lock, for `./run demo` as for `./run e2e`, so there is one of it and one way to it.
"""

import sys

if __name__ == "__main__":  # modules beside it bear names of the standard library's
    del sys.path[0]

import collections
import contextlib
import fcntl
import hashlib
import html.parser
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from devnet.base.obstacles import Obstacle

OLDEST = (3, 11)
CHECKS = ("e2e", "unit", "contracts", "lint", "bench")
DEVNET = "devnet"  # before a command that a check bears the name of
BOTH = {"contracts": "the checks of the contracts; for those of a running devnet:"}
RUN_LOCK, PROJECT_LOCK = "requirements-run.lock", "requirements.lock"
MACHINE_LACKS = 3
NO_PYTHON = """\
run: Python 3.11 or newer is needed: set PYTHON=/path/to/python3, or install one
run: (this is {}, {})"""
NETWORK = "check the network and pip's index settings (`pip config list`)"
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
    os.environ.update(uv_environment())
    keep_loopback_direct()
    tools = run_environment(checkout)
    # tox-uv and the toolchain look for uv on PATH.
    os.environ["PATH"] = f"{tools / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    work = work_folder(checkout)
    tox = [str(tools / "bin" / "tox"), "run", "-qq", "-c", str(checkout / "tox.ini")]
    tox += ["--workdir", str(work)]
    if words and words[0] in CHECKS:
        if words[0] in BOTH:
            say(f"{BOTH[words[0]]} ./run {DEVNET} {words[0]}", command_last=True)
        replace([*tox, "-e", words[0], "--", *words[1:]])
    if words and words[0] == DEVNET:
        del words[0]
    devnet = project_environment(checkout, work, tox) / "bin" / "devnet"
    replace([str(devnet), *words])


def run_environment(checkout: Path) -> Path:
    """The environment with uv and tox, made when it is missing."""
    lock_file = checkout / RUN_LOCK
    folder = cache() / "run" / f"{digest(lock_file)}-{sys.version_info[0]}.{sys.version_info[1]}"
    if (folder / "done").exists():
        return folder
    with held(folder.with_suffix(".lock")):
        if (folder / "done").exists():
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
    """The project's environment, made by tox when the lock or the project file changed."""
    folder = work / "project"
    stamp = folder / f"made-from-{digest(checkout / PROJECT_LOCK, checkout / 'pyproject.toml')}"
    if stamp.exists():
        return folder
    work.mkdir(parents=True, exist_ok=True)
    with held(work / "project.lock"):
        if not stamp.exists():
            say("making the project's environment from its lock (570 MB, some 30 s, once)")
            run([*tox, "-e", "unit", "--notest"])
            stamp.touch()
    return folder


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


def digest(*files: Path) -> str:
    hashed = hashlib.sha256()
    for file in files:
        hashed.update(file.read_bytes())
    return hashed.hexdigest()[:16]


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """A lock between processes; the kernel lets go of it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is making the environment; waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def run(command: list[str]) -> None:
    """Run a command to its end, its output on stderr; leave with exit code 3 when it fails."""
    from devnet.base import obstacles
    from devnet.base.environment import installing_environment

    kept: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
    with subprocess.Popen(
        command,
        env=installing_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            kept.append(line)
            sys.stderr.write(line)
            sys.stderr.flush()
    if process.returncode != 0:
        obstacle = obstacles.of_code(process.returncode) or obstacles.in_words(kept)
        leave(
            f"`{' '.join(command)}` {obstacles.ended(process.returncode)}"
            + (f": {met(obstacle)}" if obstacle else f"; {NETWORK}, then run the command again")
        )


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
    os.execv(command[0], command)  # noqa: S606


def say(text: str, *, command_last: bool = False) -> None:
    from devnet.base.telling import wrapped  # needs the path

    lines = wrapped(f"run: {text}", command_last=command_last)
    print(*lines, sep="\n", file=sys.stderr, flush=True)


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
