"""The root: helps at once, names what was meant, and keeps stdout for results."""

from __future__ import annotations

import subprocess
import sys

import pytest

from devnet.cli.catalogue import COMMANDS, ENTRIES, STEPS, entry_of
from devnet.spec.verbs import VERBS
from tests.cli.conftest import Shell, environment, python

HEAVY = ("pydantic", "rich", "cluster", "yaml", "psutil", "devnet.runs", "devnet.chain", "httpx")


def test_help_names_every_command_and_every_step(devnet: Shell) -> None:
    ended = devnet("--help")
    assert ended.code == 0
    words = {
        line.split()[0] for line in ended.out.splitlines() if line.startswith("  ") and line.split()
    }
    assert set(COMMANDS) | {verb.replace("_", "-") for verb in VERBS} <= words


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom click.testing import CliRunner\nfrom devnet.cli.ape import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = python(script)
    assert done.code == 0, done.err
    assert done.out.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["dotor"], "no command 'dotor'", "did you mean 'doctor'?"),
        (["doctor", "--jsn"], "no such option: --jsn", "did you mean --json?"),
        (["--wrong"], "no such option: --wrong", "did you mean --version?"),
        (["run"], "missing argument 'SCENARIOS...'", "devnet run --help"),
        (["up", "--block-time", "0"], "invalid value for '--block-time'", "devnet up --help"),
        (["config", "--set", "blocks"], "'blocks' is not path=value", "devnet config --help"),
        (["completion", "tcsh"], "'tcsh' is not one of", "devnet completion --help"),
    ],
)
def test_a_wrong_command_line_is_two_lines_and_exit_2(
    devnet: Shell, words: list[str], error: str, hint: str
) -> None:
    ended = devnet(*words)
    assert (ended.code, ended.out) == (2, "")
    first, second = ended.err.splitlines()
    assert first.startswith("error: ") and error in first
    assert second.startswith("hint: ") and hint in second


def test_every_command_says_what_it_does(devnet: Shell) -> None:
    for name, entry in ENTRIES.items():
        if name in ("kubectl", "ape"):
            continue  # --help is the other program's
        ended = devnet(name, "--help")
        assert ended.code == 0, ended.err
        assert ended.out.startswith(f"Usage: devnet {entry.name} ")


def test_a_verb_may_be_written_as_in_a_scenario() -> None:
    assert entry_of("top_up") == entry_of("top-up") == STEPS["top-up"]


def test_errors_are_json_too_when_it_was_asked_for(devnet: Shell) -> None:
    ended = devnet("status", "--json")
    assert ended.code == 2
    assert ended.json() == {
        "error": "there is no devnet `default` here; there is: none",
        "hint": "devnet up",
        "exit_code": 2,
    }
    assert "error: there is no devnet" in ended.err


def test_down_without_a_devnet_has_nothing_to_stop(devnet: Shell) -> None:
    told = devnet("down", "--json")
    assert told.code == 2
    assert told.json() == {
        "error": "nothing to stop: there is no devnet `default` here; there is: none",
        "hint": "run it in the folder where `devnet up` was run",
        "exit_code": 2,
    }
    (devnet.folder / ".devnet" / "other").mkdir(parents=True)
    (devnet.folder / ".devnet" / "other" / "id").write_text("0123456789abcdef")
    assert devnet("down", "--json").json() == {
        "error": "nothing to stop: there is no devnet `default` here; there is: other",
        "hint": "devnet down --name other",
        "exit_code": 2,
    }


def test_no_colour_where_stdout_is_no_terminal(devnet: Shell) -> None:
    ended = devnet("doctor")
    assert ended.code == 0
    assert "\x1b" not in ended.out + ended.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_for_devnet(devnet: Shell, shell: str) -> None:
    ended = devnet("completion", shell)
    assert ended.code == 0
    assert "_DEVNET_COMPLETE" in ended.out


def test_completion_knows_verbs_without_loading_them(devnet: Shell) -> None:
    ended = devnet(_DEVNET_COMPLETE="bash_complete", COMP_WORDS="devnet add", COMP_CWORD="1")
    assert ended.out.splitlines() == ["plain,add-reward"]


def test_a_reader_that_leaves_is_no_failure(devnet: Shell) -> None:
    command = f"{sys.executable} -m devnet.cli config small | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_without_arguments_a_short_screen_says_where_to_begin(devnet: Shell) -> None:
    ended = devnet()
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert "devnet demo" in lines[0] and "devnet --help" in lines[-1]
    assert len(lines) <= 20 and max(map(len, lines)) <= 80


def test_the_version_is_a_command_and_an_option(devnet: Shell) -> None:
    assert devnet("version").out == devnet("--version").out
    assert devnet("version", "--json").json()["version"] in devnet("-V").out


INTERRUPTED = """\
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "devnet.cli.ape":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
from devnet.cli import main
main()
"""


def test_an_interrupt_while_it_is_still_loading_is_told_like_any_other() -> None:
    done = python(INTERRUPTED)
    assert (done.code, done.out, done.err) == (130, "", "error: interrupted\n")
