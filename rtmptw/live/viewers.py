# -*- test-case-name: tests.live.test_viewers -*-
"""
The viewers of a stream, and the round in which each is given what has come.

Whoever takes nothing more falls asleep: rounds do not ask it again before its connection, or its peer, has told it to
go on (L{Viewer.flush}). There may be as many of those as somebody wants there to be, and they shall cost those who are
awake no time. Only where a publisher is faster than anything live are they looked at too: it may have to wait for one
of them (L{rtmptw.live.pace}).
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.logger import Logger

from rtmptw.live.headers import HeaderCache
from rtmptw.live.pace import Haste
from rtmptw.live.tape import Tape
from rtmptw.live.viewer import Viewer

__all__ = ["Viewers"]


class Viewers:
    """
    Those who play one stream.
    """

    _log = Logger()

    def __init__(self, path: str) -> None:
        """
        @param path: of the stream, for the log.
        """
        self._path = path
        self._all: dict[Viewer, None] = {}
        self._awake: dict[Viewer, None] = {}
        self._haste = Haste()

    def __iter__(self) -> Iterator[Viewer]:
        return iter(tuple(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, viewer: Viewer) -> None:
        """One comes."""
        self._all[viewer] = self._awake[viewer] = None

    def remove(self, viewer: Viewer) -> None:
        """One goes. Harmless when repeated."""
        self._all.pop(viewer, None)
        self._awake.pop(viewer, None)

    def wake(self, viewer: Viewer) -> None:
        """It takes something again. Harmless when repeated, and for one who has gone."""
        if viewer in self._all:
            self._awake[viewer] = None

    def round(self, tape: Tape, headers: HeaderCache, now: float) -> Iterator[None]:
        """
        Give each viewer all there is for it, one at each step.

        This is the hot loop of a server with many viewers. Nearly all of them are in step: they are at the same place,
        and are sent the same block. Whatever is called for each of them costs more than it seems, since behind every
        send the processor has forgotten all but the bytes that were sent.

        @param now: the time, seconds.
        """
        changes = headers.changes
        block, size, start, end, room = b"", 0, -1, -1, 0
        for viewer in tuple(self._all if self._haste.wantsLook(tape, now) else self._awake):
            position, outlet = viewer.position, viewer.outlet
            if position == tape.end:
                continue
            try:
                if viewer.isInStep and position is not None and outlet.ready and position >= tape.first:
                    if position != start or end != tape.end or room != outlet.block:
                        start, room = position, outlet.block
                        block, end = tape.block(start, room)
                        size = len(block)
                    taken = outlet.offer(block)
                    if taken == size:
                        viewer.position = end
                        if end == tape.end:
                            viewer.headerChanges = changes
                    else:
                        viewer.position = viewer.finishMessage(tape, start, taken, tape.images(start))
                if viewer.position != tape.end:
                    viewer.flush()
                    if viewer.isPaused or not outlet.ready:
                        self._awake.pop(viewer, None)
            except Exception:
                self._fail(viewer)
            yield

    def end(self) -> None:
        """The stream is over."""
        for viewer in self:
            try:
                viewer.end()
            except Exception:
                self._fail(viewer)

    def _fail(self, viewer: Viewer) -> None:
        """What goes wrong with one viewer costs that viewer alone. To be called while the exception is handled."""
        self._log.failure("{path}: a viewer has failed and is dropped", path=self._path)
        viewer.stop()
