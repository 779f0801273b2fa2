# -*- test-case-name: tests.brokenservers.test_bends -*-
"""
A bend: one mistake of a server, which programs stop or lose something there, and what they say then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal, TypeAlias

from tests.brokenservers.plain import PlainFactory, PlainServer

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

__all__ = ["Bend", "Effect", "Scene"]

#: What a mistake does: the program waits without end; ends, and its exit status says that it failed; something has not
#: arrived, and the exit status is 0 all the same, or may be; it gets through, but late.
Effect: TypeAlias = Literal["stalls", "fails", "loses", "slow"]


class Scene(Enum):
    """What has to be done for a bend to be met."""

    PUBLISH = "publish in real time"
    FULL_SPEED = "publish more than the buffers hold, as fast as it goes"
    BUSY = "publish a name that somebody else publishes"
    TWICE = "publish, end, and publish the same name again"
    PLAY = "play before somebody publishes, to the end"


@dataclass(frozen=True)
class Bend:
    """
    One mistake.

    @ivar cause: its name. Several bends may be the same mistake made in several ways.
    @ivar connection: the server that makes it.
    @ivar rows: of wire facts 3.6; none for what is told elsewhere.
    @ivar effect: what it does to those of C{affected} that are not in C{otherwise}.
    @ivar affected: the programs that were seen to stop or to lose something there; L{tests.interop.test_broken} looks
        again.
    @ivar otherwise: the effect on some of them, where it is another one.
    @ivar stuck: the last command of a publisher that stalls: one of these; none at all if there are none.
    @ivar symptom: the last words of the first of the affected programs that says something. Where it stalls, FFmpeg
        says it only with C{-v debug}, GStreamer with C{GST_DEBUG=rtmp*:5}. Empty if none gives a sign of it at all.
    @ivar unproven: where no program is affected: why not, and who says that others are.
    @ivar scene: how to meet it.
    @ivar media: what must be published: anything ("short"); more than a server that reads slowly has read when the
        publisher has gone ("long"); more than the buffers of the system hold ("heavy"); a film with a track of time
        codes ("timecode").
    @ivar options: what FFmpeg needs besides; of its output.
    @ivar before: the same, of its input.
    @ivar shown: the cause that somebody who looks from outside names, if he can't know better: what comes looks just as
        if that had been made. Empty where it is C{cause}.
    """

    cause: str
    connection: type[PlainServer]
    rows: tuple[int, ...]
    effect: Effect
    affected: tuple[str, ...] = ()
    otherwise: Mapping[str, Effect] = field(default_factory=dict)
    stuck: tuple[str, ...] = ()
    symptom: str = ""
    unproven: str = ""
    scene: Scene = Scene.PUBLISH
    media: Literal["short", "long", "heavy", "timecode"] = "short"
    options: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    shown: str = ""

    def server(self, clock: IReactorTime) -> PlainFactory:
        """The broken server."""
        return PlainFactory(clock, self.connection)

    def effectOn(self, program: str) -> Effect:
        """What it does to one program."""
        return self.otherwise.get(program, self.effect)
