# -*- test-case-name: tests.doctor.probes.test_busy -*-
"""
What does a second publisher of the same name hear? (Wire facts 3.6, rows 13 and 20, and 10.57.)

To refuse it is right, and to let it take over is; to say nothing, or to keep the connection open behind a refusal, is
not: librtmp and OBS do not look at every code, and hang.
"""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred

from rtmptw.dialects.finding import Finding, Step, StepState
from rtmptw.doctor.probe import Probe, Untestable, finding
from rtmptw.doctor.target import PLAIN, Target

__all__ = ["BUSY"]

_NAME = "busy"

#: How often the first publisher sends something while the second one asks, seconds.
_PAUSE = 0.08


async def _ask(target: Target) -> list[Finding]:
    """
    @raise Untestable: if nobody can publish.
    """
    first = await target.publisher()
    if first is None:
        raise Untestable("nobody can publish here")
    first.begin()
    first.send(first.footage.frames(10))
    await first.contact.rest(0.2)
    second = await target.visit(PLAIN)
    opening = ensureDeferred(second.open())
    while not (opening.called or first.contact.closed):
        # Some servers give the name of one who is silent to the next.
        first.send(first.footage.frames(2))
        await first.contact.rest(_PAUSE)
    opened = await opening
    progress = second.progress
    found = []
    if second.step not in (Step.REQUEST, Step.MEDIA):
        raise Untestable("a second connection does not get as far as publish")
    if not opened:
        causes = {each.cause.name for each in progress.findings}
        if progress.steps[Step.REQUEST] is StepState.REFUSED:
            if "error-without-close" in causes:
                words = f"a second publisher of the same name is refused ({progress.refusal}), and left connected"
                found.append(finding(_NAME, "error-without-close", words, second, Step.REQUEST))
        elif second.contact.closed:
            words = "a second publisher of the same name is disconnected without a status"
            found.append(finding(_NAME, "refusal-without-status", words, second, Step.REQUEST))
        else:
            words = "a second publisher of the same name hears nothing at all"
            found.append(finding(_NAME, "refusal-without-status", words, second, Step.REQUEST))
    second.look()
    found += [each for each in progress.findings if each.cause.name == "error-status-unknown-code"]
    second.contact.abort()
    await target.part(first, None)
    return found


BUSY = Probe(_NAME, "Is a second publisher of the same name refused with a reason, and disconnected, or let in?", _ask)
