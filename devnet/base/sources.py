"""What the contracts are made of: read once, so that what is hashed is what is compiled."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from devnet.base.errors import MachineLacks
from devnet.base.store import key_of

CONTRACTS: Final = "contracts"
CONFIG: Final = "ape-config.yaml"
LOCK: Final = "package-lock.json"
MODULES: Final = "node_modules"
MANIFEST: Final = Path(".build") / "__local__.json"
_STAMP: Final = Path(".build") / "made-from"


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of one compilation: `files` by their path in the project, with their bytes."""

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, project: Path) -> Sources:
        """As they are now. Hidden folders below the contracts are tools' own and no sources.

        Raises MachineLacks when one cannot be read.
        """
        contracts = project / CONTRACTS
        names = [CONFIG, LOCK]
        names += sorted(
            path.relative_to(project).as_posix()
            for path in contracts.rglob("*.sol")
            if not any(part.startswith(".") for part in path.relative_to(contracts).parts)
        )
        try:
            return cls({name: (project / name).read_bytes() for name in names})
        except OSError as error:
            raise MachineLacks(f"the contracts cannot be read: {error}") from error

    @property
    def texts(self) -> dict[str, str]:
        """Of the contracts alone."""
        return {
            name: data.decode(errors="replace")
            for name, data in self.files.items()
            if name.endswith(".sol")
        }

    def key(self, *more: str) -> str:
        """Made of every file's name and bytes, and of what else decides."""
        parts: list[str | bytes | Path] = [*more]
        for name, data in self.files.items():
            parts += [name, data]
        return key_of(parts)

    def write(self, folder: Path) -> None:
        """The same files again, below `folder`."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def check_libraries(self, modules: Path) -> None:
        """Ape takes a library's version from its configuration on trust, so compare it here.

        Raises MachineLacks when `modules` holds another.
        """
        config = yaml.safe_load(self.files[CONFIG]) or {}
        for library in config.get("dependencies") or ():
            if "npm" not in library:
                continue
            package = modules / library["npm"] / "package.json"
            try:
                version = json.loads(package.read_text())["version"]
            except (OSError, ValueError, KeyError) as error:
                raise MachineLacks(f"{package} names no version: {error!r}") from error
            if version != str(library.get("version")):
                raise MachineLacks(
                    f"{CONFIG} asks for {library['npm']} {library.get('version')}, "
                    f"{modules} has {version}",
                    hint=f"name one version in {CONFIG} (twice) and in package.json with its lock",
                )

    def differences(self, manifest: Mapping[str, Any]) -> list[str]:
        """What Ape's `manifest` was made of and these are not, and the other way round."""
        made_of = {
            name: _normal((entry or {}).get("content") or "")
            for name, entry in (manifest.get("sources") or {}).items()
        }
        texts = self.texts
        compiled = {
            entry.get("sourceId") for entry in (manifest.get("contractTypes") or {}).values()
        }
        return [
            *(f"{name} is missing" for name in texts if name not in made_of),
            *(f"{name} was not asked for" for name in sorted(made_of) if name not in texts),
            *(
                f"{name} was compiled with another text"
                for name, text in texts.items()
                if name in made_of and made_of[name] != _normal(text)
            ),
            *(
                f"there is a contract of {name}, which was not asked for"
                for name in sorted(compiled - {None, *texts})
            ),
            *(
                f"there is no contract of {name}"
                for name in texts
                if name in made_of and name not in compiled
            ),
        ]


def forget_stale_build(project: Path) -> None:
    """Take away what Ape left here and would go on with although a source has changed since.

    Ape compiles a file again when its own text has changed, but not when a file that it imports
    has. And a project below the temporary folder is compiled in place: its hidden copy of the
    libraries is more than Ape looks at, so that from then on it finds nothing to compile.
    """
    shutil.rmtree(project / CONTRACTS / ".cache", ignore_errors=True)
    sources = Sources.of(project)
    stamp, key = project / _STAMP, sources.key()
    try:
        fresh = stamp.read_text() == key and not sources.differences(
            json.loads((project / MANIFEST).read_text())
        )
    except (OSError, ValueError):
        fresh = False
    if not fresh:
        (project / MANIFEST).unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(key)


def _normal(text: str) -> str:
    """As Ape keeps a source: lines end with \\n, the end without white space."""
    return "\n".join(text.rstrip().splitlines())
