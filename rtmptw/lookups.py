# -*- test-case-name: tests.test_lookups -*-
"""
Looking up the names of other servers, when the name servers are slow, away, or hostile (hostile rows D20, F14, F24).

Names are for the system to resolve: what its name servers answer is parsed by its library, and not by us. That may take
half a minute for each name, and can't be stopped. So it is done in threads that do nothing else: a disk that is slow
costs no lookup, and lookups cost nothing else.

- A lookup takes L{LOOKUP_SECONDS} at most. What the system says later counts for the next one.
- A name is looked up once at a time, however many wait for it: so no more wait than there are names.
- If there is no answer, but there was one within L{KEPT_SECONDS}, that one counts. If the answer is that there is no
  such name, it does not.
- Addresses need no lookup.
- The threads do not keep the process alive.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from threading import Thread
from typing import Any, TypeVar

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHostnameResolver,
    IHostResolution,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IReactorTime,
    IResolutionReceiver,
)
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

__all__ = ["KEPT_SECONDS", "LOOKUP_SECONDS", "MAX_KEPT", "THREADS", "Lookups", "installLookups"]

#: How long a lookup may take, seconds.
LOOKUP_SECONDS = 3.0

#: How long an answer counts when there is no other, seconds.
KEPT_SECONDS = 3600.0

#: The answers of how many names are kept; then the oldest is forgotten.
MAX_KEPT = 1024

#: How many names are looked up at a time; the others wait their turn.
THREADS = 8

#: What the system says when there is no such name, or none with an address. Not every system has both.
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}

_FAMILIES: dict[frozenset[type], int] = {
    frozenset([IPv4Address]): socket.AF_INET,
    frozenset([IPv6Address]): socket.AF_INET6,
}
_TRANSPORTS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}

_T = TypeVar("_T")
#: What runs a function in a thread, such as C{partial(deferToThreadPool, reactor, pool)}.
Run = Callable[[Callable[[], _T]], "Deferred[_T]"]
#: One of the entries of C{getaddrinfo}.
_Entry = tuple[Any, ...]
#: Name, family, kind of socket.
_Question = tuple[str, int, int]


@implementer(IHostResolution)
class _Waiting:
    """
    Somebody who waits for an answer.

    @ivar name: the name that is looked up.
    """

    def __init__(self, name: str, port: int, transport: Any, receiver: IResolutionReceiver) -> None:
        self.name = name
        self._port = port
        self._transport = transport
        self._receiver: IResolutionReceiver | None = receiver
        receiver.resolutionBegan(self)

    def answer(self, entries: Sequence[_Entry]) -> None:
        """Tell him, once. See L{IResolutionReceiver}."""
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        for family, _, _, _, place in entries:
            if family == socket.AF_INET:
                receiver.addressResolved(IPv4Address(self._transport, place[0], self._port))
            elif family == socket.AF_INET6:
                receiver.addressResolved(IPv6Address(self._transport, place[0], self._port, *place[2:]))
        receiver.resolutionComplete()

    def cancel(self) -> None:
        """See L{IHostResolution.cancel}."""
        self.answer(())


@implementer(IHostnameResolver)
class Lookups:
    """
    The lookups of one process.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        run: Run[list[_Entry]],
        getaddrinfo: Callable[..., list[_Entry]] = socket.getaddrinfo,
    ) -> None:
        """
        @param run: runs a blocking function in a thread.
        @param getaddrinfo: asks the system.
        """
        self._clock = clock
        self._run = run
        self._getaddrinfo = getaddrinfo
        #: Who waits, and until when.
        self._waiting: dict[_Question, list[_Waiting]] = {}
        self._patience: dict[_Question, IDelayedCall] = {}
        #: What the system is at; maybe for longer than anybody waits.
        self._asked: set[_Question] = set()
        #: Answers, with their times; the newest last.
        self._kept: dict[_Question, tuple[float, list[_Entry]]] = {}

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """See L{IHostnameResolver.resolveHostName}."""
        family = _FAMILIES.get(frozenset(addressTypes or ()), socket.AF_UNSPEC)
        waiting = _Waiting(hostName, portNumber, transportSemantics, resolutionReceiver)
        literal = _literal(hostName)
        if literal is not None:
            waiting.answer([literal] if family in (socket.AF_UNSPEC, literal[0]) else [])
            return waiting
        question = (hostName, family, _TRANSPORTS[transportSemantics])
        if question in self._waiting:
            self._waiting[question].append(waiting)
        else:
            self._waiting[question] = [waiting]
            self._patience[question] = self._clock.callLater(LOOKUP_SECONDS, self._tooLate, question)
        if question not in self._asked:
            self._asked.add(question)
            name, *kinds = question
            answer = self._run(partial(self._getaddrinfo, name, 0, *kinds))
            answer.addCallbacks(self._found, self._failed, (question,), errbackArgs=(question,))
        return waiting

    def _found(self, entries: list[_Entry], question: _Question) -> None:
        self._kept.pop(question, None)
        self._kept[question] = (self._clock.seconds(), entries)
        if len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._answered(question, entries)

    def _failed(self, failure: Failure, question: _Question) -> None:
        error = failure.value
        if not isinstance(error, (OSError, UnicodeError)):
            self._log.failure("{name}: the lookup has failed", failure, name=question[0])
        if isinstance(error, UnicodeError) or (isinstance(error, OSError) and error.errno in _NO_SUCH_NAME):
            self._kept.pop(question, None)
        self._answered(question, self._recall(question))

    def _answered(self, question: _Question, entries: list[_Entry]) -> None:
        """The system is done."""
        self._asked.discard(question)
        self._tell(question, entries)

    def _tooLate(self, question: _Question) -> None:
        self._tell(question, self._recall(question))

    def _tell(self, question: _Question, entries: list[_Entry]) -> None:
        """Nobody waits any more."""
        patience = self._patience.pop(question, None)
        if patience is not None and patience.active():
            patience.cancel()
        for waiting in self._waiting.pop(question, ()):
            waiting.answer(entries)

    def _recall(self, question: _Question) -> list[_Entry]:
        """What the answer was before, if that counts; else nothing."""
        when, entries = self._kept.get(question, (-inf, []))
        age = self._clock.seconds() - when
        if age > KEPT_SECONDS:
            return []
        self._log.info("{name}: no answer to the lookup; that of {age:.0f} s ago counts", name=question[0], age=age)
        return entries


def _literal(host: str) -> _Entry | None:
    """An address, as if it had been looked up; L{None} if it is a name."""
    if isIPv6Address(host):
        return (socket.AF_INET6, 0, 0, "", (host, 0))
    return (socket.AF_INET, 0, 0, "", (host, 0)) if isIPAddress(host) else None


def installLookups(reactor: Any) -> Lookups:
    """
    Have a reactor look up names in this way. It is for whoever owns the reactor.

    @param reactor: as Twisted makes them.
    """
    threads = ThreadPool(0, THREADS, "lookup")
    # They are never waited for: a name server that is silent must not keep the process from ending.
    threads.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
    threads.start()
    run = partial(deferToThreadPool, IReactorFromThreads(reactor), threads)
    lookups = Lookups(IReactorTime(reactor), run)
    IReactorPluggableNameResolver(reactor).installNameResolver(lookups)
    return lookups
