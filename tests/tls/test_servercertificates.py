# -*- test-case-name: tests.tls.test_servercertificates -*-
"""
Tests for L{rtmptw.tls.servercertificates}: which certificate a client gets, and when a new one is used.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.errors import CertificateError
from rtmptw.tls import pem
from rtmptw.tls.certificatefiles import CertificateFiles, PEMDirectory, PEMFiles
from rtmptw.tls.servercertificates import EXPIRY_WARNING, LOOK_SECONDS, ServerCertificates
from tests.tls.authority import DAY, NOW, Authority, Credential
from tests.tls.directory import Directory
from tests.tls.handshake import clientContext, exchange, outcome, shakeHands

AUTHORITY = Authority()
A = AUTHORITY.certify("a.example")
B = AUTHORITY.certify("b.example", "*.b.example")
A2 = AUTHORITY.certify("a.example")
A3 = AUTHORITY.certify("a.example")
EXPIRED = AUTHORITY.certify("a.example", notAfter=NOW - 1)
FUTURE = AUTHORITY.certify("a.example", notBefore=NOW + DAY)
CUT = A2.pem[:300]


class _Stage(SynchronousTestCase):
    """
    A server whose files and clocks are at hand.

    @ivar files: the directory of its files.
    @ivar now: the monotonic clock.
    @ivar wall: the other one.
    """

    def setUp(self) -> None:
        self.files = Directory(self)
        self.now, self.wall = 1000.0, NOW

    def start(self, files: CertificateFiles) -> ServerCertificates:
        self.server = ServerCertificates(files, lambda: self.now, lambda: self.wall)
        return self.server

    def startFiles(self, credential: Credential = A) -> ServerCertificates:
        """Start with a key and a certificate."""
        self.replace(credential)
        return self.start(PEMFiles(self.files("key.pem"), self.files("cert.pem")))

    def startDirectory(self, **content: bytes) -> ServerCertificates:
        """Start with a directory of files."""
        self.files.write(**content)
        return self.start(PEMDirectory(self.files.path))

    def replace(self, credential: Credential) -> None:
        """Put another key and certificate into the files."""
        self.files.write(key=credential.keyPEM, cert=credential.pem)

    def later(self, host: str | None = None) -> tuple[int, list[str], list[str]]:
        """
        Connect when the next look is due.

        @return: the serial number of the certificate, and what was logged: information, and warnings.
        """
        self.now += LOOK_SECONDS
        with capturedLogs() as events:
            serial = shakeHands(self.server, host).serial
        return serial, lines(events, LogLevel.info), lines(events, LogLevel.warn)


def lines(events: Sequence[Any], level: Any) -> list[str]:
    return [formatEvent(event) for event in events if event["log_level"] is level]


class ChoiceTests(_Stage):
    """Server Name Indication."""

    def test_interface(self) -> None:
        self.assertTrue(verifyObject(IOpenSSLServerConnectionCreator, self.startFiles()))

    def test_names(self) -> None:
        """The host's own, then one with a wildcard for one part, then the first."""
        exact = AUTHORITY.certify("x.b.example")
        self.startDirectory(a=A.keyPEM + A.pem, b=B.keyPEM + B.pem, c=exact.keyPEM + exact.pem)
        for host, credential in (
            (None, A),
            ("a.example", A),
            ("A.EXAMPLE", A),
            ("a.example.", A),
            ("b.example", B),
            ("y.b.example", B),
            ("*.b.example", B),
            ("x.b.example", exact),
            ("z.y.b.example", A),
            ("c.example", A),
            ("localhost", A),
            ("", A),
            ("x" * 255, A),
            ("\xe4.b.example", B),
        ):
            self.assertEqual(shakeHands(self.server, host).serial, credential.serial, host)

    def test_best(self) -> None:
        """Of several for one name, one that is valid, for longest; whatever the order."""
        short = AUTHORITY.certify("a.example", "s.example", notAfter=NOW + DAY)
        for order in ("abcd", "dcba", "bdac"):
            content = {
                name: each.keyPEM + each.pem for name, each in zip(order, (A, short, EXPIRED, FUTURE), strict=True)
            }
            self.startDirectory(**content)
            self.assertEqual(shakeHands(self.server, "a.example").serial, A.serial)
            self.assertEqual(shakeHands(self.server, "s.example").serial, short.serial)
            self.assertIn(shakeHands(self.server).serial, (A.serial, short.serial))

    def test_noHost(self) -> None:
        """A certificate without a name is of use where it is the only one."""
        nameless = AUTHORITY.certify(commonName=None)
        self.startFiles(nameless)
        self.assertEqual(shakeHands(self.server, "a.example").serial, nameless.serial)


