# -*- test-case-name: tests.doctor.test_target -*-
"""
The server under examination: where it is, and how to come to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater

from rtmptw.dialects.contact import Contact
from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Progress, StepState
from rtmptw.dialects.publishers import PUBLISHERS
from rtmptw.dialects.requirements import LENIENT
from rtmptw.dialects.visit import PATIENCE, Visit
from rtmptw.doctor.witness import Witness
from rtmptw.url import RTMPURL

__all__ = ["PLAIN", "Target", "Unreachable"]

#: How often a server that refuses a connection is tried again, seconds: one that takes only one at a time has to come
#: back first.
_AGAIN = 0.1
#: How long nothing may come out, seconds; L{Target.delay} is longer with servers that were seen to be slow.
_DELAY = 2.0

#: How long a server may take to tell players that a stream is over, seconds. Some never tell it; they get less time
#: the next time, and so do all who have nobody to tell it to.
_END = 4.0
_PAUSE = 0.3

#: How many publishers are told from each other.
_MOST_TAKES = 10_000

#: Between C2 and connect, for servers that throw away what comes in one segment with C2, seconds.
_APART = 0.2

#: The patience that is left, seconds, with a server that has not answered others.
_LEAST = 1.0

#: Who publishes when it does not matter who does: as FFmpeg does, and content with anything.
PLAIN = replace(PUBLISHERS[0], name="plain", digest=False, requirements=LENIENT)


class Unreachable(Exception):
    """Nobody is there."""


class Target:
    """
    A server.

    @ivar url: of the stream that is published.
    @ivar playURL: where it can be played; L{None} if it can't.
    @ivar patience: how long an answer may take, seconds.
    @ivar clock: what tells the time.
    @ivar delay: how long nothing may come out of what was sent before the rest counts as lost, seconds.
    @ivar isUntouched: whether nobody of ours has published yet.
    """

    def __init__(
        self,
        url: RTMPURL,
        connect: Callable[[], Deferred[Protocol]],
        clock: IReactorTime,
        playURL: RTMPURL | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """
        @param connect: makes a connection whose protocol is a L{Contact}.
        """
        self.url = url
        self.playURL = playURL
        self.patience = patience
        self.clock = clock
        self.isUntouched = True
        self._connect = connect
        self.delay = _DELAY
        self._known: set[str] = set()
        self._takes = 0
        self._end = _END

    async def contact(self) -> Contact:
        """
        A new connection.

        @raise Unreachable: if there is none within the patience.
        """
        deadline = self.clock.seconds() + self.patience
        while True:
            try:
                contact = await self._connect()
            except (ConnectError, OSError) as error:
                if self.clock.seconds() >= deadline:
                    raise Unreachable(str(error)) from error
            else:
                assert isinstance(contact, Contact)
                return contact
            await deferLater(self.clock, _AGAIN)

    async def visit(self, dialect: Dialect = PLAIN, url: RTMPURL | None = None) -> Visit:
        """
        A client at the door.

        @raise Unreachable: see L{contact}.
        """
        visit = Visit(dialect, url or self.url, await self.contact(), self.patience)
        visit.take, self._takes = self._takes, (self._takes + 1) % _MOST_TAKES
        visit.earlyC2 = "s2-waits-for-c2" in self._known
        visit.pauseBehindC2 = _APART if "c2-tail-dropped" in self._known else 0.0
        return visit

    def learn(self, progress: Progress) -> None:
        """
        Use what one client has found for the next: what helps is done at once, and a server that did not answer the
        first in time is not waited for as long by the others.
        """
        self.isUntouched = False
        self._known |= {finding.cause.name for finding in progress.findings}
        if StepState.STOPS in progress.steps.values():
            self.patience = min(self.patience, max(_LEAST, self.patience / 4))

    async def witness(self) -> Witness | None:
        """
        A player of the stream, which plays already.

        @return: L{None} if the server lets nobody play.
        """
        if self.playURL is None:
            return None
        witness = Witness(self.playURL, await self.contact(), self.patience)
        if await witness.open():
            return witness
        witness.leave()
        return None

    async def part(self, publisher: Visit, witness: Witness | None) -> None:
        """
        The publisher leaves, and then everybody: what comes next must not meet what was before.

        @param publisher: if it has not left yet, it does so now.
        """
        publisher.leave()
        if witness is not None:
            if not await witness.hearsEnd(self._end):
                self._end = _PAUSE
            witness.leave()
        await publisher.contact.ended(self.patience)
        if witness is None:
            await deferLater(self.clock, _PAUSE)

    async def publisher(self, dialect: Dialect = PLAIN) -> Visit | None:
        """
        A publisher that is past Publish.Start. A name that was just left may be busy for a moment.

        @return: L{None} if the server lets nobody publish.
        """
        deadline = self.clock.seconds() + self.patience
        while True:
            visit = await self.visit(dialect)
            if await visit.open():
                self.isUntouched = False
                return visit
            visit.contact.abort()
            if not visit.progress.refusal or self.clock.seconds() >= deadline:
                return None
            await deferLater(self.clock, _AGAIN)
