"""
The reader of traces: two sides say anything, in any pieces.

The input: what is shown of it (1 byte), and a script (L{tests.fuzz.script}) in the words of L{LANGUAGE}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from rtmptw.show.jsonlines import jsonLine
from rtmptw.show.line import LineOptions, lines
from rtmptw.show.secrets import Secrets
from rtmptw.trace.conversation import Conversation
from rtmptw.trace.entry import Entry, HandshakeBlock, ReadMessage
from rtmptw.trace.segment import Segment, Side
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from tests.fuzz import captured
from tests.fuzz.script import Field, Language, Step
from tests.fuzz.target import Scramble, Target

__all__ = ["LANGUAGE", "TARGET", "check"]

#: What may happen: the side is who it happens to.
LANGUAGE = Language(
    {
        "shake": (),  # a whole handshake, if nothing was said before
        "say": (Field.BLOB,),
        "settle": (),  # nothing comes for a while
        "finish": (),
    }
)

_HANDSHAKE = b"\3" + bytes(HANDSHAKE_SIZE - 1)
_SIDES = tuple(Side)


def check(data: bytes) -> None:
    """
    Nothing raises. Every entry has its place within what was said, each byte is in one entry at most, and is shown as
    a line.
    """
    how = data[0] if data else 0
    secrets = Secrets() if how & 1 else None
    options = LineOptions(secrets, bool(how & 2), bool(how & 4))
    conversation = Conversation()
    said = dict.fromkeys(Side, 0)
    reached = dict.fromkeys(Side, 0)
    ended: set[Side] = set()
    for number, step in enumerate(LANGUAGE.read(data[1:])):
        side = _SIDES[step.who % 2]
        entries: list[Entry] = []
        if step.kind == "settle":
            entries = conversation.settle(float(number))
        elif side in ended or (step.kind == "shake" and said[side]):
            continue
        elif step.kind == "finish":
            ended.add(side)
            entries = conversation.finish(side, float(number), "FIN")
        else:
            content = _HANDSHAKE if step.kind == "shake" else step.blob
            said[side] += len(content)
            entries = conversation.feed(Segment(side, float(number), content))
        for entry in entries:
            _checkEntry(entry, said[entry.side], reached)
            _show(entry, options, conversation, how)
    for side, reading in conversation.readings.items():
        assert reading.received == said[side]


def _checkEntry(entry: Entry, said: int, reached: dict[Side, int]) -> None:
    """It is where it says it is."""
    assert 0 <= entry.offset <= said
    for violation in entry.violations:
        assert 0 <= violation.offset <= said and violation.words
    if isinstance(entry, HandshakeBlock):
        assert entry.offset == reached[entry.side]
        reached[entry.side] += len(entry.data)
    elif isinstance(entry, ReadMessage):
        assert entry.offset >= HANDSHAKE_SIZE
        assert sum(chunk.size for chunk in entry.chunks) == len(entry.message.payload)
        last = entry.chunks[-1]
        assert last.offset + last.headerSize + last.size <= said
        for position in range(0, len(entry.message.payload), 50):
            assert entry.offset < entry.place(position) < said


def _show(entry: Entry, options: LineOptions, conversation: Conversation, how: int) -> None:
    """As lines, as JSON, or not at all, since that takes longer than to read it."""
    if how & 8:
        for line in lines(entry, options, conversation.talk.blocks):
            assert line.isascii() and line.isprintable(), ascii(line)
    if how & 16:
        line = jsonLine(entry, options, conversation.talk.blocks)
        assert isinstance(json.loads(line), dict) and line.isascii() and "\n" not in line


def mutate(data: bytes, most: int, random: Random, scramble: Scramble) -> bytes:
    """Step by step; at times read in another way."""
    return LANGUAGE.mutateBehind(data, most, random, scramble, 32)


def seeds() -> Iterator[bytes]:
    """The beginning of what both sides of the captures have said, whole, and with what is not cut into chunks."""
    for number, (client, server) in enumerate(zip(captured.CLIENTS, captured.SERVERS, strict=True)):
        ours, theirs = captured.chunks(client)[:900], captured.chunks(server)[:700]
        steps = [Step("shake", 0), Step("shake", 1)]
        for start in range(0, 900, 300):
            steps += [Step("say", 0, (), ours[start : start + 300]), Step("say", 1, (), theirs[start : start + 300])]
        steps += [Step("settle"), Step("finish", 0), Step("finish", 1)]
        yield bytes((number & 31,)) + LANGUAGE.write(steps)
        uncut = theirs.replace(b"\xc3", b"", 1)
        steps = [Step("shake", 1), Step("say", 1, (), uncut), Step("settle"), Step("say", 1, (), b"\3" + uncut)]
        yield bytes((number & 7,)) + LANGUAGE.write(steps)
    yield b"\37" + LANGUAGE.write([Step("say", 0, (), b"GET / HTTP/1.1\r\n"), Step("finish"), Step("finish", 1)])


TARGET = Target(check, seeds, 1000, mutate)
