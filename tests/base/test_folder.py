"""A devnet's folder: found from below, one owner, whole states."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.base import DevnetFolder, UsageError
from devnet.base.folder import names, nearest_home, socket_address, write_atomically


def test_is_made_in_the_start_folder_and_found_from_below(tmp_path: Path) -> None:
    folder = DevnetFolder.open("blue", tmp_path)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert folder.path == tmp_path.resolve() / ".devnet" / "blue"
    assert DevnetFolder.open("blue", below).id == folder.id
    assert DevnetFolder.existing("blue", below) == folder
    assert nearest_home(below) == tmp_path.resolve() / ".devnet"
    assert (tmp_path / ".devnet" / ".gitignore").read_text() == "*\n"


def test_two_devnets_have_two_ids(tmp_path: Path) -> None:
    blue, red = DevnetFolder.open("blue", tmp_path), DevnetFolder.open("red", tmp_path)
    assert blue.id != red.id
    assert len(blue.id) == 16
    assert blue.socket != red.socket
    assert names(tmp_path) == ["blue", "red"]


# Two that are slow to choose an id: each waits until both are at it, the second a little longer.
MAKER = """
import secrets, sys, time
from pathlib import Path
from devnet.base import DevnetFolder

start, me = Path(sys.argv[1]), int(sys.argv[2])
chosen = secrets.token_hex

def slow(size):
    (start / f"maker-{me}").touch()
    limit = time.monotonic() + 3
    while time.monotonic() < limit and len(list(start.glob("maker-*"))) < 2:
        pass
    limit = time.monotonic() + me / 2
    while time.monotonic() < limit:
        pass
    return chosen(size)

secrets.token_hex = slow
print(DevnetFolder.open("new", start).id)
"""


def test_of_two_that_make_a_folder_at_once_both_see_the_same_id(tmp_path: Path) -> None:
    words = [sys.executable, "-c", MAKER, str(tmp_path)]
    makers = [
        subprocess.Popen([*words, number], stdout=subprocess.PIPE, text=True) for number in "01"
    ]
    seen = [maker.communicate(timeout=60)[0].strip() for maker in makers]
    assert seen == [DevnetFolder.existing("new", tmp_path).id] * 2


def test_a_folder_is_new_until_something_is_in_it(tmp_path: Path) -> None:
    folder = DevnetFolder.open("a", tmp_path)
    with folder.starting():
        assert folder.is_new()
        folder.runs.mkdir()
        assert not folder.is_new()


def test_a_dropped_folder_takes_an_empty_home_along_and_no_other(tmp_path: Path) -> None:
    first, second = DevnetFolder.open("a", tmp_path), DevnetFolder.open("b", tmp_path)
    first.drop()
    assert not first.path.exists()
    assert (second.path / "id").is_file()
    second.drop()
    assert list(tmp_path.iterdir()) == []


def test_an_absent_one_is_told_with_those_there_are(tmp_path: Path) -> None:
    DevnetFolder.open("blue", tmp_path)
    with pytest.raises(UsageError, match="no devnet `red` here; there is: blue") as raised:
        DevnetFolder.existing("red", tmp_path)
    assert raised.value.hint == "devnet up --name red"
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("name", ["", "Blue", "-a", "a-", "a/b", "..", "a" * 41, "a_b", "a\n"])
def test_bad_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a devnet"):
        DevnetFolder.open(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_state_is_replaced_whole(tmp_path: Path) -> None:
    folder = DevnetFolder.open(start=tmp_path)
    assert folder.state() == {}
    folder.write_state({"rpc": "http://127.0.0.1:1", "cluster": "sim"})
    folder.write_state({"cluster": "native"})
    assert folder.state() == {"cluster": "native"}
    folder.clear_state()
    assert folder.state() == {}
    assert [path.name for path in folder.path.iterdir()] == ["id"]


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_state_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, state: dict) -> None:
    folder = DevnetFolder.open(start=tmp_path_factory.mktemp("state"))
    folder.write_state(state)
    assert folder.state() == state


def test_has_one_owner_until_it_dies(tmp_path: Path) -> None:
    folder = DevnetFolder.open(start=tmp_path)
    script = (
        "import sys, signal; from pathlib import Path; from devnet.base import DevnetFolder\n"
        f"with DevnetFolder(Path({str(folder.path)!r})).held():\n"
        "    print('held', flush=True); signal.pause()"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    assert folder.is_held()
    with pytest.raises(UsageError, match="in use by another process"), folder.held():
        pass
    owner.kill()
    owner.wait(10)
    owner.stdout.close()
    assert not folder.is_held()
    with folder.held():
        pass


def test_a_socket_lies_in_the_folder_however_deep_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever TMPDIR says: who asks with another one reaches the same devnet."""
    deep = tmp_path / ("d" * 200) / ("e" * 200)
    deep.mkdir(parents=True)
    folder = DevnetFolder.open(start=deep)
    monkeypatch.setenv("TMPDIR", str(deep))
    assert folder.socket.parent == folder.path
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        with socket_address(folder.socket) as address:
            listener.bind(address)
        listener.listen()
        assert folder.socket.is_socket()
        with socket_address(folder.socket) as address:
            caller.connect(address)


def test_one_starts_a_devnet_at_a_time(tmp_path: Path) -> None:
    folder = DevnetFolder.open(start=tmp_path)
    with folder.starting():
        again = DevnetFolder.open(start=tmp_path)
        with pytest.raises(UsageError, match="is being started by another"), again.starting():
            pass
    with folder.starting():
        pass


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_atomically(path, json.dumps({"a": 1}))
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert path.read_text() == '{"a": 1}'
    assert list(tmp_path.iterdir()) == [path]
