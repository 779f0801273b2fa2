# -*- test-case-name: tests.tls.test_pem -*-
"""
PEM files (RFC 7468): private keys and certificates, as certbot and openssl write them.

::

    -----BEGIN CERTIFICATE-----
    MIIBszCCAVmgAwIBAgIUX3Yb...
    -----END CERTIFICATE-----

A file may hold any number of both, in any order. Blocks of other kinds (C{EC PARAMETERS}, C{DH PARAMETERS}) and text
between blocks are passed over.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from rtmptw.errors import CertificateError

__all__ = ["MAX_FILE", "PEMFile", "PrivateKey", "readPEM"]

#: The largest file, bytes: many times what a chain of certificates takes.
MAX_FILE = 1024 * 1024

#: The keys that TLS servers sign with.
PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | Ed448PrivateKey

_BEGIN = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----\s*$", re.MULTILINE)
_CERTIFICATES = {b"CERTIFICATE", b"X509 CERTIFICATE"}


@dataclass(frozen=True, slots=True)
class PEMFile:
    """
    What a file holds.

    @ivar path: the file.
    @ivar keys: its private keys, in order.
    @ivar certificates: its certificates, in order.
    """

    path: str
    keys: tuple[PrivateKey, ...]
    certificates: tuple[x509.Certificate, ...]


def readPEM(path: str) -> PEMFile:
    """
    Read a file.

    @raise CertificateError: it can't be read, is cut short, or holds neither keys nor certificates; its text begins
        with the file. What an C{OSError} has caused is raised from it.
    """
    text = _read(path)
    keys: list[PrivateKey] = []
    certificates: list[x509.Certificate] = []
    for begin in _BEGIN.finditer(text):
        label = begin[1]
        end = text.find(b"-----END " + label + b"-----", begin.end())
        if end < 0 or _BEGIN.search(text, begin.end(), end):
            raise CertificateError(f"{path}: cut short: BEGIN {label.decode()} without its END")
        block = text[begin.start() : end] + b"-----END " + label + b"-----\n"
        if label in _CERTIFICATES:
            certificates.append(_certificate(path, block))
        elif label.endswith(b"PRIVATE KEY"):
            keys.append(_key(path, block))
    if not keys and not certificates:
        raise CertificateError(f"{path}: not a PEM file: it holds neither a certificate nor a private key")
    return PEMFile(path, tuple(keys), tuple(certificates))


def _read(path: str) -> bytes:
    try:
        # A pipe would keep us waiting, for its other end at once (hence O_NONBLOCK) or for what it holds.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CertificateError(f"{path}: not a file")
            text = file.read(MAX_FILE + 1)
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror}") from error
    except ValueError:
        raise CertificateError(f"{ascii(path)[1:-1]}: not the name of a file") from None
    if len(text) > MAX_FILE:
        raise CertificateError(f"{path}: not a PEM file: it is larger than {MAX_FILE} bytes")
    return text


def _certificate(path: str, block: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(block)
        # Only now are these looked at.
        certificate.public_key()
        return certificate
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise CertificateError(f"{path}: a certificate in it is damaged") from None


def _key(path: str, block: bytes) -> PrivateKey:
    try:
        key = load_pem_private_key(block, None)
    except TypeError:
        raise CertificateError(f"{path}: the private key has a passphrase, which nobody is there to enter") from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{path}: the private key in it is damaged") from None
    if not isinstance(key, PrivateKey):
        raise CertificateError(f"{path}: a private key of a kind that TLS does not sign with")
    return key
