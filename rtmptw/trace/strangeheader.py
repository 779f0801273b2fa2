# -*- test-case-name: tests.trace.test_strangeheader -*-
"""
Headers that are hard to believe.

Bytes that are no chunk header can nearly always be read as one, and then say what nobody means: a message of a type
that does not exist, on a stream that nobody has made. But a strange header may be real: so it is a reason to look, and
none to stop.
"""

from __future__ import annotations

from rtmptw.errors import RemoteProtocolError
from rtmptw.wire.chunkstream import ChunkStream
from rtmptw.wire.message import MessageType

__all__ = ["StrangeHeader", "strangeness"]

_KNOWN = frozenset(MessageType)
_CONTROL = frozenset(range(1, 7))

#: A message stream ID above this is none that anybody gives.
_MANY_STREAMS = 0xFFFF

#: The largest control message that is real, bytes: the answer to a question for the SWF file has 44.
_LARGEST_CONTROL = 64


class StrangeHeader(RemoteProtocolError):
    """A header that may be none: it says what nobody means. Who reads on takes it for what it says."""


def strangeness(stream: ChunkStream) -> str:
    """
    Why a header that begins a message is hard to believe; empty if it is not.

    @param stream: as the header has left it.
    """
    if stream.type not in _KNOWN:
        return f"a message of the unknown type {stream.type}"
    if stream.type in _CONTROL and stream.length > _LARGEST_CONTROL:
        return f"a control message of {stream.length} bytes"
    if stream.streamId > _MANY_STREAMS:
        return f"message stream {stream.streamId}"
    return ""
