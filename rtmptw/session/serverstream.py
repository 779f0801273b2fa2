# -*- test-case-name: tests.session.test_serverstream -*-
"""
NetStream, the server's side: one message stream of a connection (RTMP 1.0, section 7.2.2; wire facts 3.5 and 6).

::

                  publish                    play
    PUBLISHING <------------- IDLE -------------------> PLAYING
        |                     ^  ^                         |
        +---------------------+  +-------------------------+
         publish(false), closeStream,   closeStream, deleteStream,
         deleteStream, FCUnpublish      end of the publisher

What a command does in a state stands in L{ServerStream.TRANSITIONS}. A command that is not there does nothing, or is
refused with a status if it is one that a client waits for.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.errors import RemoteProtocolError, StatusError
from rtmptw.interfaces import ILink, IPublication, IPublisher, IStreamHub, IViewing
from rtmptw.requests import PlayRequest, PublishRequest
from rtmptw.session import status
from rtmptw.session.streampath import MAX_QUERY, checkText, joinQueries, partQuery, streamPath
from rtmptw.wire import amf0
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.data import DataMessage
from rtmptw.wire.message import Message, MessageType

if TYPE_CHECKING:
    from rtmptw.session.serverconnection import ServerConnection

__all__ = ["ServerStream", "State"]


class State(Enum):
    """What a message stream is doing."""

    IDLE = "idle"
    PUBLISHING = "publishing"
    PLAYING = "playing"


@implementer(IPublisher)
class ServerStream:
    """
    One message stream. For the stream that it publishes it is the producer: its peer is read, or is not.

    @ivar id: its message stream ID.
    @ivar state: what it is doing.
    @ivar path: the identity of the stream that it publishes or plays, or has done last.
    @ivar unreadable: how many data messages could not be read and were passed over.
    @ivar publication: the hold on a name, while it publishes.
    """

    _log = Logger()

    TRANSITIONS: ClassVar[dict[tuple[State, str], str]] = {
        (State.IDLE, "publish"): "_publish",
        (State.IDLE, "play"): "_play",
        (State.PUBLISHING, "publish"): "_publishAgain",
        (State.PUBLISHING, "play"): "_playWhilePublishing",
        (State.PUBLISHING, "closeStream"): "_unpublish",
        (State.PLAYING, "play"): "_playNext",
        (State.PLAYING, "publish"): "_publishWhilePlaying",
        (State.PLAYING, "pause"): "_pause",
        (State.PLAYING, "pauseRaw"): "_pause",
        (State.PLAYING, "seek"): "_seek",
        (State.PLAYING, "receiveAudio"): "_receiveAudio",
        (State.PLAYING, "receiveVideo"): "_receiveVideo",
        (State.PLAYING, "closeStream"): "_stopPlaying",
    }

    def __init__(self, id: int, connection: ServerConnection, link: ILink, hub: IStreamHub) -> None:
        self.id = id
        self.state = State.IDLE
        self.path = ""
        self.unreadable = 0
        self.publication: IPublication | None = None
        self._viewing: IViewing | None = None
        self._connection = connection
        self._link = link
        self._hub = hub

    @property
    def playsWhatIsOn(self) -> bool:
        """Whether it plays a stream that somebody publishes, or may come back to publish."""
        return self._viewing is not None and bool(self._viewing.isOn)

    def commandReceived(self, command: Command) -> None:
        """
        Obey a command, if it means something in this state.

        @raise StatusError: to refuse it.
        """
        transition = self.TRANSITIONS.get((self.state, command.name))
        if transition is not None:
            getattr(self, transition)(command)

    def close(self, reason: str, isSaid: bool = False) -> None:
        """
        Stop whatever it does, for a publisher after all that was received: it may come back. Harmless when repeated.

        @param reason: for subscribers and the log.
        @param isSaid: whether the peer has said so.
        """
        self.state = State.IDLE
        publication, self.publication = self.publication, None
        if publication is not None:
            self._connection.unpublished(self)
            publication.suspend(reason, isSaid)
        viewing, self._viewing = self._viewing, None
        if viewing is not None:
            viewing.stop()

    def endedBy(self, command: Command) -> None:
        """Stop, because the peer has said so. If it leaves without publishing again, that was the end."""
        if self.publication is not None:
            self._connection.saidEnd(self.publication)
        self.close(f"the peer has ended the stream ({command.name})", isSaid=True)

    # Publishing

    def _publish(self, command: Command) -> None:
        name = command.argument(0)
        if name is False:
            return
        if not isinstance(name, str):
            raise StatusError("publish needs a stream name", status.BAD_NAME)
        path, query = self._identify(name)
        request = PublishRequest(self._connection.request, path, query, command.text(1) or "live")
        self._connection.ask("publish", request, self._publishGranted, self.id)

    def _publishGranted(self, granted: PublishRequest) -> None:
        path = granted.path
        publication = self._hub.publish(path, self, granted.connect.hops, granted.principal)
        if not self._connection.connected:
            # Somebody who was told of the publish did not want it.
            publication.end("the connection is closed")
            return
        self.publication = publication
        self.state, self.path = State.PUBLISHING, path
        self._connection.started(self)
        self._connection.silent = True
        self._link.trust()
        # From here on silence: most publishers do not read, and lose the end of their stream if there is something
        # unread when they close (wire facts 0.2).
        self._link.send(
            UserControl(UserControlType.STREAM_BEGIN, self.id).encode(),
            status.onStatus(self.id, status.PUBLISH_START, f"{path} is now published."),
        )

    def _publishAgain(self, command: Command) -> None:
        if command.argument(0) is False:
            self._unpublish(command)
        else:
            raise StatusError("this message stream publishes already", status.BAD_NAME)

    def _unpublish(self, command: Command) -> None:
        self.endedBy(command)

    def _publishWhilePlaying(self, command: Command) -> None:
        raise StatusError("this message stream plays already", status.BAD_NAME)

    def dataReceived(self, message: Message) -> None:
        """A data message of the stream that it publishes. One that can't be read is passed over (wire facts 10.70)."""
        assert self.publication is not None
        try:
            data = DataMessage.decode(message, self._link.limits.ofData)
        except RemoteProtocolError as error:
            self._link.reached.excess(error)
            self.unreadable += 1
            if self.unreadable == 1:
                self._log.info("{path}: a data message is passed over: {error}", path=self.path, error=error)
            return
        if data.clears:
            self.publication.clearMetadata(data.name)
        else:
            self.publication.append(
                Message(MessageType.DATA, message.timestamp, message.streamId, data.payload, message.chunkStreamId)
            )

    def pauseProducing(self) -> None:
        """A subscriber can't keep up."""
        self._link.hold(self)

    def resumeProducing(self) -> None:
        """It can again."""
        self._link.release(self)

    def stopProducing(self) -> None:
        """Nobody wants what is published."""
        self._link.close("nobody wants what is published")

    @property
    def quiet(self) -> float:
        """See L{IPublisher.quiet}."""
        return float(self._link.quiet)

    @property
    def origin(self) -> str:
        """See L{IPublisher.origin}."""
        return str(self._link.origin)

    def displaced(self) -> None:
        """See L{IPublisher.displaced}. What else the connection does is not concerned."""
        reason = f"another connection publishes {self.path}"
        self.close(reason)
        if self._connection.active:
            self._link.send(status.onStatus(self.id, status.CLOSED, reason, "error"))
        else:
            self._link.close(reason, status.CLOSED)

    # Playing

    def _play(self, command: Command) -> None:
        name = command.argument(0)
        if not isinstance(name, str):
            raise StatusError("play needs a stream name")
        path, query = self._identify(name)
        start, reset = command.argument(1), command.argument(3)
        number = float(start) if isinstance(start, (int, float)) else -2.0
        request = PlayRequest(self._connection.request, path, query, number)

        def granted(answer: PlayRequest) -> None:
            self._playGranted(request, answer.path, bool(reset))

        self._connection.ask("play", request, granted, self.id)

    def _playGranted(self, request: PlayRequest, path: str, reset: bool) -> None:
        self.state, self.path = State.PLAYING, path
        # By the name that it has said: the path may be more than it shall know.
        self._link.send(*_playStarted(self.id, request.path, reset))
        hops = request.connect.hops
        self._viewing = self._hub.play(path, self._link.outlet, self.id, self._ended, hops)
        self._connection.started(self)

    def _playNext(self, command: Command) -> None:
        self.endedBy(command)
        self._play(command)

    def _playWhilePublishing(self, command: Command) -> None:
        raise StatusError("this message stream publishes already")

    def _ended(self) -> None:
        """The publisher has gone, and the viewer has everything."""
        self._viewing = None
        self.state = State.IDLE
        # FFmpeg and librtmp understand only the first, rtmp2 only the second (wire facts 6).
        self._link.send(
            status.onStatus(self.id, status.UNPUBLISH_NOTIFY, "The publisher has ended."),
            UserControl(UserControlType.STREAM_EOF, self.id).encode(),
        )
        self._connection.streamEnded()

    def _stopPlaying(self, command: Command) -> None:
        self.endedBy(command)

    def _pause(self, command: Command) -> None:
        assert self._viewing is not None
        if command.argument(0) is not False:
            self._viewing.pause()
            self._link.send(
                status.onStatus(self.id, status.PAUSE_NOTIFY, "Paused."),
                UserControl(UserControlType.STREAM_EOF, self.id).encode(),
            )
        else:
            self._link.send(
                UserControl(UserControlType.STREAM_BEGIN, self.id).encode(),
                status.onStatus(self.id, status.UNPAUSE_NOTIFY, "Going on, live."),
            )
            self._viewing.resume()

    def _seek(self, command: Command) -> None:
        """There is nothing to seek in, but some wait for the statuses (RTMP 1.0, section 7.2.2.7)."""
        self._link.send(
            status.onStatus(self.id, status.SEEK_NOTIFY, "This stream is live."),
            status.onStatus(self.id, status.PLAY_START, "Going on, live."),
        )

    def _receiveAudio(self, command: Command) -> None:
        self._receive(MessageType.AUDIO, command)

    def _receiveVideo(self, command: Command) -> None:
        self._receive(MessageType.VIDEO, command)

    def _receive(self, type: MessageType, command: Command) -> None:
        assert self._viewing is not None
        wanted = command.argument(0) is not False
        if wanted:
            self._seek(command)
        self._viewing.receive(type, wanted)

    def _identify(self, name: str) -> tuple[str, str]:
        """
        @return: the stream's path, and the queries of name, application and tcUrl.
        @raise StatusError: if it can't be a name.
        """
        name, query = partQuery(name)
        request = self._connection.request
        checkText("query", query, MAX_QUERY)
        return streamPath(request.app, name), joinQueries(query, request.query)


@lru_cache(maxsize=256)
def _playStarted(id: int, path: str, reset: bool) -> tuple[Message, ...]:
    """What is said before the first frame: the same to all who play a stream."""
    resets = (status.onStatus(id, status.PLAY_RESET, f"Playing and resetting {path}."),) if reset else ()
    return (
        UserControl(UserControlType.STREAM_BEGIN, id).encode(),
        *resets,
        status.onStatus(id, status.PLAY_START, f"Started playing {path}."),
        # Flash shows no picture without this; nobody else cares (wire facts 5).
        Message(MessageType.DATA, 0, id, amf0.encode("|RtmpSampleAccess", True, True), status.STATUS_CHUNK_STREAM),
    )
