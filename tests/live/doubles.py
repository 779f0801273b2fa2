"""
What stands for the world outside of a stream: outlets, publishers, subscribers, and the messages between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.testing import EventLoggingObserver, MemoryReactorClock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rtmptw.interfaces import IOutlet, IStreamObserver, IStreamSource, ISubscriber
from rtmptw.live.hub import StreamHub
from rtmptw.live.livestream import LiveStream, Publication
from rtmptw.live.rounds import FlushTimes
from rtmptw.live.viewer import Viewer
from rtmptw.session.connect import OUR_CHUNK_SIZE
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue, ECMAArray
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.message import Message, MessageType

PATH = "live/camera"

#: What two sequences of messages must have in common.
Content = list[tuple[int, int, bytes]]


def video(payload: str, timestamp: int = 0, body: bytes = b"") -> Message:
    """A video message that begins with these bytes (hex)."""
    return Message(MessageType.VIDEO, timestamp, 1, bytes.fromhex(payload) + body, 6)


def audio(payload: str, timestamp: int = 0, body: bytes = b"") -> Message:
    """An audio message that begins with these bytes (hex)."""
    return Message(MessageType.AUDIO, timestamp, 1, bytes.fromhex(payload) + body, 4)


def pictureHeader(timestamp: int = 0, body: bytes = b"avcC") -> Message:
    """An AVC sequence header."""
    return video("1700000000", timestamp, body)


def soundHeader(timestamp: int = 0, body: bytes = b"\x12\x10") -> Message:
    """An AAC sequence header."""
    return audio("af00", timestamp, body)


def key(timestamp: int = 0, body: bytes = b"keyframe") -> Message:
    """An AVC keyframe."""
    return video("1701000000", timestamp, body)


def inter(timestamp: int = 0, body: bytes = b"interframe") -> Message:
    """An AVC frame that needs others."""
    return video("2701000000", timestamp, body)


def sound(timestamp: int = 0, body: bytes = b"sound") -> Message:
    """An AAC frame."""
    return audio("af01", timestamp, body)


def metadata(timestamp: int = 0, **values: AMFValue) -> Message:
    """onMetaData, as a publication is given it."""
    return Message(MessageType.DATA, timestamp, 1, amf0.encode("onMetaData", ECMAArray(values)), 5)


def content(messages: Iterable[Message]) -> Content:
    """What two sequences must have in common."""
    return [(int(message.type), message.timestamp, message.payload) for message in messages]


def atOnce(clock: IReactorTime, grace: float = 0.0) -> StreamHub:
    """
    A hub that sends everything at once: how much processor time a test takes shall change nothing. Its streams end with
    their publishers, but for tests that are about that.
    """
    return StreamHub(clock, FlushTimes(0, 0), grace=grace)


@implementer(IOutlet)
class MemoryOutlet:
    """
    An outlet that keeps what is written.

    @ivar blocks: each write.
    @ivar room: how many writes it takes before it is full; L{None} for any number.
    @ivar part: how many bytes of what is offered it takes before it is full; L{None} for any number.
    @ivar views: what was written that is a view of something else, as it came.
    """

    block = 128 * 1024

    def __init__(self, room: int | None = None, part: int | None = None) -> None:
        self.peer = "192.0.2.1:4000"
        self.blocks: list[bytes] = []
        self.views: list[memoryview] = []
        self.room = room
        self.part = part
        self._drained: dict[Callable[[], None], None] = {}

    @property
    def ready(self) -> bool:
        """Whether there is room."""
        return self.room is None or self.room > 0

    @property
    def attached(self) -> int:
        """How many want to know when it is ready again."""
        return len(self._drained)

    def offer(self, data: bytes) -> int:
        """Keep it, or as much of it as there is room for."""
        if self.part is not None:
            part, self.part = self.part, max(0, self.part - len(data))
            if part < len(data):
                self.room, self.part = 0, None
                self.blocks.append(data[:part])
                return part
        self.write(data)
        return len(data)

    def write(self, data: bytes | memoryview) -> None:
        """Keep it."""
        if self.room is not None:
            self.room = max(0, self.room - 1)
        if isinstance(data, memoryview):
            self.views.append(data)
        self.blocks.append(bytes(data))

    def attach(self, drained: Callable[[], None]) -> None:
        """See L{IOutlet.attach}."""
        self._drained[drained] = None

    def detach(self, drained: Callable[[], None]) -> None:
        """See L{IOutlet.detach}."""
        self._drained.pop(drained, None)

    def drain(self, room: int | None = None) -> None:
        """Be ready again."""
        self.room = room
        for drained in tuple(self._drained):
            drained()

    def take(self) -> list[Message]:
        """The messages that were written since the last time."""
        reader = ChunkReader()
        reader.chunkSize = OUR_CHUNK_SIZE
        blocks, self.blocks = self.blocks, []
        messages = [message for block in blocks for message in reader.feed(block)]
        if reader.held or reader.droppedParts:
            raise AssertionError("half a message was written")
        return messages


@implementer(IPushProducer)
class MemoryPublisher:
    """
    A publisher that can be held.

    @ivar calls: what it was told, in order.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []

    @property
    def paused(self) -> bool:
        """Whether it is held."""
        return self.calls[-1:] == ["pause"]

    def pauseProducing(self) -> None:
        """Hold."""
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        """Go on."""
        self.calls.append("resume")

    def stopProducing(self) -> None:
        """Stop."""
        self.calls.append("stop")


