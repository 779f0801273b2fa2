# -*- test-case-name: tests.dialects.test_shake -*-
"""
Tests for L{rtmptw.dialects.shake}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.finding import Step, StepState
from rtmptw.dialects.visit import Visit
from rtmptw.trace.segment import Side
from rtmptw.wire.digest import (
    CLIENT_KEY,
    SERVER_KEY,
    SERVER_SIGNING_KEY,
    Layout,
    findDigest,
    placeDigest,
    readDigest,
    sign,
)
from tests.dialects.doubles import DIALECTS, End, Meeting

C1 = slice(1, 1537)
RANDOM = bytes(range(1, 241)) * 7


def s1(version: str = "00000000", digest: bool = False) -> bytes:
    block = bytes(4) + bytes.fromhex(version) + RANDOM[:1528]
    return placeDigest(block, Layout.KEY_FIRST, SERVER_KEY) if digest else block


class RawServer(Protocol):
    """
    Says what it is told to when that many bytes have come.

    @ivar received: all that has come.
    """

    transport: End

    def __init__(self, *says: tuple[int, Any]) -> None:
        self._says = list(says)
        self.received = b""

    def connectionMade(self) -> None:
        self.dataReceived(b"")

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        while self._says and len(self.received) >= self._says[0][0]:
            what = self._says.pop(0)[1]
            if what is None:
                self.transport.loseConnection()
            else:
                self.transport.write(what(self.received) if callable(what) else what)


class ShakeTestCase(SynchronousTestCase):
    def shake(self, dialect: str, *says: tuple[int, Any], early: bool = False, patience: float = 5.0) -> Visit:
        """The handshake, and what comes of it: nobody answers connect."""
        self.meeting = Meeting()
        self.server = RawServer(*says)
        visit = self.meeting.visit(dialect, self.server, patience=patience)
        visit.earlyC2 = early
        self.meeting.run(visit.open())
        return visit

    def found(self, visit: Visit) -> list[tuple[str, int | None]]:
        return [(each.cause.name, each.offset) for each in visit.progress.findings if each.step is Step.HANDSHAKE]


class OrderTests(ShakeTestCase):
    def test_atOnce(self) -> None:
        """S0, S1 and S2 behind C1: all go on, and C2 is S1."""
        for name in DIALECTS:
            visit = self.shake(name, (1537, lambda data: b"\3" + s1() + data[C1]))
            self.assertEqual(self.found(visit), [], name)
            self.assertIs(visit.progress.steps[Step.HANDSHAKE], StepState.OK)
            self.assertGreater(len(self.server.received), 3073)
            c2 = self.server.received[1537:3073]
            self.assertEqual(c2[:4] + c2[8:], s1()[:4] + s1()[8:])

    def test_bytewise(self) -> None:
        """The answer may come in any pieces."""
        meeting = Meeting(1)
        visit = meeting.visit("ffmpeg-play", RawServer((1537, lambda data: b"\3" + s1() + data[C1])))
        meeting.run(visit.open())
        self.assertIs(visit.progress.steps[Step.HANDSHAKE], StepState.OK)

    def test_s2BehindC2(self) -> None:
        """Most wait for S2 (wire facts 3.6, row 5); librtmp and OBS do not. The offset is S2's."""
        for name, dialect in DIALECTS.items():
            visit = self.shake(name, (1537, b"\3" + s1()), (3073, lambda data: data[C1]))
            expected = [] if dialect.c2BehindS1 else [("s2-waits-for-c2", 1537)]
            self.assertEqual(self.found(visit), expected, name)
            state = StepState.OK if dialect.c2BehindS1 else StepState.STOPS
            self.assertIs(visit.progress.steps[Step.HANDSHAKE], state)

    def test_patience(self) -> None:
        """It waits as long as it has patience, and no longer."""
        self.shake("ffmpeg-publish", (1537, b"\3" + s1()), (3073, lambda data: data[C1]), patience=3.0)
        c2 = next(each for each in self.server.received[1537:1538])
        self.assertEqual(c2, s1()[0])
        self.assertGreaterEqual(self.meeting.clock.seconds(), 3.0)

    def test_early(self) -> None:
        """Where that is known, C2 is sent at once; what is wrong is told all the same."""
        visit = self.shake(
            "ffmpeg-publish", (1537, b"\3" + s1()), (3073, lambda data: data[C1]), early=True, patience=1.0
        )
        self.assertEqual(self.found(visit), [("s2-waits-for-c2", 1537)])
        self.assertIs(visit.progress.steps[Step.HANDSHAKE], StepState.STOPS)
        self.assertLess(visit.contact.entries[-1].at, 3.0)
        self.assertLess(next(e.at for e in visit.contact.entries if getattr(e, "name", "") == "C2"), 0.2)


