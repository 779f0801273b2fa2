# -*- test-case-name: tests.doctor.test_playing -*-
"""
One playing client, with somebody who publishes for it and leaves at last.
"""

from __future__ import annotations

from twisted.internet.task import deferLater

from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Progress, Step
from rtmptw.dialects.footage import GOP_FRAMES
from rtmptw.dialects.visit import Visit
from rtmptw.doctor.feed import Feed
from rtmptw.doctor.second import secondOpinion
from rtmptw.doctor.target import Target
from rtmptw.doctor.witness import STREAM_EOF, UNPUBLISH, arrived, endSigns

__all__ = ["examinePlayer"]

#: How long after a refusal it is asked again, seconds.
_PAUSE = 0.3

#: How many messages it must get, so that all seems well.
_ENOUGH = 20

#: After how many messages a keyframe comes.
_KEYFRAMES = 2 * GOP_FRAMES

#: How long a player is left alone at the end of a stream, seconds, until it is clear that it would wait for ever.
_END = 4.0

#: By client: what tells it that the stream is over, if the connection does not end (wire facts 3.3), and the cause if
#: nothing does.
_ENDS = {
    "FFmpeg player": (UNPUBLISH, "end-without-unpublishnotify"),
    "librtmp": (UNPUBLISH, "end-without-unpublishnotify"),
    "GStreamer": (STREAM_EOF, "end-without-streameof"),
}


async def examinePlayer(target: Target, dialect: Dialect) -> Progress:
    """
    Let one client play.

    @raise Unreachable: if nobody is there.
    """
    if target.isSolitary:
        return Progress(dialect.name, dialect.program, refusal="the server takes only one connection at a time")
    publisher = await target.publisher()
    if publisher is None:
        return Progress(dialect.name, dialect.program, refusal="nobody can publish here, so there is nothing to play")
    feed = Feed(target, publisher)
    try:
        visit, opened = await _open(target, dialect)
        if opened:
            await _watch(target, visit, feed)
        elif not visit.progress.refusal:
            await secondOpinion(target, visit)
        wasAlive = feed.isAlive
    finally:
        feed.leave()
    progress = visit.progress
    if opened and wasAlive:
        await _end(target, visit)
    visit.look()
    if not wasAlive:
        progress = Progress(dialect.name, dialect.program, refusal="the server has closed the publisher's connection")
    target.learn(progress)
    visit.leave()
    await visit.contact.ended(target.patience)
    await publisher.contact.ended(target.patience)
    return progress


async def _open(target: Target, dialect: Dialect) -> tuple[Visit, bool]:
    """Until Play.Start, and whether it was there. A stream that has just begun may be unknown for a moment."""
    deadline = target.clock.seconds() + target.patience
    while True:
        visit = await target.visit(dialect)
        opened = await visit.open()
        if opened or not visit.progress.refusal or target.clock.seconds() >= deadline:
            return visit, opened
        visit.contact.abort()
        await deferLater(target.clock, _PAUSE)


async def _watch(target: Target, visit: Visit, feed: Feed) -> None:
    """Wait for pictures."""

    def isEnough() -> bool | None:
        seen = arrived(visit.contact.entries, feed.visit.take)
        # Keyframes are what a server has to cut.
        return True if len(seen) >= _ENOUGH and any(number % _KEYFRAMES == 0 for number in seen) else None

    if await visit.contact.until(isEnough, target.patience):
        visit.look()
        visit.passed(Step.MEDIA)
        return
    seen = len(arrived(visit.contact.entries, feed.visit.take))
    visit.loses("media-lost", f"of a stream that was published all the time, {seen} messages came")


async def _end(target: Target, visit: Visit) -> None:
    """See whether the client learns that the stream is over."""
    contact = visit.contact
    sign, cause = _ENDS.get(visit.dialect.requirements.client, (UNPUBLISH, ""))

    def learns() -> bool | None:
        return True if contact.closed or sign in endSigns(contact.received()) else None

    visit.enter(Step.END)
    if await contact.until(learns, min(_END, target.patience)) or not cause:
        visit.passed(Step.END)
        return
    heard = ", ".join(sorted(endSigns(contact.received()))) or "nothing"
    visit.advise(cause, f"the publisher has left, and the player hears: {heard}; the connection stays open")
