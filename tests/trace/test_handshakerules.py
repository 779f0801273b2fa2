# -*- test-case-name: tests.trace.test_handshakerules -*-
"""
Tests for L{rtmptw.trace.handshakerules}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.entry import Violation
from rtmptw.trace.segment import Side
from rtmptw.wire.digest import (
    CLIENT_KEY,
    SERVER_KEY,
    SERVER_SIGNING_KEY,
    Layout,
    placeDigest,
    readDigest,
    sign,
)
from tests.trace.dialogue import C1, Dialogue

LAYOUT = Layout.DIGEST_FIRST
VERSION = bytes((13, 14, 10, 13))

#: As FFmpeg's.
DIGEST_C1 = placeDigest(bytes.fromhex("00000000 09007c02") + b"f" * 1528, LAYOUT, CLIENT_KEY)
NO_DIGEST_S1 = bytes(4) + VERSION + b"s" * 1528
SIGNED_S2 = sign(b"2" * 1504, SERVER_SIGNING_KEY, readDigest(DIGEST_C1, LAYOUT))


def found(c1: bytes, s1: bytes, s2: bytes | None = None) -> list[Violation]:
    dialogue = Dialogue()
    dialogue.shakeHands(c1, s1, s2)
    return dialogue.found


class DigestTests(SynchronousTestCase):
    """S1's version, and what it promises."""

    def test_versionWithoutDigest(self) -> None:
        (violation,) = found(DIGEST_C1, NO_DIGEST_S1)
        self.assertEqual(violation.cause, CAUSES["s1-version-without-digest"])
        self.assertEqual(violation.offset, 1 + 4)
        self.assertIn("13.14.10.13", violation.words)

    def test_fromThreeOn(self) -> None:
        for version, count in (("02ffffff", 0), ("03000001", 1), ("00000001", 0)):
            s1 = bytes(4) + bytes.fromhex(version) + b"s" * 1528
            self.assertEqual((version, len(found(DIGEST_C1, s1))), (version, count))

    def test_digestInEitherLayout(self) -> None:
        for layout in Layout:
            self.assertEqual(found(DIGEST_C1, placeDigest(NO_DIGEST_S1, layout, SERVER_KEY), SIGNED_S2), [])

    def test_toAPlainClientItPromisesNothing(self) -> None:
        """SRS writes the time of a plain C1 there."""
        self.assertEqual(found(C1, NO_DIGEST_S1), [])

    def test_digestWithoutSignature(self) -> None:
        s1 = placeDigest(NO_DIGEST_S1, LAYOUT, SERVER_KEY)
        for s2 in (DIGEST_C1, SIGNED_S2[:-1] + b"!"):
            (violation,) = found(DIGEST_C1, s1, s2)
            self.assertEqual(violation.cause, CAUSES["s1-version-without-digest"])
            self.assertEqual(violation.offset, 1 + 1536 + 1536 - 32)


class EchoTests(SynchronousTestCase):
    """S2 is C1."""

    def test_noEcho(self) -> None:
        s2 = C1[:100] + b"!" + C1[101:]
        for c1 in (C1, DIGEST_C1):
            (violation,) = found(c1, bytes(1536), c1[:100] + b"!" + c1[101:])
            self.assertEqual(violation.cause, CAUSES["s2-not-an-echo"])
            self.assertEqual(violation.offset, 1 + 1536 + 100)
            self.assertIn("byte 100", violation.words)
        self.assertEqual(len(found(C1, bytes(1536), s2)), 1)

    def test_aTimeMayStandInIt(self) -> None:
        self.assertEqual(found(C1, bytes(1536), C1[:4] + b"time" + C1[8:]), [])

    def test_signed(self) -> None:
        self.assertEqual(found(DIGEST_C1, bytes(1536), SIGNED_S2), [])

    def test_theServerAlone(self) -> None:
        """Without C1 nothing can be said of S1 and S2."""
        dialogue = Dialogue()
        dialogue.feed(Side.SERVER, b"\x03" + NO_DIGEST_S1 + bytes(1536))
        self.assertEqual(dialogue.found, [])


class NotRTMPTests(SynchronousTestCase):
    def test_http(self) -> None:
        dialogue = Dialogue()
        dialogue.feed(Side.CLIENT, b"\x03" + C1)
        dialogue.feed(Side.SERVER, b"HTTP/1.1 400 Bad Request\r\n")
        dialogue.feed(Side.SERVER, b"\r\n")
        (violation,) = dialogue.found
        self.assertEqual((violation.cause, violation.offset), (CAUSES["not-rtmp"], 0))
        self.assertIn("HTTP", violation.words)

    def test_theClientToo(self) -> None:
        dialogue = Dialogue()
        dialogue.feed(Side.CLIENT, b"GET / HTTP/1.1\r\n")
        self.assertEqual(dialogue.causes, ["not-rtmp"])

    def test_whatIsUnreadableLaterIsNotThis(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.feed(Side.SERVER, b"\xc9" * 64)
        dialogue.end(Side.SERVER, "closed")
        self.assertNotIn("not-rtmp", dialogue.causes)
        self.assertEqual(dialogue.conversation.notes.lost, {Side.SERVER})
