"""
The two sides of a capture in an order that they may have had: files have no times, and rules must do without.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from rtmptw.trace.entry import Entry, HandshakeBlock, ReadMessage
from rtmptw.trace.reading import StreamReading
from rtmptw.trace.segment import Segment, Side
from rtmptw.trace.values import readValues

__all__ = ["CAPTURES", "Pair", "clientFirst", "interleaved", "pair"]

CAPTURES = Path(__file__).parents[1] / "captures"

#: What each side has sent.
Pair = dict[Side, bytes]


def pair(name: str) -> Pair:
    """A capture."""
    files = {Side.CLIENT: f"{name}.c2s.bin", Side.SERVER: f"{name}.s2c.bin"}
    return {side: (CAPTURES / file).read_bytes() for side, file in files.items()}


def clientFirst(sent: Pair) -> Iterator[Segment]:
    """All of the client, then all of the server, without times: as from two files."""
    for side in Side:
        yield Segment(side, 0.0, sent[side])


def interleaved(sent: Pair, step: float = 0.01) -> Iterator[Segment]:
    """
    Each entry of the server as soon as the client has said what it answers.

    @param step: the time between two entries, seconds.
    """
    client, server = (list(_pieces(side, sent[side])) for side in (Side.CLIENT, Side.SERVER))
    at, said = 0.0, {""}
    while client or server:
        if client:
            entry, data = client.pop(0)
            said.add(_word(entry))
            yield Segment(Side.CLIENT, at := at + step, data)
        while server and (not client or _needs(server[0][0]) <= said):
            yield Segment(Side.SERVER, at := at + step, server.pop(0)[1])


def _pieces(side: Side, data: bytes) -> Iterator[tuple[Entry, bytes]]:
    """The entries, each with its bytes; what is half there is the last."""
    reading = StreamReading(side)
    entries = [*reading.feed(data, 0.0), *reading.finish(0.0, "end")]
    for entry, following in pairwise(entries):
        if entry.offset < following.offset:
            yield entry, data[entry.offset : following.offset]


def _word(entry: Entry) -> str:
    """What an entry of the client's makes possible."""
    if isinstance(entry, HandshakeBlock):
        return entry.name
    assert isinstance(entry, ReadMessage)
    values = readValues(entry.message) if entry.message.type == 20 else None
    if values is None:
        return ""
    return f"call {values.transactionId:g}" if values.name not in ("publish", "play", "deleteStream") else values.name


def _needs(entry: Entry) -> set[str]:
    """What the client must have said before an entry of the server's."""
    if isinstance(entry, HandshakeBlock):
        return {"C1"}
    if not isinstance(entry, ReadMessage):
        return set()
    if entry.message.type in (8, 9, 18):
        return {"play"}
    if entry.message.type == 4 and entry.message.payload[:2] == b"\0\x01":
        # StreamEOF: nginx-rtmp's answer to deleteStream.
        return {"deleteStream"}
    values = readValues(entry.message) if entry.message.type == 20 else None
    if values is None:
        return {"call 1"}
    if values.name == "_result":
        return {f"call {values.transactionId:g}"}
    if values.name != "onStatus":
        return {"call 1"}
    code = str(next((placed.value for placed in values.placed if isinstance(placed.value, dict)), {}).get("code"))
    return {"deleteStream"} if "Unpublish" in code else {"play"} if ".Play." in code else {"publish"}
