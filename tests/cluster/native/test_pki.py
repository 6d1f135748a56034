"""The cluster's own certificates, judged by the standard library's TLS and by `cryptography`."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from cluster.native.pki import Authority, Identity, service_account_keys, write_kubeconfig
from cluster.native.plane import serves


def shake_hands(ca_file: Path, server: Identity, client: Identity, host: str) -> str:
    """The client's CN as the server sees it after a mutual TLS handshake for `host`."""
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ca_file))
    serving.load_cert_chain(server.cert_file, server.key_file)
    serving.verify_mode = ssl.CERT_REQUIRED
    calling = ssl.create_default_context(cafile=str(ca_file))
    calling.load_cert_chain(client.cert_file, client.key_file)
    left, right = socket.socketpair()
    left.settimeout(5)
    right.settimeout(5)
    seen: list[str] = []

    def serve() -> None:
        try:
            with serving.wrap_socket(left, server_side=True) as wrapped:
                binary = wrapped.getpeercert(binary_form=True)
                assert binary is not None
                subject = x509.load_der_x509_certificate(binary).subject
                (name,) = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
                seen.append(str(name.value))
                wrapped.sendall(b"x")
        except OSError:
            left.close()  # the client hung up: its own error is the one under test

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with calling.wrap_socket(right, server_hostname=host) as wrapped:
            assert wrapped.recv(1) == b"x"
    finally:
        right.close()
        thread.join(5)
    return seen[0]


def test_server_and_client_trust_each_other(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    server = authority.server("serving", "kube-apiserver", ("127.0.0.1", "localhost"))
    client = authority.client("worker", "system:node:worker-1", ("kompute:agents",))

    for host in ("127.0.0.1", "localhost"):
        assert shake_hands(authority.cert_file, server, client, host) == "system:node:worker-1"


def test_a_name_the_certificate_does_not_carry_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    server = authority.server("serving", "kube-apiserver", ("127.0.0.1",))
    client = authority.client("admin", "admin")

    with pytest.raises(ssl.SSLCertVerificationError, match="localhost"):
        shake_hands(authority.cert_file, server, client, "localhost")


def test_another_authority_is_refused(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path / "a", "ca"), Authority(tmp_path / "b", "ca")
    server = stranger.server("serving", "kube-apiserver", ("127.0.0.1",))
    client = authority.client("admin", "admin")

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(authority.cert_file, server, client, "127.0.0.1")


def test_groups_are_organizations(tmp_path: Path) -> None:
    identity = Authority(tmp_path, "ca").client("admin", "admin", ("system:masters", "other"))

    subject = x509.load_pem_x509_certificate(identity.cert_file.read_bytes()).subject
    groups = [name.value for name in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    assert groups == ["system:masters", "other"]


def test_private_files_are_private(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki", "ca")
    identity = authority.client("admin", "admin")
    keys = service_account_keys(tmp_path / "pki")

    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700
    for file in (identity.key_file, identity.cert_file, keys.private_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_kubeconfig_can_be_copied_anywhere(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    identity = authority.client("admin", "admin")

    path = write_kubeconfig(
        tmp_path / "kubeconfig",
        server="https://127.0.0.1:1",
        ca_file=authority.cert_file,
        identity=identity,
        namespace="kompute",
    )

    document = json.loads(path.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    assert cluster["server"] == "https://127.0.0.1:1"
    assert document["contexts"][0]["context"]["namespace"] == "kompute"
    embedded = base64.b64decode(cluster["certificate-authority-data"])
    assert embedded == authority.cert_file.read_bytes()
    assert base64.b64decode(user["client-key-data"]) == identity.key_file.read_bytes()


@contextmanager
def serving(identity: Identity | None) -> Iterator[int]:
    """The port of somebody on 127.0.0.1 who shows that certificate to all; None: speaks no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    with suppress(ssl.SSLError), closing(listener.accept()[0]) as link:
                        if identity is None:
                            continue
                        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                        context.load_cert_chain(identity.cert_file, identity.key_file)
                        with context.wrap_socket(link, server_side=True) as wrapped:
                            wrapped.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_whoever_has_a_nodes_port_is_told_by_its_certificate(tmp_path: Path) -> None:
    """Another's program, or another node's kubelet, was taken for the one that was started."""
    own, other = Authority(tmp_path / "own", "ca"), Authority(tmp_path / "other", "ca")
    hosts = ("127.0.0.1", "localhost", "worker-1")
    for identity, is_it in (
        (own.server("kubelet", "system:node:worker-1", hosts), True),
        (own.server("neighbour", "system:node:worker-2", (*hosts[:2], "worker-2")), False),
        (other.server("kubelet", "system:node:worker-1", hosts), False),
        (None, False),
    ):
        with serving(identity) as port:
            assert serves(port, "worker-1", own.cert_file) is is_it
    assert not serves(port, "worker-1", own.cert_file)  # nobody any more
