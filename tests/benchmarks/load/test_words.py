# -*- test-case-name: tests.benchmarks.load.test_words -*-
"""
Tests for L{benchmarks.load.words}: a server understands them.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.words import CONNECTED, CREATED, PICTURES, PLAYING, PUBLISHING, REFUSALS, Words
from rtmptw.session import status
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import ServerHandshake
from rtmptw.wire.message import Message, MessageType


def said(words: Words) -> list[Message]:
    return list(ChunkReader().feed(words.connect + words.create + words.start(1)))


def commands(words: Words) -> list[Command]:
    return [Command.decode(message) for message in said(words) if message.type == MessageType.COMMAND]


class WordsTests(SynchronousTestCase):
    def test_handshake(self) -> None:
        """C0 and C1 are answered."""
        reply, rest = ServerHandshake().feed(Words.opening)
        self.assertEqual((len(reply), rest), (3073, None))

    def test_viewer(self) -> None:
        """Connect, createStream, play, each with what it needs."""
        connect, create, play = commands(Words("rtmp://host/live", "live", "bench0"))
        assert isinstance(connect.commandObject, dict)
        self.assertEqual(connect.commandObject["app"], "live")
        self.assertEqual(connect.commandObject["tcUrl"], "rtmp://host/live")
        self.assertEqual((create.name, play.name, play.text(0)), ("createStream", "play", "bench0"))
        types = [message.type for message in said(Words("u", "a", "n"))]
        self.assertEqual(types, [20, MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, 20, 20, MessageType.USER_CONTROL])

    def test_publisher(self) -> None:
        """The chunk size comes first, then what encoders say."""
        words = Words("rtmp://host/live", "live", "bench0", 4096)
        self.assertEqual(
            [command.name for command in commands(words)],
            ["connect", "releaseStream", "FCPublish", "createStream", "publish"],
        )
        self.assertEqual(commands(words)[-1].arguments, ("bench0", "live"))
        size = next(message for message in said(words) if message.type == MessageType.SET_CHUNK_SIZE)
        self.assertEqual(int.from_bytes(size.payload, "big"), 4096)

    def test_streamId(self) -> None:
        """What starts the stream is said on the stream that the server has given, and always the same."""
        words = Words("u", "a", "n")
        words.connect, words.create  # noqa: B018
        self.assertEqual(words.start(5), words.start(5))
        self.assertEqual([m.streamId for m in ChunkReader().feed(words.start(5)) if m.type == 20], [5])

    def test_signs(self) -> None:
        """The bytes that are waited for are in what our own server says."""
        connect = Command("_result", 1.0, {"fmsVer": "x"}, (status.information(status.CONNECT_SUCCESS, "y"),)).encode()
        self.assertTrue(connect.payload.startswith(CONNECTED))
        self.assertTrue(Command("_result", 4.0, None, (1.0,)).encode().payload.startswith(CREATED))
        for code, sign in ((status.PUBLISH_START, PUBLISHING), (status.PLAY_START, PLAYING)):
            payload = Command("onStatus", 0.0, None, (status.information(code, "z"),)).encode().payload
            # Within the first chunk, whatever its size.
            self.assertIn(sign, payload[:128])
            self.assertFalse(any(no in payload for no in REFUSALS))
        refusal = Command("onStatus", 0.0, None, (status.information(status.BAD_NAME, "z", "error"),)).encode()
        self.assertTrue(any(no in refusal.payload for no in REFUSALS))
        self.assertEqual(len(set(PICTURES)), 2)
