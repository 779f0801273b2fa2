# -*- test-case-name: tests.test_deadlines -*-
"""
The deadlines of one connection: since when it has owed what, and which of these times is over.

What is owed depends on what the connection is doing: a handshake; something to publish or to play; the first media of
a publish; any byte from a publisher; the end of a message that has begun. Each is looked at once a second, so the
reading of bytes costs no timer. Time in which the peer could not be heard, since it was not read or this process stood
still, is never its fault.

A publisher's silence is first answered by a ping. Some publishers never read, and a ping may cost them the end of their
stream (wire facts 2.8): so it comes late, and is one.
"""

from __future__ import annotations

from typing import NamedTuple

from rtmptw.limits import Limits
from rtmptw.session import status
from rtmptw.session.netconnection import NetConnection

__all__ = ["Deadlines", "Overdue"]


class Overdue(NamedTuple):
    """
    A deadline that has passed.

    @ivar limit: the field of L{Limits}.
    @ivar reason: what was not done, and in what time.
    @ivar code: the status that tells the peer; empty, if it would not understand one yet.
    """

    limit: str
    reason: str
    code: str = ""


class Deadlines:
    """
    Those of one connection. Whoever owns the clock says what time it is.

    @ivar heard: when the last bytes came.
    """

    __slots__ = ("_began", "_limits", "_pinged", "_taken", "_unheard", "_used", "_wholeSince", "heard")

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._began = self._used = self._unheard = self._wholeSince = self.heard = now
        self._taken = 0
        self._pinged = False

    def clockStopped(self, seconds: float) -> None:
        """This process has stood still for so long, and nobody could be heard: no deadline goes by that time."""
        self._began += seconds
        self._used += seconds
        self._unheard += seconds
        self._wholeSince += seconds
        self.heard += seconds

    def readAgain(self, now: float) -> None:
        """It is read again. While it was not, it could not be heard."""
        self.heard = self._unheard = self._wholeSince = now

    def decided(self, now: float) -> None:
        """The application has decided. The time that it took is not the peer's."""
        self._used = self._unheard = now

    def inHandshake(self, now: float) -> Overdue | None:
        """Whether the handshake has taken too long, however many bytes have come."""
        seconds = self._limits.handshakeSeconds
        if now - self._began >= seconds:
            return Overdue("handshakeSeconds", f"no handshake within {seconds:g} s")
        return None

    def ofUse(self, now: float, session: NetConnection) -> Overdue | None:
        """Whether nothing was published or played for too long."""
        seconds = self._limits.idleSeconds
        if session.active:
            self._used = now
        elif now - max(self._used, self._began) >= seconds:
            return Overdue("idleSeconds", f"neither published nor played for {seconds:g} s", status.IDLE_TIME_OUT)
        return None

    def whileRead(self, now: float, session: NetConnection, withinMessage: bool, taken: int) -> Overdue | None:
        """
        Whether something that is read has not come in time: a publisher's bytes, its first media, the end of a message.

        @param withinMessage: whether a message has begun and is not complete.
        @param taken: how many messages have been.
        """
        return (
            self._ofSilence(now, session.publishing)
            or self._ofMedia(now, session.awaitsMedia, withinMessage)
            or self._ofMessage(now, withinMessage, taken)
        )

    def _ofSilence(self, now: float, publishing: bool) -> Overdue | None:
        seconds = self._limits.silenceSeconds
        if publishing and now - self.heard >= seconds:
            return Overdue("silenceSeconds", f"the publisher was silent for {seconds:g} s", status.IDLE_TIME_OUT)
        return None

    def _ofMedia(self, now: float, awaitsMedia: bool, withinMessage: bool) -> Overdue | None:
        """A message that has begun may be the first media; it has its own time."""
        seconds = self._limits.firstMediaSeconds
        if not awaitsMedia:
            self._unheard = now
        elif now - self._unheard >= seconds and not withinMessage:
            reason = f"the publisher sent no audio, video or data for {seconds:g} s"
            return Overdue("firstMediaSeconds", reason, status.IDLE_TIME_OUT)
        return None

    def _ofMessage(self, now: float, withinMessage: bool, taken: int) -> Overdue | None:
        """A message that never ends is as bad as silence, however many bytes keep coming."""
        seconds = self._limits.messageSeconds
        if not withinMessage or taken != self._taken:
            self._taken, self._wholeSince = taken, now
        elif now - self._wholeSince >= seconds:
            return Overdue("messageSeconds", f"a message was not completed within {seconds:g} s", status.CLOSED)
        return None

    def wantsPing(self, now: float) -> bool:
        """Whether it is time to ping a publisher. Once for each silence."""
        if now - self.heard < self._limits.pingSeconds:
            self._pinged = False
        elif not self._pinged:
            self._pinged = True
            return True
        return False
