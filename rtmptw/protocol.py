# -*- test-case-name: tests.test_protocol -*-
"""
One connection, either side of it: transport, phases, reasons for closing. What it owes by when: L{rtmptw.deadlines}.

::

    HANDSHAKE ---> SESSION ---> CLOSING ---> CLOSED
        |           |   |                      ^
        |           |   +------> LOST -------->|
        +-----------+--------------------------+

The glue is thin and always in the same order: feed, act on what came out, flush. What a close must not lose:

- Everything that was received is parsed and passed on before anything is ended (wire facts 9). A connection that is
  gone while the application still decides is LOST: what it has sent waits for the verdict.
- A close by us first says why, in a status, and closes the write side only. What the peer still sends is read and
  thrown away for a while, since a socket that is closed with something unread resets the connection, and the reset
  throws the status away.
- Every connection has one line in the log when it is gone: who, why, how far.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from math import inf
from typing import cast

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IConsumer, IDelayedCall, ISSLTransport, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.appetite import TURN, Appetite
from rtmptw.closereason import whyLost
from rtmptw.deadlines import Deadlines
from rtmptw.directoutlet import outletFor
from rtmptw.errors import RemoteProtocolError
from rtmptw.inlet import Inlet
from rtmptw.interfaces import ILink, IOwner
from rtmptw.keepalive import keepAlive
from rtmptw.session import status
from rtmptw.session.netconnection import NetConnection
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.handshake import HANDSHAKE_SIZE, Handshake
from rtmptw.wire.message import Message
from rtmptw.wire.oneline import oneLine

__all__ = ["Phase", "RTMPProtocol"]


class Phase(Enum):
    """How far a connection has come."""

    HANDSHAKE = "handshake"
    SESSION = "session"
    CLOSING = "closing"
    LOST = "lost, but not decided"
    CLOSED = "closed"


_SESSION = Phase.SESSION  # For the hot path: a look-up in an Enum costs as much as a call.


@implementer(ILink)
class RTMPProtocol(Protocol):
    """
    Our side of one TCP or TLS connection. Which side that is, its owner says: by the handshake and the session.

    @ivar outlet: the way out.
    @ivar inlet: the way in.
    @ivar peer: who it is, for the log.
    @ivar secure: whether it is encrypted by TLS.
    @ivar limits: how much the peer may ask, and how long it may take.
    @ivar reached: how often each of these was reached, here and elsewhere.
    @ivar received: all bytes received so far, the handshake's included.
    @ivar session: what is said after the handshake.
    @ivar allSent: whether we have closed our side, and everything before that was handed to the system.
    """

    _log = Logger()

    # What most connections need at their end only. With more than 30 attributes an instance would be larger, and slower
    # to look into.
    _reason = _activity = ""
    _cleanly = _isCutOff = allSent = False
    _linger: IDelayedCall | None = None

    def __init__(self, owner: IOwner) -> None:
        """
        @param owner: the server or client that it belongs to.
        """
        self._owner = owner
        self.limits, self.reached = owner.limits, owner.reached

    def connectionMade(self) -> None:
        """Be ready for the first byte."""
        transport, clock = cast(ITCPTransport, self.transport), self._owner.clock
        self._transport = transport
        self.inlet = Inlet(transport, self.dataReceived)
        self.secure = ISSLTransport.providedBy(transport)
        if ITCPTransport.providedBy(transport):
            # Without it every step of the conversation costs 40 ms (wire facts 1.4).
            transport.setTcpNoDelay(True)
            keepAlive(transport, self.limits.userTimeoutSeconds)
        address = transport.getPeer()
        host, port = getattr(address, "host", None), getattr(address, "port", None)
        self.peer = str(address) if host is None else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.outlet = outletFor(cast(IConsumer, transport), clock, self.peer)
        self._phase = Phase.HANDSHAKE
        self._handshake: Handshake = self._owner.handshake()
        self._reader = ChunkReader(self.limits.ofStrangers, HANDSHAKE_SIZE)
        self._writer = ChunkWriter()
        self.session: NetConnection = self._owner.session(self)
        self._came = clock.seconds()
        self._deadlines = Deadlines(self.limits, self._came)
        self.received = self._taken = self._counted = 0
        self._appetite = Appetite(self.inlet, self._reader, clock, self.limits, self.reached, self._goOn)
        self._owner.connectionMade(self)
        self.outlet.write(self._handshake.start())

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the peer."""
        self.received += len(data)
        self._deadlines.heard = self._owner.clock.seconds()
        if self._phase is _SESSION:
            # As L{_guard} does it, without its price: this is once for each read of every publisher.
            try:
                self._read(data)
            except Exception as error:
                self._fail(error)
        elif self._phase is Phase.HANDSHAKE:
            self._guard(self._shakeHands, data)

    def _guard(self, step: Callable[..., None], *data: object) -> None:
        """Take a step. Whatever goes wrong in it ends this connection, and no other."""
        try:
            step(*data)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, RemoteProtocolError):
            self.reached.excess(error)
            self.close(f"protocol error: {error}", status.CLOSED)
        else:
            self._log.failure("{peer}: internal error", peer=self.peer)
            self.close("internal error", status.CLOSED)

    def _shakeHands(self, data: bytes) -> None:
        reply, rest = self._handshake.feed(data)
        if reply:
            self.outlet.write(reply)
        if rest is not None:
            self._phase = Phase.SESSION
            del self._handshake
            self.session.begin()
            self._read(rest)

    def _read(self, data: bytes) -> None:
        session, reader = self.session, self._reader
        reader.add(data)
        if not session.waiting:
            self._take()
        if self._phase is _SESSION:
            self._appetite.look(session)

    def _goOn(self) -> None:
        """Go on with what was read already."""
        if self._phase is _SESSION:
            self._guard(self._read, b"")

    def drain(self) -> None:
        """Read what has come already, and pass all of it on: this connection is about to be closed."""
        self.inlet.drain()
        if self._phase is _SESSION and not self.session.waiting:
            self._guard(self._take, inf)

    def _take(self, small: float = TURN) -> None:
        """Pass messages on until the application is waited for, all is over, or others have a turn: the hot loop."""
        session, reader, phase, verbose = self.session, self._reader, self._phase, self._owner.verbose
        read, take = reader.read, session.messageReceived
        reader.beginTurn(small)
        if gathers := not session.silent:  # a publisher is told nothing
            self.outlet.gather()
        try:
            while (message := read()) is not None:
                if verbose:
                    self._say(">", message)
                self._taken += 1
                take(message)
                if reader.isTurnOver or session.waiting or self._phase is not phase:
                    break
        finally:
            session.flush(self.received)
            if gathers:
                self.outlet.scatter()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone. What it has brought is not."""
        failure = self.inlet.failure or self.outlet.failure
        self._cleanly = self.allSent and not failure and reason.check(ConnectionDone) is not None
        self._reason = self._reason or failure or whyLost(reason)
        self.outlet.stopProducing()
        if self._linger is not None and self._linger.active():
            self._linger.cancel()
        if self._phase is Phase.SESSION:
            self._phase = Phase.LOST
            self._readRest()
        else:
            self._finish()

    def _readRest(self) -> None:
        """Read what a lost connection has brought, as far as the application has decided."""
        if not self.session.waiting:
            self._guard(self._takeRest)
        if self._phase is Phase.LOST and not self.session.waiting:
            self._finish()

    def _takeRest(self) -> None:
        self._reader.finish()
        self._take(inf)

    def _finish(self) -> None:
        """The end, once for each connection."""
        self._phase = Phase.CLOSED
        session, reader, size, reason = self.session, self._reader, self.received, self._reason
        known = {
            "activity": self._activity or session.activity,
            "seconds": self._owner.clock.seconds() - self._came,
            "whereabouts": reader.whereabouts if size >= HANDSHAKE_SIZE else f"byte {size}, in the handshake",
            "command": ascii(session.lastCommand) if session.lastCommand else "none",
        }
        session.end(reason)
        # Each field of the line costs the log some microseconds, and thousands may go at once.
        account = "{activity} ({seconds:.1f} s; {whereabouts}; last command {command})".format(**known)
        if self._owner.tells(self):
            self._log.info(
                "{peer}: closed: {reason}; {account}", peer=self.peer, reason=reason, account=account, **known
            )
        self._owner.connectionLost(self)
        session.gone(reason, self._cleanly)

    def second(self) -> None:
        """A second has passed."""
        self.inlet.messages, self._counted = self._taken - self._counted, self._taken
        self._guard(self._checkDeadlines)
        if self._appetite.second() and self._phase is _SESSION:
            self._deadlines.readAgain(self._owner.clock.seconds())
            self._goOn()

    @property
    def publishing(self) -> bool:
        """Whether the peer publishes something."""
        return self._phase is Phase.SESSION and self.session.publishing

    @property
    def playing(self) -> bool:
        """Whether the peer plays something."""
        return self.session.playing

    @property
    def held(self) -> tuple[int, int]:
        """What an abort would free: bytes that wait to be sent, and bytes received of what is not complete."""
        return self.outlet.waiting, 0 if self._phase is Phase.LOST else self._reader.partial

    def clockStopped(self, seconds: float) -> None:
        """This process has stood still for so long, and nobody could be heard: no deadline goes by that time."""
        self._deadlines.clockStopped(seconds)
        self.outlet.clockStopped(seconds)

    def _checkDeadlines(self) -> None:
        now = self._owner.clock.seconds()
        session, deadlines, overdue = self.session, self._deadlines, None
        quiet = now - deadlines.heard
        if self._phase is Phase.HANDSHAKE:
            overdue = deadlines.inHandshake(now)
        if self._phase in (Phase.SESSION, Phase.LOST):
            session.second(self.received, quiet >= 1)
        if self._phase is Phase.SESSION and not session.waiting:
            overdue = deadlines.ofUse(now, session)
            if not overdue and (not self.inlet.isHeld or self._appetite.isTurning):
                overdue = deadlines.whileRead(now, session, self._reader.isWithinMessage, self._taken)
                if not overdue and session.publishing and deadlines.wantsPing(now):
                    self.reached.add("pingSeconds")
                    time = int(deadlines.heard * 1000) & 0xFFFFFFFF
                    self.send(UserControl(UserControlType.PING_REQUEST, time).encode())
        if overdue and self._phase is Phase.HANDSHAKE:
            # There is nothing that it could be told.
            self._cutOff(overdue.limit, overdue.reason)
        elif overdue:
            self.reached.add(overdue.limit)
            self.close(overdue.reason, overdue.code)
        if self.outlet.stalled >= self.limits.stallSeconds:
            self._cutOff("stallSeconds", f"took nothing for {self.limits.stallSeconds:g} s")

    def _cutOff(self, limit: str, reason: str) -> None:
        """Abort it because of a limit."""
        if not self._isCutOff:
            self._isCutOff = True
            self.reached.add(limit)
        self.abort(reason)

    def _say(self, way: str, message: Message) -> None:
        line = oneLine(message, self._owner.hidesNames)
        self._log.info("{peer} {way} {line}", peer=self.peer, way=way, line=line)

    # ILink

    def write(self, message: Message) -> None:
        """See L{ILink.write}."""
        if self._owner.verbose:
            self._say("<", message)
        self.outlet.write(self._writer.write(message))

    def send(self, *messages: Message) -> None:
        """See L{ILink.send}."""
        if not messages:
            return
        if self._owner.verbose:
            for message in messages:
                self._say("<", message)
        self.outlet.answer(b"".join([self._writer.write(message) for message in messages]))
        if self.outlet.excess > self.limits.unreadBytes:
            self._cutOff("unreadBytes", "does not read the answers that it asks for")

    @property
    def origin(self) -> str:
        """See L{ILink.origin}."""
        return str(self._owner.origin(self))

    @property
    def quiet(self) -> float:
        """See L{ILink.quiet}."""
        return 0.0 if self.inlet.isHeld else self._owner.clock.seconds() - self._deadlines.heard

    def trust(self) -> None:
        """See L{ILink.trust}."""
        self._reader.limits = self._owner.publisherLimits

    def proceed(self) -> None:
        """See L{ILink.proceed}."""
        if self._phase is Phase.LOST:
            self._readRest()
        elif self._phase is Phase.SESSION:
            self._appetite.decided()
            self._deadlines.decided(self._owner.clock.seconds())
            self.dataReceived(b"")

    def close(self, reason: str, code: str = "") -> None:
        """See L{ILink.close}. What the peer sends from here on is thrown away."""
        if self._phase in (Phase.CLOSING, Phase.CLOSED):
            return
        if self._phase is Phase.SESSION:
            self.inlet.open()
        self._activity = self.session.activity
        self.send(*self.session.farewell(reason, code))
        isLost, self._phase = self._phase is Phase.LOST, Phase.CLOSING
        self._reason = reason
        self.session.end(reason)
        if isLost:
            self._finish()
        else:
            self.outlet.finish(self._shutDown)

    def _shutDown(self) -> None:
        """Everything has been written: say so, and give the peer some time to read it and to close its side."""
        self._linger = self._owner.clock.callLater(self.limits.lingerSeconds, self._hangUp)
        if ITCPTransport.providedBy(self._transport) and not self.secure:
            self._transport.loseWriteConnection()
        else:
            self.allSent = True
            self._transport.loseConnection()

    def _hangUp(self) -> None:
        """No reset: what the kernel still holds goes on to a peer that is slow. One that takes nothing is cut off."""
        self.allSent = False
        self.reached.add("lingerSeconds")
        self._linger = self._owner.clock.callLater(self.limits.stallSeconds, self._cutOff, "stallSeconds", self._reason)
        self._transport.loseConnection()

    def abort(self, reason: str) -> None:
        """See L{ILink.abort}."""
        self._reason = self._reason or reason
        if self._phase not in (Phase.LOST, Phase.CLOSED):
            self._transport.abortConnection()

    def hold(self, who: object) -> None:
        """See L{ILink.hold}."""
        if self._phase is Phase.SESSION:
            self.inlet.hold(who)

    def release(self, who: object) -> None:
        """See L{ILink.release}."""
        if self._phase is Phase.SESSION and self.inlet.release(who):
            self._deadlines.readAgain(self._owner.clock.seconds())
