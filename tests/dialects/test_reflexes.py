# -*- test-case-name: tests.dialects.test_reflexes -*-
"""
Tests for L{rtmptw.dialects.reflexes}.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.dialect import Dialect, Line, Window
from rtmptw.dialects.reflexes import DEFAULT_WINDOW, Reflexes
from rtmptw.wire.amf0 import encode
from rtmptw.wire.control import UserControl, UserControlType, setChunkSize, setPeerBandwidth, windowAcknowledgementSize
from rtmptw.wire.message import Message, MessageType
from tests.dialects.doubles import DIALECTS, Meeting, ScriptedServer, readAll

PLAIN = DIALECTS["nginx-publish"]


class ReflexesTestCase(SynchronousTestCase):
    def make(self, dialect: Dialect) -> Reflexes:
        self.lines: list[Line] = []
        self.contact = Meeting().connect(ScriptedServer())
        self.contact.say(bytes((3,)) + bytes(3072))
        return Reflexes(dialect, self.contact, self.lines.append)

    @property
    def sent(self) -> list[tuple[int, bytes]]:
        written: bytearray = self.contact.transport.written  # type: ignore[union-attr]
        return [(each.type, each.payload) for each in readAll(bytes(written))]


class MirrorTests(ReflexesTestCase):
    def test_chunkSize(self) -> None:
        """FFmpeg takes over the server's; what can't be announced is cut."""
        for size, expected in ((4096, 4096), (0x7FFFFFFF, 0xFFFFFF), (0xFFFFFFFF, 0xFFFFFF)):
            reflexes = self.make(replace(PLAIN, mirrorsChunkSize=True))
            reflexes.react(Message(MessageType.SET_CHUNK_SIZE, 0, 0, size.to_bytes(4, "big"), 2))
            self.assertEqual(self.sent, [(1, expected.to_bytes(4, "big"))])
            self.assertEqual(self.contact.writer.chunkSize, expected)

    def test_oddSizes(self) -> None:
        """Nothing comes of none."""
        reflexes = self.make(replace(PLAIN, mirrorsChunkSize=True, mirrorsBandwidth=True))
        for type in (1, 5, 6):
            for payload in (b"", b"\1\2", bytes(4)):
                reflexes.react(Message(type, 0, 0, payload, 2))
        self.assertEqual(self.sent, [])

    def test_bandwidth(self) -> None:
        """GStreamer announces each window once."""
        reflexes = self.make(replace(PLAIN, mirrorsBandwidth=True))
        for size in (5000, 5000, 6000):
            reflexes.react(setPeerBandwidth(size))
        reflexes.react(Message(MessageType.SET_PEER_BANDWIDTH, 0, 0, b"\xff" * 5, 2))
        self.assertEqual(self.sent, [(5, size.to_bytes(4, "big")) for size in (5000, 6000, 0x7FFFFFFF)])

    def test_not(self) -> None:
        """The others do neither."""
        reflexes = self.make(PLAIN)
        reflexes.react(setChunkSize(4096))
        reflexes.react(setPeerBandwidth(5000))
        self.assertEqual(self.sent, [])


class WindowTests(ReflexesTestCase):
    """What is announced behind connect's answer, if the server has named 5000 and 6000, or nothing."""

    def test_windows(self) -> None:
        for window, named, otherwise in (
            (Window.NONE, None, None),
            (Window.BANDWIDTH, 6000, DEFAULT_WINDOW),
            (Window.SERVERS, 5000, DEFAULT_WINDOW),
            (Window.DEFAULT, DEFAULT_WINDOW, DEFAULT_WINDOW),
        ):
            for isNamed, expected in ((True, named), (False, otherwise)):
                reflexes = self.make(replace(PLAIN, window=window))
                if isNamed:
                    reflexes.react(windowAcknowledgementSize(5000))
                    reflexes.react(setPeerBandwidth(6000))
                reflexes.announceWindow()
                found = [] if expected is None else [(5, expected.to_bytes(4, "big"))]
                self.assertEqual(self.sent, found, window)

    def test_known(self) -> None:
        """GStreamer's own is not announced when the server's has been the same."""
        reflexes = self.make(DIALECTS["gstreamer-play"])
        reflexes.react(setPeerBandwidth(DEFAULT_WINDOW))
        reflexes.announceWindow()
        self.assertEqual(self.sent, [(5, DEFAULT_WINDOW.to_bytes(4, "big"))])


class AnswerTests(ReflexesTestCase):
    def test_ping(self) -> None:
        ping = UserControl(UserControlType.PING_REQUEST, 1234).encode()
        for answers in (True, False):
            reflexes = self.make(replace(PLAIN, answersPings=answers))
            reflexes.react(ping)
            pong = UserControl(UserControlType.PING_RESPONSE, 1234).encode()
            self.assertEqual(self.sent, [(4, pong.payload)] if answers else [])

    def test_otherEvents(self) -> None:
        reflexes = self.make(PLAIN)
        reflexes.react(UserControl(UserControlType.STREAM_BEGIN, 1).encode())
        reflexes.react(Message(MessageType.USER_CONTROL, 0, 0, b"\0", 2))
        self.assertEqual(self.sent, [])

    def test_bandwidthDone(self) -> None:
        """In AMF3 as well; other commands ask for nothing."""
        for answers in (True, False):
            reflexes = self.make(replace(PLAIN, answersBandwidthDone=answers))
            for name in ("onBWDone", "onFCPublish"):
                payload = encode(name, 0.0, None)
                reflexes.react(Message(MessageType.COMMAND, 0, 0, payload))
                reflexes.react(Message(MessageType.COMMAND_AMF3, 0, 0, b"\0" + payload))
            self.assertEqual(self.lines, [Line("_checkbw")] * 2 if answers else [])
