"""The published schemas are those of the models, and accept every file of the repository."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from devnet.spec.schema import network_schema, scenario_schema, schema_texts, write_schemas

ROOT = Path(__file__).parents[2]
FILES = [
    *(("network", path) for path in sorted((ROOT / "e2e" / "networks").glob("*.yaml"))),
    *(("scenario", path) for path in sorted((ROOT / "e2e" / "scenarios").glob("*.yaml"))),
    *(("scenario", path) for path in sorted((ROOT / "e2e" / "scenarios/autoscaling").iterdir())),
]


def schema_of(kind: str) -> dict[str, Any]:
    return network_schema() if kind == "network" else scenario_schema()


@pytest.mark.parametrize("name", sorted(schema_texts()))
def test_the_published_schema_is_current(name: str) -> None:
    published = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert published == schema_texts()[name], "run: python -m devnet.spec.schema"


@pytest.mark.parametrize("kind", ["network", "scenario"])
def test_a_schema_is_valid_itself(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(kind))


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda value: Path(value).name)
def test_a_file_of_the_repository_fits_its_schema(kind: str, path: Path) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(kind))
    found = [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))]
    assert found == []


@pytest.mark.parametrize(
    "step",
    [
        {"steak": {"worker": "all"}},
        {"stake": {"worker": "all", "month": 3}},
        {"stake": {}},
        {"order": {"client": "alice", "service": "web", "deposit": "20 KOMPS"}},
        {"stake": {"worker": "all"}, "publish": {"worker": "all"}},
    ],
    ids=lambda step: "+".join(step),
)
def test_a_faulty_step_does_not_fit(step: dict[str, Any]) -> None:
    scenario = {"version": 1, "name": "x", "network": "n.yaml", "steps": [step]}
    assert not jsonschema.Draft202012Validator(scenario_schema()).is_valid(scenario)


def test_the_generator_writes_both_files(tmp_path: Path) -> None:
    written = write_schemas(tmp_path / "reference")
    assert [path.name for path in written] == ["network.schema.json", "scenario.schema.json"]
    assert json.loads(written[0].read_text())["title"] == "Kompute devnet: network, version 1"


def test_the_schema_does_not_depend_on_what_was_imported_first() -> None:
    script = (
        "import importlib, sys\n"
        "from devnet.spec.verbs import FAMILIES\n"
        "for family in reversed(FAMILIES): importlib.import_module(f'devnet.spec.{family}')\n"
        "from devnet.spec.schema import schema_texts\n"
        "sys.stdout.write(schema_texts()['scenario.schema.json'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == schema_texts()["scenario.schema.json"]
