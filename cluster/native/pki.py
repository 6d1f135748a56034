"""The cluster's own certificate authority: every component speaks mutual TLS on loopback.

All keys are ECDSA P-256 (an RSA key would cost a start-up 0.1 s each); files are mode 0600.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALIDITY = timedelta(days=365)
_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key, as PEM files."""

    cert_file: Path
    key_file: Path


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A bare key pair (the service account signer), as PEM files."""

    public_file: Path
    private_file: Path


class Authority:
    """One self-signed CA and the certificates it has issued into `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, self._key)
        builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self.cert_file = folder / f"{name}.crt"
        _write(self.cert_file, self._certificate.public_bytes(serialization.Encoding.PEM))

    def client(self, file_name: str, user: str, groups: tuple[str, ...] = ()) -> Identity:
        """A client certificate: Kubernetes reads the user from CN, the groups from O."""
        return self._issue(file_name, user, groups, (), (ExtendedKeyUsageOID.CLIENT_AUTH,))

    def server(self, file_name: str, user: str, hosts: tuple[str, ...]) -> Identity:
        """A serving certificate for `hosts`, names or addresses.

        It may be used as a client too: an etcd member calls itself with it.
        """
        usages = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
        return self._issue(file_name, user, (), hosts, usages)

    def _issue(
        self,
        file_name: str,
        user: str,
        groups: tuple[str, ...],
        hosts: tuple[str, ...],
        usages: tuple[x509.ObjectIdentifier, ...],
    ) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        names.append(x509.NameAttribute(NameOID.COMMON_NAME, user))
        builder = _builder(x509.Name(names), self._certificate.subject, key)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if hosts:
            alternatives = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        identity = Identity(self._folder / f"{file_name}.crt", self._folder / f"{file_name}.key")
        _write(identity.cert_file, certificate.public_bytes(serialization.Encoding.PEM))
        _write(identity.key_file, _private_pem(key))
        return identity


def service_account_keys(folder: Path) -> KeyPair:
    """The pair that signs and checks service account tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    pair = KeyPair(folder / "service-account.pub", folder / "service-account.key")
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _write(pair.public_file, public)
    _write(pair.private_file, _private_pem(key))
    return pair


def write_kubeconfig(
    path: Path, *, server: str, ca_file: Path, identity: Identity, namespace: str
) -> Path:
    """A kubeconfig that embeds its certificates, so that it can be copied; JSON is YAML."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "kompute",
        "clusters": [
            {
                "name": "kompute",
                "cluster": {
                    "server": server,
                    "certificate-authority-data": _base64(ca_file),
                },
            }
        ],
        "users": [
            {
                "name": "kompute",
                "user": {
                    "client-certificate-data": _base64(identity.cert_file),
                    "client-key-data": _base64(identity.key_file),
                },
            }
        ],
        "contexts": [
            {
                "name": "kompute",
                "context": {"cluster": "kompute", "user": "kompute", "namespace": namespace},
            }
        ],
    }
    _write(path, json.dumps(document, indent=1).encode())
    return path


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _VALIDITY)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # SEC1 ("EC PRIVATE KEY") is what the service account signer and Go's TLS both read.
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
