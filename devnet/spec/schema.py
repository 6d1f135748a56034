"""Writes the JSON Schemas of both files: `python -m devnet.spec.schema [FOLDER]`.

They are generated from the models, so an editor knows exactly the keys the loaders know. What
needs the whole file (names, rules between values) only the loaders check.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from devnet.spec.attack import Attack
from devnet.spec.network import NetworkSpec
from devnet.spec.registry import STEPS
from devnet.spec.scenario import ScenarioHead

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFAULT_FOLDER = Path("docs/reference")


def network_schema() -> dict[str, Any]:
    """The schema of a network file."""
    schema = NetworkSpec.model_json_schema(by_alias=True)
    return {"$schema": DIALECT, **schema, "title": "Kompute devnet: network, version 1"}


def scenario_schema() -> dict[str, Any]:
    """The schema of a scenario file: each step is one verb of the registry with its values."""
    schema = ScenarioHead.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = {}
    choices = []
    for verb, model in sorted(STEPS.items()):  # whatever was imported first
        values = model.model_json_schema(by_alias=True)
        definitions |= values.pop("$defs", {})
        if model.listed:
            whole = {"title": values["title"], "description": values["description"]}
            values = values["properties"][model.listed] | whole
        definitions[verb] = values
        choices.append(
            {
                "type": "object",
                "description": values.get("description", ""),
                "properties": {verb: {"$ref": f"#/$defs/{verb}"}},
                "required": [verb],
                "additionalProperties": False,
            }
        )
    attack = Attack.model_json_schema(by_alias=True)
    definitions |= {"attack": attack} | attack.pop("$defs", {})
    schema["properties"]["attack"] = {"$ref": "#/$defs/attack"}
    schema["properties"]["steps"] = {
        "type": "array",
        "minItems": 1,
        "items": {"oneOf": choices},
    }
    schema["required"] = [*schema["required"], "steps"]
    return {
        "$schema": DIALECT,
        **schema,
        "title": "Kompute devnet: scenario, version 1",
        "description": "A network, a seed and steps in the protocol's own verbs.",
        "$defs": definitions,
    }


def schema_texts() -> dict[str, str]:
    """File name to its text, byte for byte as it is published."""
    schemas = {"network": network_schema(), "scenario": scenario_schema()}
    return {
        f"{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write both schemas and name them."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return tuple(written)


if __name__ == "__main__":
    for path in write_schemas(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER):
        print(path)
