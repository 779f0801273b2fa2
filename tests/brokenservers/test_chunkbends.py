# -*- test-case-name: tests.brokenservers.test_chunkbends -*-
"""
Tests for L{tests.brokenservers.chunkbends}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.control import setChunkSize
from rtmptw.wire.message import Message
from tests.brokenservers.bends import BENDS
from tests.brokenservers.chunkbends import (
    AnnouncedChunkSizeNotUsed,
    ClientChunkSizeIgnored,
    ExtendedTimestampAlwaysExpected,
    ExtendedTimestampNotExpected,
    ExtendedTimestampNotRepeated,
    ReplyNotChunked,
    UnannouncedChunkSize,
)
from tests.brokenservers.plain import CHUNK_SIZE, PlainServer
from tests.brokenservers.talk import MEDIA, Client, Server
from tests.session.dialects import audio, connect, video
from tests.wire.test_captures import capture

#: A time that does not fit into three bytes.
LATE = 0x1000000

#: The sizes of Window Acknowledgement Size, Set Peer Bandwidth and Set Chunk Size, all with type 0 or 1 headers.
WINDOW, BANDWIDTH, SIZE = 16, 13, 12


def greeting(server: type[PlainServer]) -> bytes:
    """What is said to connect, as bytes."""
    client = Server(server).greeted()
    client.send(connect())
    return client.raw()


class WriterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.sound = greeting(PlainServer)
        self.control, self.result = self.sound[: WINDOW + BANDWIDTH + SIZE], self.sound[WINDOW + BANDWIDTH + SIZE :]
        self.assertEqual(len(self.result), 12 + 190)

    def test_replyNotChunked(self) -> None:
        """The yes is in one piece, before the chunk size is told, and longer than 128 bytes; the rest is sound."""
        bent = greeting(ReplyNotChunked)
        before = self.control[: WINDOW + BANDWIDTH]
        self.assertEqual(bent[: len(before)], before)
        self.assertEqual(bent[len(before) : len(before) + 202], self.result)
        reader = ChunkReader()
        (size,) = reader.feed(bent[len(before) + 202 :])
        self.assertEqual((size, reader.chunkSize), (setChunkSize(CHUNK_SIZE), CHUNK_SIZE))

    def test_announcedNotUsed(self) -> None:
        """4096 is announced, and a type 3 header stands behind 128 bytes."""
        bent = greeting(AnnouncedChunkSizeNotUsed)
        self.assertIn(encodeMessage(setChunkSize(CHUNK_SIZE), 128), bent)
        self.assertTrue(bent.endswith(self.result[: 12 + 128] + b"\xc3" + self.result[12 + 128 :]))

    def test_unannounced(self) -> None:
        """The same bytes as of a sound server, but for the announcement."""
        bent = greeting(UnannouncedChunkSize)
        self.assertTrue(bent.endswith(self.result))
        self.assertNotIn(encodeMessage(setChunkSize(CHUNK_SIZE), 128), bent)
        self.assertNotIn(b"\x01\0\0\0\0\0\0\x10\0", bent)

    def test_extendedNotRepeated(self) -> None:
        """Only the type 3 chunks of late messages differ: each is short of four bytes."""
        for message in (video(LATE), audio(LATE), video(40, bytes(9000)), video(LATE, bytes(9000))):
            sound, bent = (self.played(server, message) for server in (PlainServer, ExtendedTimestampNotRepeated))
            missing = 4 * 2 if message.timestamp == LATE and len(message.payload) == 9000 else 0
            self.assertEqual(len(sound) - len(bent), missing)
            if missing:
                header, separator = sound[:16], b"\xc6"
                parts = [message.payload[start : start + CHUNK_SIZE] for start in range(0, 9000, CHUNK_SIZE)]
                self.assertEqual(bent, header + separator.join(parts))
            else:
                self.assertEqual(bent, sound)

    def played(self, server: type[PlainServer], message: Message) -> bytes:
        """A message as a player gets it."""
        stage = Server(server)
        player, publisher = stage.player(), stage.publisher()
        publisher.send(message)
        return player.raw()


class ReaderTests(SynchronousTestCase):
    def stored(self, server: type[PlainServer], *data: bytes) -> tuple[list[bytes], Client]:
        """What is stored of media that are published in these chunks."""
        stage = Server(server)
        client = stage.publisher()
        for each in data:
            client.receive(each)
        return [message.payload for message in stage.stream().stored], client

    def test_clientChunkSizeIgnored(self) -> None:
        """Media in chunks of 128 bytes are read; in others, to their end, they are not, whatever was announced."""
        payloads = [message.payload for message in MEDIA]
        small = b"".join(encodeMessage(message, 128) for message in MEDIA)
        self.assertEqual(self.stored(ClientChunkSizeIgnored, small)[0], payloads)
        announced = [encodeMessage(setChunkSize(4096), 128), *(encodeMessage(message, 4096) for message in MEDIA)]
        self.assertEqual(self.stored(PlainServer, *announced)[0], payloads)
        stored, client = self.stored(ClientChunkSizeIgnored, *announced)
        self.assertEqual(stored, payloads[:3])
        self.assertEqual(client.protocol.reader.chunkSize, 128)

    def test_clientChunkSizeIgnoredByCapture(self) -> None:
        """FFmpeg's stream is lost at its first long message."""
        stage = Server(ClientChunkSizeIgnored)
        client = stage.client()
        client.receive(capture("ffmpeg5-publish.c2s"), 1448)
        self.assertLess(len(stage.stream("live/test").stored), 10)

    def late(self, repeat: bool) -> bytes:
        """A late message in chunks, with its time in each, or not."""
        message = video(LATE, bytes(range(256)) * 2)
        sound = encodeMessage(message, 128)
        if repeat:
            return sound
        parts = [message.payload[start : start + 128] for start in range(0, 512, 128)]
        return sound[:16] + b"\xc6".join(parts)

    def test_extendedNotExpected(self) -> None:
        """What is not repeated is read; what is repeated is taken for the body."""
        payload = bytes(range(256)) * 2
        self.assertEqual(self.stored(ExtendedTimestampNotExpected, self.late(repeat=False))[0], [payload])
        stored, client = self.stored(ExtendedTimestampNotExpected, self.late(repeat=True))
        self.assertNotEqual(stored, [payload])
        self.assertEqual(stored, [])
        self.assertNotEqual(client.protocol.problem, "")
        for repeat in (True, False):
            self.assertEqual(self.stored(PlainServer, self.late(repeat))[0], [payload])

    def test_extendedAlwaysExpected(self) -> None:
        """The other way round; and it reads on wherever the bytes are cut."""
        payload = bytes(range(256)) * 2
        repeated = self.late(repeat=True)
        self.assertEqual(self.stored(ExtendedTimestampAlwaysExpected, repeated)[0], [payload])
        single = [repeated[position : position + 1] for position in range(len(repeated))]
        self.assertEqual(self.stored(ExtendedTimestampAlwaysExpected, *single)[0], [payload])
        stored, _ = self.stored(ExtendedTimestampAlwaysExpected, self.late(repeat=False))
        self.assertEqual(stored, [])

    def test_extendedByCapture(self) -> None:
        """FFmpeg and librtmp repeat it: one of the two readers gets on with that, the other one stops."""
        for name in ("ffmpeg5-publish-exttimestamp", "librtmp24-publish-exttimestamp"):
            count = {}
            for server in (PlainServer, ExtendedTimestampAlwaysExpected, ExtendedTimestampNotExpected):
                stage = Server(server)
                stage.client().receive(capture(f"{name}.c2s"), 1448)
                count[server] = sum(len(stream.stored) for stream in stage.factory.streams.values())
            self.assertEqual(count[PlainServer], 66)
            self.assertEqual(count[ExtendedTimestampAlwaysExpected], 66)
            self.assertLess(count[ExtendedTimestampNotExpected], 20)

    def test_soundBelowTheLimit(self) -> None:
        """Streams that have not run that long are read by both."""
        for name in ("extended-timestamp-not-expected", "extended-timestamp-always-expected"):
            small = b"".join(encodeMessage(message, 128) for message in MEDIA)
            stored, _ = self.stored(BENDS[name].connection, small)
            self.assertEqual(stored, [message.payload for message in MEDIA])
