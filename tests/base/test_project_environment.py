"""The environment that checks and commands share: whose it is, and when it is made anew.

In a small checkout with the project's `run`, toxfile.py, tox.ini and bootstrap; what is installed
is a package of three lines, built by a backend beside it, so that nothing is fetched.
"""

import configparser
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devnet.base import bootstrap
from devnet.base.project_environment import SOURCES, Origin, OtherPython, ProjectEnvironment

ROOT = Path(__file__).parents[2]
MAKING = "run: making the project's environment from its lock"
BACKEND = """\
import os, pathlib, sys, time, tomllib, zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["name"]
    if " " in name:
        raise SystemExit("the backend says: no package is called " + repr(name))
    with open("built", "a") as stream:
        stream.write("begun\\n")
    time.sleep(float(os.environ.get("UV_TEST_BUILD_SECONDS", "0")))
    stem = f"{name}-1"
    info = f"{stem}.dist-info"
    files = {
        f"{name}.pth": os.getcwd(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/entry_points.txt": "[console_scripts]\\ndevnet = small:main\\n",
    }
    record = "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / f"{stem}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(path, text)
    return f"{stem}-py3-none-any.whl"
"""
PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "small"
version = "1"
"""
SMALL = """\
import os, sys
def main():
    print(os.path.dirname(os.path.abspath(__file__)), "%d.%d" % sys.version_info[:2])
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "first"
    (place / "devnet").mkdir(parents=True)
    shutil.copy(ROOT / "devnet" / "__init__.py", place / "devnet")
    shutil.copytree(ROOT / "devnet" / "base", place / "devnet" / "base")
    for name in ("run", "toxfile.py", bootstrap.RUN_LOCK):
        shutil.copy(ROOT / name, place)
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    for name in bootstrap.CHECKS:
        where = "import small; small.main()"
        tox[f"testenv:{name}"]["commands"] = f"python -c \"{where}; print('{name}')\""
    with (place / "tox.ini").open("w") as stream:
        tox.write(stream)
    (place / "requirements.lock").write_text("")
    (place / "backend.py").write_text(BACKEND)
    (place / "small.py").write_text(SMALL)
    (place / "pyproject.toml").write_text(PROJECT)
    return place


