# -*- test-case-name: tests.doctor.probes.test_tail -*-
"""
Does a fast publisher lose its tail? (Wire facts 0.2, 2.8 and 3.6, rows 16, 17 and 21.)

It publishes as fast as the server takes it: once patiently, reading what the server says, and leaving when all has come
out; and once as FFmpeg and librtmp do, who do not read, and whose last commands and close() come in one breath. What
was not read by then makes the kernel reset the connection, and a server that wrote what nobody asked for has thrown
away what it had not read yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from rtmptw.dialects.finding import Finding
from rtmptw.dialects.footage import Footage
from rtmptw.dialects.visit import Visit
from rtmptw.doctor.probe import Probe, Untestable, finding
from rtmptw.doctor.publishing import ranges
from rtmptw.doctor.target import Target
from rtmptw.doctor.witness import Witness, arrived

__all__ = ["TAIL"]

_NAME = "tail"

#: How much is published: messages, and how many are made at a time.
_COUNT, _BATCH = 3000, 50

#: How large a picture is, bytes: small, so that it is the server's reading that is looked at, not a player's queue.
_PICTURE = 250

#: How long the server may read nothing, and when it is given up, seconds; and how often that is looked at.
_HELD = 1.5
_GIVEN_UP = 15.0
_STEP = 0.1

#: How long nothing of it may come out, seconds, and how long it takes if nobody looks.
_DELAY = 5.0
_PAUSE = 2.0

#: What a server may not do to a publisher.
_WRITES = frozenset(("unasked-acks", "writes-to-publisher"))


@dataclass(frozen=True)
class _Run:
    """
    One publish.

    @ivar missing: what did not come out; C{None} if nobody could look.
    @ivar writes: what the server wrote that it should not have, if that was read.
    @ivar held: the longest time for which the server read nothing, seconds: nothing could be sent, or nothing came out,
        while the buffers of the systems between took what was sent.
    """

    missing: list[int] | None
    writes: list[Finding]
    held: float
    isCut: bool = False


@implementer(IPushProducer)
class _Outpour:
    """Writes whenever the system takes it."""

    def __init__(self, visit: Visit, footage: Footage) -> None:
        self.isDone = False
        self._held = 0.0
        self._visit = visit
        self._footage = footage
        self._next = 0
        self._isPaused = False
        self._since = 0.0
        visit.transport.registerProducer(self, True)
        self.resumeProducing()

    @property
    def heldNow(self) -> float:
        """For how long nothing has been taken, seconds."""
        return self._visit.contact.now - self._since if self._isPaused else 0.0

    @property
    def held(self) -> float:
        """The longest of these times so far, seconds."""
        return max(self._held, self.heldNow)

    def resumeProducing(self) -> None:
        if self._isPaused:
            self._held = self.held
        self._isPaused = False
        while not self._isPaused and not self.isDone:
            self._visit.send(self._footage.frames(_BATCH, self._next))
            self._next += _BATCH
            if self._next >= _COUNT:
                self.stop()

    def stop(self) -> None:
        """It is enough, whatever was written. A producer that is still registered would keep the connection open."""
        if not self.isDone:
            self._held, self._isPaused, self.isDone = self.held, False, True
            self._visit.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        self._isPaused, self._since = True, self._visit.contact.now

    def stopProducing(self) -> None:
        self.isDone = True


async def _run(target: Target, reads: bool) -> _Run:
    witness = await target.witness()
    visit = await target.publisher()
    if visit is None:
        raise Untestable("nobody can publish here")
    visit.begin()
    witness = await target.attend(visit, witness)
    if not reads:
        visit.transport.pauseProducing()
    outpour = _Outpour(visit, replace(visit.footage, pictureSize=_PICTURE))
    while not outpour.isDone and outpour.heldNow < _GIVEN_UP and not visit.contact.closed:
        await visit.contact.rest(_STEP)
    outpour.stop()
    isCut = bool(visit.contact.closed)
    if reads:
        await _arrive(visit, witness)
    visit.leave()
    await _arrive(visit, witness)
    await target.part(visit, witness)
    missing = None if witness is None else witness.missing(_COUNT)
    writes = [
        finding(_NAME, violation.cause.name, violation.words, visit)
        for entry in visit.contact.received()
        for violation in entry.violations
        if violation.cause.name in _WRITES
    ]
    silence = 0.0 if witness is None else _silence(witness, visit.take)
    return _Run(missing, writes[:1], max(outpour.held, silence), isCut)


def _silence(witness: Witness, take: int) -> float:
    """The longest time in the midst of a stream for which nothing came out, seconds."""
    times = [entry.at for entry in witness.visit.contact.received() if arrived([entry], take)]
    return max((later - earlier for earlier, later in pairwise(times)), default=0.0)


async def _arrive(visit: Visit, witness: Witness | None) -> None:
    """Until all has come out; if nobody looks, until it should have."""
    if witness is None:
        await visit.contact.rest(_PAUSE)
    else:
        await witness.sees(_COUNT - 1, _DELAY)


async def _ask(target: Target) -> list[Finding]:
    """
    @raise Untestable: if nobody can publish.
    """
    reading, deaf = await _run(target, True), await _run(target, False)
    found = list(reading.writes)
    held = max(reading.held, deaf.held)
    target.delay = max(target.delay, 2 * held)
    if held >= _HELD:
        found.append(finding(_NAME, "stops-reading", f"for {held:.1f} s the server read nothing of what was sent"))
    for run, how in ((reading, "that waits for it"), (deaf, "that does not read, as FFmpeg does not, and leaves")):
        if run.missing:
            count = _COUNT - len(run.missing)
            words = (
                f"of {_COUNT} messages from a fast publisher {how}, {count} came out; missing: {ranges(run.missing)}"
            )
            lostTail = run.missing[-1] == _COUNT - 1
            if run.isCut and not reading.writes:
                found.append(
                    finding(_NAME, "closed-without-reason", f"{words}; the server closed the connection first")
                )
            elif not lostTail:
                found.append(finding(_NAME, "media-lost-in-the-middle", words))
            elif not reading.writes:
                found.append(finding(_NAME, "tail-dropped", words))
            else:
                cause = reading.writes[0].cause.name
                found[0] = finding(_NAME, cause, f"{reading.writes[0].words}; {words}")
            break
    return found


TAIL = Probe(_NAME, "Does all of a fast publisher come out, to its last message?", _ask)
