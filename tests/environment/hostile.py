"""A caller's environment that changes or ends whatever inherits it, and a proxy nobody may use."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOWHERE = "/nowhere/of/the/test"
# Each read by a program that the devnet starts; with any of them some part ends or is another.
POISON = {
    "ETCD_INITIAL_CLUSTER_STATE": "existing",
    "ETCD_CONFIG_FILE": NOWHERE,
    "ETCD_DISCOVERY": "http://127.0.0.1:9/none",
    "ANVIL_IP_ADDR": "not an address",
    "FOUNDRY_PROFILE": "none",
    "FOUNDRY_CONFIG": NOWHERE,
    "LOCUST_USERS": "none",
    "LOCUST_SKIP_MONKEY_PATCH": "1",
    "KUBECONFIG": NOWHERE,
    "KUBERNETES_SERVICE_HOST": "127.0.0.1",
    "GOOS": "plan9",
    "GOARCH": "mips",
    "GO111MODULE": "off",
    "GOFLAGS": "-none",
    "GOEXPERIMENT": "none",
    "GOROOT": NOWHERE,
    "GOWORK": NOWHERE,
    "NODE_OPTIONS": f"--require={NOWHERE}.js",
    "NODE_PATH": NOWHERE,
    "PYTHONHOME": NOWHERE,
    "PYTHONSTARTUP": NOWHERE,
    "PYTHONWARNINGS": "error",
    "APE_TEST": "none",
    "GIT_DIR": NOWHERE,
    "KOMPUTE_DEVNET_ID": "another",
}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def poison(folder: Path) -> dict[str, str]:
    """POISON, and a PYTHONPATH whose Python ends at once, and files that are read by themselves."""
    (folder / "python").mkdir(parents=True)
    (folder / "python" / "sitecustomize.py").write_text("import os\nos._exit(77)\n")
    go = folder / "config" / "go" / "env"
    go.parent.mkdir(parents=True)
    go.write_text("GOOS=plan9\nGOFLAGS=-tags=none\n")
    return {
        **POISON,
        "PYTHONPATH": str(folder / "python"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }


def poisonous_files(folder: Path) -> None:
    """What a working folder or a home may hold; Python would import the modules from there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("locust.conf", ".locust.conf"):
        (folder / name).write_text("users = none\nmaster = true\nexpect-workers = 9\n")
    (folder / ".env").write_text("ANVIL_IP_ADDR=none\nFOUNDRY_PROFILE=none\n")
    (folder / "foundry.toml").write_text("not TOML\n")
    for name in ("cluster", "loadtests", "locust", "yaml"):
        (folder / f"{name}.py").write_text("raise SystemExit('another module')\n")


class Proxy(socketserver.ThreadingTCPServer):
    """Refuses everybody, and counts them."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Refused)

    def variables(self, scheme: str = "http") -> dict[str, str]:
        """Every variable that names a proxy, and an empty NO_PROXY."""
        address = f"{scheme}://127.0.0.1:{self.server_address[1]}"
        return {**dict.fromkeys(PROXIES, address), "NO_PROXY": "", "no_proxy": ""}


class _Refused(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Proxy)
        self.server.asked.append(self.request.recv(200))


@contextmanager
def refusing_proxy() -> Iterator[Proxy]:
    with Proxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join(10)
