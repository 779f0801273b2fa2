# -*- test-case-name: tests.hostile.test_bytes -*-
"""
Chunks and values that no client should send, on a whole server: the rows of the chunk layer and of AMF. What the
readers do by themselves is in C{tests.wire}.
"""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits
from rtmptw.session import status
from rtmptw.wire import amf0
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message
from tests.session.dialects import Client, Stage, audio, command, video
from tests.wire.chunks import aborted, cutInto, header, sized

LIMITS = Limits()
KIB = 1024
END = b"\0\0\x09"
CAPTURES = Path(__file__).parents[1] / "captures"

#: Real publishers, of few bytes each.
PUBLISHERS = (
    "ffmpeg5-publish",
    "ffmpeg9-publish",
    "ffmpeg5-publish-exttimestamp",
    "librtmp24-publish-exttimestamp",
    "gst122-rtmp2sink-publish",
    "gst122-rtmpsink-librtmp-publish",
)


def basic(id: int) -> bytes:
    """A basic header of three bytes, of type 0."""
    return bytes((1, (id - 64) & 0xFF, (id - 64) >> 8))


class ServerCase(SynchronousTestCase):
    """Somebody sends bytes in each state that a connection can be in, and somebody else plays and publishes."""

    STATES = ("connected", "publisher", "player")

    def states(self) -> Iterator[tuple[str, Stage, Client]]:
        """A server for each state, and who is in it."""
        for state in self.STATES:
            stage = Stage(self)
            witness = stage.publisher("witness")
            client = getattr(stage, state)()
            client.take()
            yield state, stage, client
            # Whatever it was: nobody else has noticed.
            witness.send(audio(1))
            self.assertEqual((witness.closing, len(stage.published[0].messages)), (False, 1))

    def assertCloses(self, data: bytes, *words: str, size: int = 1 << 20) -> None:
        """This ends the connection, with one status and one line, which has these words, and takes little memory."""
        for state, stage, client in self.states():
            tracemalloc.start()
            try:
                client.receive(data, 1448)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            self.assertLess(peak, size)
            self.assertTrue(client.closing, state)
            self.assertEqual(client.told(), [f"onStatus@0 {status.CLOSED}"])
            client.receive(data)
            client.assertSilent()
            client.lose()
            [line] = stage.lines()
            for word in words:
                self.assertIn(word, line)

    def assertHarmless(self, data: bytes) -> None:
        """This does nothing at all: the connection goes on, and what comes next is understood."""
        for state, stage, client in self.states():
            client.receive(data, 1448)
            client.assertSilent()
            self.assertFalse(client.closing, state)
            # Chunk size and chunk streams are as the bytes have left them: of ours, this one is new.
            if state == "publisher":
                client.receive(header(0, 50, 7, 2, 8) + b"\xaf\1")
                self.assertEqual(stage.published[1].messages[-1].timestamp, 7)
            else:
                call = amf0.encode("_checkbw", 9.0, None)
                client.receive(header(0, 50, 0, len(call), 20, 0) + call)
                self.assertEqual(client.told(), ["_result 9"])


