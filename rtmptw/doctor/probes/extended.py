# -*- test-case-name: tests.doctor.probes.test_extended -*-
"""
Does a stream survive its first 4 h 39 min? (Wire facts 2.4 and 3.6, row 19.)

From then on timestamps need an extension. Most publishers repeat it in every chunk of a message, OBS before 30.1 and
others do not, and a server has to read both. What it writes to players must repeat it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rtmptw.dialects.finding import Finding
from rtmptw.dialects.footage import KEYFRAME_TIMES
from rtmptw.dialects.visit import Visit
from rtmptw.doctor.probe import Probe, Untestable, finding
from rtmptw.doctor.publishing import ranges
from rtmptw.doctor.second import comesOut
from rtmptw.doctor.target import PLAIN, Target
from rtmptw.trace.segment import Side
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.message import Message

__all__ = ["EXTENDED", "withoutRepeating"]

_NAME = "extended"

#: When the extension begins to be needed, ms.
_FIRST = 0xFFFFFF

#: How many messages are published.
_COUNT = 30

#: Keyframes are larger than the chunks of the server, if these are not larger than this, bytes.
_LARGEST = 150_000

_PUBLISHER = replace(PLAIN, mirrorsChunkSize=False)


def withoutRepeating(message: Message, chunkSize: int) -> bytes:
    """
    A message whose later chunks do not repeat the extended timestamp.

    @param message: with a timestamp that needs the extension, on a chunk stream with a short ID.
    """
    encoded = encodeMessage(message, len(message.payload) or 1)
    head, body = encoded[: len(encoded) - len(message.payload)], message.payload
    chunks = [body[start : start + chunkSize] for start in range(0, len(body), chunkSize)]
    return head + bytes((0xC0 | message.chunkStreamId,)).join(chunks)


def _late(visit: Visit) -> Iterator[Message]:
    """Frames from the moment on at which the extension begins."""
    size = min(visit.contact.conversation.readings[Side.SERVER].chunkSize, _LARGEST) + 1000
    footage = replace(visit.footage, pictureSize=max(visit.footage.pictureSize, size // KEYFRAME_TIMES + 1))
    for message in footage.frames(_COUNT):
        yield replace(message, timestamp=message.timestamp + _FIRST)


async def _run(target: Target, repeats: bool) -> tuple[list[int], list[Finding]]:
    witness = await target.witness()
    visit = await target.publisher(_PUBLISHER)
    if visit is None:
        raise Untestable("nobody can publish here")
    visit.send([replace(visit.footage.metadata(), timestamp=_FIRST)])
    visit.send(replace(header, timestamp=_FIRST) for header in visit.footage.headers())
    witness = await target.attend(visit, witness)
    if witness is None:
        raise Untestable("nobody can play what is published here")
    if repeats:
        visit.send(_late(visit))
    else:
        visit.contact.say(b"".join(withoutRepeating(each, visit.contact.writer.chunkSize) for each in _late(visit)))
    await witness.sees(_COUNT - 1, target.delay)
    await target.part(visit, witness)
    written = [
        finding(_NAME, violation.cause.name, violation.words, witness.visit)
        for entry in witness.visit.contact.received()
        for violation in entry.violations
        if violation.cause.name == "extended-timestamp-not-repeated"
    ]
    return witness.missing(_COUNT), written[:1]


async def _ask(target: Target) -> list[Finding]:
    """
    @raise Untestable: if nobody can publish and play.
    """
    missing, found = await _run(target, True)
    if missing and not await comesOut(target, _PUBLISHER, whole=True):
        raise Untestable("not everything comes out without an extended timestamp, either")
    if missing and not found:
        words = f"of {_COUNT} messages from {_FIRST} ms on, these did not come out: {ranges(missing)}"
        return [finding(_NAME, "extended-timestamp-not-expected", words)]
    missing, _ = await _run(target, False)
    if missing and not found:
        words = (
            f"of {_COUNT} messages whose extended timestamp is not repeated in their later chunks, these did not come "
            f"out: {ranges(missing)}"
        )
        found.append(finding(_NAME, "extended-timestamp-always-expected", words))
    return found


EXTENDED = Probe(
    _NAME, "Does a stream go on when its timestamps need an extension (after 4 h 39 min)?", _ask, plays=True
)
