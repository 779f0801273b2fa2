# -*- test-case-name: tests.tls.test_certificate -*-
"""
Tests for L{rtmptw.tls.certificate}.
"""

from __future__ import annotations

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import CertificateError
from rtmptw.tls.certificate import MAX_LISTED, MAX_TEXT, commonName, distinguishedName, listed, moment, namesOf
from tests.tls.authority import Authority, newKey


def certificate(
    names: list[x509.GeneralName] | bytes, *subject: tuple[x509.ObjectIdentifier, str | bytes]
) -> x509.Certificate:
    """A certificate with this subjectAltName (bytes: as they stand), and this subject."""
    extension: x509.ExtensionType
    if isinstance(names, bytes):
        extension = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, names)
    else:
        extension = x509.SubjectAlternativeName(names)
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])  # type: ignore[arg-type]
    now = datetime.datetime(2030, 1, 1)
    builder = x509.CertificateBuilder(name, name, newKey().public_key(), 1, now, now + datetime.timedelta(days=1))
    return builder.add_extension(extension, False).sign(newKey(), hashes.SHA256())


class CertificateTests(SynchronousTestCase):
    def test_names(self) -> None:
        """DNS names in lower case and addresses; nothing else that may stand there."""
        names = [
            x509.RFC822Name("a@a.example"),
            x509.DNSName("A.example"),
            x509.DNSName("*.b.example"),
            x509.IPAddress(ipaddress.ip_address("::1")),
            x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")),
            x509.UniformResourceIdentifier("https://c.example"),
        ]
        self.assertEqual(namesOf(certificate(names)), ("a.example", "*.b.example", "::1"))

    def test_noNames(self) -> None:
        """The common name does not count; it can be asked for."""
        for credential, common in (
            (Authority().certify(commonName="A.example"), "a.example"),
            (Authority().certify(commonName=None), ""),
        ):
            self.assertEqual(namesOf(credential.certificate), ())
            self.assertEqual(commonName(credential.certificate), common)

    def test_damagedNames(self) -> None:
        """Our own error, without what was in it."""
        for names in (b"\x30\x05\x82\x7fab", b"", b"\x30\x03\x82\x01\xff", b"\x30\x04\xa3\x02\x05\x00"):
            error = self.assertRaises(CertificateError, namesOf, certificate(names))
            self.assertIn("its extensions can't be read", str(error))
            self.assertTrue(str(error).isascii() and str(error).isprintable())

    def test_distinguishedName(self) -> None:
        """What is in it can't break a log line, or fill it."""
        for value, text in (
            ("A", "CN=A"),
            ("A\r\n\u202eB", "CN=A\\r\\n\\u202eB"),
            ("A" * 64, "CN=" + "A" * 64),
        ):
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, value)])
            self.assertEqual(distinguishedName(name), text)
        self.assertEqual(distinguishedName(x509.Name([])), "(no name)")
        many = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A" * 64)] * 50)
        self.assertEqual(len(distinguishedName(many)), MAX_TEXT + len("..."))

    def test_listed(self) -> None:
        for names, text in (
            ([], "no host"),
            (["a", "b"], "a, b"),
            (["a\n"], "a\\n"),
            ([str(number) for number in range(MAX_LISTED)], "0, 1, 2, 3, 4"),
            ([str(number) for number in range(100)], "0, 1, 2, 3, 4, 95 more"),
        ):
            self.assertEqual(listed(names), text)

    def test_moment(self) -> None:
        zone = datetime.timezone(datetime.timedelta(hours=2))
        self.assertEqual(moment(datetime.datetime(2030, 5, 15, 1, 30, 59, tzinfo=zone)), "2030-05-14 23:30 UTC")
