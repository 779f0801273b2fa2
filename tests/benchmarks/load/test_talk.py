# -*- test-case-name: tests.benchmarks.load.test_talk -*-
"""
Tests for L{benchmarks.load.talk}: what a server says, in any pieces, and what is said to it.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.media import Format, groupOfPictures
from benchmarks.load.stamp import MARK, STAMP_SIZE, Kind, frameSum, makeStamp
from benchmarks.load.talk import Refused, Talk
from benchmarks.load.words import PICTURES, PLAYING, Words
from rtmptw.session import status
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.control import windowAcknowledgementSize
from rtmptw.wire.handshake import ServerHandshake
from rtmptw.wire.message import Message


class Server:
    """What a server answers, as bytes."""

    def __init__(self) -> None:
        self.handshake = ServerHandshake(lambda size: b"r" * size).feed(Words.opening)[0]
        self._write = ChunkWriter().write

    def connected(self) -> bytes:
        window = self._write(windowAcknowledgementSize(2_500_000))
        information = status.information(status.CONNECT_SUCCESS, "yes")
        return window + self._write(Command("_result", 1.0, {"fmsVer": "x"}, (information,)).encode())

    def created(self, streamId: int = 1) -> bytes:
        return self._write(Command("_result", 4.0, None, (float(streamId),)).encode())

    def status(self, code: str, level: str = "status") -> bytes:
        return self._write(Command("onStatus", 0.0, None, (status.information(code, "words", level),)).encode(1))

    def frame(self, kind: Kind) -> bytes:
        frame = next(frame for frame in groupOfPictures(Format(), 1) if frame.kind is kind)
        payload, at = frame.message.payload, frame.stampAt
        stamp = makeStamp(MARK + kind.value, 0, 0, 0, frameSum(payload, at))
        message = frame.message
        payload = payload[:at] + stamp + payload[at + STAMP_SIZE :]
        return self._write(Message(message.type, 0, 1, payload, message.chunkStreamId))

    def all(self) -> bytes:
        answers = self.handshake + self.connected() + self.created() + self.status(status.PLAY_START)
        return answers + self.frame(Kind.SOUND) + self.frame(Kind.KEYFRAME)


class TalkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.words = Words("rtmp://host/live", "live", "bench0")
        self.server = Server()
        self.talk = Talk(self.words, PICTURES)

    def test_stepByStep(self) -> None:
        """Each answer brings the next thing to say."""
        s1 = self.server.handshake[1:1537]
        self.assertEqual(self.talk.feed(self.server.handshake), s1 + self.words.connect)
        self.assertEqual(self.talk.feed(self.server.connected()), self.words.create)
        self.assertEqual(self.talk.feed(self.server.created(7)), self.words.start(7))
        self.assertEqual(self.talk.streamId, 7)
        self.assertEqual(self.talk.feed(self.server.status(status.PLAY_START)), b"")
        self.assertEqual(self.talk.feed(self.server.frame(Kind.SOUND)), b"")
        self.assertIsNone(self.talk.found)
        self.assertEqual(self.talk.feed(self.server.frame(Kind.KEYFRAME)), b"")
        self.assertEqual(self.talk.found, PICTURES[0])

    def test_anyPieces(self) -> None:
        """However the answers are cut, the same is said."""
        answers = self.server.all()
        expected = answers[1:1537] + self.words.connect + self.words.create + self.words.start(1)
        for size in (1, 7, 1000, len(answers)):
            talk = Talk(self.words, PICTURES)
            said = b"".join(talk.feed(answers[start : start + size]) for start in range(0, len(answers), size))
            self.assertEqual(said, expected, size)
            self.assertEqual(talk.found, PICTURES[0])

    def test_noKeyframe(self) -> None:
        """A picture that is none is told apart."""
        answers = self.server.handshake + self.server.connected() + self.server.created()
        self.talk.feed(answers + self.server.frame(Kind.PICTURE))
        self.assertEqual(self.talk.found, PICTURES[1])

    def test_idle(self) -> None:
        """Who waits for the word alone is content with it."""
        talk = Talk(self.words, (PLAYING,))
        talk.feed(self.server.handshake + self.server.connected() + self.server.created())
        self.assertIsNone(talk.found)
        talk.feed(self.server.status(status.PLAY_START))
        self.assertEqual(talk.found, PLAYING)

    def test_refused(self) -> None:
        """A refusal says what the server has said."""
        self.talk.feed(self.server.handshake + self.server.connected() + self.server.created())
        error = self.assertRaises(Refused, self.talk.feed, self.server.status(status.PLAY_FAILED, "error"))
        self.assertEqual(
            str(error), "_result NetConnection.Connect.Success yes; _result; onStatus NetStream.Play.Failed words"
        )

    def test_refusedConnect(self) -> None:
        self.talk.feed(self.server.handshake)
        no = ChunkWriter().write(Command("_error", 1.0, None, (status.information("code", "no"),)).encode())
        error = self.assertRaises(Refused, self.talk.feed, no)
        self.assertEqual(str(error), "_error code no")

    def test_describe(self) -> None:
        """Before anything is said there are only bytes; what can't be read ends the tale."""
        self.talk.feed(b"\x03" + bytes(9))
        self.assertEqual(self.talk.describe(), "10 bytes")
        talk = Talk(self.words, PICTURES)
        talk.feed(self.server.handshake + self.server.connected() + b"\xff" * 50)
        self.assertEqual(talk.describe(), "_result NetConnection.Connect.Success yes")

    def test_window(self) -> None:
        """After how many bytes the server wants an acknowledgement."""
        self.talk.feed(self.server.handshake)
        self.assertEqual(self.talk.window, 0)
        self.talk.feed(self.server.connected() + b"\xff" * 50)
        self.assertEqual(self.talk.window, 2_500_000)
