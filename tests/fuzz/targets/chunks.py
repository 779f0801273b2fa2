"""
The chunk reader: any bytes, cut anywhere.

The input: whose limits hold (1 byte), cuts (L{tests.fuzz.pieces}), and the chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from rtmptw.errors import LimitExceeded, RemoteProtocolError
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import Message, MessageType
from tests.fuzz import captured
from tests.fuzz.pieces import cut, takeCuts
from tests.fuzz.target import Scramble, Target
from tests.wire.chunks import Interleaver, aborted, header, sized

__all__ = ["TARGET", "check"]

#: A stranger's, a publisher's, and some that are reached with few bytes.
TIGHT = ReadLimits({MessageType.VIDEO: 900}, 300, 600, 3, 5)
_LIMITS = (ReadLimits({}, partialBytes=128 * 1024), ReadLimits(), TIGHT)

#: What one more header may take while it is not read: basic header, message header, extended timestamp, bytes.
_MOST_HEADER = 3 + 11 + 4


def _read(reader: ChunkReader, pieces: Iterable[bytes]) -> tuple[list[Message], str, bool]:
    """The messages, what was wrong, and whether that was a limit."""
    found: list[Message] = []
    try:
        for piece in pieces:
            found += reader.feed(piece)
            assert reader.held < _MOST_HEADER
        found += reader.end()
    except RemoteProtocolError as error:
        assert error.offset is not None
        return found, str(error), isinstance(error, LimitExceeded)
    return found, "", False


def check(data: bytes) -> None:
    """
    Whole or cut: the same messages, then the same error, the same counts. Limits hold. What was read can be written,
    and read again.
    """
    limits = _LIMITS[data[0] % len(_LIMITS)] if data else _LIMITS[0]
    sizes, chunks = takeCuts(data[1:])
    whole, parts = ChunkReader(limits), ChunkReader(limits)
    messages, fault, isLimit = _read(whole, [chunks])
    others, otherFault, otherIsLimit = _read(parts, cut(chunks, sizes))
    if limits is TIGHT and (isLimit or otherIsLimit):
        # What comes at once is at no time half there, so cuts may make the difference between within and beyond.
        shorter = min(len(messages), len(others))
        assert messages[:shorter] == others[:shorter]
    else:
        assert messages == others and fault == otherFault, "it depends on the cuts"
        for name in ("chunkSize", "droppedParts", "smallChunks", "emptyMessages", "whereabouts", "offset"):
            assert getattr(whole, name) == getattr(parts, name), name
        assert fault or whole.isWithinMessage == parts.isWithinMessage
    assert len(messages) <= len(chunks)
    for message in messages:
        assert len(message.payload) <= limits.messageSize.get(message.type, limits.otherMessageSize)
    _writeAgain(messages, 1 + len(chunks) % 500)


def _writeAgain(messages: list[Message], chunkSize: int) -> None:
    """Write them, and read that."""
    said = [message for message in messages if message.type > MessageType.ABORT]
    writer, reader = ChunkWriter(), ChunkReader(ReadLimits({}, 0xFFFFFF, 0xFFFFFFF, 100, 70000))
    writer.chunkSize = reader.chunkSize = chunkSize
    assert list(reader.feed(b"".join(map(writer.write, said)))) == said


def mutate(data: bytes, most: int, random: Random, scramble: Scramble) -> bytes:
    """At times put a chunk, or some chunks of any form, somewhere."""
    if random.random() < 0.6:
        return scramble(data, most)
    place = random.randrange(min(2, len(data)), len(data) + 1)
    return (data[:place] + _somewhat(random) + data[place:])[:most]


def _somewhat(random: Random) -> bytes:
    choice = random.randrange(5)
    if choice == 0:
        return sized(random.choice((0, 1, 2, 5, 63, 64, 128, 4096, 0x7FFFFFFF, 0x80000000)))
    if choice == 1:
        return aborted(random.choice((2, 3, 4, 6, 64, 320)))
    if choice == 2:
        interleaver = Interleaver(random)
        interleaver.write(random.choice((1, 2, 5)))
        return bytes(interleaver.data[:2000])
    stamp = random.choice((0, 40, 0xFFFFFF, random.getrandbits(24)))
    head = header(random.randrange(4), random.choice((3, 4, 6)), stamp, random.choice((0, 1, 130, 300)), 9)
    return head + (random.randbytes(4) if stamp == 0xFFFFFF else b"") + random.randbytes(random.choice((0, 1, 128)))


def seeds() -> Iterator[bytes]:
    """The beginning of every capture, and every form of chunks."""
    for name in (*captured.CLIENTS, *captured.SERVERS):
        for size in (400, 1500):
            yield b"\1\3\1\x7f\xd0" + captured.chunks(name)[:size]
    for seed in range(30):
        interleaver = Interleaver(Random(seed))
        interleaver.write(6)
        yield bytes((seed, 2, 1, 200)) + bytes(interleaver.data[:1500])


TARGET = Target(check, seeds, 1000, mutate)
