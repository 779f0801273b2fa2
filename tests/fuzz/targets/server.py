"""
A whole server: connections come, say anything, take or take not, and go, while time passes.

The input: how the server is (1 byte), and a script (L{tests.fuzz.script}) in the words of L{LANGUAGE}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from rtmptw.errors import RemoteProtocolError, StatusError
from rtmptw.interfaces import IApplication, IStreamObserver, ISubscriber
from rtmptw.limits import Limits
from rtmptw.live.busy import Busy
from rtmptw.live.hub import StreamHub
from rtmptw.live.livestream import LiveStream
from rtmptw.live.rounds import FlushTimes
from rtmptw.live.subscription import Subscription
from rtmptw.requests import ConnectRequest, StreamRequest
from rtmptw.server import RTMPServerFactory
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
from tests.session.dialects import HANDSHAKE

__all__ = ["LANGUAGE", "TARGET", "check"]

#: How many connections there are at most, at a time.
_MOST = 4

#: How much time may pass in one script, seconds.
_LONGEST = 64.0

#: What a step of time may be, seconds.
_TIMES = (0.0, 0.0625, 0.125, 0.25, 1.0, 2.0, 3.0, 5.0, 10.0, 16.0, 21.0, 31.0)

_BLOB = Field.BLOB
_BYTE = Field.BYTE

#: What may happen.
LANGUAGE = Language(
    {
        "open": (),  # somebody comes, and shakes hands
        "knock": (),  # somebody comes
        "say": (_BYTE, _BYTE),  # one of C{phrases.CLIENT}; on another message stream, if that is not 0
        "part": (_BYTE, _BYTE),  # only so many bytes of it now, the rest in front of what comes next
        "message": (_BYTE, _BYTE, _BYTE, Field.LONG, _BLOB),  # type, message stream, chunk stream, timestamp, payload
        "bytes": (_BLOB,),
        "wait": (_BYTE,),
        "lose": (_BYTE,),
        "fill": (),
        "drain": (),
        "decide": (_BYTE,),  # the application says yes or no to the oldest question
        "hold": (),  # a subscriber can't keep up
        "release": (),
    },
    max(len(phrases.CLIENT), 64),
)

#: How much memory this machine has shall change nothing.
_MEMORY = 1 << 50

_USUAL = Limits(memoryBytes=_MEMORY)

#: So small that a short script reaches them.
_TIGHT = Limits(
    memoryBytes=_MEMORY,
    strangerMessageBytes=2000,
    strangerPartialBytes=4000,
    heldBytes=1024,
    commandBytes=2000,
    dataBytes=2000,
    videoBytes=50_000,
    partialMessages=3,
    chunkStreams=8,
    smallChunks=100,
    emptyMessages=3,
    commands=9,
    pings=2,
    streams=2,
    createdStreams=4,
    requestsAtOnce=4,
    unreadBytes=1024,
    behindBytes=60_000,
    behindSeconds=2,
    restSeconds=20,
    allTapeBytes=100_000,
)


@implementer(IApplication)
class _Application:
    """
    Says yes, no, or nothing yet.

    @ivar questions: those that wait for a decision.
    """

    def __init__(self) -> None:
        self.questions: list[Deferred[None]] = []

    def connectRequested(self, request: ConnectRequest) -> object:
        return self._answer(request.app)

    def publishRequested(self, request: StreamRequest) -> object:
        return self._answer(request.path.rpartition("/")[2])

    def playRequested(self, request: StreamRequest) -> object:
        return self._answer(request.path.rpartition("/")[2])

    def decide(self, choice: int) -> None:
        """Answer the oldest question."""
        if self.questions:
            question = self.questions.pop(0)
            if choice % 3 == 0:
                question.errback(StatusError("no"))
            else:
                question.callback(None)

    def _answer(self, name: str) -> object:
        if name.startswith("wait"):
            question: Deferred[None] = Deferred(self.questions.remove)
            self.questions.append(question)
            return question
        if name.startswith("no"):
            raise StatusError("no")
        return None


@implementer(ISubscriber)
class _Subscriber:
    """Everything of one stream; only how it ends matters."""

    def __init__(self) -> None:
        self.count = self.ends = 0

    def messageReceived(self, message: Message) -> None:
        assert not self.ends, "a message behind the end"
        assert message.type in (8, 9, 18) and 0 <= message.timestamp <= 0xFFFFFFFF
        self.count += 1

    def streamEnded(self, reason: str) -> None:
        self.ends += 1


class _Client:
    """Somebody at the other end."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.writer = ChunkWriter()
        self.rest = b""
        self.now = 0

    def say(self, message: Message, most: int | None = None) -> None:
        """Say it, or only so many bytes of it for now."""
        if message.type in (MessageType.AUDIO, MessageType.VIDEO, MessageType.AGGREGATE) and not message.timestamp:
            self.now += 40
            message = Message(message.type, self.now, message.streamId, message.payload, message.chunkStreamId)
        data = self.rest + self.writer.write(message)
        stop = len(data) if most is None else min(most, len(data))
        self.rest = data[stop:]
        self.connection.receive(data[:stop])


