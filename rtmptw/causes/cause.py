# -*- test-case-name: tests.causes.test_causes -*-
"""
A cause: one way in which a server and a client fail with each other, told to somebody who does not know RTMP.

Its words are printed by several tools and stand in the documentation, so they are written once, here and in the
modules that make the catalogue (L{rtmptw.causes.causes}). What a client does was seen with that client, unless its
words say "from its source, not run".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["CLIENTS", "Cause", "Severity"]

#: The clients that a cause may speak of, in the order in which they are told. librtmp is rtmpdump, rtmpsink, rtmpsrc
#: and older VLC; GStreamer is rtmp2sink and rtmp2src; MediaMTX is its library gortmplib; nginx-rtmp is its relay.
CLIENTS = ("FFmpeg", "FFmpeg player", "librtmp", "OBS", "GStreamer", "MediaMTX", "nginx-rtmp", "SRS", "Flash")


class Severity(Enum):
    """
    What a cause leads to.

    C{STOPS}: a client waits for ever, or gives up. C{LOSES}: media is lost, and mostly nobody says so. C{ADVICE}: the
    clients that were run get through; others would not, or it is slow, or it helps to find a fault.
    """

    STOPS = "stops"
    LOSES = "loses"
    ADVICE = "advice"


@dataclass(frozen=True)
class Cause:
    """
    One cause.

    @ivar name: its short name, the same in the output of the tools, in the documentation, and for ever.
    @ivar title: what is wrong, in one line.
    @ivar severity: what it leads to with the clients that it concerns.
    @ivar mend: what the author of the server is to do.
    @ivar source: where that is written: wire facts, RTMP 1.0.
    @ivar clients: what each client that was looked at needs, and what it does without, by the client's name.
    @ivar unharmed: those of them that get through all the same, and lose nothing.
    """

    name: str
    title: str
    severity: Severity
    mend: str
    source: str
    clients: Mapping[str, str] = field(default_factory=dict)
    unharmed: frozenset[str] = frozenset()

    @property
    def affected(self) -> tuple[str, ...]:
        """The clients that stop there, or lose something, in the order of L{CLIENTS}."""
        return tuple(client for client in self.clients if client not in self.unharmed)