class ChunkTests(ServerCase):
    def test_B1_everyChunkStreamHalfAMessage(self) -> None:
        """By size, by number, and by the number of chunk streams: whichever comes first ends it."""
        huge = b"".join(basic(id) + header(0, 3, 0, MAX_MESSAGE_SIZE)[1:] + b"\xaa" for id in range(64, 400))
        self.assertCloses(huge, "a message of 16777215 bytes")
        many = b"".join(basic(id) + header(0, 3, 0, 64 * KIB)[1:] + b"\xaa" for id in range(64, 400))
        self.assertCloses(sized(1) + many, "more than 16 messages half sent")
        empty = b"".join(basic(id) + header(0, 3, 0, 0, 99)[1:] for id in range(64, 400))
        self.assertCloses(empty, "more than 64 chunk streams in use")

    def test_B1_sum(self) -> None:
        """How much may be half sent by somebody who may not publish, and by somebody who does."""
        part = b"\xaa" * 60 * KIB
        for state, _, client in self.states():
            client.receive(sized(60 * KIB))
            most = LIMITS.partialBytes if state == "publisher" else LIMITS.strangerPartialBytes
            parts = 0
            while not client.closing:
                # The same chunk streams, a chunk of each in turn.
                id = 3 + parts % 12
                client.receive(header(0, id, 0, 8 << 20) + part if parts < 12 and state == "publisher" else b"")
                if state != "publisher":
                    client.receive(header(0, id, 0, 64 * KIB, 20) + part)
                elif parts >= 12:
                    client.receive(bytes((0xC0 | id,)) + part)
                parts += 1
                self.assertLess(parts, 400)
            self.assertApproximates(parts * len(part), most, len(part))

    def test_B2_announced(self) -> None:
        """8 MiB are announced by a publisher, and 64 KiB by others; a part comes: not much more than that is kept."""
        for state, _, client in self.states():
            size, part = (LIMITS.videoBytes, 100) if state == "publisher" else (LIMITS.strangerMessageBytes, 60)
            data = sized(128 * KIB) + header(0, 6, 0, size) + b"\xaa" * part * KIB
            tracemalloc.start()
            try:
                client.receive(data, 1448)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            self.assertLess(peak, 3 * part * KIB)

    def test_B3_newHeaderWithinAMessage(self) -> None:
        """A hundred messages that are begun anew: each drops the one before."""
        self.assertHarmless((header(0, 40, 0, 300, 99) + b"\xaa" * 128) * 100 + aborted(40))

    def test_B4_chunkSize(self) -> None:
        for size in (0, 0x80000000, 0xFFFFFFFF):
            self.assertCloses(sized(size), "chunk size")

    def test_B6_hugeChunkSizes(self) -> None:
        for size in (134217728, 2147483647):
            self.assertHarmless(sized(size))

    def test_B7_chunkSizeWithinAMessage(self) -> None:
        """Half a message, another chunk size, the rest."""
        half = header(0, 40, 0, 400, 99) + b"\xaa" * 128
        self.assertHarmless(half + sized(272) + b"\xe8" + b"\xbb" * 272)

    def test_B9_nothingToBuildOn(self) -> None:
        """Types 2 and 3 first; type 1 may be."""
        for first in (header(2, 33), b"\xe1"):
            self.assertCloses(first, "chunk stream 33")
        self.assertHarmless(header(1, 33, 0, 3, 99) + b"abc")

    def test_B11_abort(self) -> None:
        """Of itself, of what is not there, too short; and of half a message, whose chunk stream goes on."""
        aborts = b"".join(map(aborted, (2, 4, 40, 65599, 0xFFFFFFFF))) + header(0, 2, 0, 0, 2, 0)
        self.assertHarmless(header(0, 40, 0, 400, 99) + b"\xaa" * 128 + aborts + header(0, 40, 0, 1, 99) + b"a")

    def test_B12_extendedTimestamps(self) -> None:
        """Published at 2^24-2, 2^24-1 and 2^24, with or without them behind type 3: it comes as it was sent."""
        for again in (True, False):
            stage = Stage(self)
            client = stage.publisher()
            for timestamp in (0xFFFFFE, 0xFFFFFF, 0x1000000):
                extension = timestamp.to_bytes(4, "big") if timestamp >= 0xFFFFFF else b""
                head = header(0, 6, min(timestamp, 0xFFFFFF), 300) + extension
                client.receive(
                    head + (b"\xc6" + (extension if again else b"")).join([b"\x17" * 128] * 2 + [b"\x17" * 44])
                )
            self.assertEqual(
                stage.published[0].media(), [(9, stamp, b"\x17" * 300) for stamp in (0xFFFFFE, 0xFFFFFF, 0x1000000)]
            )

    def test_B13_chunkStreamIds(self) -> None:
        """Any ID, in any form: two bytes, three, and three where two would do."""
        stage = Stage(self)
        client = stage.publisher()
        forms = [b"\3", b"\x3f", b"\0\0", b"\0\xff", basic(64), basic(319), basic(320), basic(65599)]
        for number, form in enumerate(forms):
            client.receive(form + header(0, 3, number, 2, 8)[1:] + b"\xaf\1")
        self.assertEqual([m.timestamp for m in stage.published[0].messages], [*range(len(forms))])

    def heard(self, pieces: Iterator[bytes]) -> list[tuple[int, int, bytes]]:
        """What of a publish comes through, if it comes in these pieces."""
        stage = Stage(self)
        client = stage.client()
        for piece in pieces:
            client.receive(piece)
        self.assertFalse(client.closing)
        client.lose()
        return [medium for published in stage.published for medium in published.media()]

    def test_B14_realSessions(self) -> None:
        """What real publishers send, in one write, byte by byte, and in pieces of any size: the same comes of it."""
        random = Random(14)
        for name in PUBLISHERS:
            data = (CAPTURES / f"{name}.c2s.bin").read_bytes()[:120_000]
            whole = self.heard(iter([data]))
            self.assertGreater(len(whole), 5, name)
            self.assertEqual(self.heard(cutInto(data, [1] * 20_000)), whole)
            for _ in range(3):
                sizes = random.choices((1, 2, 11, 12, 128, 129, 1448, 9000), k=len(data) // 500)
                self.assertEqual(self.heard(cutInto(data, sizes)), whole)


class ValueTests(ServerCase):
    """Values of AMF, in a command: it is refused, or passed over, in no time, and costs nobody else."""

    def call(self, values: bytes) -> bytes:
        """A command with these values, whatever they are."""
        message = Message(20, 0, 0, amf0.encode("anything", 0.0) + values, 3)
        return sized(64 * KIB) + header(0, 40, 0, len(message.payload), 20, 0) + message.payload

    def test_C2_counts(self) -> None:
        for count in (4097, 2**31, 2**32 - 1):
            announced = struct.pack(">I", count)
            self.assertCloses(self.call(b"\x0a" + announced))
            self.assertCloses(self.call(b"\x0a" + announced + b"\x05" * 5000))
        self.assertCloses(self.call(b"\x11\x09\xff\xff\xff\xff\x01"))

    def test_C4_references(self) -> None:
        """A circle, and a chain that doubles forty times."""
        self.assertCloses(self.call(b"\x03\0\1a\x07\0\0" + END), "cycle")
        chain = b"\x0a\0\0\0\0" + b"".join(
            b"\x0a\0\0\0\2" + (b"\x07" + struct.pack(">H", index)) * 2 for index in range(40)
        )
        self.assertCloses(self.call(chain), "1024 values")

    def answer(self, values: bytes) -> list[str]:
        """What somebody is told who has sent these values in a call with a number."""
        client = Stage(self).connected()
        payload = amf0.encode("anything", 5.0) + values
        client.send(Message(20, 0, 0, payload, 3))
        self.assertFalse(client.closing)
        return client.told()

    def test_C5_classes(self) -> None:
        """Objects of a class, and XML with a DOCTYPE: text, of which nothing becomes anything else."""
        doctype = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
        self.assertEqual(self.answer(b"\x10\0\x09os.system\0\1a\x02\0\2id" + END), ["_result 5"])
        self.assertEqual(self.answer(b"\x0f" + struct.pack(">I", len(doctype)) + doctype), ["_result 5"])
        # Externalizable, of AMF3: what follows can't be known, and is not looked at.
        self.assertEqual(self.answer(b"\x11\x0a\x07\x13os.system\1" + b"\xff" * 100), ["_result 5"])

    def test_C9_missingEnd(self) -> None:
        """At the end of a command; a connect of Envivio's, for one. Something behind it is a fault."""
        client = Stage(self).client()
        client.shakeHands()
        payload = amf0.encode("connect", 1.0, {"app": "live"})
        client.send(Message(20, 0, 0, payload.removesuffix(END), 3))
        self.assertEqual(client.told()[-1], "_result 1")

    def test_C10_keys(self) -> None:
        """Too many; the same one too often; dates that are none."""
        members = b"".join(b"\0\5%05d\5" % index for index in range(5000))
        self.assertCloses(self.call(b"\x03" + members + END), "256 keys")
        self.assertCloses(self.call(b"\x03" + b"\0\1k\5" * 10_000 + END), "1024 values")
        self.assertEqual(self.answer(b"\x03" + b"\0\1k\5" * 300 + END), ["_result 5"])
        for number in (1e300, float("inf"), float("nan")):
            self.assertEqual(self.answer(b"\x0b" + struct.pack(">dh", number, -32768)), ["_result 5"])

    def test_C1_deepNesting(self) -> None:
        for level in (b"\x03\0\1a", b"\x08\0\0\0\1\0\1a", b"\x0a\0\0\0\1", b"\x10\0\1A\0\1a"):
            self.assertCloses(self.call(level * 5000), "32 deep")

    def test_C3_strings(self) -> None:
        """Longer than the message."""
        for value in (b"\x02\xff\xffab", b"\x0c\xff\xff\xff\xffab", b"\x10\xff\xffab", b"\x11\x06\xff\xff\xff\xffab"):
            self.assertCloses(self.call(value), "announced")


class PublishedTests(SynchronousTestCase):
    def test_C6_wrongTypes(self) -> None:
        """Publish and play with everything but a name: an error, or nothing; never an exception."""
        for what in ("publish", "play"):
            for values in ((), (None,), (1,), ({},), ([],), (True,), (False,), ("",)):
                stage = Stage(self)
                client = stage.connected("")
                client.send(command("createStream", 2), command(what, 3, None, *values, id=1))
                self.assertEqual(stage.published, [])
                self.assertEqual(list(stage.factory.hub), [])
                client.send(video(0))
                client.lose()
                self.assertEqual(len(stage.lines()), 1)
