# -*- test-case-name: tests.tls.test_certificate -*-
"""
What a certificate (RFC 5280) says of itself, in words for a log.

A peer's certificate may hold anything: all text from it is cut and escaped here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from rtmptw.errors import CertificateError

__all__ = ["commonName", "distinguishedName", "listed", "moment", "namesOf"]

#: The longest text from a certificate, characters; and how many names of it are listed.
MAX_TEXT = 200
MAX_LISTED = 5


def namesOf(certificate: x509.Certificate) -> tuple[str, ...]:
    """
    The hosts that it is for: DNS names, maybe with a wildcard, and IP addresses (RFC 6125: of the subjectAltName; the
    common name is not looked at by today's clients).

    @raise CertificateError: its extensions can't be read.
    """
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise CertificateError(f"its extensions can't be read: {ascii(str(error))[1:-1][:MAX_TEXT]}") from None
    hosts = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return (
        *(name.lower() for name in hosts),
        # A network, which may stand there too, is no host.
        *(str(each) for each in addresses if isinstance(each, (ipaddress.IPv4Address, ipaddress.IPv6Address))),
    )


def commonName(certificate: x509.Certificate) -> str:
    """The subject's common name; nothing if it has none."""
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        if isinstance(attribute.value, str):
            return attribute.value.lower()
    return ""


def distinguishedName(name: x509.Name) -> str:
    """A subject or an issuer, as C{CN=a.example,O=Example}."""
    return _text(name.rfc4514_string()) or "(no name)"


def listed(names: Sequence[str]) -> str:
    """The first few of some names."""
    more = [f"{len(names) - MAX_LISTED} more"] if len(names) > MAX_LISTED else []
    return ", ".join([*map(_text, names[:MAX_LISTED]), *more]) or "no host"


def moment(time: datetime) -> str:
    """When, to the minute, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _text(text: str) -> str:
    short = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."
    return ascii(short)[1:-1]
