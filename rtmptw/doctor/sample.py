# -*- test-case-name: tests.doctor.test_sample -*-
"""
A sample of what a server says to one client: for those who compare it with what another says.
"""

from __future__ import annotations

from rtmptw.dialects.dialect import Dialect
from rtmptw.doctor.feed import Feed
from rtmptw.doctor.target import Target
from rtmptw.trace.entry import Entry

__all__ = ["Unsampled", "sample"]

#: How many messages a publisher sends, in how many pieces, and how long it waits behind each, seconds.
_COUNT, _PIECES, _PAUSE = 80, 4, 0.1

#: How long a player plays, seconds, and how long it waits for the end when its publisher has left.
_PLAYS, _ENDS = 0.5, 2.0


class Unsampled(Exception):
    """There can be no sample; the text says why."""


async def sample(target: Target, dialect: Dialect) -> list[Entry]:
    """
    Visit a server, from the handshake to the end, and keep what both have said.

    @param dialect: who visits; who plays has a publisher to play.
    @raise Unreachable: if nobody is there.
    @raise Unsampled: if there is nothing to play.
    """
    try:
        return await (_published if dialect.publishes else _played)(target, dialect)
    finally:
        target.abort()


async def _played(target: Target, dialect: Dialect) -> list[Entry]:
    publisher = await target.publisher()
    if publisher is None:
        raise Unsampled("nobody can publish there, so there is nothing to play")
    feed = Feed(target, publisher)
    try:
        visit = await target.visit(dialect)
        if await visit.open():
            await visit.contact.rest(_PLAYS)
    finally:
        feed.leave()
    await visit.contact.rest(_ENDS)
    visit.leave()
    await visit.contact.ended(target.patience)
    await publisher.contact.ended(target.patience)
    return visit.contact.entries


async def _published(target: Target, dialect: Dialect) -> list[Entry]:
    visit = await target.visit(dialect)
    if await visit.open():
        visit.begin()
        for first in range(0, _COUNT, _COUNT // _PIECES):
            visit.send(visit.footage.frames(_COUNT // _PIECES, first))
            await visit.contact.rest(_PAUSE)
    visit.leave()
    await visit.contact.ended(target.patience)
    return visit.contact.entries
