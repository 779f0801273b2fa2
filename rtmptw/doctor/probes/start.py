# -*- test-case-name: tests.doctor.probes.test_start -*-
"""
Does the start of a stream come out? (Wire facts 3.6, row 15.)

Some servers wait for metadata, which some publishers never send, or for a keyframe, and throw away what comes before.
"""

from __future__ import annotations

from rtmptw.dialects.finding import Finding
from rtmptw.doctor.probe import Probe, Untestable, finding
from rtmptw.doctor.publishing import ranges
from rtmptw.doctor.target import Target

__all__ = ["START"]

_NAME = "start"

#: How many messages are published: enough for a second keyframe.
_COUNT = 80


async def _ask(target: Target) -> list[Finding]:
    """
    @raise Untestable: if nobody can publish and play.
    """
    found = []
    missing = await _missing(target, metadata=False, keyframeFirst=True)
    if missing and missing[0] == 0:
        words = f"of {_COUNT} messages without metadata in front of them, these did not come out: {ranges(missing)}"
        found.append(finding(_NAME, "waits-for-metadata", words))
    missing = await _missing(target, metadata=True, keyframeFirst=False)
    # Pictures without their keyframe are of no use to a player, and some servers spare it these (nginx-rtmp). Sound,
    # which has the odd numbers, needs no keyframe.
    if missing and missing[:2] == [0, 1]:
        words = f"of a stream that does not begin with a keyframe, these messages did not come out: {ranges(missing)}"
        found.append(finding(_NAME, "waits-for-keyframe", words))
    return found


async def _missing(target: Target, metadata: bool, keyframeFirst: bool) -> list[int]:
    witness = await target.witness()
    visit = None if witness is None else await target.publisher()
    if witness is None or visit is None:
        raise Untestable("nobody can play here before somebody publishes, or nobody can publish")
    if metadata:
        visit.begin()
    else:
        visit.send(visit.footage.headers())
    witness = await target.attend(visit, witness)
    if witness is None:
        raise Untestable("nobody can play what is published here")
    visit.send(visit.footage.frames(_COUNT, keyframeFirst=keyframeFirst))
    await witness.sees(_COUNT - 1, target.delay)
    await target.part(visit, witness)
    return witness.missing(_COUNT)


START = Probe(_NAME, "Does the start of a stream come out, without metadata, without a keyframe?", _ask, plays=True)