class StartTests(_Stage):
    """At the start everything must be good but for the time."""

    def test_bad(self) -> None:
        self.files.write(key=A.keyPEM, cert=CUT)
        files = PEMFiles(self.files("key.pem"), self.files("cert.pem"))
        error = self.assertRaises(CertificateError, self.start, files)
        self.assertIn(f"{self.files('cert.pem')}: cut short", str(error))
        self.files.write(other=B.keyPEM + B.pem)
        self.assertRaises(CertificateError, self.start, PEMDirectory(self.files.path))

    def test_announced(self) -> None:
        """What is used is said when it begins, with a warning if that can't last."""
        for credential, wrong in (
            (A, []),
            (AUTHORITY.certify("a.example", notAfter=NOW + EXPIRY_WARNING), []),
            (AUTHORITY.certify("a.example", notAfter=NOW + EXPIRY_WARNING - 1), ["expires on 2030-05-22 11:59 UTC"]),
            (EXPIRED, ["expired on 2030-05-15 11:59 UTC"]),
            (FUTURE, ["not valid before 2030-05-16 12:00 UTC"]),
        ):
            with capturedLogs() as events:
                self.startFiles(credential)
            self.assertEqual(events, [])
            with capturedLogs() as events:
                self.server.announce()
            file = self.files("cert.pem")
            (line,) = lines(events, LogLevel.info)
            self.assertIn("using the certificate for a.example (serial number", line)
            self.assertIn(f", of {file}", line)
            self.assertEqual(lines(events, LogLevel.warn), [f"TLS: {file}: the certificate {each}" for each in wrong])
            self.assertEqual(shakeHands(self.server).serial, credential.serial)

    def test_realClocks(self) -> None:
        """Without clocks of its own it uses the system's."""
        now = Authority.selfSigned("a.example", notBefore=0, notAfter=NOW + 3650 * DAY)
        self.replace(now)
        server = ServerCertificates(PEMFiles(self.files("key.pem"), self.files("cert.pem")))
        with capturedLogs() as events:
            server.announce()
        self.assertEqual(lines(events, LogLevel.warn), [])


