"""Actors that behave otherwise than honestly: a module each, which registers itself here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from devnet.actors.actor import Actor
from devnet.spec.behaviours import Behaviour

Kind = TypeVar("Kind", bound=type[Actor])

_KINDS: dict[tuple[str, str], type[Actor]] = {}


def behaves(behaviour: Behaviour) -> Callable[[Kind], Kind]:
    """The class below is who behaves so."""

    def register(kind: Kind) -> Kind:
        _KINDS[behaviour.role, behaviour.name] = kind
        return kind

    return register


def kinds() -> Mapping[tuple[str, str], type[Actor]]:
    """The class of each behaviour, by role and name, of every module of this folder."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return _KINDS