def run(checkout: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [checkout / "run", *words],
        env={**os.environ, "PYTHON": sys.executable, "COLUMNS": "400", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def made(told: "subprocess.CompletedProcess[str]") -> list[str]:
    return [line for line in told.stderr.splitlines() if line.startswith(MAKING)]


VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_checks_share_an_environment_and_none_takes_it_from_beneath_another(checkout: Path) -> None:
    """Not a file of it is written anew, above all not bin/devnet."""
    program = checkout / ".tox" / "project" / "bin" / "devnet"
    first = None
    for name in [*bootstrap.CHECKS, bootstrap.CHECKS[0]]:
        done = run(checkout, name)
        assert (done.returncode, done.stdout) == (0, f"{checkout} {VERSION}\n{name}\n"), done.stderr
        assert (made(done) == []) == (first is not None), done.stderr
        mark = (program.stat().st_ino, program.stat().st_mtime_ns)
        assert mark == (first := first or mark), name
    assert run(checkout, "anything").stdout == f"{checkout} {VERSION}\n"
    assert (checkout / "built").read_text() == "begun\n"


def test_tox_by_itself_shares_it(checkout: Path) -> None:
    tools = bootstrap.run_environment(ROOT) / "bin"
    # A tox that runs this test tells its children its own work folder: they would install there.
    environment = {key: value for key, value in os.environ.items() if key[:4] != "TOX_"}
    environment["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
    for _ in range(2):
        done = subprocess.run(
            [tools / "tox", "-e", "e2e"],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert f"{checkout} {VERSION}\ne2e\n" in done.stdout
    told = run(checkout, "anything")
    assert (told.stdout, told.stderr) == (f"{checkout} {VERSION}\n", "")
    assert (checkout / "built").read_text() == "begun\n"


@pytest.mark.parametrize(("how", "words"), [("copied", ["unit"]), ("moved", ["version"])])
def test_a_clone_runs_its_own_code(checkout: Path, how: str, words: list[str]) -> None:
    assert run(checkout, "version").stdout == f"{checkout} {VERSION}\n"
    other = checkout.with_name("second")
    if how == "copied":
        shutil.copytree(checkout, other, symlinks=True)
    else:
        checkout.rename(other)
    told = run(other, *words)
    assert (told.returncode, told.stdout.splitlines()[0]) == (0, f"{other} {VERSION}"), told.stderr
    assert made(told)[0].endswith(f": the one here was made for {checkout}")
    told = run(other, *words)
    assert (told.returncode, made(told)) == (0, [])


def test_a_linked_checkout_is_the_same(checkout: Path) -> None:
    run(checkout, "version")
    link = checkout.with_name("link")
    link.symlink_to(checkout)
    told = run(link, "unit")
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize(
    "breakage",
    [
        lambda at: ((at / "python").unlink(), (at / "python").symlink_to("/no/python")),
        lambda at: (at / "devnet").write_text("#!/no/python\n"),
        lambda at: (at / "devnet").unlink(),
        lambda at: (at.parent / "made-from.json").unlink(),
        lambda at: (at.parent / "made-from.json").write_text("{"),
    ],
    ids=["dead python", "dead script", "no script", "unknown", "garbled"],
)
def test_a_broken_environment_is_made_anew(checkout: Path, breakage: object) -> None:
    run(checkout, "version")
    breakage(checkout / ".tox" / "project" / "bin")  # type: ignore[operator]
    told = run(checkout, "unit")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"{checkout} {VERSION}\n")
    assert len(made(told)) == 1
    assert run(checkout, "version").stderr == ""


def test_there_and_back_it_is_made_twice(checkout: Path) -> None:
    name = "tox.ini"
    run(checkout, "version")
    assert made(run(checkout, "version")) == []
    before = (checkout / name).read_text()
    for text in (f"{before}\n# something else\n", before):
        (checkout / name).write_text(text)
        (checkout / ".tox" / "project" / "made-from-0123456789abcdef").touch()  # an older run's
        told = run(checkout, "version")
        assert len(made(told)) == 1
        assert "has changed" in told.stderr
        assert made(run(checkout, "unit")) == []
    stamps = [path.name for path in (checkout / ".tox" / "project").glob("made-from*")]
    assert stamps == ["made-from.json"]
    assert (checkout / "built").read_text() == "begun\n" * 3


@pytest.mark.parametrize("words", [["version"], ["unit", "tests/zz"]], ids=["command", "check"])
def test_what_the_making_printed_is_shown_where_it_fails(checkout: Path, words: list[str]) -> None:
    project = checkout / "pyproject.toml"
    project.write_text(PROJECT.replace("small", "a b"))
    for _ in range(2):
        told = run(checkout, *words)
        assert (told.returncode, told.stdout) == (3, "")
        assert "the backend says: no package is called 'a b'" in told.stderr
        assert "network" not in told.stderr
        assert "; what it printed is above, then run the command again" in told.stderr
    project.write_text(PROJECT)
    assert run(checkout, *words).stdout.startswith(f"{checkout} {VERSION}\n")


@pytest.mark.parametrize(
    ("words", "number"), [(["unit"], signal.SIGINT), (["version"], signal.SIGTERM)]
)
def test_whoever_interrupts_the_making_leaves_nothing(
    checkout: Path, words: list[str], number: signal.Signals
) -> None:
    os.mkfifo(checkout / "built")
    with subprocess.Popen(
        [checkout / "run", *words],
        env={**os.environ, "PYTHON": sys.executable, "UV_TEST_BUILD_SECONDS": "60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert (checkout / "built").read_text() == "begun\n"  # the build is on
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert running.returncode == (130 if number == signal.SIGINT else 143)
    assert (out, "Traceback" in err) == ("", False)
    with (checkout / ".tox" / "project.lock").open("w") as lock:  # nobody holds it any more
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (checkout / "built").unlink()
    told = run(checkout, *words)
    assert told.stdout.startswith(f"{checkout} {VERSION}\n"), told.stderr
    assert "nobody finished the one in" in made(told)[0]


def test_of_two_at_once_one_makes_it(checkout: Path) -> None:
    both = [
        subprocess.Popen(
            [checkout / "run", "unit"],
            env={**os.environ, "PYTHON": sys.executable, "UV_TEST_BUILD_SECONDS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [running.communicate(timeout=60) for running in both]
    for running, (out, err) in zip(both, told, strict=True):
        assert (running.returncode, out.splitlines()[:1]) == (0, [f"{checkout} {VERSION}"]), err
    assert sum(err.count(MAKING) for _, err in told) == 1
    assert (checkout / "built").read_text() == "begun\n"


def test_another_python_is_refused_and_the_environment_stays(checkout: Path) -> None:
    run(checkout, "version")
    stamp = checkout / ".tox" / "project" / "made-from.json"
    noted = {**json.loads(stamp.read_text()), "version": "3.10.1", "interpreter": "/usr/bin/python"}
    stamp.write_text(json.dumps(noted))
    for words in (["version"], ["unit"]):
        told = run(checkout, *words)
        assert (told.returncode, told.stdout) == (3, "")
        assert "project is Python 3.10.1's (/usr/bin/python), and this is Python 3." in told.stderr
        assert told.stderr.endswith(f"delete {checkout / '.tox'}\n")
    assert json.loads(stamp.read_text()) == noted


def test_another_interpreter_of_the_same_version_makes_it_anew(checkout: Path) -> None:
    run(checkout, "version")
    stamp = checkout / ".tox" / "project" / "made-from.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "interpreter": "/other/python"}))
    told = run(checkout, "unit")
    assert told.returncode == 0
    assert made(told)[0].endswith("(/other/python)")


def test_whose_it_is_is_known_without_making_it(tmp_path: Path) -> None:
    for name in SOURCES:
        (tmp_path / name).write_text(name)
    folder = tmp_path / "project"
    mine = Origin.of(tmp_path)
    assert ProjectEnvironment(folder, mine).difference() == ""
    (folder / "bin").mkdir(parents=True)
    for name in ("python", "devnet"):
        (folder / "bin" / name).symlink_to(sys.executable)
    ProjectEnvironment(folder, mine).end()
    assert ProjectEnvironment(folder, mine).difference() is None
    for name in SOURCES:
        (tmp_path / name).write_text("other")
        assert "has changed" in str(ProjectEnvironment(folder, Origin.of(tmp_path)).difference())
        (tmp_path / name).write_text(name)
        assert ProjectEnvironment(folder, Origin.of(tmp_path)).difference() is None
    with pytest.raises(OtherPython):
        ProjectEnvironment(folder, Origin.of(tmp_path, "/usr/bin/python", "3.99.0")).difference()


def test_only_what_speaks_of_the_network_is_told_to_check_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for text, hint in (
        ("error: Failed to fetch: `https://host/simple/`", bootstrap.NETWORK),
        ("dns error: failed to lookup", bootstrap.NETWORK),
        ("ValueError: no such name (backend_proxy)", bootstrap.ABOVE),
    ):
        with pytest.raises(SystemExit) as left:
            bootstrap.run([sys.executable, "-c", f"raise SystemExit({text!r})"])
        assert left.value.code == 3
        assert hint.split()[-1] in capsys.readouterr().err
