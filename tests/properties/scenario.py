"""A failure as a scenario file of `send`, `together` and `advance` steps, for `devnet run`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from devnet.checking import Difference
from devnet.protocol import ObservedTransaction
from devnet.spec.units import komp_text

from .action import Action, Advance, Send
from .twins import Disagreement

AMOUNTS: Final = ("amount", "value", "deposit", "maxRate", "maxRate2")
REFUSES: Final = "refuses with "

Done = tuple[Action, ObservedTransaction | None]


def document(name: str, network: str, done: Iterable[Done], wrong: Disagreement) -> dict[str, Any]:
    """The scenario; every send expects what the model says of it, so it passes once mended."""
    return {
        "version": 1,
        "name": name,
        "network": network,
        "seed": 0,
        "steps": list(_steps(done, wrong)),
    }


def _steps(done: Iterable[Done], wrong: Disagreement) -> Iterator[dict[str, Any]]:
    """A step for each action; one for all transactions of a block."""
    block: list[dict[str, Any]] = []
    for action, seen in done:
        if block and not (isinstance(action, Send) and action.joins):
            yield _of_block(block)
            block = []
        if isinstance(action, Advance):
            yield {"advance": {"blocks": action.blocks}}
        else:
            assert seen is not None
            block.append(_send(action, _expected(seen, wrong)))
    if block:
        yield _of_block(block)


def _of_block(sends: list[dict[str, Any]]) -> dict[str, Any]:
    return sends[0] if len(sends) == 1 else {"together": sends}


def save(path: Path, name: str, network: Path, done: Iterable[Done], wrong: Disagreement) -> Path:
    """Write it; `network` is the network file the actions were played on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    where = os.path.relpath(network, path.parent)
    text = yaml.dump(
        document(name, where, done, wrong),
        Dumper=_Dumper,
        sort_keys=False,
        width=100,
        allow_unicode=True,
    )
    told = "".join(f"# {line}\n" for line in str(wrong).splitlines())
    path.write_text(told + text)
    return path


def _send(action: Send, error: str | None) -> dict[str, Any]:
    send: dict[str, Any] = {
        "from": action.sender,
        "to": action.contract,
        "function": action.function,
        "args": {name: _shown(name, value) for name, value in action.args.items()},
    }
    if error is not None:
        send["expect_error"] = error
    return {"send": send}


def _expected(seen: ObservedTransaction, wrong: Disagreement) -> str | None:
    """The model's error: the contracts' unless it is this that they differ in."""
    here = f"{seen.contract}.{seen.function} in block {seen.block} ({seen.hash})"
    for one in wrong.found:
        if isinstance(one, Difference) and one.path == here:
            decision = str(one.model)
            return decision.removeprefix(REFUSES) if decision.startswith(REFUSES) else None
    return seen.error


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shown(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(name, inner) for inner in value]
    if name in AMOUNTS and isinstance(value, int) and value >= 10**15 and value % 10**12 == 0:
        return komp_text(value)
    return value


class _Dumper(yaml.SafeDumper):
    """Small mappings and plain lists on one line; a value that recurs is written again."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _mapping(dumper: yaml.SafeDumper, value: Mapping[str, Any]) -> yaml.Node:
    flat = len(value) <= 4 and all(_is_small(inner) for inner in value.values())
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=flat)


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.Node:
    flat = all(_is_small(inner) for inner in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flat)


def _is_small(value: Any) -> bool:
    """A scalar, a list of scalars, or a word with its value."""
    if isinstance(value, Mapping):
        return len(value) == 1 and not any(isinstance(v, Mapping | list) for v in value.values())
    return not isinstance(value, list) or not any(isinstance(v, Mapping | list) for v in value)


_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _list)
