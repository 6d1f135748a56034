"""The documents say what is so: links lead somewhere, commands exist, references are complete."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import click
import pytest
from pydantic import BaseModel

from devnet.base.bootstrap import CHECKS, DEVNET
from devnet.cli.ape import cli
from devnet.cli.reference import reference
from devnet.spec import STEPS
from devnet.spec.network import NetworkSpec
from devnet.spec.scenario import ScenarioHead

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"],
    key=lambda path: path.relative_to(ROOT).as_posix(),
)
WIDTH = 100
FENCE = re.compile(r"^ *```(\w*)$")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HIDDEN = 60  # of a line too long: how much of it a fault shows

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES]
)


def blocks(page: Path) -> Iterator[tuple[str, int, str]]:
    """(language, number, line) of every line; the language is empty for prose."""
    language = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if fence := FENCE.match(line):
            language = (fence[1] or "text") if not language else ""
        else:
            yield language, number, line


def anchors(page: Path) -> set[str]:
    """The headings as GitHub names them."""
    headings = [line.lstrip("# ") for kind, _, line in blocks(page) if not kind and line[:1] == "#"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    prose = "\n".join(line for kind, _, line in blocks(page) if not kind)
    lost = []
    for target in LINK.findall(prose):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(target)
    assert lost == []


@every_page
def test_prose_fits_the_width(page: Path) -> None:
    long = [
        f"{number}: {line[:HIDDEN]}…"
        for kind, number, line in blocks(page)
        if not kind and len(line) > WIDTH and not line.startswith("|")
    ]
    assert long == []


@every_page
def test_every_command_shown_exists_with_its_options(page: Path) -> None:
    faults = [
        f"{number}: {fault}"
        for kind, number, line in blocks(page)
        if kind == "console" and line.lstrip().startswith("$ ")
        for words in commands(line.lstrip()[2:])
        for fault in faults_of(words)
    ]
    assert faults == []


def commands(line: str) -> Iterator[list[str]]:
    """The words of each devnet command of a line, without what calls it."""
    for part in re.split(r"&&|;|\|\|", line):
        words = shlex.split(part, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if words and words[0] in ("./run", "devnet"):
            yield words[2:] if words[:2] == ["./run", DEVNET] else words[1:]


def faults_of(words: list[str]) -> Iterator[str]:
    name = words[0] if words else ""
    if name in CHECKS:
        return
    command = cli.get_command(click.Context(cli), name)
    if command is None:
        yield f"no command {name}"
        return
    if command.context_settings.get("ignore_unknown_options"):
        return  # kubectl's and Ape's words are their own
    known = {option for parameter in command.params for option in parameter.opts}
    for word in words[1:]:
        option = word.partition("=")[0]
        if option.startswith("-") and option not in known | {"-h", "--help"}:
            yield f"{name} has no {option}"


def test_a_command_or_an_option_that_does_not_exist_is_found() -> None:
    line = "KOMPUTE_DEVNET=x ./run stake all --monts 3 && ./run orders alice  # both are wrong"

    found = [fault for words in commands(line) for fault in faults_of(words)]

    assert found == ["stake has no --monts", "no command orders"]


def test_the_command_line_reference_is_the_commands() -> None:
    page = ROOT / "docs" / "reference" / "cli.md"

    assert page.read_text(encoding="utf-8") == reference(), "run: python -m devnet.cli.reference"


# Tables of keys


def rows(page: Path) -> Iterator[tuple[str, list[str]]]:
    """(heading, cells) of every row that begins with a key."""
    heading = ""
    for _, _, line in blocks(page):
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| `"):
            yield heading, [cell.strip() for cell in line.strip("|").split(" | ")]


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, default as a file writes it, `...` where it is required) of a model's tree."""
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        inner = inner_model(field.annotation)
        listed = get_origin(field.annotation) is tuple
        if prefix or inner is None or listed:
            yield key, default_of(model, name)
        if inner is not None:
            if not listed:
                yield key, None
            yield from keys(inner, f"{key}[]." if listed else f"{key}.")


def inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model a field is, or the entries of its list are."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := inner_model(part))), None)


def default_of(model: type[BaseModel], name: str) -> Any:
    field = model.model_fields[name]
    if field.is_required():
        return ...
    values = model.model_construct(**{name: field.default}).model_dump(mode="json", warnings=False)
    return values[name]


NETWORK_ROWS = {
    cells[0].strip("`"): cells
    for heading, cells in rows(ROOT / "docs" / "reference" / "network.md")
    if heading != "How values are written"
}


def test_the_network_reference_has_every_key_and_no_other() -> None:
    assert set(NETWORK_ROWS) == {key for key, _ in keys(NetworkSpec)}


PLAIN = [(key, default) for key, default in keys(NetworkSpec) if default is not None]
PLAIN = [(key, default) for key, default in PLAIN if not isinstance(default, (list, dict))]
SAID_OTHERWISE = {"accounts.mnemonic"}  # by what it is


@pytest.mark.parametrize(("key", "default"), PLAIN, ids=[key for key, _ in PLAIN])
def test_the_network_reference_says_the_default(key: str, default: Any) -> None:
    said = NETWORK_ROWS[key][2]
    if default is ...:
        assert said == "required"
    elif key not in SAID_OTHERWISE:
        assert same(said.strip("`"), default), f"{said}, not {default}"


def same(said: str, default: Any) -> bool:
    """`24h` and `1d` are one duration; anything else is compared as it is written."""
    if re.fullmatch(r"\d+[smhd]", said):
        from devnet.spec.units import duration

        return duration(said) == duration(default)
    return said == str(default).lower() if isinstance(default, bool) else said == str(default)


SCENARIO = ROOT / "docs" / "reference" / "scenario.md"


def test_the_scenario_reference_has_the_head() -> None:
    head = {cells[0].strip("`") for heading, cells in rows(SCENARIO) if heading == "Scenario file"}

    assert head == {*ScenarioHead.model_fields, "attack", "steps"}


@pytest.mark.parametrize("verb", list(STEPS))
def test_the_scenario_reference_has_every_key_of_a_verb_and_no_other(verb: str) -> None:
    said = {cells[0].strip("`") for heading, cells in rows(SCENARIO) if heading == verb}
    fields = {field.alias or name for name, field in STEPS[verb].model_fields.items()}

    assert said == fields - {"expect_error"}


@pytest.mark.parametrize("verb", list(STEPS))
def test_the_scenario_reference_says_what_is_required(verb: str) -> None:
    said = {
        cells[0].strip("`")
        for heading, cells in rows(SCENARIO)
        if heading == verb and cells[2] == "required"
    }
    fields = STEPS[verb].model_fields
    required = {field.alias or name for name, field in fields.items() if field.is_required()}

    assert said == required


def test_the_code_cites_no_document_that_is_not_here() -> None:
    """Notes that were used while it was built: whoever reads the code cannot open them."""
    cited = re.compile(r"\b(REFERENCE|DESIGN|REDESIGN)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("devnet", "cluster", "loadtests", "contracts", "e2e")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".sol", ".go", ".js", ".yaml", ".j2"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if cited.search(line)
    ]
    assert found == []
