# -*- test-case-name: tests.tls.test_client -*-
"""
Tests for L{rtmptw.tls.client}: which servers are trusted, and what is said of the others.
"""

from __future__ import annotations

import time
from typing import Any

from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.closereason import explain, whyLost
from rtmptw.errors import CertificateError
from rtmptw.tls import client as module
from rtmptw.tls.client import clientTLS, trustedCertificates
from tests.session.dialects import TCPTransport
from tests.tls.authority import DAY, Authority, Credential
from tests.tls.directory import Directory
from tests.tls.handshake import OneCertificate

#: OpenSSL asks the system what time it is.
NOW = time.time()
VALID = {"notBefore": NOW - DAY, "notAfter": NOW + DAY}


class _Application(Protocol):
    """
    The client's protocol.

    @ivar lost: why its connection is gone.
    """

    lost: Failure | None = None

    def connectionMade(self) -> None:
        self.transport.write(b"hello")  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = Authority("Root")
        self.middle = Authority("Middle", self.root)
        self.files = Directory(self)

    def trust(self, *credentials: Credential) -> Any:
        self.files.write(ca=b"".join(each.pem for each in credentials))
        return trustedCertificates(self.files("ca.pem"))

    def connect(self, creator: IOpenSSLClientConnectionCreator, server: OneCertificate) -> Failure | None:
        """
        Connect, as far as it goes.

        @return: why the connection was lost; L{None} if it was made, and something came through.
        """
        self.peer = SSL.Connection(server.serverConnectionForTLS(None).get_context())
        self.peer.set_accept_state()
        clock = Clock()
        application = _Application()
        factory = TLSMemoryBIOFactory(creator, True, Factory.forProtocol(lambda: application), clock)  # type: ignore[arg-type]
        protocol = factory.buildProtocol(None)
        transport = TCPTransport()
        # As the reactor does it.
        transport.lost = lambda reason: clock.callLater(0, protocol.connectionLost, reason)
        protocol.makeConnection(transport)
        clock.advance(0)
        try:
            for _ in range(4):
                if transport.value():
                    self.peer.bio_write(transport.value())
                    transport.clear()
                try:
                    if self.peer.recv(100) == b"hello":
                        return None
                except SSL.WantReadError:
                    protocol.dataReceived(self.peer.bio_read(1 << 16))
                clock.advance(0)
                if application.lost is not None:
                    return application.lost
        finally:
            if application.lost is None:
                protocol.connectionLost(Failure(connectionDone.value))
        raise AssertionError("it neither fails nor goes on")

    def good(self, creator: IOpenSSLClientConnectionCreator, server: OneCertificate) -> None:
        """Assert that a server is trusted."""
        self.assertIsNone(self.connect(creator, server))

    def bad(self, creator: IOpenSSLClientConnectionCreator, server: OneCertificate, *words: str) -> str:
        """Assert that a server is not trusted, with these words."""
        lost = self.connect(creator, server)
        assert lost is not None
        self.assertIs(lost.check(CertificateError), CertificateError)
        text = explain(lost.value)
        self.assertEqual(whyLost(lost), text)
        for word in words:
            self.assertIn(word, text)
        return text


