# -*- test-case-name: tests.session.test_serverconnection -*-
"""
NetConnection, the server's side: what clients ask for, and what they are told (RTMP 1.0, section 7.2.1; wire facts 3).

Every command stands for itself: releaseStream, FCPublish, createStream and the rest may come in any order, or not at
all, with whatever transaction ID the client likes (wire facts 0.5). A transaction ID of 0 asks for no answer. All
answers are AMF0 commands of type 20, the only ones that every client reads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rtmptw.errors import AuthenticationError, StatusError
from rtmptw.interfaces import IApplication, ILink, IPublication, IStreamHub
from rtmptw.requests import ConnectRequest, PlayRequest, PublishRequest, StreamRequest
from rtmptw.session import status
from rtmptw.session.connect import acceptConnect, checkConnect, readConnect
from rtmptw.session.netconnection import NetConnection, Phase
from rtmptw.session.serverstream import ServerStream, State
from rtmptw.session.streampath import partQuery, streamPath
from rtmptw.session.verdict import Verdict
from rtmptw.wire.amf import UNDEFINED, Absent
from rtmptw.wire.command import Command, messageStreamId
from rtmptw.wire.message import Message

__all__ = ["ServerConnection"]

_Request = TypeVar("_Request", ConnectRequest, PlayRequest, PublishRequest)

#: Before the connect has come.
_NO_REQUEST = ConnectRequest("", "")


class ServerConnection(NetConnection):
    """
    The server's side of one connection. It is silent once the client has published (wire facts 10.94).

    @ivar request: what the client asked for in its connect.
    @ivar strays: how many media messages came on a message stream that does not publish.
    """

    _log = Logger()

    #: By phase and name. Other commands of a connected client: L{_anyCommand}; of others: refused.
    COMMANDS: ClassVar[dict[tuple[Phase, str], str]] = {
        (Phase.FRESH, "connect"): "_connect",
        (Phase.CONNECTED, "connect"): "_connectAgain",
        (Phase.CONNECTED, "createStream"): "_createStream",
        (Phase.CONNECTED, "deleteStream"): "_deleteStream",
        (Phase.CONNECTED, "FCUnpublish"): "_FCUnpublish",
        **{
            (Phase.CONNECTED, name): "_streamCommand"
            for name in ("publish", "play", "pause", "pauseRaw", "seek", "receiveAudio", "receiveVideo", "closeStream")
        },
    }

    def __init__(self, link: ILink, application: IApplication, hub: IStreamHub, identity: str) -> None:
        """
        @param identity: the server's own, for relays (L{rtmptw.session.hops}).
        """
        super().__init__(link)
        self.request = _NO_REQUEST
        self.strays = 0
        self._application = application
        self._hub = hub
        self._identity = identity
        self._verdict: Verdict | None = None
        self._activity = "it neither published nor played"
        self._streams: dict[int, ServerStream] = {}
        #: The publications of those that publish, by message stream; and of those that have sent no media yet.
        self._publications: dict[int, IPublication] = {}
        self._unheard: dict[int, IPublication] = {}
        #: The publications that the peer has ended by its word, by their paths.
        self._said: dict[str, IPublication] = {}
        self._created = 0
        #: How many requests it has, in sixtieths: so much comes back in a second as is allowed in a minute.
        self._requests = 60.0 * link.limits.requestsAtOnce
        #: How many were granted since it had all of them.
        self._granted = 0

    @property
    def activity(self) -> str:
        """What it is doing or has done last, for the log."""
        for stream in self._streams.values():
            if stream.state is not State.IDLE:
                return f"it was {stream.state.value} {stream.path}"
        return self._activity

    @property
    def publishing(self) -> bool:
        """Whether any message stream publishes."""
        return bool(self._publications or self._unheard)

    @property
    def awaitsMedia(self) -> bool:
        """See L{NetConnection.awaitsMedia}."""
        return bool(self._unheard)

    @property
    def playing(self) -> bool:
        """Whether any message stream plays."""
        return any(stream.state is State.PLAYING for stream in self._streams.values())

    @property
    def active(self) -> bool:
        """Whether any message stream publishes or plays."""
        return any(stream.state is not State.IDLE for stream in self._streams.values())

    @property
    def isOfUse(self) -> bool:
        """Whether any message stream publishes, or plays what is on: to wait for a stream takes no more than a name."""
        if self._publications or self._unheard:
            return True
        return any(stream.playsWhatIsOn for stream in self._streams.values())

    def messageReceived(self, message: Message) -> None:
        """See L{NetConnection.messageReceived}. A publisher's audio and video go the shortest way: the hot path."""
        # Types 8 and 9, in numbers: a name of an Enum costs more than the rest of this.
        publication = self._publications.get(message.streamId) if 8 <= message.type <= 9 else None
        if publication is not None:
            publication.append(message)
        else:
            super().messageReceived(message)

    def flush(self, received: int) -> None:
        """See L{NetConnection.flush}."""
        if self._publications:
            # A viewer may be the end of this connection.
            for publication in tuple(self._publications.values()):
                publication.flush()
        if not self.silent:
            super().flush(received)

    def second(self, received: int, quiet: bool) -> None:
        """See L{NetConnection.second}."""
        limits = self._link.limits
        self._requests += limits.requestsPerMinute
        if self._requests >= 60 * limits.requestsAtOnce:
            self._requests, self._granted = 60.0 * limits.requestsAtOnce, 0
        if self._verdict is not None and self._verdict.second():
            self._link.reached.add("verdictSeconds")
        super().second(received, quiet)

    def farewell(self, reason: str, code: str) -> tuple[Message, ...]:
        """See L{NetConnection.farewell}."""
        return (status.onStatus(0, code, reason, "error"),) if code and self.connected else ()

    def end(self, reason: str) -> None:
        """See L{NetConnection.end}."""
        super().end(reason)
        if self._verdict is not None:
            self._verdict.cancel()
        for stream in self._streams.values():
            stream.close(reason)
        for publication in self._said.values():
            publication.end(reason)

    def ask(self, command: str, request: _Request, granted: Callable[[_Request], None], id: int) -> None:
        """
        Let the application decide; and for a publish, wait for the name.

        @param command: "connect", "publish" or "play".
        @param granted: what to do if it does not refuse, given what it grants; may itself raise L{StatusError}.
        @param id: the message stream that is to have the status.
        @raise StatusError: if it is asked too often.
        """
        asynchronous = False
        if command != "connect":
            if self._requests < 60:
                isFirst = self._granted <= self._link.limits.requestsAtOnce
                self._link.reached.add("requestsAtOnce" if isFirst else "requestsPerMinute")
                raise StatusError("too many requests")
            self._requests -= 60
            self._granted += 1

        def decided(refusal: StatusError | None) -> None:
            self._verdict = None
            self.waiting = False
            if self.phase is not Phase.ENDED:
                try:
                    if refusal is not None:
                        raise refusal
                    granted(cast(_Request, verdict.request))
                except StatusError as error:
                    self._refuse(command, id, error)
                except Exception:
                    self._log.failure("{peer}: a {command} failed", peer=self._link.peer, command=command)
                    self._refuse(command, id, StatusError("internal error"))
            if asynchronous:
                self._link.proceed()

        then = self._whenFree if command == "publish" else None
        seconds = self._link.limits.verdictSeconds
        verdict: Verdict = Verdict(self._application, command, request, seconds, then)
        self._verdict = verdict
        self.waiting = True
        verdict.whenDecided(decided)
        asynchronous = True

    def _whenFree(self, request: StreamRequest) -> Deferred[None]:
        for stream in self._publishers():
            if stream.path == request.path:
                stream.close("the peer publishes it again")
        return Deferred.fromCoroutine(self._hub.whenFree(request.path, request.principal, self._link.origin))

    def started(self, stream: ServerStream) -> None:
        """A message stream has begun to publish or to play."""
        self._activity = f"it had been {stream.state.value} {stream.path}"
        yet = "" if stream.publication is not None or stream.playsWhatIsOn else ", which nobody publishes yet"
        state, path = stream.state.value, stream.path
        self._log.info("{peer}: {state} {path}{yet}", peer=self._link.peer, state=state, path=path, yet=yet)
        if stream.publication is not None:
            self._unheard[stream.id] = stream.publication

    def unpublished(self, stream: ServerStream) -> None:
        """A message stream does not publish any more."""
        self._publications.pop(stream.id, None)
        self._unheard.pop(stream.id, None)

    def saidEnd(self, publication: IPublication) -> None:
        """The peer has ended a stream that it published. It may publish it again, as long as it is here."""
        self._said = {path: said for path, said in self._said.items() if not said.isOver}
        self._said[publication.path] = publication

    def streamEnded(self) -> None:
        """A stream that was played is over: so is the connection, if it has nothing else to do."""
        if not self.active and not self.waiting:
            self._link.close("the stream that it played has ended")

    # Media

    def _mediaReceived(self, message: Message) -> None:
        stream = self._streams.get(message.streamId)
        if stream is None or stream.publication is None:
            stream = self._strayReceived(message)
        if stream is not None and stream.publication is not None:
            self._heard(stream)
            stream.publication.append(message)

    def _dataReceived(self, message: Message) -> None:
        stream = self._streams.get(message.streamId)
        if stream is None or stream.publication is None:
            stream = self._strayReceived(message)
        if stream is not None:
            self._heard(stream)
            stream.dataReceived(message)

    def _heard(self, stream: ServerStream) -> None:
        """Media has come: what comes now goes the shortest way."""
        publication = self._unheard.pop(stream.id, None)
        if publication is not None:
            self._publications[stream.id] = publication

    def _strayReceived(self, message: Message) -> ServerStream | None:
        """Media on a message stream that does not publish can only be meant for the one that does."""
        self.strays += 1
        if self.strays == 1:
            self._log.info("{peer}: media on an idle message stream, {id}", peer=self._link.peer, id=message.streamId)
        publishers = self._publishers()
        return publishers[0] if len(publishers) == 1 else None

    # Commands

    def _decode(self, message: Message) -> Command:
        return Command.decodeShared(message, self._link.limits.ofCommands)

    def _obey(self, command: Command, id: int) -> None:
        method = self.COMMANDS.get((self.phase, command.name))
        if method is not None:
            getattr(self, method)(command, id)
        elif self.phase is Phase.CONNECTED:
            self._anyCommand(command, id)
        else:
            self._refuseCall(command, "connect was not said yet")

    def _connect(self, command: Command, id: int) -> None:
        self.phase = Phase.CONNECTING
        self._connectTransaction = command.transactionId
        self.request = readConnect(command, self._link.peer, self._link.secure)

        def accepted(request: ConnectRequest) -> None:
            self.phase = Phase.CONNECTED
            self._link.send(*acceptConnect(command.transactionId, self.request, self._identity))

        try:
            checkConnect(self.request, self._identity)
        except StatusError as error:
            self._refuse("connect", 0, error)
        else:
            self.ask("connect", self.request, accepted, 0)

    def _connectAgain(self, command: Command, id: int) -> None:
        self._refuseCall(command, "connect was said before")

    def _createStream(self, command: Command, id: int) -> None:
        """The first one must be 1: gortmplib, nginx and FFmpeg count on it (wire facts 10.48)."""
        if self._tooMany("streams", len(self._streams)) or self._tooMany("createdStreams", self._created):
            self._refuseCall(command, "too many message streams")
            return
        self._created += 1
        self._stream(self._created)
        self._answer(command, float(self._created))

    def _deleteStream(self, command: Command, id: int) -> None:
        """No answer (RTMP 1.0, section 7.2.2.3). rtmp2 sends the stream's name, others nothing (wire facts 9)."""
        number = messageStreamId(command.argument(0))
        for key in [number] if number is not None else [stream.id for stream in self._publishers()]:
            stream = self._streams.pop(key, None)
            if stream is not None:
                stream.endedBy(command)

    def _FCUnpublish(self, command: Command, id: int) -> None:
        """The name may differ from the one published (wire facts 10.59); it can only mean a stream of this peer."""
        publishers = self._publishers()
        if len(publishers) > 1:
            try:
                path = streamPath(self.request.app, partQuery(command.text(0) or "")[0])
            except StatusError:
                return
            publishers = [stream for stream in publishers if stream.path == path]
        for stream in publishers:
            stream.endedBy(command)

    def _publishers(self) -> list[ServerStream]:
        return [stream for stream in self._streams.values() if stream.publication is not None]

    def _streamCommand(self, command: Command, id: int) -> None:
        """
        A command for a message stream: the one that it came on or, since not all clients wait for their createStream or
        use its answer (wire facts 10.50), one that is made for it.
        """
        if id not in self._streams:
            if command.name not in ("publish", "play"):
                active = [stream for stream in self._streams.values() if stream.state is not State.IDLE]
                # Without a message stream it can only mean the one that there is (wire facts 10.81).
                if id == 0 and len(active) == 1:
                    active[0].commandReceived(command)
                return
            if self._tooMany("streams", len(self._streams)):
                self._refuse(command.name, id, StatusError("too many message streams"))
                return
        try:
            self._stream(id).commandReceived(command)
        except StatusError as error:
            self._refuse(command.name, id, error)

    def _tooMany(self, limit: str, count: int) -> bool:
        """Whether there may not be another one."""
        isReached: bool = count >= getattr(self._link.limits, limit)
        if isReached:
            self._link.reached.add(limit)
        return isReached

    def _stream(self, id: int) -> ServerStream:
        stream = self._streams.get(id)
        if stream is None:
            stream = self._streams[id] = ServerStream(id, self, self._link, self._hub)
        return stream

    def _anyCommand(self, command: Command, id: int) -> None:
        """
        releaseStream, FCPublish, _checkbw, FCSubscribe, and whatever else somebody calls: an empty result satisfies all
        (wire facts 3.5). Not to a publisher.
        """
        if not self.silent and command.name not in ("_result", "_error", "onStatus"):
            self._answer(command, 0.0 if command.name == "getStreamLength" else UNDEFINED)

    def _answer(self, command: Command, value: float | Absent) -> None:
        if command.transactionId:
            self._link.send(_result(command.transactionId, value))

    def _refuse(self, command: str, id: int, error: StatusError) -> None:
        """Say no, why, and close: librtmp hangs for 30 s if only one of these is done (wire facts 3.6)."""
        code = error.code or status.REFUSALS.get(command, status.FAILED)
        if command == "connect":
            self._link.send(status.callError(self._connectTransaction, code, error.description))
        else:
            self._link.send(status.onStatus(id, code, error.description, "error"))
        if isinstance(error, AuthenticationError) and error.isQuestion:
            self._link.close("asked for a user and a password; whoever has them comes again with them")
        else:
            self._link.close(f"{command} refused: {code}: {error.description}")

    def _refuseCall(self, command: Command, reason: str) -> None:
        self._link.send(status.callError(command.transactionId, status.CALL_FAILED, reason))
        self._link.close(f"{self.lastCommand!a} refused: {reason}")


@lru_cache(maxsize=64)
def _result(transactionId: float, value: float | Absent) -> Message:
    """The answer to a simple call: most clients count their calls in the same way, so many get the same."""
    return Command("_result", transactionId, None, (value,)).encode()
