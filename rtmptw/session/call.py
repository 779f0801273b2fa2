# -*- test-case-name: tests.session.test_call -*-
"""
Calls that wait for an answer (RTMP 1.0, section 7.2.1.2).

A call goes out with a transaction ID of its own, from 1 on. Its C{_result} or C{_error} comes back with that number,
some time, in any order. Each call ends once: by its answer, by the end of its time, by its caller (who cancels the
Deferred), or with the connection. It is taken out of the table first and fired then, so whatever a callback does finds
the table in order. An answer to nothing, as to a call that has timed out, is an ordinary event: it is counted, and the
first few are logged.
"""

from __future__ import annotations

from typing import NamedTuple

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rtmptw.errors import CallError, CallTimedOut, ConnectionClosed, StatusError
from rtmptw.wire.command import Command

__all__ = ["Calls", "refusal"]

#: How much of a peer's text is passed on, characters.
MAX_TEXT = 1024

#: How many answers to nothing have a line in the log: a peer could fill the disk with them.
MAX_STRAY_LINES = 10


class _Call(NamedTuple):
    name: str
    answer: Deferred[Command]
    timeout: IDelayedCall | None


class Calls:
    """
    The calls of one connection.

    @ivar stray: how many answers have come that nothing waited for.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, peer: str) -> None:
        """
        @param peer: who answers, for the log.
        """
        self._clock = clock
        self._peer = peer
        self.stray = 0
        self._last = 0
        self._waiting: dict[float, _Call] = {}
        self._unheeded: set[float] = set()
        self._closed: str | None = None

    def begin(self, name: str, timeout: float | None = None) -> tuple[float, Deferred[Command]]:
        """
        A new call.

        @param name: the command.
        @param timeout: how long to wait, seconds; L{None}: as long as there is a connection.
        @return: its transaction ID, and a Deferred: of the C{_result}; or a failure, L{CallError}, L{CallTimedOut},
            L{ConnectionClosed}, or L{twisted.internet.defer.CancelledError}.
        """
        if self._closed is not None:
            return 0.0, fail(ConnectionClosed(name, self._closed))
        self._last += 1
        id = float(self._last)
        answer: Deferred[Command] = Deferred(lambda _: self._forget(id))
        delayed = None if timeout is None else self._clock.callLater(timeout, self._timedOut, id, timeout)
        self._waiting[id] = _Call(name, answer, delayed)
        return id, answer

    def announce(self) -> float:
        """
        @return: a transaction ID for a call that nobody waits for, and whose answer, if there is one, says nothing.
        """
        self._last += 1
        self._unheeded.add(float(self._last))
        return float(self._last)

    def answered(self, command: Command) -> bool:
        """
        A C{_result} or C{_error} has come.

        @return: whether it was asked for.
        """
        if command.transactionId in self._unheeded:
            self._unheeded.remove(command.transactionId)
            return True
        call = self._take(command.transactionId)
        if call is None:
            self._strayed(command)
        elif command.name == "_error":
            call.answer.errback(refusal(call.name, command))
        else:
            call.answer.callback(command)
        return call is not None

    def accepted(self, id: float) -> None:
        """The answer to a call has come in another way, and is yes. Harmless when it has come before."""
        call = self._take(id)
        if call is not None:
            call.answer.callback(Command("_result", id))

    def refused(self, id: float, error: StatusError) -> None:
        """The answer to a call has come in another way, and is no."""
        call = self._take(id)
        if call is not None:
            call.answer.errback(error)

    def close(self, reason: str) -> None:
        """No answer will come any more. Harmless when repeated."""
        if self._closed is None:
            self._closed = reason
        for id in tuple(self._waiting):
            # A callback may have cancelled another one meanwhile.
            call = self._take(id)
            if call is not None:
                call.answer.errback(ConnectionClosed(call.name, reason))

    def _strayed(self, command: Command) -> None:
        self.stray += 1
        if self.stray <= MAX_STRAY_LINES:
            self._log.info(
                "{peer}: {name} with transaction ID {id:g}, which waits for none{more}",
                peer=self._peer,
                name=command.name,
                id=command.transactionId,
                more="" if self.stray < MAX_STRAY_LINES else "; no more of them are logged",
            )

    def _timedOut(self, id: float, seconds: float) -> None:
        call = self._take(id)
        if call is not None:
            call.answer.errback(CallTimedOut(call.name, seconds))

    def _forget(self, id: float) -> None:
        """Its caller does not want it any more."""
        self._take(id)

    def _take(self, id: float) -> _Call | None:
        call = self._waiting.pop(id, None)
        if call is not None and call.timeout is not None and call.timeout.active():
            call.timeout.cancel()
        return call


def refusal(name: str, command: Command) -> CallError:
    """
    What an C{_error} or an C{onStatus} of level "error" says.

    @param name: the call that it refuses.
    """
    information = next((value for value in command.arguments if isinstance(value, dict)), None)
    if information is None and isinstance(command.commandObject, dict):
        information = command.commandObject
    information = information or {}
    text = command.text(0) or ""
    description, code = (
        value[:MAX_TEXT] if isinstance(value, str) else "" for value in map(information.get, ("description", "code"))
    )
    return CallError(name, description or text[:MAX_TEXT] or "no reason given", code, information)