@implementer(IStreamObserver)
class _Server:
    """The server, and what happens to it."""

    def __init__(self, how: int) -> None:
        self.clock = Clock()
        self.application = _Application()
        self.limits = _TIGHT if how & 1 else _USUAL
        flush = FlushTimes(0.03, 0.03) if how & 2 else FlushTimes(0, 0)
        busy = (Busy.REPLACE_SILENT, Busy.REFUSE, Busy.REPLACE)[(how >> 2) % 3]
        self.grace = 10.0 if how & 16 else 0.0
        hub = self.hub = StreamHub(self.clock, flush, busy=busy, grace=self.grace, limits=self.limits)
        self.factory = RTMPServerFactory(self.application, hub, self.clock, bool(how & 32), limits=self.limits)
        hub.observers.append(self)
        self.isSubscribed = bool(how & 64)
        self.subscribers: list[_Subscriber] = []
        self.subscriptions: list[Subscription] = []
        self.clients: list[_Client] = []
        self.passed = 0.0

    def publishStarted(self, stream: LiveStream) -> None:
        if self.isSubscribed:
            self.subscribers.append(_Subscriber())
            self.subscriptions.append(stream.subscribe(self.subscribers[-1]))

    def run(self, steps: list[Step]) -> None:
        """Do it."""
        for step in steps:
            _STEPS[step.kind](self, step)
            # The rest of this turn, if a turn does not do it all.
            self.clock.advance(0)
            for client in tuple(self.clients):
                client.connection.settle()
            self.checkHeld()

    def client(self, step: Step) -> _Client:
        """Whom a step means."""
        if not self.clients:
            self.come(Step("open"))
        return self.clients[step.who % len(self.clients)]

    def come(self, step: Step) -> None:
        if len([client for client in self.clients if not client.connection.isOver]) >= _MOST:
            return
        protocol = self.factory.buildProtocol(None)
        assert protocol is not None, "nobody is refused whose address is not known"
        client = _Client(Connection(protocol))
        self.clients.append(client)
        if step.kind == "open":
            client.connection.receive(HANDSHAKE)

    def say(self, step: Step) -> None:
        index, id = step.numbers[:2]
        message = phrases.CLIENT[index % len(phrases.CLIENT)]
        self.client(step).say(phrases.readdressed(message, id & 3) if id else message)

    def part(self, step: Step) -> None:
        index, most = step.numbers
        self.client(step).say(phrases.CLIENT[index % len(phrases.CLIENT)], most)

    def message(self, step: Step) -> None:
        type, id, chunkStream, timestamp = step.numbers
        if type not in (MessageType.SET_CHUNK_SIZE, MessageType.ABORT):
            self.client(step).say(Message(type, timestamp, id, step.blob, 2 + chunkStream))

    def bytes_(self, step: Step) -> None:
        client = self.client(step)
        client.connection.receive(client.rest + step.blob)
        client.rest = b""

    def wait(self, step: Step) -> None:
        seconds = min(_TIMES[step.numbers[0] % len(_TIMES)], _LONGEST - self.passed)
        self.passed += seconds
        while seconds > 0:
            passTime(self.clock, min(seconds, 1))
            seconds -= 1
            for client in self.clients:
                client.connection.settle()

    def lose(self, step: Step) -> None:
        self.client(step).connection.lose(LOSSES[step.numbers[0] % len(LOSSES)])

    def fill(self, step: Step) -> None:
        self.client(step).connection.fill()

    def drain(self, step: Step) -> None:
        self.client(step).connection.drain()

    def decide(self, step: Step) -> None:
        self.application.decide(step.numbers[0])

    def hold(self, step: Step) -> None:
        for subscription in self.subscriptions:
            subscription.pauseProducing()

    def release(self, step: Step) -> None:
        for subscription in self.subscriptions:
            subscription.resumeProducing()

    def checkHeld(self) -> None:
        """What is kept of whom is within the limits: them, and one read."""
        for client in self.clients:
            protocol = client.connection.protocol
            reader = protocol._reader
            assert reader._partialBytes <= max(reader.limits.partialBytes, self.limits.strangerPartialBytes)
            assert protocol.outlet.excess <= self.limits.unreadBytes + HANDSHAKE_SIZE
            if protocol.session.waiting and client.connection.transport.producerState == "producing":
                assert reader.held <= self.limits.heldBytes, "held without an end"

    def end(self, log: Log) -> None:
        """Everybody goes; nothing is left of them."""
        for client in self.clients:
            client.connection.lose(LOSSES[0])
        for _ in range(100):
            if not self.clock.getDelayedCalls():
                break
            self.clock.advance(1)
        log.check()
        assert not self.clock.getDelayedCalls(), [str(call) for call in self.clock.getDelayedCalls()]
        assert not list(self.hub), "a stream is left"
        assert not self.application.questions, "a question was not given up"
        assert not list(self.factory._connections)
        assert log.ends == len(self.clients), "a connection has not ended once"
        assert all(subscriber.ends == 1 for subscriber in self.subscribers), "a subscriber was not told the end once"
        for client in self.clients:
            _checkSaid(client.connection.transport.value())


