# -*- test-case-name: tests.doctor.test_publishing -*-
"""
One publishing client, from the handshake to its end, with somebody who counts what comes out.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.task import deferLater

from rtmptw.dialects.contact import OVERRUN
from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Progress, Step, StepState
from rtmptw.dialects.visit import Visit
from rtmptw.doctor.second import secondOpinion
from rtmptw.doctor.target import Target
from rtmptw.doctor.witness import Witness

__all__ = ["FRAMES", "examinePublisher", "ranges"]

#: How many messages each client publishes: two keyframes, and what follows them.
FRAMES = 80

#: Where a server that takes only one connection at a time leaves others.
_FIRST = (Step.HANDSHAKE, Step.CONNECT)

#: How long a server that minds something may take to show it, seconds.
_PAUSE = 0.2

#: A refusal that may be about the client before, whose end the server has not noticed yet; and how long after another
#: one, or after none, it is asked once more, seconds.
_BUSY = "BadName"
_ONCE_MORE = 1.0


async def examinePublisher(target: Target, dialect: Dialect) -> Progress:
    """
    Let one client publish.

    @raise Unreachable: if nobody is there.
    """
    witness = await target.witness()
    visit, opened = await _open(target, dialect)
    if not opened and witness is not None and target.isUntouched and visit.step in _FIRST:
        # It may not take two.
        visit.contact.abort()
        witness.visit.contact.abort()
        visit, opened = await _open(target, dialect)
        target.isSolitary, witness = visit.step not in _FIRST, None
    progress = visit.progress
    if opened:
        visit.begin()
        witness = await target.attend(visit, witness)
        await _publish(visit, FRAMES)
        await _compare(target, visit, witness)
    elif not progress.refusal:
        await secondOpinion(target, visit)
    elif _BUSY in progress.refusal and not target.isUntouched:
        words = f"{target.patience:g} s after its publisher has left the name is not free: {progress.refusal}"
        visit.blame("name-stays-taken", words)
    target.learn(progress)
    visit.look()
    await target.part(visit, witness)
    return progress


async def _open(target: Target, dialect: Dialect) -> tuple[Visit, bool]:
    """Until Publish.Start, or until it is clear that there will be none; and whether it was there."""
    deadline = target.clock.seconds() + target.patience
    isFirst = True
    while True:
        visit = await target.visit(dialect)
        opened = await visit.open()
        isBusy = _BUSY in visit.progress.refusal and target.clock.seconds() < deadline
        if opened or target.isUntouched or not (isBusy or (isFirst and _isSentAway(visit))):
            return visit, opened
        visit.contact.abort()
        await deferLater(target.clock, _PAUSE if isBusy else _ONCE_MORE)
        isFirst = False


def _isSentAway(visit: Visit) -> bool:
    """Whether the server did not want it just when it was to publish: that may be about the client before, too."""
    return visit.step is Step.REQUEST and bool(visit.progress.refusal or visit.contact.closed)


async def _publish(visit: Visit, count: int) -> None:
    """Publish, and leave if the server has not left before."""
    # Headers were sent. Who is refused because of them would not hear it if more was on its way: a close with unread
    # bytes is a reset, which takes the refusal with it.
    await visit.contact.rest(_PAUSE / 4)
    for first in range(0, count, count // 4):
        visit.send(visit.footage.frames(count // 4, first))
        await visit.contact.rest(_PAUSE / 4)
    await visit.contact.rest(_PAUSE)
    if not visit.contact.closed:
        visit.leave()
        return
    if visit.contact.conversation.talk.refused:
        visit.refused()
    elif visit.contact.closed == OVERRUN:
        visit.blame("writes-to-publisher", f"the server writes without end: {visit.contact.overrun}")
    elif not visit.doubted():
        visit.blame("closed-without-reason", "the server closed the connection while media was sent")


async def _compare(target: Target, visit: Visit, witness: Witness | None) -> None:
    """Look at what has come out."""
    progress = visit.progress
    if progress.steps[Step.MEDIA] is not StepState.UNTESTED or progress.refusal:
        await secondOpinion(target, visit)
        return
    if witness is not None:
        await witness.sees(FRAMES - 1, target.delay)
        missing = witness.missing(FRAMES)
        if missing:
            seen = FRAMES - len(missing)
            words = f"of {FRAMES} messages that were sent, {seen} came out; missing: {ranges(missing)}"
            if visit.doubt is not None:
                visit.passed(Step.MEDIA, StepState.LOSES)
                visit.doubted()
            else:
                visit.loses("media-lost", words)
                await secondOpinion(target, visit)
            return
        damaged = witness.damaged(visit, FRAMES)
        if damaged:
            visit.loses("media-damaged", f"these messages came out otherwise than they were sent: {ranges(damaged)}")
    visit.passed(Step.MEDIA)
    visit.passed(Step.END)


def ranges(numbers: Sequence[int]) -> str:
    """Such as C{"0-9, 17"}; the first few."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][-1] == number - 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    shown = ["-".join(map(str, each)) for each in found[:5]]
    return ", ".join([*shown, "..."] if len(found) > len(shown) else shown)
