# -*- test-case-name: tests.attackers.test_attacker -*-
"""
An attacker: one connection to a server, with bad intentions. What it does is a coroutine, its deed, which says bytes,
hears what is answered, and rests; when the connection is over, so is the deed, by L{Gone}.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.wire.handshake import HANDSHAKE_SIZE
from tests.attackers.account import Account
from tests.attackers.speech import C0C1, C2, command

__all__ = ["PATIENCE", "Attacker", "Deed", "Goal", "Gone"]

#: How long an attacker waits for an answer, s.
PATIENCE = 10.0

#: How much of what the server says is kept, bytes.
_KEPT = 65536


class Gone(Exception):
    """The connection is over, or the server does not answer."""


@dataclass(frozen=True)
class Goal:
    """
    What is attacked.

    @ivar app: the application.
    @ivar victim: the name of a stream in it that somebody else publishes.
    """

    app: str = "live"
    victim: str = "bench0"


@implementer(IPushProducer)
class Attacker(Protocol):
    """
    @ivar number: which of the row's attackers it is, from 0.
    @ivar goal: what is attacked.
    @ivar heard: what the server has said, from its first byte.
    @ivar isGone: whether the connection is over.
    """

    def __init__(self, goal: Goal, number: int, account: Account, clock: IReactorTime) -> None:
        self.goal = goal
        self.number = number
        self.heard = bytearray()
        self.isGone = False
        self._account = account
        self._clock = clock
        self._isFull = self._isLeaving = False
        self._isDone: Callable[[], bool] = bool
        self._waiter: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """The deed can begin."""
        transport: Any = self.transport
        self._transport = transport
        transport.setTcpNoDelay(True)
        transport.registerProducer(self, True)
        self._account.connections += 1

    def dataReceived(self, data: bytes) -> None:
        """The server says something."""
        self._account.received += len(data)
        self.heard += data[: _KEPT - len(self.heard)]
        self._look()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over."""
        self.isGone = True
        ending = "left" if self._isLeaving else "closed" if reason.check(ConnectionDone) else "reset"
        self._account.endings[ending] += 1
        self._account.hear(self.heard)
        self._fire(Failure(Gone(ending)))

    # The producer that the transport pauses when it is full

    def pauseProducing(self) -> None:
        """The server does not take more at the moment."""
        self._isFull = True

    def resumeProducing(self) -> None:
        """It does."""
        self._isFull = False
        self._look()

    def stopProducing(self) -> None:
        """It never will: L{connectionLost} follows."""

    # For deeds

    def say(self, data: bytes) -> Deferred[None]:
        """
        Send bytes.

        @return: fires when there is room for more; however long that takes.
        """
        if self.isGone:
            return fail(Gone())
        self._account.sent += len(data)
        self._transport.write(data)
        return self._wait(lambda: not self._isFull, None)

    def hear(self, size: int) -> Deferred[None]:
        """Wait until the server has said so many bytes in all."""
        return self._wait(lambda: len(self.heard) >= size)

    def hearOf(self, *words: bytes) -> Deferred[None]:
        """Wait until the server has said one of these."""
        return self._wait(lambda: any(word in self.heard for word in words))

    def rest(self, seconds: float) -> Deferred[None]:
        """Let time pass."""
        return self._wait(bool, seconds, isLateWell=True)

    def deafen(self) -> None:
        """Do not read any more."""
        self._transport.pauseProducing()

    def leave(self) -> None:
        """End the connection, by a reset. Harmless when repeated."""
        if not self.isGone:
            self._isLeaving = True
            self._transport.abortConnection()

    # How far anybody comes

    async def enter(self) -> None:
        """The handshake."""
        await self.say(C0C1)
        await self.hear(HANDSHAKE_SIZE)
        await self.say(C2)

    async def connect(self) -> None:
        """The handshake, and the command connect."""
        await self.enter()
        await self.say(command("connect", 1.0, {"app": self.goal.app, "tcUrl": f"rtmp://127.0.0.1/{self.goal.app}"}))
        await self.hearOf(b"_result", b"_error")

    async def publish(self, name: str | None = None) -> None:
        """All that, and a stream on message stream 1; by default, one of its own."""
        await self.connect()
        await self.say(command("createStream", 2.0, None))
        await self.say(command("publish", 3.0, None, name or f"attack{self.number}", "live", streamId=1))
        await self.hearOf(b"NetStream.Publish.")

    async def play(self, name: str | None = None) -> None:
        """Watch a stream; by default, the victim's."""
        await self.connect()
        await self.say(command("createStream", 2.0, None))
        await self.say(command("play", 3.0, None, name or self.goal.victim, streamId=1))
        await self.hearOf(b"NetStream.Play.")

    # Waiting

    def _wait(
        self, isDone: Callable[[], bool], seconds: float | None = PATIENCE, isLateWell: bool = False
    ) -> Deferred[None]:
        if self.isGone:
            return fail(Gone())
        if isDone():
            return succeed(None)
        self._isDone = isDone
        self._waiter = Deferred()
        if seconds is not None:
            result = None if isLateWell else Failure(Gone("no answer"))
            self._timer = self._clock.callLater(seconds, self._fire, result)
        return self._waiter

    def _look(self) -> None:
        if self._waiter is not None and self._isDone():
            self._fire(None)

    def _fire(self, result: Failure | None) -> None:
        waiter, self._waiter = self._waiter, None
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        if waiter is not None:
            waiter.callback(result)


#: What an attacker does.
Deed = Callable[[Attacker], Coroutine[Deferred[Any], Any, None]]
