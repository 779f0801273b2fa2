# -*- test-case-name: tests.causes.test_causes -*-
"""
Why clients stop, and why servers lose what clients send: every cause that is known, with what each client does there
(wire facts 3.6).

The catalogue is kept by subject, in the order in which a connection meets it::

    handshakecauses   something else than RTMP, no answer, S1 and S2
    chunkcauses       chunk sizes, extended timestamps, control messages
    commandcauses     the answers to connect and createStream, and what holds for every command
    statuscauses      the answers to publish and play
    sessioncauses     who waits for whom, who closes and how
    mediacauses       what is lost on the way from the publisher, and what players are sent
    clientcauses      what the client does wrong
"""

from __future__ import annotations

from rtmptw.causes.cause import CLIENTS, Cause, Severity
from rtmptw.causes.chunkcauses import CHUNK_CAUSES
from rtmptw.causes.clientcauses import CLIENT_CAUSES
from rtmptw.causes.commandcauses import COMMAND_CAUSES
from rtmptw.causes.handshakecauses import HANDSHAKE_CAUSES
from rtmptw.causes.mediacauses import MEDIA_CAUSES
from rtmptw.causes.sessioncauses import SESSION_CAUSES
from rtmptw.causes.statuscauses import STATUS_CAUSES

__all__ = ["CAUSES", "CLIENTS", "Cause", "Severity"]

#: Every cause, by its name.
CAUSES: dict[str, Cause] = {
    cause.name: cause
    for causes in (
        HANDSHAKE_CAUSES,
        CHUNK_CAUSES,
        COMMAND_CAUSES,
        STATUS_CAUSES,
        SESSION_CAUSES,
        MEDIA_CAUSES,
        CLIENT_CAUSES,
    )
    for cause in causes
}
