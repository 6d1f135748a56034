"""What is asked of the Go sources beside their build: `python -m devnet.base.gochecks`, in `lint`.

gofmt, vet and the sources' own tests take the toolchain and the caches of the build.
"""

from __future__ import annotations

import sys
from pathlib import Path

from devnet.base.bubblewrap import get_bubblewrap
from devnet.base.commands import run_tool
from devnet.base.errors import CheckFailed, DevnetError
from devnet.base.golang import BUILD_LIMIT_SECONDS, FLAGS, Go, controlplane_sources, get_go
from devnet.base.store import Store, default_cache
from devnet.base.toolchain import say_on_stderr

_BUBBLEWRAP = "KOMPUTE_BUBBLEWRAP"  # what the runtime's tests sandbox with
_FORMAT_LIMIT_SECONDS = 60.0


def check_format(go: Go, folder: Path) -> None:
    """Raises CheckFailed with the files that gofmt would write otherwise."""
    gofmt = go.executable.resolve().with_name("gofmt")
    files = run_tool("gofmt", [gofmt, "-l", "."], cwd=folder, limit_seconds=_FORMAT_LIMIT_SECONDS)
    if files:
        raise CheckFailed(
            f"gofmt would write {', '.join(files)} otherwise", hint=f"gofmt -w {folder}"
        )


def vet(go: Go, folder: Path) -> None:
    """Raises MachineLacks with what vet finds."""
    _go(go, folder, "vet", {})


def run_tests(go: Go, folder: Path, bubblewrap: Path) -> list[str]:
    """The sources' own tests, a line a package. Raises MachineLacks with what fails."""
    return _go(go, folder, "test", {_BUBBLEWRAP: str(bubblewrap)})


def _go(go: Go, folder: Path, verb: str, variables: dict[str, str]) -> list[str]:
    return run_tool(
        f"go {verb}",
        [go.executable, verb, "./..."],
        cwd=folder,
        env=go.building(CGO_ENABLED="0", GOFLAGS=FLAGS, GOWORK="off", **variables),
        limit_seconds=BUILD_LIMIT_SECONDS,
    )


def main(words: list[str]) -> int:
    """Format and vet; with `--test` the tests too."""
    store, folder = Store(default_cache()), controlplane_sources()
    try:
        go = get_go(store, say_on_stderr)
        check_format(go, folder)
        vet(go, folder)
        if words == ["--test"]:
            for line in run_tests(go, folder, get_bubblewrap(store, say_on_stderr)):
                print(line)
    except DevnetError as error:
        say_on_stderr(f"{error}\n{error.hint}".rstrip())
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
