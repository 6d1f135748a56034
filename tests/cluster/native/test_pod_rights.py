"""What a pod reaches of its devnet and of other pods: nothing, whoever it is inside."""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.conformance.bench import LIMIT_SECONDS, Bench, bench
from cluster.conformance.pods import started
from cluster.conformance.subject import GREETING, Subject, subject
from cluster.kubernetes import names
from cluster.native.provider import NativeCluster
from devnet.base.environment import python_environment
from devnet.base.toolchain import Toolchain
from tests.cluster.conftest import WORKERS

FOREVER = "while :; do sleep 0.1; done"
RIGHTS = [{}, {"runAsUser": 1000, "runAsGroup": 1000}, {"runAsUser": 65535}]


@dataclass(frozen=True, slots=True)
class Place:
    """A project with a service and, in the same folder, its devnet's own files."""

    project: Path
    cluster: NativeCluster
    bench: Bench

    @property
    def home(self) -> Path:
        return self.project / ".devnet"

    @property
    def has_users(self) -> bool:
        """Whether pods have users of their own, by what the cluster says."""
        narrowed = self.cluster.enforcement().narrowed
        return not any("no users of their own" in sentence for sentence in narrowed)

    def secrets(self) -> list[Path]:
        """Keys, kubeconfigs, sockets, configurations, logs: every file of the devnet's."""
        return [path for path in self.home.rglob("*") if not path.is_dir()]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, NativeCluster]]:
    project = tmp_path_factory.mktemp("project")
    project.chmod(0o755)  # as a checkout is: any user of a pod may read it
    home = project / ".devnet"
    state = home / "default" / "state"
    state.mkdir(parents=True)
    (home / "default" / "keys.json").write_text("a private key")
    with socket.socket(socket.AF_UNIX) as control:
        descriptor = os.open(home / "default", os.O_RDONLY)
        control.bind(f"/proc/self/fd/{descriptor}/control.sock")
        os.close(descriptor)
    tools = Toolchain()
    with NativeCluster(
        WORKERS[:1],
        state,
        tools.controlplane(),
        tools.bubblewrap(),
        f"tests-{uuid.uuid4().hex[:12]}",
        logging.getLogger("tests.rights"),
        python_environment(),
        hidden=(home,),
    ) as running:
        yield project, running


@pytest.fixture(scope="module")
def there(cluster: tuple[Path, NativeCluster]) -> Iterator[Subject]:
    project, running = cluster
    kubectl = Toolchain().controlplane() / "kubectl"
    with subject(running, running.packing, project, kubectl) as found:
        yield found


@pytest.fixture
def place(cluster: tuple[Path, NativeCluster], there: Subject) -> Iterator[Place]:
    with bench(there, LIMIT_SECONDS) as own:
        yield Place(*cluster, own)


@pytest.mark.parametrize("rights", RIGHTS, ids=["nothing asked", "a user", "the last user"])
def test_no_file_of_the_devnet_is_there(place: Place, rights: dict[str, int]) -> None:
    """Though the pod's own folder is the one that the devnet's lies in."""
    own, secrets = place.bench, place.secrets()
    kinds = {path.name for path in secrets}
    assert {
        "keys.json",
        "control.sock",
        "worker-1-client.key",
        "kubelet.json",
        "folders.json",
    } <= kinds
    assert any("kubeconfig" in path.name for path in secrets)
    own.start(own.container(FOREVER), securityContext=rights)
    own.wait("started", started)
    assert own.execute("cat", str(place.project / "greeting")).out == GREETING
    tried = own.execute("ls", "-a", str(place.home))
    assert tried.out.split() == [".", ".."]
    said = own.execute("ls", "-d", *map(str, secrets))
    assert said.out == ""
    assert said.err.count("No such file or directory") == len(secrets)


@pytest.mark.parametrize("rights", RIGHTS, ids=["nothing asked", "a user", "the last user"])
def test_nothing_of_another_pod_is_there(place: Place, rights: dict[str, int]) -> None:
    own = place.bench
    word = uuid.uuid4().hex
    other = own.container(
        f"echo {word} > /tmp/{word}; echo {word} > /v/{word}; {FOREVER}",
        env=[{"name": "PASSWORD", "value": word}],
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
    )
    own.start(other, name="other", securityContext=rights, volumes=[{"name": "v", "emptyDir": {}}])
    own.start(own.container(FOREVER), securityContext=rights)
    own.wait("started", started, "other")
    own.wait("started", started)
    seen = own.execute(
        "sh",
        "-c",
        f"cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c {word}; "
        f"find / -name {word} 2>/dev/null; ls -d /proc/[0-9]* | wc -l",
    )
    count, *rest = seen.out.split()
    assert count == "0"
    assert len(rest) == 1
    assert int(rest[0]) < 12
    inside = own.execute("sh", "-c", f"cat /tmp/{word} /v/{word}; echo $PASSWORD", name="other")
    assert inside.out.split() == [word] * 3


