# -*- test-case-name: tests.session.test_clientconnection -*-
"""
NetConnection, the client's side: what we ask a server for (RTMP 1.0, section 7.2.1; wire facts 3 and 9).

What we say is what real clients say, in their order, because servers were made for them::

    connect                                                       _result or _error
    Set Chunk Size, releaseStream, FCPublish, createStream        _result: the message stream ID
    publish                                                       onStatus NetStream.Publish.Start
    audio, video, data ...
    FCUnpublish, deleteStream; then we close our side, and read until the server has closed its own

    createStream                                                  _result: the message stream ID
    play, SetBufferLength                                         onStatus NetStream.Play.Start, audio, video, data ...
    deleteStream                                                  onStatus NetStream.Play.UnpublishNotify, StreamEOF

What we do not understand of the answers is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rtmptw.errors import CallError, ConnectionClosed
from rtmptw.interfaces import ILink, ISubscriber
from rtmptw.session import status
from rtmptw.session.call import Calls, refusal
from rtmptw.session.clientstream import ClientStream, PlayedStream, PublishedStream, State
from rtmptw.session.connect import OUR_CHUNK_SIZE
from rtmptw.session.netconnection import NetConnection, Phase
from rtmptw.session.outcome import Outcome
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.command import Command, messageStreamId
from rtmptw.wire.control import UserControl, UserControlType, setChunkSize
from rtmptw.wire.message import Message

__all__ = ["ANSWER_SECONDS", "ClientConnection"]

#: How long an answer may take, seconds, if nothing else is said. As librtmp (wire facts 1.4).
ANSWER_SECONDS = 30.0

#: What we tell a server about our buffer when we play, ms (wire facts 3.3).
BUFFER_LENGTH = 3000

#: Where publish and play go, as FFmpeg sends them (wire facts 2.2).
_STREAM_COMMANDS = 8

_S = TypeVar("_S", bound=ClientStream)


class ClientConnection(NetConnection):
    """
    A connection to a server; L{rtmptw.client.connect} makes one.

    @ivar peer: the server's address, for the log.
    @ivar properties: what the server says about itself in its answer to connect, as decoded.
    @ivar information: the other part of that answer: level, code, description, and what else there is.
    @ivar calls: those that wait for an answer.
    @ivar clock: what tells the time.
    """

    _log = Logger()

    #: What the server may say. Other commands mean nothing to us (wire facts 10.63).
    COMMANDS: ClassVar[dict[str, str]] = {
        "_result": "_answered",
        "_error": "_answered",
        "onStatus": "_statusReceived",
    }

    def __init__(self, link: ILink, clock: IReactorTime, parameters: Mapping[str, AMFValue]) -> None:
        """
        @param parameters: the command object of connect: app, tcUrl and so on.
        """
        super().__init__(link)
        self.peer: str = link.peer
        self.clock = clock
        self.properties: Mapping[str, object] = {}
        self.information: Mapping[str, object] = {}
        self.calls = Calls(clock, link.peer)
        self._parameters = dict(parameters)
        self._streams: dict[int, ClientStream] = {}
        self._over: set[int] = set()
        self._coming = 0
        self._activity = "nothing was published or played"
        self._told = ""
        self._published = False
        self._chunkSizeSaid = False
        self._connected: Outcome[Command] = Outcome()
        self._cleanly = False
        self._closed: Outcome[str] = Outcome()

    # For those who use it

    def whenConnected(self) -> Deferred[Command]:
        """
        @return: fires with the answer to connect; or a failure, L{CallError} or L{ConnectionClosed}.
        """
        return self._connected.when()

    def call(
        self, name: str, *arguments: AMFValue, timeout: float | None = ANSWER_SECONDS, streamId: int = 0
    ) -> Deferred[AMFValue]:
        """
        Call a command of the server's.

        @param arguments: what follows the command object, which is null.
        @param timeout: how long to wait for the answer, seconds; L{None} for as long as there is a connection.
        @param streamId: the message stream that it goes out on.
        @return: the first argument of the C{_result}, or L{None}; or a failure: L{CallError} with the server's status,
            L{rtmptw.errors.CallTimedOut}, L{ConnectionClosed}, or what C{cancel()} brings.
        @raise LocalProtocolError: if a value has no AMF0 form.
        """
        return self._call(name, arguments, timeout, streamId).addCallback(lambda answer: answer.argument(0))

    def callNoReply(self, name: str, *arguments: AMFValue, streamId: int = 0) -> None:
        """
        Call a command, and ask for no answer: its transaction ID is 0.

        @raise ConnectionClosed: if there is no connection any more.
        """
        self._check(name)
        self._link.write(Command(name, 0.0, None, arguments).encode(streamId))

    def publish(
        self, name: str, type: str = "live", timeout: float | None = ANSWER_SECONDS
    ) -> Deferred[PublishedStream]:
        """
        Publish a stream.

        @param name: its name, maybe with a query.
        @param type: C{"live"}, C{"record"} or C{"append"}: some servers record.
        @param timeout: how long each of the server's answers may take, seconds.
        @return: the stream, when the server has said yes; else a failure, as of L{call}.
        """
        return Deferred.fromCoroutine(self._publish(name, type, timeout))

    def play(
        self, name: str, subscriber: ISubscriber, start: float = -2.0, timeout: float | None = ANSWER_SECONDS
    ) -> Deferred[PlayedStream]:
        """
        Play a stream.

        @param name: its name, maybe with a query.
        @param subscriber: is given what comes, maybe before the Deferred fires.
        @param start: -2: live, or recorded if there is nothing live; -1: only live; else where in the recording,
            seconds (RTMP 1.0, section 7.2.2.1).
        @param timeout: how long each of the server's answers may take, seconds.
        @return: the stream, when the server has said yes; else a failure, as of L{call}.
        """
        return Deferred.fromCoroutine(self._play(name, subscriber, start, timeout))

    def close(self, reason: str = "we have closed it") -> Deferred[None]:
        """
        End all streams and close the connection, after everything that was sent.

        @param reason: for the log.
        @return: fires when the server has closed it as well. It fails with L{ConnectionClosed} if something was
            published and the end of it may not have reached the server.
        """
        closed: Deferred[Any] = self.whenClosed()
        self._link.close(reason)
        return closed.addCallback(self._judgeEnd)

    def abort(self, reason: str = "given up") -> None:
        """Close at once, whatever is still to be sent."""
        self._link.abort(reason)

    def whenClosed(self) -> Deferred[str]:
        """
        @return: fires with the reason when the connection is over, whoever has closed it, and with what the server
            has said before, if it was about the connection.
        """
        return self._closed.when()

    def closeStream(self, stream: ClientStream) -> Deferred[None]:
        """See L{ClientStream.close}."""
        isOpen = self._streams.get(stream.id) is stream
        if len(self._streams) - isOpen + self._coming == 0:
            return self.close()
        if self._forget(stream):
            self._link.send(*stream.farewell())
            stream.end("we have ended it")
        return succeed(None)

    # For the connection below

    @property
    def activity(self) -> str:
        """See L{NetConnection.activity}."""
        return self._activity

    def begin(self) -> None:
        """The handshake is done: say connect."""
        self.phase = Phase.CONNECTING
        id, answer = self.calls.begin("connect")
        self._link.send(Command("connect", id, self._parameters).encode())
        answer.addCallback(self._connectAccepted).addBoth(self._connected.decide)

    def farewell(self, reason: str, code: str) -> tuple[Message, ...]:
        """See L{NetConnection.farewell}."""
        return tuple(message for stream in self._streams.values() for message in stream.farewell())

    def end(self, reason: str) -> None:
        """See L{NetConnection.end}. Every call that waits for its answer fails."""
        if self.phase is Phase.ENDED:
            return
        super().end(reason)
        reason += self._told
        self.calls.close(reason)
        # If the handshake has not come to its end, there was no call.
        self._connected.decide(Failure(ConnectionClosed("connect", reason)))
        streams, self._streams = self._streams, {}
        self._published = any(isinstance(stream, PublishedStream) for stream in streams.values())
        for stream in streams.values():
            stream.end(reason)

    def gone(self, reason: str, cleanly: bool) -> None:
        """See L{NetConnection.gone}."""
        self._cleanly = cleanly
        self._closed.decide(reason + self._told)

    def started(self, stream: ClientStream) -> None:
        """The server has said yes to a stream, or behaves as if it had. Harmless when repeated."""
        if stream.state is State.STARTING:
            stream.start()
            # Not what: the name may be a key.
            self._activity = f"we had {'published' if stream.COMMAND == 'publish' else 'played'}"
            self.calls.accepted(stream.transactionId)

    # Calls

    def _check(self, command: str) -> None:
        if self.phase is not Phase.CONNECTED:
            raise ConnectionClosed(command, "there is no connection")

    def _call(
        self, name: str, arguments: tuple[AMFValue, ...], timeout: float | None, streamId: int = 0
    ) -> Deferred[Command]:
        if self.phase in (Phase.FRESH, Phase.CONNECTING):
            return fail(ConnectionClosed(name, "there is no connection yet"))
        id, answer = self.calls.begin(name, timeout)
        if id:
            try:
                self._link.write(Command(name, id, None, arguments).encode(streamId))
            except Exception:
                # It can't be written; so nobody will answer.
                answer.addErrback(lambda failure: None)
                answer.cancel()
                raise
        return answer

    async def _publish(self, name: str, type: str, timeout: float | None) -> PublishedStream:
        self._check("publish")
        messages = [
            Command(command, self.calls.announce(), None, (name,)).encode()
            for command in ("releaseStream", "FCPublish")
        ]
        if not self._chunkSizeSaid:
            self._chunkSizeSaid = True
            messages.insert(0, setChunkSize(OUR_CHUNK_SIZE))
        id = await self._createStream(messages, timeout)
        stream = PublishedStream(id, name, self, self._link)
        return await self._start(stream, (name, type), (), timeout)

    async def _play(self, name: str, subscriber: ISubscriber, start: float, timeout: float | None) -> PlayedStream:
        self._check("play")
        self._link.trust()
        id = await self._createStream([], timeout)
        stream = PlayedStream(id, name, self, self._link, subscriber)
        buffer = UserControl(UserControlType.SET_BUFFER_LENGTH, id, BUFFER_LENGTH).encode()
        return await self._start(stream, (name, float(start)), (buffer,), timeout)

    async def _createStream(self, before: list[Message], timeout: float | None) -> int:
        """
        @param before: what goes out before it, in the same write.
        @return: the new message stream ID.
        """
        transactionId, answer = self.calls.begin("createStream", timeout)
        self._link.send(*before, Command("createStream", transactionId).encode())
        self._coming += 1
        try:
            value = (await answer).argument(0)
        finally:
            self._coming -= 1
        id = messageStreamId(value)
        if not id or id in self._streams:
            raise CallError("createStream", f"the server gave {value!a} as message stream ID")
        return id

    async def _start(
        self, stream: _S, arguments: tuple[AMFValue, ...], behind: tuple[Message, ...], timeout: float | None
    ) -> _S:
        """Say publish or play, and wait for the answer."""
        # Whoever waited for createStream may have come too late.
        self._check(stream.COMMAND)
        # What can't be written fails here, before anybody waits for an answer.
        Command(stream.COMMAND, 0.0, None, arguments).encode()
        self._streams[stream.id] = stream
        self._over.discard(stream.id)
        stream.transactionId, answer = self.calls.begin(stream.COMMAND, timeout)
        command = Command(stream.COMMAND, stream.transactionId, None, arguments)
        self._link.send(command.encode(stream.id, _STREAM_COMMANDS), *behind)
        try:
            await answer
        except BaseException as error:
            if self._forget(stream):
                self._link.send(*stream.farewell())
            stream.end(str(error) or "given up")
            raise
        self.started(stream)
        return stream

    def _judgeEnd(self, reason: str) -> None:
        if self._published and not self._cleanly:
            raise ConnectionClosed("close", f"{reason}; what was published last may be lost")

    # What comes

    def _obey(self, command: Command, id: int) -> None:
        method = self.COMMANDS.get(command.name)
        if method is not None:
            getattr(self, method)(command, id)

    def _connectAccepted(self, answer: Command) -> Command:
        self.phase = Phase.CONNECTED
        if isinstance(answer.commandObject, dict):
            self.properties = answer.commandObject
        information = answer.argument(0)
        if isinstance(information, dict):
            self.information = information
        return answer

    def _answered(self, command: Command, id: int) -> None:
        if self.calls.answered(command):
            # What we have asked for is no flood.
            self.commands -= 1

    def _statusReceived(self, command: Command, id: int) -> None:
        """A status about a stream, on whatever message stream it comes (wire facts 10.63), or about the connection."""
        error = refusal("", command)
        level, code = error.information.get("level"), error.code
        isError = level == "error" or code in status.ERRORS
        stream = None if code.startswith("NetConnection.") else self._stream(id)
        if stream is None:
            if isError:
                self._told = f" (the server said: {error.words})"
        elif isError:
            error.command = stream.COMMAND
            if stream.state is State.STARTING:
                self.calls.refused(stream.transactionId, error)
            else:
                self._streamEnded(stream, f"the server said: {error}")
        elif stream.STATUSES.get(code) is State.ACTIVE:
            self.started(stream)
        elif stream.STATUSES.get(code) is State.ENDED:
            stream.isAnnounced = True
            self._streamEnded(stream, f"the server said: {code}")

    def _controlReceived(self, control: UserControl) -> None:
        """The end of a stream that we play; rtmp2 and we understand this one (wire facts 3.3)."""
        if control.event == UserControlType.STREAM_EOF:
            stream = self._stream(control.value)
            if isinstance(stream, PlayedStream):
                stream.isAnnounced = True
                self._streamEnded(stream, "the server said: end of the stream")

    def _mediaReceived(self, message: Message) -> None:
        stream = self._stream(message.streamId)
        if stream is not None:
            stream.mediaReceived(message)

    def _dataReceived(self, message: Message) -> None:
        stream = self._stream(message.streamId)
        if stream is not None:
            stream.dataReceived(message)

    def _stream(self, id: int) -> ClientStream | None:
        """The stream that is meant: the one with this ID, or the only one, since servers are not exact about it."""
        stream = self._streams.get(id)
        if stream is None and len(self._streams) == 1 and id not in self._over:
            [stream] = self._streams.values()
        return stream

    def _streamEnded(self, stream: ClientStream, reason: str) -> None:
        self._forget(stream)
        stream.end(reason)

    def _forget(self, stream: ClientStream) -> bool:
        """What is still said about it is not for another one; nor is its end, if another one has its ID by now."""
        if isThere := self._streams.get(stream.id) is stream:
            del self._streams[stream.id]
            self._over.add(stream.id)
        return isThere