@implementer(ISubscriber)
class MemorySubscriber:
    """
    A subscriber that keeps what it is given.

    @ivar messages: what it was given.
    @ivar reasons: why streams have ended.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.reasons: list[str] = []

    def messageReceived(self, message: Message) -> None:
        """Keep it."""
        self.messages.append(message)

    def streamEnded(self, reason: str) -> None:
        """Keep it."""
        self.reasons.append(reason)


@implementer(IStreamObserver)
class MemoryObserver:
    """
    An observer that keeps what it is told.

    @ivar streams: the streams whose publish it was told of.
    """

    def __init__(self) -> None:
        self.streams: list[LiveStream] = []

    def publishStarted(self, stream: LiveStream) -> None:
        """Keep it."""
        self.streams.append(stream)


@implementer(IStreamSource)
class MemorySource:
    """
    A source that keeps what it is told, and brings nothing.

    @ivar told: path and hops of a stream that is wanted; the path alone of one that is not any more.
    """

    def __init__(self) -> None:
        self.told: list[object] = []

    def streamWanted(self, path: str, hops: tuple[str, ...]) -> None:
        """Keep it."""
        self.told.append((path, hops))

    def streamUnwanted(self, path: str) -> None:
        """Keep it."""
        self.told.append(path)


class LiveTestCase(SynchronousTestCase):
    """A hub in memory, and its log."""

    def setUp(self) -> None:
        """Nobody is there yet."""
        self.clock = MemoryReactorClock()
        self.hub = atOnce(self.clock)
        self.publisher = MemoryPublisher()
        self.events = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.ended: list[str] = []

    def publish(self, path: str = PATH) -> Publication:
        """Begin to publish."""
        return self.hub.publish(path, self.publisher)

    def send(self, publication: Publication, *messages: Message) -> None:
        """One read of the publisher's."""
        for message in messages:
            publication.append(message)
        publication.flush()

    def play(self, outlet: MemoryOutlet, streamId: int = 1, name: str = "ended") -> Viewer:
        """Begin to watch."""
        return self.hub.play(PATH, outlet, streamId, lambda: self.ended.append(name))

    def assertContent(self, found: Iterable[Message], *expected: Message) -> None:
        """Assert that these are the same messages: type, timestamp, payload."""
        self.assertEqual(content(found), content(expected))

    def logged(self, words: str) -> list[str]:
        """The lines of the log that have these words."""
        lines = [event["log_format"].format(**event) for event in self.events if event.get("log_format")]
        return [line for line in lines if words in line]
