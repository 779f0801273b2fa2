# -*- test-case-name: tests.benchmarks.load.test_words -*-
"""
What a client says, as bytes that are made once for all clients of a stream, and how the answers are known.

Hundreds of clients come at once, and share one processor with whatever else is measured. So they do not read what the
server says, but look for the few bytes that they wait for: an answer begins with its name and transaction ID, which
always lie within one chunk (RTMP 1.0, section 7.2.1).
"""

from __future__ import annotations

from functools import cached_property

from benchmarks.load.stamp import MARK, Kind
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType, setChunkSize, windowAcknowledgementSize

__all__ = ["CONNECTED", "CREATED", "PICTURES", "PLAYING", "PUBLISHING", "REFUSALS", "Words"]

#: How the answers to connect and to createStream begin.
CONNECTED = amf0.encode("_result", 1.0)
CREATED = amf0.encode("_result", 4.0)

#: What says that a stream may be sent, and that it will come.
PUBLISHING = b"NetStream.Publish.Start"
PLAYING = b"NetStream.Play.Start"

#: What shows that a picture, and not only a header, has come.
PICTURES = (MARK + Kind.KEYFRAME.value, MARK + Kind.PICTURE.value)

#: What says no: an answer, or a status whose level is an error.
REFUSALS = (amf0.encode("_error", 1.0), amf0.encode("_error", 4.0), b"\x02\x00\x05error")

#: What we answer to a Set Peer Bandwidth, bytes.
_WINDOW = 2_500_000

#: How much a viewer would like to have in its buffer, ms.
_BUFFER = 1000

#: A C1 without a digest.
_C0C1 = b"\x03" + bytes(8) + bytes(number * 7 % 251 + 1 for number in range(1528))


class Words:
    """
    What one client says, one after the other: L{opening}, L{connect}, L{create}, L{start}.

    @ivar opening: C0 and C1.
    @ivar window: after how many bytes the server wants an acknowledgement; 0 for never, L{None} if nobody has looked.
    """

    opening = _C0C1
    window: int | None = None

    def __init__(self, url: str, app: str, name: str, chunkSize: int = 0) -> None:
        """
        @param url: of the application.
        @param chunkSize: a publisher's, bytes; 0 for a viewer.
        """
        self.isPublisher = chunkSize > 0
        self._url = url
        self._app = app
        self._name = name
        self._chunkSize = chunkSize
        self._writer = ChunkWriter()
        self._starts: dict[int, bytes] = {}

    @cached_property
    def connect(self) -> bytes:
        """The first command."""
        client = "FMLE/3.0 (compatible; rtmptw benchmarks)" if self.isPublisher else "LNX 9,0,124,2"
        properties: dict[str, AMFValue] = {
            "app": self._app,
            "type": "nonprivate",
            "flashVer": client,
            "tcUrl": self._url,
        }
        return self._writer.write(Command("connect", 1.0, properties).encode())

    @cached_property
    def create(self) -> bytes:
        """What follows the answer to L{connect}."""
        write = self._writer.write
        create = Command("createStream", 4.0).encode()
        if not self.isPublisher:
            return write(windowAcknowledgementSize(_WINDOW)) + write(create)
        release = Command("releaseStream", 2.0, None, (self._name,)).encode()
        prepare = Command("FCPublish", 3.0, None, (self._name,)).encode()
        return b"".join(map(write, (setChunkSize(self._chunkSize), release, prepare, create)))

    def start(self, streamId: int) -> bytes:
        """
        What follows the answer to L{create}.

        @param streamId: the message stream ID from that answer.
        """
        if streamId not in self._starts:
            if self.isPublisher:
                messages = [Command("publish", 5.0, None, (self._name, "live")).encode(streamId, 8)]
            else:
                messages = [
                    Command("play", 5.0, None, (self._name, -2000.0)).encode(streamId, 8),
                    UserControl(UserControlType.SET_BUFFER_LENGTH, streamId, _BUFFER).encode(),
                ]
            self._starts[streamId] = b"".join(map(self._writer.write, messages))
        return self._starts[streamId]
