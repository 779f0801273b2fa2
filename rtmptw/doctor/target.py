# -*- test-case-name: tests.doctor.test_target -*-
"""
The server under examination: where it is, and how to come to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater

from rtmptw.dialects.contact import Contact
from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Finding, Progress, Step, StepState
from rtmptw.dialects.publishers import PUBLISHERS
from rtmptw.dialects.requirements import LENIENT
from rtmptw.dialects.visit import PATIENCE, Visit
from rtmptw.doctor.witness import Witness
from rtmptw.url import RTMPURL

__all__ = ["APART", "PLAIN", "Target", "Unreachable"]

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
APART = 0.5

#: The patience that is left, seconds, with a server that has not answered others; and how many times as long as its
#: slowest answer so far.
_LEAST, _TIMES = 1.0, 3

#: How long a connection may take, seconds, if the patience is not longer: that of TLS to far away takes several turns.
_CONNECT = 10.0

#: How often nobody may have been able to play, one time after the other, before that is not tried any more.
_MOST_UNPLAYED = 3

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
    @ivar isSolitary: whether it takes only one connection at a time, as L{rtmptw.doctor.publishing} finds out.
    @ivar isWatched: whether somebody could play what ours have published.
    @ivar refusal: why the last L{publisher} was not let in, if it was told; else empty.
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
        self.isSolitary = False
        self.isWatched = False
        self.refusal = ""
        self._connect = connect
        self.delay = _DELAY
        self._known: set[str] = set()
        self._takes = 0
        self._end = _END
        self._contacts: list[Contact] = []
        self._wasThere = False
        self._slowest = 0.0
        self._unplayed = 0
        self._playsEarly = True

    async def contact(self) -> Contact:
        """
        A new connection.

        @raise Unreachable: if there is none within the patience.
        """
        deadline = self.clock.seconds() + self.patience
        while True:
            try:
                contact = await self._connection()
            except (ConnectError, OSError) as error:
                if self.clock.seconds() >= deadline:
                    before = "; somebody was there before" if self._wasThere else ""
                    raise Unreachable(f"{str(error).rstrip('.')}{before}") from error
            else:
                self._wasThere = True
                self._contacts = [each for each in self._contacts if not each.closed]
                self._contacts.append(contact)
                return contact
            await deferLater(self.clock, _AGAIN)

    async def _connection(self) -> Contact:
        """
        @raise ConnectError: or OSError, if there is none.
        """
        seconds = max(self.patience, _CONNECT)

        def late(result: object, seconds: float) -> object:
            raise ConnectError(string=f"there is no connection after {seconds:g} s")

        try:
            contact = await self._connect().addTimeout(seconds, self.clock, late)
        except ConnectingCancelledError as error:
            raise CancelledError from error
        assert isinstance(contact, Contact)
        return contact

    async def clear(self) -> None:
        """
        Whoever has not left yet is cut off: a server that takes only one at a time does not take another before that.
        """
        for contact in self.abort():
            await contact.ended(self.patience)

    def abort(self) -> list[Contact]:
        """
        The same, at once.

        @return: whose connections these are.
        """
        contacts, self._contacts = [each for each in self._contacts if not each.closed], []
        for contact in contacts:
            contact.abort()
        return contacts

    async def visit(self, dialect: Dialect = PLAIN, url: RTMPURL | None = None) -> Visit:
        """
        A client at the door.

        @param url: by default, where its kind has to go.
        @raise Unreachable: see L{contact}.
        """
        url = url or (self.url if dialect.publishes else self.playURL or self.url)
        visit = Visit(dialect, url, await self.contact(), self.patience)
        visit.take, self._takes = self._takes, (self._takes + 1) % _MOST_TAKES
        self._tell(visit)
        return visit

    def _tell(self, visit: Visit) -> None:
        """What helps here is done at once."""
        visit.earlyC2 = "s2-waits-for-c2" in self._known
        visit.pauseBehindC2 = APART if "c2-tail-dropped" in self._known else 0.0

    def learn(self, progress: Progress) -> None:
        """
        Use what one client has found for the next: what helps is done at once, and a server that did not answer the
        first in time is not waited for as long by the others; but as long as it takes when it does answer.
        """
        if progress.steps[Step.REQUEST] in (StepState.OK, StepState.LENIENT):
            self.isUntouched = False
        self._known |= {finding.cause.name for finding in progress.findings}
        self._slowest = max([self._slowest, progress.handshake, *progress.delays, *map(_delay, progress.findings)])
        if StepState.STOPS in progress.steps.values():
            self.patience = min(self.patience, max(_LEAST, self.patience / 4, _TIMES * self._slowest))

    async def witness(self) -> Witness | None:
        """
        A player of the stream, which plays already before somebody publishes; see L{attend}.

        @return: L{None} if the server lets nobody play yet.
        """
        if not self._playsEarly or not self._mayPlay:
            return None
        return await self._player(isLate=False)

    async def attend(self, publisher: Visit, witness: Witness | None) -> Witness | None:
        """
        Somebody who sees what a publisher sends from now on: the player that was there before it, if there is one, and
        the server has not told it that something is over, which is what was published before. Else one that comes now:
        some servers let nobody play what nobody publishes.

        @param publisher: one that has begun.
        @return: L{None} if the server lets nobody play.
        """
        deadline = self.clock.seconds() + self.patience
        isLate = witness is None
        if witness is not None and witness.isOver:
            witness.leave()
            witness = None
        while witness is None and self._mayPlay and not publisher.contact.closed:
            witness = await self._player(isLate=True)
            if witness is None:
                if self.clock.seconds() >= deadline:
                    self._unplayed += 1
                    return None
                await deferLater(self.clock, _AGAIN)
        if witness is not None:
            self.isWatched, self._unplayed = True, 0
            self._playsEarly = self._playsEarly and not isLate
            witness.follow(publisher)
        return witness

    @property
    def _mayPlay(self) -> bool:
        return self.playURL is not None and not self.isSolitary and self._unplayed < _MOST_UNPLAYED

    async def _player(self, isLate: bool) -> Witness | None:
        assert self.playURL is not None
        witness = Witness(self.playURL, await self.contact(), self.patience, isLate)
        self._tell(witness.visit)
        if await witness.open():
            return witness
        witness.visit.contact.abort()
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
            isOpen, self.refusal = await visit.open(), visit.progress.refusal
            if isOpen:
                self.isUntouched = False
                return visit
            visit.contact.abort()
            if not visit.progress.refusal or self.clock.seconds() >= deadline:
                return None
            await deferLater(self.clock, _AGAIN)


def _delay(finding: Finding) -> float:
    """How long the answers took that show it, seconds."""
    sent = finding.sent
    return 0.0 if sent is None else max((entry.at - sent.at for entry in finding.came), default=0.0)
