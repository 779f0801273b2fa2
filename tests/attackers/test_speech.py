# -*- test-case-name: tests.attackers.test_speech -*-
"""
Tests for L{tests.attackers.speech}: what is good of it can be read, and is what was meant.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ServerHandshake
from rtmptw.wire.message import Message, MessageType
from tests.attackers.speech import C0C1, C2, EXTENDED, chunkSize, command, control, header, media, once, picks, tag


def read(data: bytes) -> list[Message]:
    return list(ChunkReader().feed(data))


class SpeechTests(SynchronousTestCase):
    def test_handshake(self) -> None:
        """A server takes it."""
        handshake = ServerHandshake()
        answer, rest = handshake.feed(C0C1)
        self.assertEqual((len(answer), rest), (HANDSHAKE_SIZE, None))
        self.assertEqual(handshake.feed(C2), (b"", b""))

    def test_header(self) -> None:
        """All types of headers, all forms of chunk stream IDs, and extended timestamps, as a reader has them."""
        for id in (2, 63, 64, 319, 320, 65599):
            for time in (0, EXTENDED - 1, EXTENDED, 0xFFFFFFFF):
                data = (
                    header(0, id, 2, 8, time, 5) + b"ab" + header(1, id, 1, 9, 1) + b"c" + header(2, id, time=1) + b"d"
                )
                found = read(data)
                self.assertEqual([each.payload for each in found], [b"ab", b"c", b"d"])
                self.assertEqual([each.type for each in found], [8, 9, 9])
                first = found[0]
                self.assertEqual((first.chunkStreamId, first.timestamp, first.streamId), (id, time, 5))
                self.assertEqual(found[2].timestamp, (time + 2) & 0xFFFFFFFF)
        self.assertEqual([each.payload for each in read(header(0, 6, 1) + b"a" + header(3, 6) + b"b")], [b"a", b"b"])

    def test_command(self) -> None:
        """With an object and arguments, and without."""
        [message] = read(command("publish", 3.0, None, "x", "live", streamId=1))
        self.assertEqual((message.type, message.streamId), (MessageType.COMMAND, 1))
        self.assertEqual(Command.decode(message), Command("publish", 3.0, None, ("x", "live")))
        [message] = read(command("createStream", 2.0))
        self.assertEqual(Command.decode(message), Command("createStream", 2.0))

    def test_messages(self) -> None:
        [picture] = read(tag(b"abc", MessageType.AUDIO, 7, 40))
        self.assertEqual((picture.type, picture.streamId, picture.timestamp), (8, 7, 40))
        [size] = read(chunkSize(0x1000))
        self.assertEqual((size.type, size.payload), (1, b"\0\0\x10\0"))
        [abort] = read(control(MessageType.ABORT, b"\0"))
        self.assertEqual((abort.type, abort.payload, abort.chunkStreamId), (2, b"\0", 2))

    def test_media(self) -> None:
        """Metadata, a header, pictures in time."""
        found = read(media(3, 2))
        self.assertEqual([each.type for each in found], [18, 9, 9, 9, 9])
        self.assertEqual([each.timestamp for each in found[2:]], [0, 40, 80])
        self.assertEqual({each.streamId for each in found}, {2})

    def test_speeches(self) -> None:
        """The same for all, or each his own."""
        self.assertEqual([list(once(b"a", b"b")(number)) for number in (0, 1)], [[b"a", b"b"]] * 2)
        self.assertEqual([list(picks(b"a", b"b")(number)) for number in (0, 1, 2)], [[b"a"], [b"b"], [b"a"]])
