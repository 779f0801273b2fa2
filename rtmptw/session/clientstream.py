# -*- test-case-name: tests.session.test_clientstream -*-
"""
NetStream, the client's side: what we publish to a server, or play from it (RTMP 1.0, section 7.2.2; wire facts 3).

::

    STARTING --Publish.Start, Play.Start, _result, media--> ACTIVE --> ENDED
        |                                                              ^
        +--------------------------------------------------------------+
             status of level "error", _error, end of the connection

Servers differ in what they say, when, and on which message stream, so little is asked of them (wire facts 10.63 and
10.66): what a status means stands in L{PublishedStream.STATUSES} and L{PlayedStream.STATUSES}, and a code that is not
there means nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.errors import ConnectionClosed, LocalProtocolError, RemoteProtocolError
from rtmptw.interfaces import ILink, IOutlet, ISubscriber, ISubscription
from rtmptw.session import status
from rtmptw.session.outcome import Outcome
from rtmptw.session.streampath import partQuery
from rtmptw.wire.command import Command
from rtmptw.wire.data import DataMessage, toPublish
from rtmptw.wire.message import MEDIA_CHUNK_STREAMS, Message, MessageType

if TYPE_CHECKING:
    from rtmptw.session.clientconnection import ClientConnection

__all__ = ["ClientStream", "PlayedStream", "PublishedStream", "State"]

#: Data messages that a server says to its player; they are not the publisher's (wire facts 3.4).
_SERVERS_OWN = ("|RtmpSampleAccess", "onStatus")


class State(Enum):
    """How far a stream has come."""

    STARTING = "starting"
    ACTIVE = "active"
    ENDED = "ended"


class ClientStream:
    """
    One message stream of ours.

    @ivar id: its message stream ID, as the server gave it.
    @ivar name: the name that we have asked for, with its query.
    @ivar connection: what it is a stream of.
    @ivar transactionId: of the command that has asked for it.
    @ivar state: how far it has come.
    @ivar isAnnounced: whether the server has said that the stream is over: it is not that just the connection is lost.
    """

    #: The command that starts it.
    COMMAND: ClassVar[str]

    #: What a status means, by its code.
    STATUSES: ClassVar[dict[str, State]]

    _log = Logger()

    def __init__(self, id: int, name: str, connection: ClientConnection, link: ILink) -> None:
        self.id = id
        self.name = name
        self.transactionId = 0.0
        self.state = State.STARTING
        self.isAnnounced = False
        self.connection = connection
        self._link = link
        self._reason = ""
        self._ended: Outcome[str] = Outcome()

    @property
    def path(self) -> str:
        """The name without its query, which may be a secret: for the log."""
        return partQuery(self.name)[0]

    def whenEnded(self) -> Deferred[str]:
        """
        @return: fires with the reason when the stream is over, for whatever reason.
        """
        return self._ended.when()

    def close(self) -> Deferred[None]:
        """
        End the stream. If it is the connection's only one, the connection is closed as well.

        @return: fires when that is done; see L{ClientConnection.close}.
        """
        return self.connection.closeStream(self)

    def start(self) -> None:
        """The server has said yes. Harmless when repeated."""
        if self.state is State.STARTING:
            self.state = State.ACTIVE

    def end(self, reason: str) -> None:
        """
        The stream is over. Harmless when repeated.

        @param reason: for whoever waits for it.
        """
        if self.state is State.ENDED:
            return
        self.state, self._reason = State.ENDED, reason
        self._stop(reason)
        self._ended.decide(reason)

    def farewell(self) -> tuple[Message, ...]:
        """What the server is told at the end."""
        announce = self.connection.calls.announce
        return (Command("deleteStream", announce(), None, (float(self.id),)).encode(),)

    def mediaReceived(self, message: Message) -> None:
        """Audio or video from the server."""

    def dataReceived(self, message: Message) -> None:
        """Metadata and the like from the server."""

    def _stop(self, reason: str) -> None:
        """What ends with it."""


@implementer(IConsumer)
class PublishedStream(ClientStream):
    """
    A stream that we publish.

    Whoever sends much looks at C{outlet.ready}, or registers as its producer, push or pull, and is paused and resumed
    or asked. What is sent regardless is kept; a server that takes nothing for 15 s is left.

    @ivar outlet: the way out.
    """

    COMMAND = "publish"
    STATUSES = {status.PUBLISH_START: State.ACTIVE}

    outlet: IOutlet

    def __init__(self, id: int, name: str, connection: ClientConnection, link: ILink) -> None:
        super().__init__(id, name, connection, link)
        self.outlet = link.outlet
        self._producer: IPushProducer | None = None
        self._streaming = self._paused = False

    def send(self, message: Message) -> None:
        """
        Publish a message: audio, video or data (C{onMetaData} with or without C{@setDataFrame}).

        @param message: its stream ID and its chunk stream ID do not count.
        @raise LocalProtocolError: if it is neither of these, or a field does not fit the wire.
        @raise ConnectionClosed: if the stream has ended.
        """
        if self.state is State.ENDED:
            raise ConnectionClosed(f"sending to {self.path}", self._reason)
        type, payload = message.type, message.payload
        chunkStream = MEDIA_CHUNK_STREAMS.get(type)
        if chunkStream is None:
            raise LocalProtocolError(f"a stream has audio, video and data, and no message type {type}")
        if type == MessageType.DATA:
            payload = toPublish(payload)
        self._link.write(Message(type, message.timestamp, self.id, payload, chunkStream))
        if not self.outlet.ready and self._streaming and not self._paused and self._producer is not None:
            self._paused = True
            self._producer.pauseProducing()

    def farewell(self) -> tuple[Message, ...]:
        """FCUnpublish and deleteStream, as every encoder sends them (wire facts 9)."""
        unpublish = Command("FCUnpublish", self.connection.calls.announce(), None, (self.name,))
        return (unpublish.encode(), *super().farewell())

    def _stop(self, reason: str) -> None:
        producer = self._producer
        if producer is not None:
            self.unregisterProducer()
            try:
                producer.stopProducing()
            except Exception:
                self._log.failure("{name}: the producer has failed", name=self.path)

    # IConsumer

    def write(self, data: Message) -> None:  # type: ignore[override]
        """See L{send}: what this consumer takes is messages, and not bytes."""
        self.send(data)

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """
        Have somebody produce messages, by L{send} or L{write}. At the end of the stream it is told to stop.

        @param streaming: whether it is a push producer; a pull producer is asked for one message at a time.
        @raise LocalProtocolError: if there is one.
        """
        if self._producer is not None:
            raise LocalProtocolError(f"{self.path} has a producer already")
        if self.state is State.ENDED:
            producer.stopProducing()
            return
        # Both kinds are resumed; only a push producer is paused.
        self._producer = cast(IPushProducer, producer)
        self._streaming, self._paused = streaming, False
        self.outlet.attach(self._drained)
        if not streaming:
            self._pull()
        elif not self.outlet.ready:
            self._paused = True
            self._producer.pauseProducing()

    def unregisterProducer(self) -> None:
        """See L{IConsumer}. Harmless when repeated."""
        self._producer = None
        self.outlet.detach(self._drained)

    def _drained(self) -> None:
        if self._streaming and self._paused and self._producer is not None:
            self._paused = False
            self._producer.resumeProducing()
        elif not self._streaming:
            self._pull()

    def _pull(self) -> None:
        """Ask a pull producer for the next message, and for another one in the next turn of the reactor."""
        producer = self._producer
        if producer is not None and not self._streaming and self.outlet.ready:
            producer.resumeProducing()
            if self._producer is producer:
                self.connection.clock.callLater(0, self._pull)


@implementer(ISubscription, IPushProducer)
class PlayedStream(ClientStream):
    """
    A stream that we play. Its subscriber is given every message, then C{streamEnded}.

    @ivar unreadable: how many data messages could not be read and were passed over.
    """

    COMMAND = "play"
    STATUSES = {
        status.PLAY_START: State.ACTIVE,
        "NetStream.Play.PublishNotify": State.ACTIVE,
        status.UNPUBLISH_NOTIFY: State.ENDED,
        "NetStream.Play.Stop": State.ENDED,
        "NetStream.Play.Complete": State.ENDED,
    }

    def __init__(self, id: int, name: str, connection: ClientConnection, link: ILink, subscriber: ISubscriber) -> None:
        super().__init__(id, name, connection, link)
        self.unreadable = 0
        self._subscriber = subscriber

    def mediaReceived(self, message: Message) -> None:
        """Audio or video. Some servers send it before they say so (wire facts 10.66)."""
        self.connection.started(self)
        if self.state is not State.ENDED:
            try:
                self._subscriber.messageReceived(message)
            except Exception:
                self._log.failure("{name}: the subscriber has failed; no more is played", name=self.path)
                self.stopProducing()

    def dataReceived(self, message: Message) -> None:
        """Metadata and the like; one that can't be read is passed over (wire facts 10.70)."""
        try:
            data = DataMessage.decode(message, self._link.limits.ofData)
        except RemoteProtocolError as error:
            self._link.reached.excess(error)
            self.unreadable += 1
            if self.unreadable == 1:
                self._log.info("{name}: a data message is passed over: {error}", name=self.path, error=error)
            return
        if not data.clears and data.name not in _SERVERS_OWN:
            self.mediaReceived(
                Message(MessageType.DATA, message.timestamp, message.streamId, data.payload, message.chunkStreamId)
            )

    def _stop(self, reason: str) -> None:
        self.resumeProducing()
        try:
            self._subscriber.streamEnded(reason)
        except Exception:
            self._log.failure("{name}: the subscriber has failed", name=self.path)

    # ISubscription

    def pauseProducing(self) -> None:
        """Do not read the connection until L{resumeProducing}; nothing on it is read, also of other streams."""
        if self.state is not State.ENDED:
            self._link.hold(self)

    def resumeProducing(self) -> None:
        """Read it again. Harmless when repeated."""
        self._link.release(self)

    def stopProducing(self) -> None:
        """End the stream; C{streamEnded} is called. See L{close} to know when that is done."""
        self.close().addErrback(lambda failure: None)
