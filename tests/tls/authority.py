"""
Certificates for tests: an authority, and all kinds of servers' certificates from it.
"""

from __future__ import annotations

import datetime
import ipaddress
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["DAY", "NOW", "Authority", "Credential", "keyPEM", "newKey"]

DAY = 24 * 3600.0

#: When tests think that they run, seconds since 1970.
NOW = datetime.datetime(2030, 5, 15, 12, 0, tzinfo=datetime.UTC).timestamp()


@cache
def newKey(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """A key. The same number gives the same key."""
    return ec.generate_private_key(ec.SECP256R1())


def keyPEM(key: Any, passphrase: bytes = b"") -> bytes:
    """A private key's file."""
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


class Credential:
    """
    A key and a certificate.

    @ivar keyPEM: the key's file.
    @ivar pem: the certificate's file.
    @ivar serial: the certificate's serial number.
    """

    def __init__(self, key: Any, certificate: x509.Certificate) -> None:
        self.key = key
        self.certificate = certificate
        self.keyPEM = keyPEM(key)
        self.pem = certificate.public_bytes(Encoding.PEM)
        self.serial = certificate.serial_number


class Authority(Credential):
    """
    One that signs.

    @ivar chain: the certificates between a server's and the root's, as a file.
    """

    def __init__(self, name: str = "Test Authority", issuer: Authority | None = None) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        super().__init__(key, _sign(key, _name(name), issuer, key, isAuthority=True))
        self.chain = b"" if issuer is None else self.pem + issuer.chain

    def certify(
        self,
        *hosts: str,
        commonName: str | None = "",
        key: Any = None,
        notBefore: float = NOW - 30 * DAY,
        notAfter: float = NOW + 60 * DAY,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> Credential:
        """
        A server's certificate.

        @param hosts: names and addresses.
        @param commonName: by default, the first host.
        @param key: by default, a new one.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = _name(commonName or (hosts[0] if hosts else ""))
        certificate = _sign(key, subject, self, self.key, hosts, notBefore, notAfter, usage=usage)
        return Credential(key, certificate)

    @staticmethod
    def selfSigned(*hosts: str, notBefore: float = NOW - 30 * DAY, notAfter: float = NOW + 60 * DAY) -> Credential:
        """A server's certificate that no authority knows."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Credential(key, _sign(key, _name(hosts[0]), None, key, hosts, notBefore, notAfter))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def _hostName(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _time(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _sign(
    key: Any,
    subject: x509.Name,
    issuer: Credential | None,
    issuerKey: Any,
    hosts: tuple[str, ...] = (),
    notBefore: float = NOW - 3650 * DAY,
    notAfter: float = NOW + 3650 * DAY,
    isAuthority: bool = False,
    usage: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(notBefore))
        .not_valid_after(_time(notAfter))
    )
    if isAuthority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_hostName(host) for host in hosts]), False)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
    return builder.sign(issuer.key if issuer is not None else issuerKey, hashes.SHA256())
