"""The command lines of the control plane's components, as pure functions of ports and files.

What the flags are for: docs/explanation/native-cluster.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cluster.kubernetes import names
from cluster.native.pki import Authority, Identity, KeyPair, service_account_keys

HOST = "127.0.0.1"
SERVICE_RANGE = "10.96.0.0/16"
FIRST_SERVICE_ADDRESS = "10.96.0.1"
METRICS_HOST = "metrics-server.kube-system.svc"
MONITOR_MILLISECONDS = 200
GRACE_MILLISECONDS = 2000
STDOUT_ALONE = "PodLogsQuerySplitStreams"  # a job's result is its stdout without its stderr


@dataclass(frozen=True, slots=True)
class Ports:
    etcd: int
    etcd_peer: int
    apiserver: int
    controller_manager: int
    scheduler: int
    metrics_server: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """Every certificate of one control plane."""

    authority: Authority
    etcd_authority: Authority  # nobody but the API server is known to etcd
    etcd: Identity
    etcd_client: Identity
    serving: Identity
    kubelet_client: Identity
    front_proxy_authority: Authority
    front_proxy: Identity
    service_account: KeyPair
    admin: Identity
    controller_manager: Identity
    scheduler: Identity


def make_credentials(folder: Path) -> Credentials:
    """A new CA and what it issues, in `folder`."""
    authority = Authority(folder, "ca")
    store = Authority(folder, "etcd-ca")
    front = Authority(folder, "front-proxy-ca")
    serving_hosts = (
        HOST,
        "localhost",
        FIRST_SERVICE_ADDRESS,
        "kubernetes",
        "kubernetes.default.svc",
        METRICS_HOST,
    )
    masters = ("system:masters",)
    return Credentials(
        authority=authority,
        etcd_authority=store,
        etcd=store.server("etcd", "etcd", (HOST, "localhost")),
        etcd_client=store.client("etcd-client", "kube-apiserver"),
        serving=authority.server("serving", "kube-apiserver", serving_hosts),
        kubelet_client=authority.client("kubelet-client", "kube-apiserver-kubelet-client", masters),
        front_proxy_authority=front,
        front_proxy=front.client("front-proxy", "front-proxy-client"),
        service_account=service_account_keys(folder),
        admin=authority.client("admin", "kompute-admin", masters),
        controller_manager=authority.client(
            "controller-manager", "system:kube-controller-manager", masters
        ),
        scheduler=authority.client("scheduler", "system:kube-scheduler", masters),
    )


def etcd_flags(ports: Ports, credentials: Credentials, data: Path) -> list[str]:
    client = f"https://{HOST}:{ports.etcd}"
    peer = f"https://{HOST}:{ports.etcd_peer}"
    own, ca = credentials.etcd, credentials.etcd_authority.cert_file
    return [
        "--name=gatekeeper",
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=gatekeeper={peer}",
        f"--cert-file={own.cert_file}",
        f"--key-file={own.key_file}",
        f"--trusted-ca-file={ca}",
        "--client-cert-auth",
        f"--peer-cert-file={own.cert_file}",
        f"--peer-key-file={own.key_file}",
        f"--peer-trusted-ca-file={ca}",
        "--peer-client-cert-auth",
        "--unsafe-no-fsync",
        # A devnet may stay for weeks: logs of writes are 64 MB each, and two are enough.
        "--snapshot-count=2000",
        "--max-snapshots=1",
        "--max-wals=1",
        # A single member elects itself after one election timeout: 1 s by default.
        "--heartbeat-interval=20",
        "--election-timeout=200",
        "--log-level=warn",
    ]


def apiserver_flags(ports: Ports, credentials: Credentials) -> list[str]:
    keys = credentials.service_account
    return [
        f"--etcd-servers=https://{HOST}:{ports.etcd}",
        # Old revisions and events are nobody's record: the run's own history is.
        "--etcd-compaction-interval=1m",
        "--event-ttl=5m",
        f"--etcd-cafile={credentials.etcd_authority.cert_file}",
        f"--etcd-certfile={credentials.etcd_client.cert_file}",
        f"--etcd-keyfile={credentials.etcd_client.key_file}",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",
        f"--secure-port={ports.apiserver}",
        *_tls(credentials.serving),
        f"--client-ca-file={credentials.authority.cert_file}",
        # A node may read and write what concerns it and its pods, nothing else.
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--feature-gates={STDOUT_ALONE}=true",
        "--anonymous-auth=false",
        "--endpoint-reconciler-type=none",
        "--enable-priority-and-fairness=false",
        f"--default-not-ready-toleration-seconds={names.TOLERATION_SECONDS}",
        f"--default-unreachable-toleration-seconds={names.TOLERATION_SECONDS}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys.public_file}",
        f"--service-account-signing-key-file={keys.private_file}",
        f"--kubelet-client-certificate={credentials.kubelet_client.cert_file}",
        f"--kubelet-client-key={credentials.kubelet_client.key_file}",
        f"--kubelet-certificate-authority={credentials.authority.cert_file}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={credentials.front_proxy_authority.cert_file}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={credentials.front_proxy.cert_file}",
        f"--proxy-client-key-file={credentials.front_proxy.key_file}",
        "--profiling=false",
    ]


def controller_manager_flags(
    ports: Ports, credentials: Credentials, kubeconfig: Path, *, looks_at_nodes: bool = True
) -> list[str]:
    """`looks_at_nodes`: whether the loss of a node is this one's to tell, not node-lifecycle's."""
    # The ttl controller annotates every node anew whenever there are many more: by the thousand
    # that is half of all writes, and no kubelet of ours reads it.
    without = "" if looks_at_nodes else ",-node-lifecycle-controller,-ttl-controller"
    return [
        f"--controllers=*{without}",
        "--await-server",  # it loads while the API server still starts
        f"--kubeconfig={kubeconfig}",
        f"--bind-address={HOST}",
        f"--secure-port={ports.controller_manager}",
        *_tls(credentials.serving),
        "--leader-elect=false",
        f"--root-ca-file={credentials.authority.cert_file}",
        f"--service-account-private-key-file={credentials.service_account.private_file}",
        "--kube-api-qps=2000",
        "--kube-api-burst=4000",
        # A lease of 2 s is missed once: NotReady after 1.9 s, no false alarm under load.
        f"--node-monitor-period={MONITOR_MILLISECONDS}ms",
        f"--node-monitor-grace-period={GRACE_MILLISECONDS}ms",
        "--node-eviction-rate=100",
        "--secondary-node-eviction-rate=100",
        "--unhealthy-zone-threshold=1.0",
        "--large-cluster-size-threshold=0",
        "--horizontal-pod-autoscaler-sync-period=1s",
        "--horizontal-pod-autoscaler-cpu-initialization-period=0s",
        "--horizontal-pod-autoscaler-initial-readiness-delay=0s",
        "--horizontal-pod-autoscaler-downscale-stabilization=1s",
        "--profiling=false",
    ]


def scheduler_flags(ports: Ports, credentials: Credentials, kubeconfig: Path) -> list[str]:
    return [
        "--await-server",
        f"--kubeconfig={kubeconfig}",
        f"--bind-address={HOST}",
        f"--secure-port={ports.scheduler}",
        *_tls(credentials.serving),
        "--leader-elect=false",
        "--kube-api-qps=5000",
        "--kube-api-burst=5000",
        "--profiling=false",
    ]


def metrics_server_flags(ports: Ports, credentials: Credentials, kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={HOST}",
        f"--secure-port={ports.metrics_server}",
        *_tls(credentials.serving),
        f"--kubelet-certificate-authority={credentials.authority.cert_file}",
        f"--kubelet-client-certificate={credentials.kubelet_client.cert_file}",
        f"--kubelet-client-key={credentials.kubelet_client.key_file}",
        "--kubelet-use-node-status-port",
        f"--node-selector={names.REAL}",  # nobody answers for a light one
        "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=10s",  # its minimum
        "--kubelet-request-timeout=2s",  # it panics unless this is below the resolution
    ]


def _tls(identity: Identity) -> list[str]:
    return [
        f"--tls-cert-file={identity.cert_file}",
        f"--tls-private-key-file={identity.key_file}",
    ]
