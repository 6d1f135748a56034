"""Ape's command line, started so that where a project lies says nothing about its sources.

Ape leaves out what matches `.cache`, `.git` or `*.py*`, and asks the whole path: a checkout below
a folder of such a name has no sources for it. Only the path inside of the project counts here.

    python -m devnet.deploy.ape_program ARGUMENT…
"""

from __future__ import annotations

from pathlib import Path


def main() -> None:
    from ape._cli import cli
    from ape.managers import project

    matches = project.path_match  # type: ignore[attr-defined]

    def matches_inside(path: str | Path, *exclusions: str) -> bool:
        return not Path(path).is_absolute() and bool(matches(path, *exclusions))

    project.path_match = matches_inside  # type: ignore[attr-defined]
    cli(prog_name="ape")


if __name__ == "__main__":
    main()
