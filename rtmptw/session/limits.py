# -*- test-case-name: tests.session.test_hostile -*-
"""
How much a client may ask of a session. Real clients stay far below; who does not is slowed, passed over, or refused.
"""

from __future__ import annotations

__all__ = [
    "COMMANDS_PER_SECOND",
    "MAX_CREATED",
    "MAX_LOGGED",
    "MAX_STREAMS",
    "MIN_WINDOW",
    "PINGS_PER_SECOND",
    "REQUESTS_AT_ONCE",
    "REQUESTS_PER_SECOND",
]

#: The smallest acknowledgement window that we honour, bytes. There is no largest: rtmp2's, which is what we have called
#: its bandwidth, is meant never to be full (wire facts 2.8).
MIN_WINDOW = 32 * 1024

#: How many pings we answer in a second.
PINGS_PER_SECOND = 10

#: How many commands are read in a second; the others wait for the next one.
COMMANDS_PER_SECOND = 100

#: Message streams of a connection: in use at a time, and created in all.
MAX_STREAMS = 8
MAX_CREATED = 64

#: How many times a connection may publish or play: at once, and for each second after that, one in eight seconds.
REQUESTS_AT_ONCE = 10.0
REQUESTS_PER_SECOND = 0.125

#: How much of a command's name goes into the log, characters.
MAX_LOGGED = 64
