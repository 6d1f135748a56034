"""The environments of what we start: made for each child, never the caller's as it is.

etcd reads `ETCD_*`, anvil `ANVIL_*`, Go `GOOS` and `GOFLAGS`, Node `NODE_OPTIONS`, Python
`PYTHONPATH`, everything a proxy: what a person has set for other work would change or end a part
of the devnet. So a child gets what makes up the person's account and place, and of the rest only
what is meant for it; the settings of package registries reach installers and the daemon, which
installs and fetches prices.

`devnet ape` and `devnet kubectl` are the person's own commands: they get the person's environment,
with what the devnet adds. Standard library only: `run` needs it on a bare Python.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final

ID_VARIABLE: Final = "KOMPUTE_DEVNET_ID"
OVERRIDE_PREFIX: Final = "KOMPUTE_SET_"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1", "127.0.0.0/8")
# Names; one that ends in `*` stands for all that begin so.
ACCOUNT: Final = (
    *("HOME", "USER", "LOGNAME", "SHELL", "PATH", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LC_*"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
    *("LD_LIBRARY_PATH", "NIX_*", "KOMPUTE_*"),
)
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
REGISTRIES: Final = (
    *_PROXIES,
    *(name.upper() for name in _PROXIES),
    *("PIP_*", "UV_*", "NETRC"),
    *("npm_config_*", "NPM_CONFIG_*", "NPM_TOKEN", "NODE_AUTH_TOKEN", "NODE_EXTRA_CA_CERTS"),
    *("GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH"),
    *("GOPATH", "GOCACHE", "GOMODCACHE"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_SOURCE: Final = Path(__file__).resolve().parents[2]


def plain_environment(**own: str) -> dict[str, str]:
    """For a child that needs no network beyond this machine; `own` is added.

    `KOMPUTE_DEVNET_ID` is never inherited: a child belongs to the devnet that starts it.
    """
    return {**_chosen(ACCOUNT), **own}


def python_environment(**own: str) -> dict[str, str]:
    """For a module of ours, run by this Python: found here, whatever lies in its working folder."""
    return plain_environment(**_of_python(), **own)


def installing_environment(**own: str) -> dict[str, str]:
    """For what fetches packages: with the registries' settings, proxies and certificates."""
    environment = {**_chosen((*ACCOUNT, *REGISTRIES)), **own}
    keep_loopback_direct(environment)
    return environment


def daemon_environment(**own: str) -> dict[str, str]:
    """For the daemon, a module of ours that installs tools and fetches prices."""
    return installing_environment(**_of_python(), **own)


def keep_loopback_direct(environment: MutableMapping[str, str] = os.environ) -> None:
    """Add this machine to NO_PROXY: what is meant for it never leaves through a proxy."""
    named = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [host for host in (part.strip() for part in named.split(",")) if host]
    if "*" not in hosts:
        hosts += [host for host in LOOPBACK if host not in hosts]
    # Some tools read the one, some the other.
    environment["no_proxy"] = environment["NO_PROXY"] = ",".join(hosts)


def _of_python() -> dict[str, str]:
    kept = {
        name: os.environ[name]
        for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
        if name in os.environ
    }
    return {**kept, "PYTHONPATH": str(_SOURCE), "PYTHONSAFEPATH": "1"}


def _chosen(names: tuple[str, ...], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    starts = tuple(name[:-1] for name in names if name.endswith("*"))
    return {
        name: value
        for name, value in environment.items()
        if (name in names or name.startswith(starts)) and name != ID_VARIABLE
    }