@pytest.mark.parametrize("rights", RIGHTS, ids=["nothing asked", "a user", "the last user"])
def test_no_process_of_a_pod_is_the_machines_root(place: Place, rights: dict[str, int]) -> None:
    if not place.has_users:
        pytest.skip("this machine gives pods no users of their own, and says so")
    own, mark = place.bench, f"7{uuid.uuid4().int % 10**8}"
    own.start(own.container(f"sleep {mark} & wait"), securityContext=rights)
    own.wait("started", started)
    own.execute("sh", "-c", f"until grep -q {mark} /proc/[0-9]*/cmdline; do sleep 0.1; done")
    owners = {
        path: _owners(path)
        for path in Path("/proc").glob("[0-9]*")
        if mark.encode() in _read(path / "cmdline")
    }
    assert len(owners) >= 3  # bubblewrap, the shell, its child
    for path, ids in owners.items():
        assert min(ids) >= 0x7000_0000, path
        assert {each % 65536 for each in ids} <= {0, *rights.values()}


@pytest.mark.parametrize("folder", ["/", "/etc", "/root", "relative", "/no/such", ""])
def test_a_folder_that_nobody_handed_out_is_not_shown(place: Place, folder: str) -> None:
    _refused(place, "metadata.annotations[kompute.network/folder]", folder, folder=folder)


def test_the_devnets_own_folder_is_not_shown_though_it_lies_in_a_handed_one(place: Place) -> None:
    own = str(place.home / "default")
    _refused(place, "metadata.annotations[kompute.network/folder]", own, folder=own)


@pytest.mark.parametrize(
    ("field", "rights"),
    [
        ("spec.securityContext.runAsUser", {"runAsUser": 65536}),
        ("spec.securityContext.supplementalGroups", {"supplementalGroups": [1 << 20]}),
        (
            "spec.securityContext.sysctls",
            {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]},
        ),
    ],
)
def test_who_a_pod_cannot_be_is_refused_by_name(
    place: Place, field: str, rights: dict[str, object]
) -> None:
    if field.endswith("runAsUser") and not place.has_users:
        pytest.skip("any user is a name for the one")
    _refused(place, field, "", securityContext=rights)


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        (
            "securityContext.capabilities.add",
            {"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}},
        ),
        ("targetContainerName", {"targetContainerName": "main"}),
    ],
)
def test_what_is_added_to_a_pod_is_refused_by_name(
    place: Place, field: str, asked: dict[str, object]
) -> None:
    """By its start: the pod itself was taken before, and goes on."""
    own = place.bench
    own.start(own.container(FOREVER))
    own.wait("started", started)
    change = {"spec": {"ephemeralContainers": [own.container("true", name="look", **asked)]}}
    own.core.patch_namespaced_pod_ephemeralcontainers("pod", own.namespace, change)
    own.wait("its end", lambda _: "terminated" in own.state(container="look").get("state", {}))
    ended = own.state(container="look")["state"]["terminated"]
    assert ended["reason"] == "StartError"
    assert ended["message"].startswith(f"spec.ephemeralContainers[0].{field}: ")
    assert started(own.pod())


def _refused(
    place: Place, field: str, words: str, folder: str | None = None, **spec: object
) -> None:
    own = place.bench
    notes = None if folder is None else {names.FOLDER: folder}
    own.start(own.container("true"), notes=notes, **spec)
    status = own.phase("Failed")["status"]
    assert status["reason"] == "UnsupportedField"
    assert status["message"].startswith(f"Pod was rejected: {field}")
    assert words in status["message"]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # ended meanwhile


def _owners(process: Path) -> set[int]:
    """Real, effective, saved and file-system ids, of the user and the group."""
    fields = dict(
        line.split(":\t", 1)
        for line in _read(process / "status").decode().splitlines()
        if ":\t" in line
    )
    return {int(each) for each in (*fields["Uid"].split(), *fields["Gid"].split())}