class GoodTests(_Case):
    """Who is trusted."""

    def test_interface(self) -> None:
        self.assertTrue(verifyObject(IOpenSSLClientConnectionCreator, clientTLS("a.example")))

    def test_names(self) -> None:
        """Names, in any case, with wildcards, in other scripts; addresses. A name is sent to the server."""
        trust = self.trust(self.root)
        hosts = ("a.example", "*.b.example", "127.0.0.1", "::1", "fe80::1", "xn--bcher-kva.example")
        server = OneCertificate(self.root.certify(*hosts, **VALID))
        for host, sent in (
            ("a.example", b"a.example"),
            ("A.Example", b"a.example"),
            ("a.example.", b"a.example"),
            ("x.b.example", b"x.b.example"),
            ("127.0.0.1", None),
            ("::1", None),
            ("0:0:0:0:0:0:0:1", None),
            ("fe80::1%eth0", None),
            ("b\xfccher.example", b"xn--bcher-kva.example"),
        ):
            self.good(clientTLS(host, trust), server)
            name = self.peer.get_servername()
            self.assertEqual(None if name is None else name.lower(), sent)

    def test_chains(self) -> None:
        """An authority, one in the middle, or the server itself may be trusted."""
        leaf = self.middle.certify("a.example", **VALID)
        lonely = Authority.selfSigned("a.example", **VALID)
        for trusted, server in (
            ([self.root], OneCertificate(leaf, self.middle)),
            ([self.root], OneCertificate(leaf, self.middle, self.root)),
            ([self.root, self.middle], OneCertificate(leaf)),
            ([self.middle], OneCertificate(leaf)),
            ([self.middle], OneCertificate(leaf, self.middle)),
            ([leaf], OneCertificate(leaf)),
            ([lonely], OneCertificate(lonely)),
            ([Authority("Other"), self.root], OneCertificate(leaf, self.middle)),
        ):
            self.good(clientTLS("a.example", self.trust(*trusted)), server)

    def test_manyConnections(self) -> None:
        """One creator serves any number of connections, each with a check of its own."""
        creator = clientTLS("a.example", self.trust(self.root))
        good, bad = (OneCertificate(self.root.certify(host, **VALID)) for host in ("a.example", "b.example"))
        for _ in range(2):
            self.good(creator, good)
            self.bad(creator, bad)

    def test_insecure(self) -> None:
        """Without a check anything is good; the name is sent all the same."""
        for server in (
            OneCertificate(Authority.selfSigned("b.example", notBefore=0, notAfter=NOW - DAY)),
            OneCertificate(self.root.certify("b.example", notBefore=NOW + DAY, notAfter=NOW + 2 * DAY)),
        ):
            self.good(clientTLS("a.example", verify=False), server)
            self.assertEqual(self.peer.get_servername(), b"a.example")

    def test_oldTLS(self) -> None:
        """TLS 1.2 at least; an older server is no question of certificates."""
        for newest, isGood in ((SSL.TLS1_2_VERSION, True), (SSL.TLS1_1_VERSION, False)):
            other = OneCertificate(self.root.certify("a.example", **VALID), newest=newest)
            creator = clientTLS("a.example", self.trust(self.root))
            if isGood:
                self.good(creator, other)
            else:
                self.assertRaises(SSL.Error, self.connect, creator, other)


