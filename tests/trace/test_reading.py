"""
Tests for L{rtmptw.trace.reading}: real clients as they are, sides that cut their messages wrongly, any bytes at all.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator, Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.entry import Ending, Entry, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.reading import SHOWN, StreamReading
from rtmptw.trace.segment import Side
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.control import setChunkSize
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType
from tests.trace.miscut import (
    CREATED,
    HANDSHAKE,
    RESULT,
    STARTED,
    UNCUT,
    WINDOW,
    command,
    facts,
    messages,
    pieces,
    readAll,
    someMedia,
    violations,
    written,
)
from tests.wire.chunks import Interleaver, aborted, cutInto, header, sized, video
from tests.wire.test_captures import ORACLE, capture, chunks

LIMITS = ReadLimits({}, MAX_MESSAGE_SIZE, 64 * 1024 * 1024, 64, 1024)


def sideOf(name: str) -> Side:
    return Side.CLIENT if name.endswith("c2s") else Side.SERVER


def extents(entry: Entry) -> Iterator[tuple[int, int]]:
    """The bytes that an entry is made of."""
    if isinstance(entry, HandshakeBlock):
        yield entry.offset, entry.offset + len(entry.data)
    elif isinstance(entry, ReadMessage):
        for chunk in entry.chunks:
            yield chunk.offset, chunk.offset + chunk.headerSize + chunk.size


def again(data: bytes, entries: Sequence[Entry]) -> bytes:
    """The stream put together from what was read: headers by their place, bodies by their content."""
    found: dict[int, bytes] = {}
    for entry in entries:
        if isinstance(entry, HandshakeBlock):
            found[entry.offset] = entry.data
        elif isinstance(entry, ReadMessage):
            position = 0
            for chunk in entry.chunks:
                found[chunk.offset] = data[chunk.offset : chunk.offset + chunk.headerSize]
                if chunk.size:
                    body = entry.message.payload[position : position + chunk.size]
                    found[entry.place(position)] = body
                position += chunk.size
    whole = b""
    for offset in sorted(found):
        assert offset == len(whole), (offset, len(whole))
        whole += found[offset]
    return whole


class CaptureTests(SynchronousTestCase):
    """Real clients and servers: nothing is wrong with their chunks."""

    def test_everyByte(self) -> None:
        """Handshake blocks, chunk headers and bodies, by their places, are the stream."""
        for name in ORACLE:
            data = capture(name)
            entries = readAll(data, [1448] * (len(data) // 1448), sideOf(name))
            self.assertEqual(messages(entries), list(ChunkReader(LIMITS).feed(chunks(name))), name)
            self.assertEqual(violations(entries), [])
            ending = entries[-1]
            assert isinstance(ending, Ending)
            whole = again(data, entries)
            if not ending.unfinished:
                self.assertEqual(whole, data)
            else:
                self.assertTrue(data.startswith(whole))
                self.assertIn("bytes", ending.unfinished)
            self.assertEqual(bool(ending.unfinished), "(cut)" in ORACLE[name][-1], name)

    @settings(deadline=None, max_examples=3)
    @given(st.integers(0, 2**32 - 1))
    def test_randomCuts(self, seed: int) -> None:
        random = Random(seed)
        for name in ORACLE:
            data = capture(name)[:40_000]
            expected = facts(readAll(data, side=sideOf(name)))
            sizes = random.choices((1, 2, 3, 50, 500, 9000), k=len(data) // 500)
            self.assertEqual(facts(readAll(data, sizes, sideOf(name), settled=True)), expected)

    def test_cutOff(self) -> None:
        """Captures that end anywhere have all that was complete until there, and nothing is wrong with them."""
        random = Random(5)
        for name in ORACLE:
            data = capture(name)
            for stop in random.sample(range(len(data)), 8):
                entries = readAll(data[:stop], side=sideOf(name))
                self.assertEqual(violations(entries), [])
                self.assertEqual(messages(entries), list(ChunkReader(LIMITS).feed(data[HANDSHAKE_SIZE:stop])))
                self.assertEqual([entry for entry in entries if isinstance(entry, Unreadable)], [])

    def test_startByByte(self) -> None:
        """Byte by byte, with silence behind each: where commands are, and most depends on a few bytes."""
        for name in ORACLE:
            data = capture(name)[: HANDSHAKE_SIZE + 500]
            expected = facts(readAll(data, side=sideOf(name)))
            sizes = [HANDSHAKE_SIZE] + [1] * 500
            self.assertEqual(facts(readAll(data, sizes, sideOf(name), settled=True)), expected, name)


class LegalTests(SynchronousTestCase):
    """All that the specification allows, however odd."""

    @settings(deadline=None, max_examples=12)
    @given(st.integers(0, 2**32 - 1))
    def test_everyForm(self, seed: int) -> None:
        """
        Interleaved chunk streams with any ID, any chunk size set between any chunks, aborts, unknown types, empty
        messages, extended timestamps with and without repetition: whole, cut off, with silence anywhere.
        """
        random = Random(seed)
        interleaver = Interleaver(random)
        interleaver.write(random.choice((20, 100)))
        data = HANDSHAKE + bytes(interleaver.data)
        peer = random.choice((128, 2500, 4096))
        entries = readAll(data, pieces(random, len(data)), peer=peer)
        self.assertEqual(messages(entries), interleaver.expected)
        self.assertEqual(violations(entries), [])
        entries = readAll(data, pieces(random, len(data)), peer=peer, settled=True)
        self.assertEqual(messages(entries), interleaver.expected)
        stop = random.randrange(len(data))
        entries = readAll(data[:stop], pieces(random, stop), peer=peer)
        self.assertEqual(violations(entries), [])
        expected = list(ChunkReader(LIMITS).feed(data[HANDSHAKE_SIZE:stop]))
        self.assertEqual(messages(entries)[: len(expected)], expected)

    def assertFine(self, data: bytes, expected: Sequence[Message]) -> None:
        """It reads so byte by byte with silence behind each, and whole."""
        for sizes in ([1] * len(data), []):
            entries = readAll(HANDSHAKE + data, [HANDSHAKE_SIZE, *sizes], settled=True)
            self.assertEqual(messages(entries), list(expected))
            self.assertEqual(violations(entries), [])
            self.assertEqual(again(HANDSHAKE + data, entries), HANDSHAKE + data)

    def test_exactly0xFFFFFF(self) -> None:
        message = video(0xFFFFFF, b"\xaa" * 300)
        data = encodeMessage(message, 128)
        self.assertFine(data, [message])
        self.assertFine(data.replace(b"\xc3\0\xff\xff\xff", b"\xc3"), [message])

    def test_largeControl(self) -> None:
        """A control message of a size that none has is odd, but no reason to lose the rest."""
        message = Message(MessageType.USER_CONTROL, 0, 0, b"\0\x63" + b"\xaa" * 500, 2)
        self.assertFine(encodeMessage(message, 128) + encodeMessage(CREATED, 128), [message, CREATED])

    def test_manyStreams(self) -> None:
        message = video(0, b"\xaa" * 500, 5000, 0x10000)
        self.assertFine(encodeMessage(message, 128) + encodeMessage(CREATED, 128), [message, CREATED])

    def test_longName(self) -> None:
        """A text across chunks, silence in its midst or not."""
        for length in (110, 111, 150, 400):
            release = command("releaseStream", 2.0, None, "x" * length)
            self.assertFine(encodeMessage(release, 128), [release])
            release = command("releaseStream", 2.0, None, "\u00e9" * length)
            self.assertFine(encodeMessage(release, 128), [release])

    def test_abortedRestarts(self) -> None:
        half = header(0, 3, 0, 300) + b"\xaa" * 128
        entries = readAll(HANDSHAKE + half + aborted(3) + half + encodeMessage(CREATED, 128))
        self.assertEqual([len(m.payload) for m in messages(entries)], [4, len(CREATED.payload)])
        self.assertEqual(violations(entries), [])


class MiscutTests(SynchronousTestCase):
    """Sides that cut their messages otherwise than they have announced."""

    def read(self, data: bytes, side: Side = Side.SERVER, peer: int = 128) -> list[Entry]:
        """All of it, which is the same in any pieces."""
        entries = readAll(data, side=side, peer=peer)
        expected = facts(entries)
        for seed in range(4):
            self.assertEqual(facts(readAll(data, pieces(Random(seed), len(data)), side, peer)), expected)
        return entries

    def assertRead(
        self,
        data: bytes,
        expected: Sequence[Message],
        found: list[tuple[str, int]],
        side: Side = Side.SERVER,
        peer: int = 128,
    ) -> None:
        """These messages, and what is wrong with them: the cause, and the message."""
        entries = self.read(data, side, peer)
        self.assertEqual(messages(entries), list(expected))
        self.assertEqual([entry for entry in entries if isinstance(entry, Unreadable)], [])
        read = [entry for entry in entries if isinstance(entry, ReadMessage)]
        wrong = [(v.cause.name, index) for index, entry in enumerate(read) for v in entry.violations]
        self.assertEqual(wrong, found)
        self.assertEqual(again(data, entries), data)

    def test_result(self) -> None:
        """
        The best known case: an answer to connect of 190 bytes, in one piece. A strict reader expects 0xC3 behind its
        128th byte. What follows is read.
        """
        data = written([WINDOW, RESULT, CREATED, STARTED], lambda index, announced: UNCUT)
        self.assertRead(data, [WINDOW, RESULT, CREATED, STARTED], [("reply-not-chunked", 1)])
        ((violation,),) = [entry.violations for entry in self.read(data) if entry.violations]
        place = HANDSHAKE_SIZE + 16 + 12 + 128
        self.assertEqual(violation.offset, place)
        self.assertEqual(data.index(RESULT.payload) + 128, place)
        right = written([WINDOW, RESULT])
        self.assertEqual(right[place], 0xC3)
        self.assertIn("190 bytes in one piece", violation.words)
        self.assertIn("still 128", violation.words)

    def test_whenItCame(self) -> None:
        """Silence shows it, but it came when its bytes came; and the entry is the first behind the last good one."""
        # What stands at byte 128 looks like the header of a message of audio.
        audio = header(0, 4, 0, 60, 8, 1)
        start = len(command("_result", 1.0, None, {"a": ""}).payload) - 3
        text = b"x" * (128 - start) + audio + b"y" * 40
        result = command("_result", 1.0, None, {"a": text.decode("utf-8", "surrogateescape")})
        self.assertEqual(result.payload[128:140], audio)
        reading = StreamReading(Side.SERVER)
        self.assertEqual(len(reading.feed(HANDSHAKE, 0.0)), 3)
        self.assertEqual(reading.feed(encodeMessage(result, UNCUT), 0.25), [])
        self.assertIn("a message of type 8", reading.unfinished)
        (entry,) = reading.settle(1.25)
        assert isinstance(entry, ReadMessage)
        self.assertEqual((entry.at, entry.offset, entry.message), (0.25, HANDSHAKE_SIZE, result))
        self.assertEqual([v.offset for v in entry.violations], [HANDSHAKE_SIZE + 12 + 128])
        (entry,) = reading.feed(encodeMessage(CREATED, 128), 2.0)
        self.assertEqual((entry.at, entry.violations), (2.0, []))
        self.assertEqual(len(reading.finish(3.0, "FIN")), 1)

    def test_looksLikeTheHeader(self) -> None:
        """Byte 128 is 0xC3 by chance, as the first half of a letter: silence or the next message shows it."""
        start = len(command("_result", 1.0, None, {"description": ""}).payload) - 3
        result = command("_result", 1.0, None, {"description": "x" * (128 - start) + "\u00e9" + "y" * 60})
        self.assertEqual(result.payload[128], 0xC3)
        for behind in ([], [CREATED, STARTED]):
            data = written([result, *behind], lambda index, announced: UNCUT)
            self.assertRead(data, [result, *behind], [("reply-not-chunked", 0)])
        # And the same message, rightly cut, is right, wherever silence falls.
        data = written([result, CREATED])
        self.assertEqual(violations(readAll(data, [1] * len(data), settled=True)), [])

    def test_looksLikeKnownChunkStreams(self) -> None:
        """What looks like small messages within it is none."""
        body = b"\xc3\xc4\xc3" * 100
        uncut = video(20, b"\xaa" * 128 + body, 6)
        first = [video(0, b"", 3), video(0, b"", 4)]
        behind = [video(40, b"abc", 6), video(60, b"d" * 200, 6), video(80, b"efg", 6), STARTED]
        data = written([*first, uncut, *behind], lambda index, announced: UNCUT)
        self.assertRead(data, [*first, uncut, *behind], [("reply-not-chunked", 2)])

    def test_announcedAndNotUsed(self) -> None:
        """4096 announced, and cut at 128: a reader takes the header for a part of the message."""
        said = [WINDOW, setChunkSize(4096), RESULT, CREATED, STARTED]
        data = written(said, lambda index, announced: 128)
        self.assertRead(data, said, [("announced-chunk-size-not-used", 2)])
        ((violation,),) = [entry.violations for entry in self.read(data) if entry.violations]
        self.assertEqual(data[violation.offset], 0xC3)
        self.assertEqual(violation.offset, data.index(RESULT.payload[:100]) + 128)

    def test_notAnnounced(self) -> None:
        """Cut at 4096, which nobody has announced."""
        said = [CREATED, STARTED, *someMedia(Random(1), 3), video(900, b"\xaa" * 20000, 6), *someMedia(Random(2), 3)]
        said = [message for message in said if len(message.payload) <= 128 or len(message.payload) > 4096]
        data = written(said, lambda index, announced: 4096)
        first = next(index for index, message in enumerate(said) if len(message.payload) > 128)
        self.assertRead(data, said, [("announced-chunk-size-not-used", first)])

    def test_sizeOfThePeer(self) -> None:
        """Cut at the size that its peer has announced for its own chunks."""
        said = [STARTED, video(20, b"\xaa" * 7000, 6), video(40, b"\xab" * 9000, 6), STARTED, STARTED]
        data = written(said, lambda index, announced: 2500)
        self.assertRead(data, said, [("announced-chunk-size-not-used", 1)], peer=2500)
        (violation,) = violations(self.read(data, peer=2500))
        self.assertIn("2,500 is what the client has announced", violation.words)
        self.assertEqual(violation.offset, data.index(b"\xaa" * 7) + 128)

    def test_once(self) -> None:
        """Who does it for one message only is read rightly behind it, and told again when it happens again."""
        said = [RESULT, CREATED, RESULT, STARTED, RESULT, RESULT]
        data = written(said, lambda index, announced: UNCUT if index in (0, 4) else announced)
        self.assertRead(data, said, [("reply-not-chunked", 0), ("reply-not-chunked", 4)])

    def test_rightAfterAnnouncement(self) -> None:
        """One message in one piece, before its chunk size is announced and kept to."""
        said = [RESULT, setChunkSize(4096), CREATED, STARTED, *[video(20 * i, b"\xaa" * 10000, 6) for i in range(4)]]
        data = written(said, lambda index, announced: UNCUT if index == 0 else announced)
        self.assertRead(data, said, [("reply-not-chunked", 0)])

    def test_client(self) -> None:
        """An encoder that does not cut its connect."""
        connect = command("connect", 1.0, {"app": "live", "tcUrl": "rtmp://example.com/live", "flashVer": "x" * 90})
        said = [connect, command("createStream", 2.0, None), command("publish", 3.0, None, "name", "live")]
        data = written(said, lambda index, announced: UNCUT)
        self.assertRead(data, said, [("client-not-chunked", 0)], Side.CLIENT)

    def test_onlyMedia(self) -> None:
        """No command is long enough to show it: media in one piece, or in chunks of another size."""
        for size, cause in ((UNCUT, "reply-not-chunked"), (4096, "announced-chunk-size-not-used")):
            large = [video(20 * i, Random(i).randbytes(9000), 6) for i in range(5)]
            said = [WINDOW, CREATED, STARTED, *large, STARTED, STARTED]
            data = written(said, lambda index, announced, size=size: size)
            self.assertRead(data, said, [(cause, 3)])
        large = [video(20 * i, Random(i).randbytes(900), 6) for i in range(5)]
        said = [WINDOW, setChunkSize(4096), CREATED, *large]
        self.assertRead(written(said, lambda index, announced: 128), said, [("announced-chunk-size-not-used", 3)])

    def test_anyMedia(self) -> None:
        """
        With random media: hardly ever is anything lost, and never does it depend on the pieces. Each 256th message has
        by chance a chunk header where one is expected, and the last message has none behind it that could prove it.
        """
        right = 0
        kinds = (UNCUT, 128, 4096, 2500)
        for seed in range(24):
            random = Random(seed)
            size, announced = random.choice(kinds), random.random() < 0.5
            said = [WINDOW, *([RESULT] if random.random() < 0.5 else []), CREATED]
            said += [setChunkSize(4096)] if announced else []
            said += someMedia(random, 8, 8000) + [STARTED] * 3
            data = written(said, lambda index, announced, size=size: size)
            entries = readAll(data, peer=2500)
            self.assertEqual(facts(readAll(data, pieces(random, len(data)), peer=2500)), facts(entries))
            right += messages(entries) == said
        self.assertTrue(right >= 23, right)


class UnreadableTests(SynchronousTestCase):
    def first(self, data: bytes, side: Side = Side.CLIENT) -> Unreadable:
        """What is said of bytes that are no RTMP."""
        unreadable, ending = readAll(data, [1] * len(data), side)
        assert isinstance(unreadable, Unreadable) and isinstance(ending, Ending)
        self.assertEqual((unreadable.offset, unreadable.size), (0, len(data)))
        self.assertEqual(unreadable.data, data[:SHOWN])
        self.assertEqual(ending.unfinished, f"{len(data):,} bytes that can't be read")
        return unreadable

    def test_firstByte(self) -> None:
        """What speaks another protocol is told in words."""
        self.assertIn("HTTP", self.first(b"GET / HTTP/1.1\r\n").reason)
        self.assertIn("TLS ClientHello", self.first(b"\x16\x03\x01" + b"x" * 3000).reason)
        self.assertIn("RTMPE", self.first(b"\x06" + bytes(1536)).reason)
        self.assertIn("HTTP", self.first(b"HTTP/1.1 400 Bad Request\r\n", Side.SERVER).reason)
        self.assertIn("TLS alert", self.first(b"\x15\x03\x01\0\x02\x02\x0a", Side.SERVER).reason)

    def test_place(self) -> None:
        """The first byte that is no chunk, and how many there are from there on."""
        good = written([WINDOW, CREATED])
        data = good + b"\xff" + b"x" * 1000
        for sizes in ([], [1] * len(data), [1448] * 5):
            *entries, unreadable, ending = readAll(data, sizes)
            self.assertEqual(messages(entries), [WINDOW, CREATED])
            assert isinstance(unreadable, Unreadable) and isinstance(ending, Ending)
            self.assertEqual((unreadable.offset, unreadable.size), (len(good), 1001))
            self.assertEqual(unreadable.data, data[len(good) :][:SHOWN])
            self.assertIn("type 3 header on a chunk stream that has had none to repeat", unreadable.reason)
            self.assertEqual(ending.offset, len(data))

    def test_stillCounted(self) -> None:
        """It is one entry, that grows."""
        reading = StreamReading(Side.SERVER)
        *_, unreadable = reading.feed(HANDSHAKE + b"\xff", 1.0)
        assert isinstance(unreadable, Unreadable)
        self.assertEqual((unreadable.size, unreadable.data, unreadable.at), (1, b"\xff", 1.0))
        self.assertEqual(reading.feed(b"x" * 40000, 2.0) + reading.settle(9.0), [])
        self.assertEqual((unreadable.size, unreadable.data), (40001, b"\xff" + b"x" * (SHOWN - 1)))
        self.assertEqual(reading.received, HANDSHAKE_SIZE + 40001)

    def test_afterDoubt(self) -> None:
        """Bytes that might have been the rest of a message are not told before that is clear, then from their first."""
        reading = StreamReading(Side.SERVER)
        data = encodeMessage(video(0, b"\xaa" * 128 + b"\xff" * 872), UNCUT)
        self.assertEqual(reading.feed(HANDSHAKE + data[:500], 1.0)[3:], [])
        self.assertIn("bytes that can't be read", reading.unfinished)
        self.assertEqual(reading.feed(data[500:900], 2.0), [])
        unreadable, ending = reading.finish(3.0, "RST")
        assert isinstance(unreadable, Unreadable) and isinstance(ending, Ending)
        self.assertEqual((unreadable.offset, unreadable.size), (HANDSHAKE_SIZE + 140, 760))
        self.assertEqual((unreadable.data, ending.how), (b"\xff" * SHOWN, "RST"))

    def test_doubtEndsWell(self) -> None:
        """If they are, it is never told, and what comes later is counted by itself."""
        data = encodeMessage(video(0, b"\xaa" * 128 + b"\xff" * 872), UNCUT)
        small = encodeMessage(CREATED, 128)
        reading = StreamReading(Side.SERVER)
        self.assertEqual(len(reading.feed(HANDSHAKE + data[:500], 1.0)), 3)
        entries = reading.feed(data[500:] + small * 2 + b"\xff\xff", 2.0)
        self.assertEqual([type(entry) for entry in entries], [ReadMessage] * 3 + [Unreadable])
        unreadable = entries[-1]
        assert isinstance(unreadable, Unreadable)
        self.assertEqual((unreadable.size, unreadable.data), (2, b"\xff\xff"))
        self.assertEqual(unreadable.offset, reading.received - 2)


class EndingTests(SynchronousTestCase):
    def unfinished(self, data: bytes, side: Side = Side.CLIENT) -> str:
        ending = readAll(data, side=side)[-1]
        assert isinstance(ending, Ending)
        self.assertEqual(ending.offset, len(data))
        return ending.unfinished

    def test_words(self) -> None:
        self.assertEqual(self.unfinished(b""), "")
        self.assertEqual(self.unfinished(HANDSHAKE[:1]), "")
        self.assertEqual(self.unfinished(HANDSHAKE[:101]), "C1: 100 of 1,536 bytes")
        self.assertEqual(self.unfinished(HANDSHAKE[:1540], Side.SERVER), "S2: 3 of 1,536 bytes")
        self.assertEqual(self.unfinished(HANDSHAKE), "")
        self.assertEqual(self.unfinished(HANDSHAKE + b"\x03\0"), "2 bytes of a chunk header")
        message = encodeMessage(RESULT, 128)
        self.assertEqual(self.unfinished(HANDSHAKE + message[:50]), "a message of type 20: 38 of 190 bytes have come")
        self.assertEqual(self.unfinished(HANDSHAKE + message), "")

    def test_heldBack(self) -> None:
        """What was held back is told before the end."""
        data = (
            HANDSHAKE + header(0, 3, 0, 300) + b"\xaa" * 128 + encodeMessage(CREATED, 128).replace(b"\x03", b"\x05", 1)
        )
        *_, message, ending = readAll(data)
        assert isinstance(message, ReadMessage) and isinstance(ending, Ending)
        self.assertEqual(message.message.payload, CREATED.payload)
        self.assertIn("128 of 300", ending.unfinished)

    def test_handshake(self) -> None:
        """Each block with its name, place and time."""
        data = b"\x03" + b"1" * 1536 + b"2" * 1536
        for side, letter in ((Side.CLIENT, "C"), (Side.SERVER, "S")):
            entries = [entry for entry in readAll(data, [1, 1535, 2], side) if isinstance(entry, HandshakeBlock)]
            found = [(entry.name, entry.offset, len(entry.data), entry.at) for entry in entries]
            self.assertEqual(
                found, [(f"{letter}0", 0, 1, 0.0), (f"{letter}1", 1, 1536, 2.0), (f"{letter}2", 1537, 1536, 3.0)]
            )
            self.assertEqual(b"".join(entry.data for entry in entries), data)

    def test_chunkSize(self) -> None:
        """What was announced last, which each message tells as of its end."""
        reading = StreamReading(Side.SERVER)
        self.assertEqual(reading.chunkSize, 128)
        entries = reading.feed(HANDSHAKE + encodeMessage(CREATED, 128) + sized(4096) + encodeMessage(CREATED, 128), 0.0)
        sizes = [entry.chunkSize for entry in entries if isinstance(entry, ReadMessage)]
        self.assertEqual((sizes, reading.chunkSize), ([128, 4096, 4096], 4096))


class AnyBytesTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=600), st.booleans(), st.integers(0, 2**32 - 1))
    def test_afterTheHandshake(self, tail: bytes, isClient: bool, seed: int) -> None:
        """No bytes make it raise, and no cut makes a difference."""
        random = Random(seed)
        side = Side.CLIENT if isClient else Side.SERVER
        data = HANDSHAKE + tail
        expected = facts(readAll(data, side=side))
        for sizes in ([HANDSHAKE_SIZE] + [1] * len(tail), pieces(random, len(data))):
            self.assertEqual(facts(readAll(data, sizes, side)), expected)
        readAll(data, pieces(random, len(data)), side, settled=True)

    @given(st.binary(max_size=50), st.sampled_from(list(Side)))
    def test_fromTheStart(self, data: bytes, side: Side) -> None:
        self.assertEqual(facts(readAll(data, [1] * len(data), side)), facts(readAll(data, side=side)))

    @settings(deadline=None, max_examples=40)
    @given(st.integers(0, 2**32 - 1))
    def test_damaged(self, seed: int) -> None:
        """Real streams with bytes that are missing, doubled or changed: the same in any pieces."""
        random = Random(seed)
        name = random.choice(sorted(ORACLE))
        data = bytearray(capture(name)[:20000])
        for _ in range(random.randrange(1, 4)):
            place = random.randrange(HANDSHAKE_SIZE, len(data))
            data[place : place + random.choice((0, 1, 4))] = random.randbytes(random.choice((0, 1, 4)))
        expected = facts(readAll(bytes(data), side=sideOf(name)))
        self.assertEqual(facts(readAll(bytes(data), pieces(random, len(data)), sideOf(name))), expected)


class CostTests(SynchronousTestCase):
    """Time and memory grow with the bytes, and not faster."""

    def spent(self, data: bytes, size: int) -> float:
        reading = StreamReading(Side.CLIENT)
        begun = time.process_time()
        for piece in cutInto(data, [size] * (len(data) // size)):
            reading.feed(piece, 0.0)
        return time.process_time() - begun

    def test_largestMessage(self) -> None:
        """
        16 MB in segments, in chunks of any size: quadratic work would take minutes (each segment would move all that
        came before it).
        """
        for size in (128, 4096, MAX_MESSAGE_SIZE):
            data = HANDSHAKE + sized(size) + encodeMessage(video(0, bytes(MAX_MESSAGE_SIZE)), size)
            self.assertTrue(self.spent(data, 1448) < 5)

    def test_byByte(self) -> None:
        """A part of it byte by byte: four times as much takes about four times as long, not sixteen times."""
        for size in (128, MAX_MESSAGE_SIZE):
            data = HANDSHAKE + sized(size) + encodeMessage(video(0, bytes(100_000)), size)
            short = min(self.spent(data[: HANDSHAKE_SIZE + 25_000], 1) for _ in range(2))
            self.assertTrue(self.spent(data[: HANDSHAKE_SIZE + 100_000], 1) < 9 * short)

    def test_strangeHeaders(self) -> None:
        """Nor do headers that are all strange, behind a message that is never complete, or many chunk streams."""
        half = header(0, 3, 0, 300) + b"\xaa" * 128
        strange = encodeMessage(Message(77, 0, 1, b"?", 5), 128)
        streams = b"".join(encodeMessage(video(0, b"", id), 128) for id in range(64, 1064))
        for start in (half, streams):
            self.assertTrue(self.spent(HANDSHAKE + start + strange * 10_000, 1448) < 5)
        again = streams + sized(1) + (encodeMessage(video(0, b"ab", 4), 1)[:-2] + strange + b"\xc4b") * 1000
        self.assertTrue(self.spent(HANDSHAKE + again, 1448) < 5)

    def test_memory(self) -> None:
        """What is kept is bounded, whatever is announced, half sent, or can't be read."""
        endless = header(0, 3, 0, MAX_MESSAGE_SIZE) + b"\xaa" * 128
        hostile = [
            sized(MAX_MESSAGE_SIZE) + header(0, 3, 0, MAX_MESSAGE_SIZE),
            endless + encodeMessage(video(0, b"", 5), 128) + b"\xc5" * 10_000,
            b"\xff" * 30_000,
            encodeMessage(video(0, b"\xaa" * 128 + b"\xff" * 1_200_000), UNCUT),
        ]
        for data in hostile:
            reading = StreamReading(Side.CLIENT)
            reading.feed(HANDSHAKE, 0.0)
            tracemalloc.start()
            try:
                for index, piece in enumerate(cutInto(data, [1448] * (len(data) // 1448))):
                    reading.feed(piece, float(index))
                kept, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertTrue(kept < 1_000_000, (kept, data[:20]))
