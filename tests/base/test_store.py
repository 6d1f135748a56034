"""The store: made once, whole or not at all."""

import threading
from pathlib import Path

import pytest

from devnet.base import MachineLacks
from devnet.base.store import Store, key_of


def test_makes_once_and_finds_afterwards(tmp_path: Path) -> None:
    store, built = Store(tmp_path), []

    def build(into: Path) -> None:
        built.append(into)
        (into / "tool").write_text("binary")

    assert store.found("tools", "k1") is None
    first = store.make("tools", "k1", build)
    assert store.make("tools", "k1", build) == first == tmp_path / "tools" / "k1"
    assert store.found("tools", "k1") == first
    assert (first / "tool").read_text() == "binary"
    assert len(built) == 1


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(into: Path) -> None:
        (into / "half").write_text("half")
        raise MachineLacks("no network")

    with pytest.raises(MachineLacks, match="no network"):
        Store(tmp_path).make("tools", "k1", fail)
    assert [path.name for path in (tmp_path / "tools").iterdir() if path.is_dir()] == []


def test_what_a_kill_left_is_removed_first(tmp_path: Path) -> None:
    partial = tmp_path / "tools" / ".k1.partial"
    partial.mkdir(parents=True)
    (partial / "half").write_text("half")
    folder = Store(tmp_path).make("tools", "k1", lambda into: (into / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]
    assert not partial.exists()


def test_two_at_once_build_once(tmp_path: Path) -> None:
    store, entered, go_on, built = Store(tmp_path), threading.Event(), threading.Event(), []
    said: list[str] = []
    waiting = threading.Event()

    def slow(into: Path) -> None:
        built.append(into)
        entered.set()
        assert go_on.wait(20)

    def say(line: str) -> None:
        said.append(line)
        waiting.set()

    first = threading.Thread(target=store.make, args=("tools", "k1", slow))
    first.start()
    assert entered.wait(20)
    second = threading.Thread(target=store.make, args=("tools", "k1", slow), kwargs={"say": say})
    second.start()
    assert waiting.wait(20)
    go_on.set()
    first.join(20)
    second.join(20)
    assert len(built) == 1
    assert said == ["another process is making tools/k1; waiting for it (up to 30 min)"]


def test_an_unwritable_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MachineLacks, match=r"the cache .*/file cannot be written") as raised:
        Store(tmp_path / "file").make("tools", "k1", lambda into: None)
    assert raised.value.exit_code == 3
    assert "KOMPUTE_CACHE" in raised.value.hint


def test_keys_differ_by_content_and_by_split(tmp_path: Path) -> None:
    file = tmp_path / "go.sum"
    file.write_text("ab")
    assert key_of([file]) == key_of(["ab"]) == key_of([b"ab"])
    assert key_of(["ab", "c"]) != key_of(["a", "bc"])
    assert len(key_of(["ab"])) == 16
