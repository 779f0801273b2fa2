# -*- test-case-name: tests.doctor.probes.test_delay -*-
"""
Are answers held back? (Wire facts 1.4 and 3.6, row 14.)

A server that writes an answer in small pieces waits for the client's acknowledgement of the first one (Nagle), and the
client's system delays that by 40 ms: every step takes so much longer.
"""

from __future__ import annotations

from rtmptw.dialects.finding import Finding, Step
from rtmptw.doctor.probe import Probe, Untestable, finding
from rtmptw.doctor.target import Target
from rtmptw.trace.entry import HandshakeBlock
from rtmptw.trace.segment import Side

__all__ = ["DELAY"]

_NAME = "delay"

#: How often it is measured: the shortest counts, since anything may come between.
_TIMES = 3

#: What is too long, beyond the time that the first byte of the handshake takes, seconds.
_HELD_BACK = 0.035


async def _ask(target: Target) -> list[Finding]:
    """
    @raise Untestable: if nobody can publish.
    """
    delays = []
    for _ in range(_TIMES):
        visit = await target.publisher()
        if visit is None:
            raise Untestable("nobody can publish here")
        first = next(
            entry.at
            for entry in visit.contact.entries
            if isinstance(entry, HandshakeBlock) and entry.side is Side.SERVER
        )
        delays.append(max(visit.progress.delays) - first)
        await target.part(visit, None)
    if min(delays) < _HELD_BACK:
        return []
    words = f"an answer takes {min(delays) * 1000:.0f} ms longer than the first byte of the handshake"
    return [finding(_NAME, "slow-replies", words, visit, Step.REQUEST)]


DELAY = Probe(_NAME, "Do answers come at once?", _ask)
