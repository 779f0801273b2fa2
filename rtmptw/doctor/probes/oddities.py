# -*- test-case-name: tests.doctor.probes.test_oddities -*-
"""
Does the server survive what is odd, and legal? (Wire facts 2.6 and 3.6, row 18, and 10.12-10.28.)

Each of these is sent in the midst of a stream; what is published behind it must come out as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Finding
from rtmptw.dialects.visit import Visit
from rtmptw.doctor.probe import Probe, Untestable, finding
from rtmptw.doctor.target import PLAIN, Target
from rtmptw.wire.amf0 import encode
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.control import setChunkSize
from rtmptw.wire.message import Message, MessageType

__all__ = ["ODDITIES"]

#: How many messages are published in front of it, and behind it.
_AROUND = 10

#: How long a server that minds it may take to show it, seconds.
_PAUSE = 1.0

#: Who leaves its chunk size at 128 bytes.
_SMALL_CHUNKS = replace(PLAIN, mirrorsChunkSize=False)


@dataclass(frozen=True)
class _Oddity:
    """
    Something odd.

    @ivar name: what the probe is called.
    @ivar question: what is asked.
    @ivar cause: if the server does not survive it.
    @ivar who: who sends such a thing.
    @ivar say: sends it.
    @ivar publisher: who publishes around it.
    """

    name: str
    question: str
    cause: str
    who: str
    say: Callable[[Visit], object]
    publisher: Dialect = PLAIN

    async def ask(self, target: Target) -> list[Finding]:
        """
        @raise Untestable: if nobody can publish.
        """
        found = await self._once(target)
        # It may have been something else: only what happens again counts.
        return found and await self._once(target)

    async def _once(self, target: Target) -> list[Finding]:
        witness = await target.witness()
        visit = await target.publisher(self.publisher)
        if visit is None:
            raise Untestable("nobody can publish here")
        visit.begin()
        witness = await target.attend(visit, witness)
        visit.send(visit.footage.frames(_AROUND))
        if witness is not None and not await witness.sees(_AROUND - 1, target.delay):
            raise Untestable("what is published in front of it does not come out")
        self.say(visit)
        visit.send(visit.footage.frames(_AROUND, _AROUND))
        arrives = True
        if witness is None:
            await visit.contact.rest(_PAUSE)
        else:
            arrives = await witness.sees(2 * _AROUND - 1, target.delay)
        closed = visit.contact.closed
        found = []
        if closed or not arrives:
            what = "the server closes the connection" if closed else "nothing that is sent behind it comes out"
            found.append(finding(self.name, self.cause, f"behind {self.who}, {what}", visit))
        await target.part(visit, witness)
        return found

    def probe(self) -> Probe:
        """The question."""
        return Probe(self.name, self.question, self.ask)


def _data(visit: Visit, payload: bytes) -> None:
    visit.send([Message(MessageType.DATA, 0, visit.streamId, payload, visit.dialect.chunkStreams[18])])


def _unknownType(visit: Visit) -> None:
    visit.send([Message(99, 0, visit.streamId, b"\1\2\3\4", 3)])


def _junkData(visit: Visit) -> None:
    _data(visit, b"")
    _data(visit, b"\0\0\0\1")
    _data(visit, encode(1.0, "@setDataFrame", "onMetaData", {}))


def _empty(visit: Visit) -> None:
    streams = visit.dialect.chunkStreams
    for type in (MessageType.AUDIO, MessageType.VIDEO):
        visit.send([Message(type, 0, visit.streamId, b"", streams[type])])


def _chunkSize(visit: Visit) -> None:
    """It grows, as with all who are known to announce it late (wire facts 2.5). nginx-rtmp dies where it shrinks."""
    visit.send([setChunkSize(4096)])


def _userControl(visit: Visit) -> None:
    for payload in (b"\0\x63\0\0\0\1", b"\0\3", b""):
        visit.send([Message(MessageType.USER_CONTROL, 0, 0, payload, 2)])


def _unknownCommand(visit: Visit) -> None:
    payload = encode("somethingNobodyKnows", 0.0, None, {"a": [1.0, True, None]}, "b")
    visit.send([Message(MessageType.COMMAND, 0, 0, payload, 3)])


def _farChunkStream(visit: Visit) -> None:
    """The next messages come on chunk streams with IDs in the long forms; then the old ones again."""
    for id in (64, 320):
        message = replace(visit.footage.metadata(), chunkStreamId=id)
        visit.contact.say(encodeMessage(message, visit.contact.writer.chunkSize))


def _interleaved(visit: Visit) -> None:
    """Two messages, the chunks of one between those of the other, as Flash writes them (wire facts 2.7)."""
    size = visit.contact.writer.chunkSize
    payload = encode("onTextData", {"text": "x" * 400})
    first, second = (encodeMessage(Message(MessageType.DATA, 0, visit.streamId, payload, id), size) for id in (20, 21))
    # Type 0 headers have 12 bytes, and those between chunks one.
    cuts = [0, *range(12 + size, len(first), 1 + size), len(first)]
    pieces = [part[a:b] for a, b in pairwise(cuts) for part in (first, second)]
    visit.contact.say(b"".join(pieces))


ODDITIES: tuple[Probe, ...] = tuple(
    oddity.probe()
    for oddity in (
        _Oddity(
            "unknown-type",
            "Does it pass over a message of an unknown type?",
            "closes-on-unknown-type",
            "a message of an unknown type (99)",
            _unknownType,
        ),
        _Oddity(
            "junk-data",
            "Does it pass over data that does not begin with a name?",
            "closes-on-junk-data",
            "data messages that do not begin with a name (as FFmpeg's time code track, and Uniview's cameras)",
            _junkData,
        ),
        _Oddity(
            "empty",
            "Does it pass over pictures and sounds without a body?",
            "closes-on-unknown-type",
            "pictures and sounds without a body",
            _empty,
        ),
        _Oddity(
            "chunk-size",
            "Does it obey a new chunk size in the midst of a stream?",
            "client-chunk-size-ignored",
            "a Set Chunk Size in the midst of the stream",
            _chunkSize,
            _SMALL_CHUNKS,
        ),
        _Oddity(
            "user-control",
            "Does it pass over user control messages that are unknown or too short?",
            "closes-on-unknown-type",
            "user control messages that are unknown or too short",
            _userControl,
        ),
        _Oddity(
            "unknown-command",
            "Does it pass over a command that it does not know?",
            "closes-on-unknown-type",
            "a command that nobody knows, with transaction ID 0",
            _unknownCommand,
        ),
        _Oddity(
            "far-chunk-stream",
            "Does it read chunk stream IDs of two and three bytes?",
            "unusual-chunks",
            "messages on the chunk streams 64 and 320, whose IDs take two and three bytes",
            _farChunkStream,
        ),
        _Oddity(
            "interleaved",
            "Does it read messages whose chunks are interleaved?",
            "unusual-chunks",
            "two messages whose chunks are interleaved",
            _interleaved,
            _SMALL_CHUNKS,
        ),
    )
)
