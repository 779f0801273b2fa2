"""
Our client and our server over TLS: the same media, and errors that name what is wrong with a certificate.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import TestCase

from tests.interop.compare import assertSameMedia, mediaOf, readWholeFLV
from tests.interop.ourclient import OurClient
from tests.interop.server import Server
from tests.interop.sources import longSource, source
from tests.tls.authority import DAY, Authority, Credential

#: How long an error may take, seconds.
PROMPTLY = 5.0

AUTHORITY = Authority("Interop Authority")


def certificate(*hosts: str, since: float = -1, until: float = 1) -> Credential:
    """A certificate by our authority. It is valid between two times, days from now."""
    now = time.time()
    return AUTHORITY.certify(*hosts, notBefore=now + since * DAY, notAfter=now + until * DAY)


@contextmanager
def serve(credential: Credential) -> Iterator[Server]:
    """C{twistd rtmp} with a certificate; C{ca.pem} beside it is its authority's."""
    server = Server(endpoint="ssl:0:interface=127.0.0.1:privateKey=%/key.pem:certKey=%/certificate.pem")
    (server.directory / "key.pem").write_bytes(credential.keyPEM)
    (server.directory / "certificate.pem").write_bytes(credential.pem)
    (server.directory / "ca.pem").write_bytes(AUTHORITY.pem)
    with server:
        yield server


class RTMPSTests(TestCase):
    def publish(self, server: Server, *options: str, scheme: str = "rtmps") -> OurClient:
        url, log = server.url("live/x", scheme), server.directory / "client.log"
        return OurClient("publish", url, source(), log, "--pace", "push", *options)

    def assertRefused(self, credential: Credential, expected: str, trusted: bool = True) -> None:
        """
        The certificate is found wanting, and without any check it does.

        @param expected: a regular expression.
        @param trusted: whether our authority is.
        """
        with serve(credential) as server:
            options = ("--ca", str(server.directory / "ca.pem")) if trusted else ()
            with self.publish(server, *options) as client:
                failure = client.failure(PROMPTLY)
            with self.publish(server, *options, "--insecure") as client:
                client.succeed()
            recorded = mediaOf(readWholeFLV(server.recording("live/x")))
        self.assertRegex(failure, rf"^ConnectionClosed: .*127\.0\.0\.1 is not trusted: {expected}")
        assertSameMedia(self, recorded, mediaOf(readWholeFLV(source())))

    def test_carried(self) -> None:
        """At full speed; and played meanwhile, in real time."""
        with serve(certificate("127.0.0.1", "localhost")) as server:
            directory, ca = server.directory, ("--ca", str(server.directory / "ca.pem"))
            url = server.url("live/played", "rtmps").replace("127.0.0.1", "localhost")
            with OurClient("play", url, directory / "played.flv", directory / "play.log", *ca) as player:
                player.started()
                with OurClient("publish", url, source(), directory / "publish.log", *ca) as publisher:
                    publisher.succeed()
                player.succeed()
            url = server.url("live/long", "rtmps")
            with OurClient("publish", url, longSource(), directory / "long.log", *ca, "--pace", "push") as publisher:
                publisher.succeed()
            played = mediaOf(readWholeFLV(directory / "played.flv"))
            recorded = mediaOf(readWholeFLV(server.recording("live/played")))
            long = mediaOf(readWholeFLV(server.recording("live/long")))
        sent = mediaOf(readWholeFLV(source()))
        assertSameMedia(self, played, sent, "played")
        assertSameMedia(self, recorded, sent, "recorded")
        assertSameMedia(self, long, mediaOf(readWholeFLV(longSource())), "at full speed")

    def test_wrongName(self) -> None:
        self.assertRefused(
            certificate("other.example"), r"its certificate is for other\.example, not for 127\.0\.0\.1 "
        )

    def test_unknownAuthority(self) -> None:
        """Whom only we know, the system does not trust."""
        self.assertRefused(
            certificate("127.0.0.1"),
            "the issuer of its certificate, .*Interop Authority.*, is not known",
            trusted=False,
        )

    def test_selfSigned(self) -> None:
        now = time.time()
        credential = Authority.selfSigned("127.0.0.1", notBefore=now - DAY, notAfter=now + DAY)
        self.assertRefused(credential, "its certificate is self-signed, and not known")

    def test_expired(self) -> None:
        self.assertRefused(certificate("127.0.0.1", since=-9, until=-2), "its certificate has expired on ")

    def test_notYetValid(self) -> None:
        self.assertRefused(certificate("127.0.0.1", since=2, until=9), "its certificate is not valid before ")

    def test_plainClient(self) -> None:
        """rtmp:// to a port that wants TLS, and the other way round: the error says what it may be."""
        failed = "^ConnectionClosed: connect failed: the peer closed the connection without a word; "
        with serve(certificate("127.0.0.1")) as server, self.publish(server, scheme="rtmp") as client:
            self.assertRegex(client.failure(PROMPTLY), rf"{failed}does it want TLS \(rtmps\)\?$")
        with Server() as server, self.publish(server, "--insecure") as client:
            self.assertRegex(client.failure(PROMPTLY), rf"{failed}does it speak without TLS \(rtmp\)\?$")