class FailureTests(ShakeTestCase):
    """There is no handshake: why, and for whom."""

    def fails(self, dialect: str, cause: str, part: str, *says: tuple[int, Any]) -> None:
        visit = self.shake(dialect, *says)
        self.assertEqual(self.found(visit), [(cause, None)])
        self.assertIn(part, visit.progress.findings[0].words)
        self.assertIs(visit.progress.steps[Step.HANDSHAKE], StepState.STOPS)
        self.assertIs(visit.progress.steps[Step.CONNECT], StepState.UNTESTED)

    def test_silent(self) -> None:
        self.fails("ffmpeg-publish", "no-answer", "nothing came")
        self.fails("obs-publish", "no-answer", "nothing came")

    def test_halfway(self) -> None:
        self.fails("ffmpeg-publish", "no-answer", "S1: 100 of 1,536", (1537, b"\3" + s1()[:100]))
        self.fails("ffmpeg-publish", "no-answer", "", (1537, b"\3" + s1()))
        self.fails("librtmp-publish", "no-answer", "S2: 6 of 1,536", (1537, b"\3" + s1() + b"123456"))

    def test_closes(self) -> None:
        """At each point."""
        for name in ("ffmpeg-publish", "librtmp-play"):
            self.fails(name, "closed-without-reason", "nothing came", (0, None))
            self.fails(name, "closed-without-reason", "nothing came", (1537, None))
            self.fails(name, "closed-without-reason", "S1: 100 of 1,536", (1537, b"\3" + s1()[:100]), (1537, None))
            self.fails(name, "closed-without-reason", "", (1537, b"\3" + s1()), (1537, None))

    def test_foreign(self) -> None:
        """Another protocol, named if it is known."""
        for data, part in (
            (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
            (b"\x15\3\1\0\2\2\x16", "TLS"),
            (b"\6", "RTMPE"),
            (b"\xff" * 5000, "not RTMP"),
        ):
            self.fails("ffmpeg-publish", "not-rtmp", part, (1537, data))

    def test_endless(self) -> None:
        """Whoever sends without end is cut off, and that is told."""
        visit = self.shake("ffmpeg-publish", *[(1537, b"\xff" * 1_000_000)] * 90)
        self.assertEqual(self.found(visit), [("not-rtmp", None)])
        received = visit.contact.conversation.readings[Side.SERVER].received
        self.assertLess(received, 70_000_000)


class DigestTests(ShakeTestCase):
    """What FFmpeg's player looks at when S1 names a version (wire facts 1.3, 3.6 row 6)."""

    def answer(self, s1: bytes, signed: bool) -> object:
        def say(data: bytes) -> bytes:
            c1 = data[C1]
            layout = findDigest(c1, CLIENT_KEY)
            assert layout is not None
            return b"\3" + s1 + (sign(RANDOM[:1504], SERVER_SIGNING_KEY, readDigest(c1, layout)) if signed else c1)

        return say

    def test_player(self) -> None:
        for version, digest, signed, isContent in (
            ("00000000", False, False, True),
            ("02000001", False, False, True),
            ("03000001", False, False, False),
            ("03000001", False, True, False),
            ("03000001", True, False, False),
            ("03000001", True, True, True),
            ("0d0e0a0d", True, True, True),
        ):
            block = s1(version, digest)
            visit = self.shake("ffmpeg-play", (1537, self.answer(block, signed)))
            expected = [] if isContent else [("s1-version-without-digest", 5)]
            self.assertEqual(self.found(visit), expected, (version, digest, signed))
            publisher = self.shake("ffmpeg-publish", (1537, self.answer(block, signed)))
            self.assertEqual(self.found(publisher), [])

    def test_words(self) -> None:
        visit = self.shake("ffmpeg-play", (1537, self.answer(s1("03000001"), False)))
        self.assertIn("version 3.0.0.1,", visit.progress.findings[0].words)

    def test_withoutC1Digest(self) -> None:
        """Who sends none can't be content with a version."""
        meeting = Meeting()
        dialect = DIALECTS["ffmpeg-play"]
        plain = type(dialect)(**{**vars(dialect), "digest": False})
        server = RawServer((1537, lambda data: b"\3" + s1("03000001", True) + data[C1]))
        visit = meeting.visit(plain, server)
        meeting.run(visit.open())
        self.assertEqual(self.found(visit), [("s1-version-without-digest", 5)])
        self.assertEqual(server.received[5:9], bytes(4))