_STEPS: dict[str, Callable[[_Server, Step], None]] = {
    "open": _Server.come,
    "knock": _Server.come,
    "say": _Server.say,
    "part": _Server.part,
    "message": _Server.message,
    "bytes": _Server.bytes_,
    "wait": _Server.wait,
    "lose": _Server.lose,
    "fill": _Server.fill,
    "drain": _Server.drain,
    "decide": _Server.decide,
    "hold": _Server.hold,
    "release": _Server.release,
}


def _checkSaid(said: bytes) -> None:
    """All that a server has said can be read by a client."""
    assert len(said) in (0, HANDSHAKE_SIZE) or said[HANDSHAKE_SIZE:]
    reader = ChunkReader(ReadLimits({}, 0xFFFFFF, 0xFFFFFFF), HANDSHAKE_SIZE)
    try:
        for message in reader.feed(said[HANDSHAKE_SIZE:]):
            if message.type == MessageType.COMMAND:
                name, _, *values = amf0.decode(message.payload)
                assert isinstance(name, str) and values
    except RemoteProtocolError as error:
        raise AssertionError("we have sent what nobody can read") from error
    assert not reader.droppedParts


def check(data: bytes) -> None:
    """
    No exception comes out, none is in the log; what is kept is bounded; and when all are gone, nothing is left: no
    stream, no timer, no subscriber that does not know.
    """
    how = data[0] if data else 0
    with watchedLog(bool(how & 32)) as log:
        server = _Server(how)
        server.run(LANGUAGE.read(data[1:]))
        server.end(log)


def mutate(data: bytes, most: int, random: Random, scramble: Scramble) -> bytes:
    """Step by step; at times another kind of server."""
    return LANGUAGE.mutateBehind(data, most, random, scramble)


def seeds() -> Iterator[bytes]:
    """What real clients have said, alone and beside a player; each phrase; and how publishers come and go."""

    def script(how: int, *steps: Step) -> bytes:
        return bytes((how,)) + LANGUAGE.write(steps)

    def say(who: int, *indexes: int) -> list[Step]:
        return [Step("say", who, (index, 0)) for index in indexes]

    media = len(phrases.CLIENT) - len(phrases.MEDIA) - 16
    for number, name in enumerate(captured.CLIENTS):
        said = captured.messages(name)[:40]
        steps = [
            Step("message", 0, (m.type, m.streamId, m.chunkStreamId - 2, m.timestamp), m.payload[:60])
            for m in said
            if m.type > 2
        ]
        yield script(number, Step("open"), *steps)
        yield script(64 | number, Step("open"), Step("bytes", 0, (), captured.chunks(name)[:1500]))
    publisher = [Step("open"), *say(0, 0, 1, 2, media, media + 2, media + 3, media + 15)]
    player = [Step("open"), *say(1, 0, 1, 3)]
    frames = say(0, media + 4, media + 1, media + 3)
    for how in (0, 1, 2, 16, 20, 24, 64, 80, 113):
        yield script(how, *publisher, *player, *frames, *say(1, 21), *frames, *say(1, 22))
        yield script(how, *player[:1], *say(0, 0, 1, 3), Step("open"), *say(1, 0, 1, 2, media, media + 3))
        yield script(
            how, *publisher, *player, *frames, Step("fill", 1), *frames, Step("wait", 0, (5,)), Step("drain", 1)
        )
        again = [Step("open"), *say(2, 0, 1, 2, media + 2, media + 3)]
        yield script(how, *publisher, *player, *frames, Step("lose", 0, (1,)), Step("wait", 0, (4,)), *again)
        yield script(how, *publisher, *player, *frames, Step("wait", 0, (5,)), *again, *frames)
        yield script(how, Step("open"), *say(0, 0, 1, 4, media, media + 1), Step("lose"), Step("decide", 0, (1,)))
        yield script(how, *publisher, *player, *frames, *say(0, 18, 15), Step("wait", 0, (4,)))
    for index in range(len(phrases.CLIENT)):
        yield script(index, Step("knock"), Step("bytes", 0, (), HANDSHAKE[:1]), *publisher, *say(1, index))
        yield script(16, *publisher, *player, *say(index & 1, index), Step("part", 0, (index, 7)), *frames)


TARGET = Target(check, seeds, 1500, mutate)
