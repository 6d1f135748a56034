"""A file is read whole or refused with its line; nothing in it can exhaust the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from devnet.base.errors import UsageError
from devnet.spec.document import Fault, SpecError, overridden, path_text, read_document


def faults_of(folder: Path, data: str | bytes) -> list[str]:
    path = folder / "file.yaml"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    try:
        found = [str(fault) for fault in read_document(path).faults]
    except SpecError as error:
        found = str(error).splitlines()
    return [line.replace(f"{folder}/", "") for line in found]


def test_scalars_stay_the_text_they_were_written_as(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("a: 0.50\nb: 1e20\nc: yes\nd:\ne: 'null'\nf: [1, {on: x}]\n")
    document = read_document(path)
    assert document.tree == {
        "a": "0.50",
        "b": "1e20",
        "c": "yes",
        "d": None,
        "e": "null",
        "f": ["1", {"on": "x"}],
    }
    assert document.line(("f", 1, "on")) == 6


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ("", ["file.yaml:1: the file is empty"]),
        ("a: 1\nb: 2\na: 3\n", ["file.yaml:3: a: duplicate key; first on line 1"]),
        ("a: [1\n", ["file.yaml:2: not YAML: expected ',' or ']', but got '<stream end>'"]),
        ("a: *b\n", ["file.yaml:1: not YAML: found undefined alias 'b'"]),
        (
            "a: !!python/name:os\n",
            ["file.yaml:1: a: tags are not allowed; seen 'tag:yaml.org,2002:python/name:os'"],
        ),
        ("a: !secret x\n", ["file.yaml:1: a: tags are not allowed; seen '!secret'"]),
        ("? [a]\n: 1\n", ["file.yaml:1: a key must be one word"]),
        (b"a: 1\nb: \xff\n", ["file.yaml:2: not UTF-8 text"]),
        ("a: 1\n---\nb: 1\n", ["file.yaml:2: not YAML: but found another document"]),
        ("[" * 40 + "]" * 40, ["file.yaml:1: more than 32 levels or 100000 values"]),
        ("a" * (1 << 20) + "b", ["file.yaml: larger than 1048576 bytes"]),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_refuses_what_it_cannot_read(tmp_path: Path, data: str | bytes, faults: list[str]) -> None:
    assert faults_of(tmp_path, data) == faults


def test_an_alias_bomb_is_a_fault(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    [fault] = faults_of(tmp_path, "\n".join(rows))
    assert fault.endswith("more than 32 levels or 100000 values; an alias inside itself?")


def test_an_alias_of_itself_is_a_fault(tmp_path: Path) -> None:
    [fault] = faults_of(tmp_path, "a: &a [*a]\n")
    assert "more than 32 levels" in fault


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("a: 1\n")
    with pytest.raises(SpecError) as caught:
        read_document(tmp_path / "smal.yaml")
    assert str(caught.value) == f"{tmp_path}/smal.yaml: no such file; did you mean 'small.yaml'?"
    assert (isinstance(caught.value, UsageError), caught.value.exit_code) == (True, 2)


def test_a_fault_reads_as_file_line_path_message_hint() -> None:
    fault = Fault("a.yaml", 3, "b[1].c", "unknown x; seen 'y'", "did you mean 'z'?")
    assert str(fault) == "a.yaml:3: b[1].c: unknown x; seen 'y'; did you mean 'z'?"
    assert path_text(("b", 1, "c")) == "b[1].c"


def test_overrides_reach_entries_by_index_and_by_name(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("list: [{name: one, x: 1}, {name: two, x: 1}]\nempty:\n")
    document = overridden(
        read_document(path), {"list[0].x": "2", "list.two.x": "[3, 4]", "new.deep": "5"}, "--set"
    )
    assert document.tree == {
        "list": [{"name": "one", "x": "2"}, {"name": "two", "x": ["3", "4"]}],
        "empty": None,
        "new": {"deep": "5"},
    }


def test_an_override_of_no_entry_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("list: [{name: one}]\n")
    with pytest.raises(SpecError) as caught:
        overridden(read_document(path), {"list[7].x": "2", "list.one": "{"}, "--set")
    assert str(caught.value).splitlines() == [
        "--set: list[7].x: no such path in the file",
        "--set: list.one: the value is not YAML; seen '{'",
    ]
