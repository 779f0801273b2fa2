# -*- test-case-name: tests.benchmarks.test_certificate -*-
"""
A certificate for a day, that nobody need trust.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

__all__ = ["writeCertificate"]

_DAY = timedelta(days=1)


def writeCertificate(directory: Path) -> tuple[Path, Path]:
    """
    Write a key and a certificate for C{localhost}, signed by itself.

    @return: their files.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .sign(key, hashes.SHA256())
    )
    keyFile, certificateFile = directory / "key.pem", directory / "cert.pem"
    keyFile.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificateFile.write_bytes(certificate.public_bytes(Encoding.PEM))
    return keyFile, certificateFile