class BadTests(_Case):
    """Who is not trusted, and what is said then."""

    def test_expired(self) -> None:
        server = OneCertificate(self.root.certify("a.example", notBefore=0, notAfter=1e9))
        text = self.bad(clientTLS("a.example", self.trust(self.root)), server)
        self.assertEqual(
            text,
            "a.example is not trusted: its certificate has expired on 2001-09-09 01:46 UTC (the server needs another "
            "one; --insecure, if you know why, connects without any check)",
        )

    def test_notYetValid(self) -> None:
        server = OneCertificate(self.root.certify("a.example", notBefore=4e9, notAfter=4.1e9))
        creator = clientTLS("a.example", self.trust(self.root))
        self.bad(creator, server, "its certificate is not valid before 2096-10-02 07:06 UTC (is the clock right?")

    def test_selfSigned(self) -> None:
        server = OneCertificate(Authority.selfSigned("a.example", **VALID))
        for trust in (None, self.trust(self.root)):
            self.bad(clientTLS("a.example", trust), server, "is self-signed, and not known", "--ca FILE", "--insecure")

    def test_unknownIssuer(self) -> None:
        """With the issuer's name."""
        leaf = self.middle.certify("a.example", **VALID)
        creator = clientTLS("a.example", self.trust(Authority("Other")))
        for server, words in (
            (OneCertificate(leaf), "the issuer of its certificate, CN=Middle, is not known"),
            (
                OneCertificate(leaf, self.middle),
                "the issuer of its authority's certificate (CN=Middle), CN=Root, is not known",
            ),
            (OneCertificate(leaf, self.middle, self.root), "its authority CN=Root, which has signed itself, is not kn"),
        ):
            self.bad(creator, server, words, "--ca FILE", "--insecure")

    def test_wrongName(self) -> None:
        """With the names that it is for; whoever it is that is trusted, be it the server itself."""
        leaf = self.root.certify("a.example", "b.example", "10.0.0.1", **VALID)
        server = OneCertificate(leaf)
        for trusted in (self.root, leaf):
            for host in ("localhost", "127.0.0.1", "x.a.example", "example", "::1"):
                self.bad(
                    clientTLS(host, self.trust(trusted)),
                    server,
                    f"{host} is not trusted: its certificate is for a.example, b.example, 10.0.0.1, not for {host} (",
                    "--insecure",
                )
        lonely = Authority.selfSigned("a.example", **VALID)
        self.bad(clientTLS("b.example", self.trust(lonely)), OneCertificate(lonely), "for a.example, not for b.example")

    def test_noNames(self) -> None:
        """A common name is not enough today."""
        server = OneCertificate(self.root.certify(commonName="a.example", **VALID))
        self.bad(clientTLS("a.example", self.trust(self.root)), server, "is for no host, not for a.example")

    def test_others(self) -> None:
        """What is more seldom wrong."""
        forged = Authority("Root").certify("a.example", **VALID)
        notAuthority = self.root.certify("b.example", commonName="Middle", **VALID)
        pretender = Authority("Middle", self.root)
        pretender.key = notAuthority.key
        below = pretender.certify("a.example", **VALID)
        for server, words in (
            (OneCertificate(forged), "the signature of its certificate is wrong"),
            (
                OneCertificate(self.root.certify("a.example", usage=ExtendedKeyUsageOID.CLIENT_AUTH, **VALID)),
                "its certificate is not meant for servers",
            ),
            (
                OneCertificate(below, notAuthority),
                "its authority's certificate (CN=Middle) is used as that of an authority, and is not one",
            ),
        ):
            self.bad(clientTLS("a.example", self.trust(self.root)), server, words)

    def test_byNumber(self) -> None:
        """Whatever number OpenSSL has for it, something is said; with a cause where it is known."""
        certificate = X509.from_cryptography(self.root.certify("a.example", **VALID).certificate)
        for number, words in ((23, "its certificate was revoked"), (68, "too weak"), (1000, "check number 1000")):
            failed: list[Failure] = []
            connection = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
            check = module._Check(_Failing(failed), "a.example")  # type: ignore[arg-type]
            self.assertFalse(check.certificateSeen(connection, certificate, number, 0, 0))
            self.assertIn(words, str(failed[0].value))
            # The first reason is the one that counts.
            self.assertFalse(check.certificateSeen(connection, certificate, 10, 0, 0))
            self.assertEqual(len(failed), 1)

    def test_hostileNames(self) -> None:
        """What the server writes into its certificate can't break a line of the log."""
        server = OneCertificate(Authority("Evil\r\n\x1b[2J\u202e").certify("a.example", **VALID))
        text = self.bad(clientTLS("a.example", self.trust(self.root)), server, "CN=Evil\\r\\n\\x1b[2J\\u202e")
        self.assertTrue(text.isascii() and text.isprintable())

    def test_unreadable(self) -> None:
        """A certificate that breaks our reading of it is not trusted."""
        failed: list[Failure] = []
        check = module._Check(_Failing(failed), "a.example")  # type: ignore[arg-type]
        for good in (0, 1):
            self.assertFalse(check.certificateSeen(None, _Unreadable(), 0, 0, good))  # type: ignore[arg-type]
        self.assertIn("a.example is not trusted: the server's certificate can't be read", str(failed[0].value))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)


class _Failing:
    """What a check tells its verdict to."""

    def __init__(self, failed: list[Failure]) -> None:
        self._failed = failed

    def failVerification(self, failure: Failure) -> None:
        self._failed.append(failure)


class _Unreadable:
    def to_cryptography(self) -> None:
        raise ZeroDivisionError


class HostTests(_Case):
    def test_noHost(self) -> None:
        """What can't be a host is our own error."""
        for host in ("", ".", "a..b", "a b", "x" * 64, "-a.example", "a\0b", "\ud800"):
            error = self.assertRaises(CertificateError, clientTLS, host)
            self.assertIn("is not the name of a host", str(error))

    def test_badFiles(self) -> None:
        """Each with the file's name."""
        self.files.write(key=self.root.keyPEM, none=b"", cut=self.root.pem[:100])
        for name, wrong in (
            ("missing", "No such file"),
            ("key", "there is no certificate in it"),
            ("none", "not a PEM file"),
            ("cut", "cut short"),
        ):
            path = self.files(f"{name}.pem")
            error = self.assertRaises(CertificateError, trustedCertificates, path)
            self.assertTrue(str(error).startswith(f"{path}: {wrong}"), error)
