"""`devnet ape …`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from devnet.cli import terminal
from devnet.cli.options import name_option

SCRIPTS, BUILD = "scripts", ".build"
VIEW = "ape-project"  # below .devnet; no devnet, since it has no id


@click.command(
    "ape",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    add_help_option=False,
)
@name_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(name: str, arguments: tuple[str, ...]) -> None:
    """Ape on the running devnet; all ARGUMENTS are its own, such as: devnet ape console.

    It works in the project with the contracts, with the scripts of the folder `scripts` where it
    is called. Where no devnet runs, what needs no chain works (compile, test).
    """
    from devnet.base import Toolchain
    from devnet.daemon.caller import Caller
    from devnet.deploy.compilation import APE

    toolchain = Toolchain(say=terminal.say)
    folder = with_own_scripts(toolchain.ape_project(), Path.cwd())
    environment = os.environ | toolchain.solc_environment(folder)
    status = _status(name, Caller)
    if status is None:
        terminal.say(f"no devnet `{name}` runs: Ape starts a chain of its own")
    else:
        environment["APE_FOUNDRY_HOST"] = str(status["rpc"])
        environment["KOMPUTE_DEVNET_RUN"] = str(status["run"])
    os.chdir(folder)
    os.execve(APE[0], [*APE, *arguments], environment)  # noqa: S606


def with_own_scripts(project: Path, called: Path) -> Path:
    """The project, or where the folder `called` has scripts of its own, a folder of links that has
    the project's files and those scripts; installed by pip, the project is a copy in the cache.

    A script of one's own comes before one of the project's that has the same name.
    """
    from devnet.base.folder import HOME_NAME, nearest_home

    own = called / SCRIPTS
    if not own.is_dir() or own.resolve() == (project / SCRIPTS).resolve():
        return project
    view = (nearest_home(called) or called / HOME_NAME) / VIEW
    shutil.rmtree(view, ignore_errors=True)
    (view / SCRIPTS).mkdir(parents=True)
    (project / BUILD).mkdir(exist_ok=True)  # what Ape compiles is kept there
    for name in (BUILD, "ape-config.yaml", "contracts", "node_modules"):
        (view / name).symlink_to(project / name)
    scripts = {path.name: path for path in (*(project / SCRIPTS).iterdir(), *own.iterdir())}
    for name, path in scripts.items():
        (view / SCRIPTS / name).symlink_to(path.resolve())
    return view


def _status(name: str, caller: type) -> dict[str, object] | None:
    from devnet.base import UsageError
    from devnet.base.folder import DevnetFolder

    try:
        found: dict[str, object] = caller(DevnetFolder.existing(name)).ask("status")
    except UsageError:
        return None
    return found
