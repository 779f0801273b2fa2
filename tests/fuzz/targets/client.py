"""
Our client: a server says anything, while the program that uses the client does all that it may.

The input: how the client is (1 byte), and a script (L{tests.fuzz.script}) in the words of L{LANGUAGE}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.client import RTMPClientFactory
from rtmptw.errors import RemoteProtocolError, RTMPError
from rtmptw.interfaces import ISubscriber
from rtmptw.session.clientconnection import ClientConnection
from rtmptw.session.clientstream import PlayedStream, PublishedStream
from rtmptw.url import RTMPURL
from rtmptw.wire import amf0
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import Message, MessageType
from tests.fuzz import captured, phrases
from tests.fuzz.connection import LOSSES, Connection, Log, passTime, watchedLog
from tests.fuzz.script import Field, Language, Step
from tests.fuzz.target import Scramble, Target

__all__ = ["LANGUAGE", "TARGET", "check"]

_URL = RTMPURL.parse("rtmp://server.test/live/test?key=x")

#: What a server answers to C0 and C1, and a good one it is.
_HANDSHAKE = b"\3" + bytes(HANDSHAKE_SIZE - 1)

#: How much time may pass in one script, seconds.
_LONGEST = 64.0

#: What a step of time may be, seconds.
_TIMES = (0.0, 0.05, 0.1, 1.0, 3.0, 5.0, 10.0, 16.0, 31.0)

_BYTE, _BLOB = Field.BYTE, Field.BLOB

#: What may happen.
LANGUAGE = Language(
    {
        "say": (_BYTE, _BYTE, _BYTE),  # one of C{phrases.SERVER}; transaction ID; another message stream, if not 0
        "message": (_BYTE, _BYTE, _BYTE, Field.LONG, _BLOB),  # type, message stream, chunk stream, timestamp, payload
        "bytes": (_BLOB,),
        "do": (_BYTE, _BYTE),  # what the program does; to which of its streams or questions
        "wait": (_BYTE,),
        "lose": (_BYTE,),
        "fill": (),
        "drain": (),
    },
    len(phrases.SERVER),
)


@implementer(ISubscriber)
class _Subscriber:
    """Takes what is played, or fails."""

    def __init__(self, client: _Client, fails: bool) -> None:
        self.client = client
        self.fails = fails
        self.ends = 0

    def messageReceived(self, message: Message) -> None:
        assert not self.ends, "a message behind the end"
        if self.fails:
            self.client.expectedFailures += 1
            raise ValueError("the subscriber fails")

    def streamEnded(self, reason: str) -> None:
        assert isinstance(reason, str)
        self.ends += 1


class _Client:
    """
    The client, and who uses it.

    @ivar expectedFailures: how often something has failed that is none of the client's business.
    """

    def __init__(self, how: int) -> None:
        self.clock = Clock()
        factory = self.factory = RTMPClientFactory(_URL, self.clock, publishing=bool(how & 1), verbose=bool(how & 2))
        self.connection = Connection(factory.buildProtocol(None))
        session = self.connection.protocol.session
        assert isinstance(session, ClientConnection)
        self.session = session
        self.writer = ChunkWriter()
        self.subscribers: list[_Subscriber] = []
        self.published: list[PublishedStream] = []
        self.played: list[PlayedStream] = []
        self.waiting: list[Deferred[Any]] = []
        self.fired = self.asked = self.expectedFailures = 0
        self.passed = 0.0
        self.watch(session.whenConnected())
        self.watch(session.whenClosed())
        if not how & 4:
            self.connection.receive(_HANDSHAKE)

    def watch(self, deferred: Deferred[Any]) -> None:
        """Whatever is asked for is answered once, by a result or one of our own errors."""
        self.asked += 1

        def answered(result: object) -> None:
            self.fired += 1
            if deferred in self.waiting:
                self.waiting.remove(deferred)
            if isinstance(result, Failure):
                assert isinstance(result.value, (RTMPError, CancelledError)), result.getTraceback()
                assert str(result.value) or isinstance(result.value, CancelledError)
            elif isinstance(result, PublishedStream):
                self.published.append(result)
                self.watch(result.whenEnded())
            elif isinstance(result, PlayedStream):
                self.played.append(result)
                self.watch(result.whenEnded())

        self.waiting.append(deferred)
        deferred.addBoth(answered)

    def run(self, steps: list[Step]) -> None:
        """Do it."""
        for step in steps:
            _STEPS[step.kind](self, step)
            # The rest of this turn, if a turn does not do it all.
            self.clock.advance(0)
            self.connection.settle()

    def say(self, step: Step) -> None:
        index, transactionId, id = step.numbers
        message = phrases.SERVER[index % len(phrases.SERVER)]
        if message.type == MessageType.COMMAND and message.payload[3:10] in (b"_result", b"_error\0"):
            name, _, *rest = amf0.decode(message.payload)
            message = Message(20, 0, 0, amf0.encode(name, float(transactionId % 16), *rest), 3)
        self.connection.receive(self.writer.write(phrases.readdressed(message, id & 3) if id else message))

    def message(self, step: Step) -> None:
        type, id, chunkStream, timestamp = step.numbers
        if type not in (MessageType.SET_CHUNK_SIZE, MessageType.ABORT):
            self.connection.receive(self.writer.write(Message(type, timestamp, id, step.blob, 2 + chunkStream)))

    def bytes_(self, step: Step) -> None:
        self.connection.receive(step.blob)

    def wait(self, step: Step) -> None:
        seconds = min(_TIMES[step.numbers[0] % len(_TIMES)], _LONGEST - self.passed)
        self.passed += seconds
        while seconds > 0:
            passTime(self.clock, min(seconds, 1))
            seconds -= 1
            self.connection.settle()

    def lose(self, step: Step) -> None:
        self.connection.lose(LOSSES[step.numbers[0] % len(LOSSES)])

    def fill(self, step: Step) -> None:
        self.connection.fill()

    def drain(self, step: Step) -> None:
        self.connection.drain()

    def do(self, step: Step) -> None:
        what, which = step.numbers
        try:
            _ACTIONS[what % len(_ACTIONS)](self, which)
        except RTMPError as error:
            assert str(error)

    # What a program does

    def publish(self, which: int) -> None:
        self.watch(self.session.publish("test?key=x", timeout=(30.0, None, 1.0)[which % 3]))

    def play(self, which: int) -> None:
        self.subscribers.append(_Subscriber(self, which % 5 == 4))
        self.watch(self.session.play("test", self.subscribers[-1], timeout=(30.0, None, 1.0)[which % 3]))

    def call(self, which: int) -> None:
        self.watch(self.session.call("anything", which, {"a": [None]}, timeout=(30.0, None, 1.0)[which % 3]))

    def callNoReply(self, which: int) -> None:
        self.session.callNoReply("anything", which)

    def send(self, which: int) -> None:
        for stream in self.published:
            stream.send(phrases.MEDIA[which % len(phrases.MEDIA)])

    def closeStream(self, which: int) -> None:
        streams = [*self.published, *self.played]
        if streams:
            self.watch(streams[which % len(streams)].close())

    def close(self, which: int) -> None:
        self.watch(self.session.close())

    def abort(self, which: int) -> None:
        self.session.abort()

    def cancel(self, which: int) -> None:
        if self.waiting:
            self.waiting[which % len(self.waiting)].cancel()

    def pause(self, which: int) -> None:
        if self.played:
            self.played[which % len(self.played)].pauseProducing()

    def resume(self, which: int) -> None:
        if self.played:
            self.played[which % len(self.played)].resumeProducing()

    def stop(self, which: int) -> None:
        if self.played:
            self.played[which % len(self.played)].stopProducing()

    def end(self, log: Log) -> None:
        """It is over; everybody knows."""
        self.connection.lose(LOSSES[0])
        for _ in range(100):
            if not self.clock.getDelayedCalls():
                break
            self.clock.advance(1)
        if len(log.failures) > self.expectedFailures:
            log.check()
        assert not self.clock.getDelayedCalls(), [str(call) for call in self.clock.getDelayedCalls()]
        assert not self.waiting and self.fired == self.asked, "somebody waits for ever"
        assert not list(self.factory._connections) and log.ends == 1
        assert all(subscriber.ends <= 1 for subscriber in self.subscribers)
        assert sum(subscriber.ends for subscriber in self.subscribers) >= len(self.played), "the end was not told"
        _checkSaid(self.connection.transport.value())


_STEPS: dict[str, Callable[[_Client, Step], None]] = {
    "say": _Client.say,
    "message": _Client.message,
    "bytes": _Client.bytes_,
    "do": _Client.do,
    "wait": _Client.wait,
    "lose": _Client.lose,
    "fill": _Client.fill,
    "drain": _Client.drain,
}

_ACTIONS: tuple[Callable[[_Client, int], None], ...] = (
    _Client.publish,
    _Client.play,
    _Client.call,
    _Client.callNoReply,
    _Client.send,
    _Client.closeStream,
    _Client.close,
    _Client.abort,
    _Client.cancel,
    _Client.pause,
    _Client.resume,
    _Client.stop,
)


def _checkSaid(said: bytes) -> None:
    """All that we have said can be read by a server."""
    assert said[:1] == b"\3"
    reader = ChunkReader(ReadLimits({}, 0xFFFFFF, 0xFFFFFFF), HANDSHAKE_SIZE)
    try:
        for message in reader.feed(said[HANDSHAKE_SIZE:]):
            if message.type == MessageType.COMMAND:
                name, _, *values = amf0.decode(message.payload)
                assert isinstance(name, str) and values
    except RemoteProtocolError as error:
        raise AssertionError("we have sent what nobody can read") from error


def check(data: bytes) -> None:
    """
    No exception comes out but our own errors, and none is in the log; whoever waits is answered once; and when the
    connection is gone, nothing is left.
    """
    how = data[0] if data else 0
    with watchedLog(bool(how & 2)) as log:
        client = _Client(how)
        client.run(LANGUAGE.read(data[1:]))
        client.end(log)


def mutate(data: bytes, most: int, random: Random, scramble: Scramble) -> bytes:
    """Step by step; at times another kind of client."""
    return LANGUAGE.mutateBehind(data, most, random, scramble)


def seeds() -> Iterator[bytes]:
    """What real servers have said to publishers and players; each phrase; and each action at each time."""

    def script(how: int, *steps: Step) -> bytes:
        return bytes((how,)) + LANGUAGE.write(steps)

    def say(index: int, transactionId: int = 0, id: int = 0) -> Step:
        return Step("say", 0, (index, transactionId, id))

    def do(what: int, which: int = 0) -> Step:
        return Step("do", 0, (what, which))

    # What C{phrases.SERVER} begins with: the answers to connect and createStream, then Publish.Start and Play.Start.
    # A publish has transaction IDs up to 5, a play up to 3.
    publish = [say(0, 1), do(0), say(1, 4), say(8)]
    play = [say(0, 1), do(1), say(1, 2), say(9)]
    for number, name in enumerate(captured.SERVERS):
        said = [
            Step("message", 0, (m.type, m.streamId, m.chunkStreamId - 2, m.timestamp), m.payload[:200])
            for m in captured.messages(name)[:30]
            if m.type > 2
        ]
        middle = next((i for i, step in enumerate(said) if step.numbers[0] == 20), 0) + 1
        yield script(number & 3, *said[:middle], do(number & 1), *said[middle:])
        yield script(number & 3, Step("bytes", 0, (), captured.chunks(name)[:600]), do(number & 1))
    for how in range(8):
        for what in range(len(_ACTIONS)):
            yield script(how, do(what), *publish, do(4, 3), do(what), say(12))
            yield script(how, *play, say(23), say(25), do(what, 4), say(26), say(12), do(what))
        yield script(how, *publish, Step("fill"), do(4, 11), do(6), Step("wait", 0, (7,)), Step("drain"))
    for index in range(len(phrases.SERVER)):
        yield script(0, *publish, say(index, 5), do(4, index), do(6), say(index, 5))
        yield script(1, *play[:3], say(index, 3), *play[3:], say(index), Step("wait", 0, (3,)), do(5))


TARGET = Target(check, seeds, 1000, mutate)