class ReplacementTests(_Stage):
    """F19: certificates change while the server runs."""

    def test_F19_replaced(self) -> None:
        """New connections have the new one, a moment later at most; old connections keep theirs, and go on."""
        self.startFiles()
        server, client = self.server.serverConnectionForTLS(None), SSL.Connection(clientContext())
        server.set_accept_state()
        client.set_connect_state()
        exchange(client, server)
        halfWay = self.server.serverConnectionForTLS(None)
        for credential in (A2, A3):
            self.replace(credential)
            serial, said, warned = self.later("a.example")
            self.assertEqual((serial, warned), (credential.serial, []))
            (line,) = said
            self.assertIn(f"from now on the certificate for a.example (serial number {serial:x}, until", line)
        self.assertEqual(outcome(client).serial, A.serial)
        client.send(b"still here")
        server.bio_write(client.bio_read(1 << 16))
        self.assertEqual(server.recv(100), b"still here")
        # One that began before ends with what it began with.
        halfWay.set_accept_state()
        late = SSL.Connection(clientContext())
        late.set_connect_state()
        exchange(late, halfWay)
        self.assertEqual(outcome(late).serial, A.serial)

    def test_onceInAWhile(self) -> None:
        """The files are looked at once in L{LOOK_SECONDS}, however many come."""
        self.startFiles()
        looks: list[str] = []
        real = os.stat
        self.patch(os, "stat", lambda path: looks.append(path) or real(path))
        start = self.now
        for looksLater, count in ((0, 0), (0.9, 0), (1, 2), (1.9, 2), (2, 4), (5000, 6)):
            self.now = start + looksLater * LOOK_SECONDS
            for _ in range(3):
                shakeHands(self.server)
            self.assertEqual(len(looks), count)

    def test_unchanged(self) -> None:
        """A file that is touched, or written again with the same content, is nothing new."""
        self.startFiles()
        self.replace(A)
        self.assertEqual(self.later(), (A.serial, [], []))
        os.utime(self.files("cert.pem"), (1, 1))
        self.assertEqual(self.later(), (A.serial, [], []))

    def test_copiedWithItsTime(self) -> None:
        """A copy of the same size that has the old file's time, written into the same file, is seen."""
        self.startFiles()
        path = self.files("cert.pem")
        status = os.stat(path)
        with open(path, "r+b") as file:
            file.write(CUT.ljust(status.st_size, b"\n"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.assertEqual(len(self.later()[2]), 1)

    def test_signs(self) -> None:
        """A change of time, size or inode alone is seen."""
        self.startFiles()
        path = self.files("cert.pem")
        status = os.stat(path)
        with open(path, "r+b") as file:
            file.write(CUT.ljust(status.st_size, b"\n"))
        self.assertEqual(len(self.later()[2]), 1)
        before = os.stat(path)
        with open(path, "r+b") as file:
            file.truncate(100)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(len(self.later()[2]), 1)
        shorter = os.stat(path)
        self.files.write(cert=CUT[:100])
        os.utime(path, ns=(shorter.st_atime_ns, shorter.st_mtime_ns))
        self.assertEqual(len(self.later()[2]), 1)

    def test_F19_bad(self) -> None:
        """A new one that is no good is not used: one warning, with the file and the reason, until files change."""
        self.startFiles()
        for files, name, wrong in (
            ({"cert": CUT}, "cert.pem", "cut short"),
            ({"cert": b""}, "cert.pem", "not a PEM file"),
            ({"cert": A2.pem}, "key.pem", "is for this private key"),
            ({"key": A3.keyPEM}, "key.pem", "is for this private key"),
            ({"cert": b"x", "key": b"y"}, "cert.pem", "not a PEM file"),
            ({"cert": EXPIRED.pem, "key": EXPIRED.keyPEM}, "cert.pem", "the certificate expired on 2030-05-15 11:59"),
            ({"cert": FUTURE.pem, "key": FUTURE.keyPEM}, "cert.pem", "the certificate not valid before 2030-05-16"),
        ):
            self.files.write(**files)
            serial, said, (warning,) = self.later()
            self.assertEqual((serial, said), (A.serial, []))
            self.assertIn("the certificate before stays in use", warning)
            self.assertIn(f"{self.files(name)}: {wrong}" if name != "key.pem" else wrong, warning)
            for _ in range(3):
                self.assertEqual(self.later(), (A.serial, [], []))
        os.remove(self.files("cert.pem"))
        serial, said, (warning,) = self.later()
        self.assertIn(f"{self.files('cert.pem')}: No such file", warning)
        self.assertEqual(self.later(), (A.serial, [], []))
        self.replace(A2)
        serial, said, warned = self.later()
        self.assertEqual((serial, len(said), warned), (A2.serial, 1, []))

    def test_sameAgain(self) -> None:
        """The same mistake in new files is a new mistake."""
        self.startFiles()
        for _ in range(2):
            self.files.write(cert=CUT)
            self.assertEqual(len(self.later()[2]), 1)
            self.assertEqual(self.later()[2], [])

    def test_soonExpired(self) -> None:
        """A new one that will not last is used, with a warning."""
        self.startFiles()
        short = AUTHORITY.certify("a.example", notAfter=NOW + DAY)
        self.replace(short)
        serial, _, warned = self.later()
        self.assertEqual(
            (serial, warned),
            (short.serial, [f"TLS: {self.files('cert.pem')}: the certificate expires on 2030-05-16 12:00 UTC"]),
        )

    def test_newChain(self) -> None:
        """The same certificate with its chain at last."""
        middle = Authority("Middle", AUTHORITY)
        leaf = middle.certify("a.example")
        self.startFiles(leaf)
        self.assertEqual(shakeHands(self.server).chain, 1)
        self.files.write(cert=leaf.pem + middle.pem)
        self.later()
        self.assertEqual(shakeHands(self.server).chain, 2)

    def test_becomesValid(self) -> None:
        """What was too new is used when its time has come, though the files have not changed."""
        self.startFiles()
        self.replace(FUTURE)
        self.assertEqual(self.later()[0], A.serial)
        self.wall += DAY - 1
        self.assertEqual(self.later(), (A.serial, [], []))
        self.wall += 1
        serial, said, warned = self.later()
        self.assertEqual((serial, len(said), warned), (FUTURE.serial, 1, []))
        self.assertEqual(self.later(), (FUTURE.serial, [], []))

    def test_becomesValidFromStart(self) -> None:
        """So it is with one that was there from the start, beside another one."""
        self.startDirectory(a=A.keyPEM + A.pem, b=FUTURE.keyPEM + FUTURE.pem)
        later = AUTHORITY.certify("a.example", notBefore=NOW + DAY, notAfter=NOW + 90 * DAY)
        self.startDirectory(b=later.keyPEM + later.pem)
        self.assertEqual(self.later("a.example")[0], A.serial)
        self.wall += DAY
        self.assertEqual(self.later("a.example"), (later.serial, [], []))

    def test_F15_noDescriptors(self) -> None:
        """Files that can't be opened for a time are read when they can; one warning."""
        self.startFiles()
        self.replace(A2)
        real = os.open

        def full(*arguments: object, **more: object) -> int:
            raise OSError(errno.EMFILE, "Too many open files")

        self.patch(pem.os, "open", full)
        (warning,) = self.later()[2]
        self.assertIn("Too many open files", warning)
        self.assertEqual(self.later(), (A.serial, [], []))
        self.patch(pem.os, "open", real)
        self.assertEqual(self.later()[0], A2.serial)

    def test_namesGo(self) -> None:
        """A host that the new certificate is not for does not get the old one."""
        both = AUTHORITY.certify("a.example", "b.example")
        self.startFiles(both)
        self.replace(A)
        self.assertEqual(self.later("b.example")[0], A.serial)


class DirectoryTests(_Stage):
    """Many certificates: each changes by itself."""

    def setUp(self) -> None:
        super().setUp()
        self.startDirectory(a=A.pem, aKey=A.keyPEM, b=B.pem, bKey=B.keyPEM)

    def test_one(self) -> None:
        """One is replaced; one comes; the others stay."""
        new = AUTHORITY.certify("new.example")
        self.files.write(a=A2.pem, aKey=A2.keyPEM, new=new.keyPEM + new.pem)
        serial, said, warned = self.later("a.example")
        self.assertEqual((serial, len(said), warned), (A2.serial, 2, []))
        self.assertEqual(shakeHands(self.server, "b.example").serial, B.serial)
        self.assertEqual(shakeHands(self.server, "new.example").serial, new.serial)

    def test_oneBad(self) -> None:
        """One that is bad is kept as it was, and does not keep another from being replaced."""
        for bad, wrong in ((CUT, "b.pem: cut short"), (A3.pem, "bKey.pem: no certificate in")):
            self.startDirectory(a=A.pem, aKey=A.keyPEM, b=B.pem, bKey=B.keyPEM)
            self.files.write(a=A2.pem, aKey=A2.keyPEM, b=bad)
            serial, said, (warning,) = self.later("a.example")
            self.assertEqual((serial, len(said)), (A2.serial, 1))
            self.assertIn(wrong, warning)
            self.assertEqual(shakeHands(self.server, "b.example").serial, B.serial)

    def test_gone(self) -> None:
        """One that is gone stays in use, with one warning; so does the last one."""
        os.remove(self.files("b.pem"))
        os.remove(self.files("bKey.pem"))
        serial, said, (warning,) = self.later("b.example")
        self.assertEqual((serial, said), (B.serial, []))
        self.assertIn(f"{self.files('b.pem')}: no certificate with its key any more", warning)
        self.assertEqual(self.later("b.example"), (B.serial, [], []))
        os.remove(self.files("a.pem"))
        os.remove(self.files("aKey.pem"))
        serial, said, (warning,) = self.later("a.example")
        self.assertEqual((serial, said), (A.serial, []))
        self.assertIn("no file in it ends in .pem", warning)

    def test_newExpired(self) -> None:
        """One for a new host is used as it is: there is no other."""
        late = AUTHORITY.certify("late.example", notAfter=NOW - DAY)
        self.files.write(c=late.keyPEM + late.pem)
        serial, said, warned = self.later("late.example")
        self.assertEqual((serial, len(said), len(warned)), (late.serial, 1, 1))
