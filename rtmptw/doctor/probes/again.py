# -*- test-case-name: tests.doctor.probes.test_again -*-
"""
Is a name free when its publisher has gone? (Wire facts 3.6, row 20, and 10.99.)
"""

from __future__ import annotations

from twisted.internet.task import deferLater

from rtmptw.dialects.finding import Finding, Step
from rtmptw.doctor.probe import Probe, Untestable, finding
from rtmptw.doctor.target import PLAIN, Target

__all__ = ["AGAIN"]

_NAME = "again"

#: How often it is tried again, seconds.
_AGAIN = 0.2

#: How many messages are published.
_FEW = 10


async def _ask(target: Target) -> list[Finding]:
    """
    @raise Untestable: if nobody can publish.
    """
    wasUntouched = target.isUntouched
    first = await target.publisher()
    if first is None:
        if wasUntouched or not target.refusal:
            raise Untestable("nobody can publish here")
        words = f"a name that was published before can't be published again: {target.refusal}"
        return [finding(_NAME, "name-stays-taken", words, step=Step.REQUEST)]
    first.begin()
    first.send(first.footage.frames(_FEW))
    # A lost connection, as a program sees it that is killed: FIN without a word before it.
    first.contact.close()
    await first.contact.ended(target.patience)
    deadline = target.clock.seconds() + target.patience
    while True:
        second = await target.visit(PLAIN)
        opened = await second.open()
        if opened:
            await target.part(second, None)
            return []
        second.contact.abort()
        if target.clock.seconds() >= deadline:
            break
        await deferLater(target.clock, _AGAIN)
    words = (
        f"{target.patience:g} s after its publisher has closed the connection (without FCUnpublish), the name can't be "
        f"published again: {second.progress.refusal or 'no answer'}"
    )
    return [finding(_NAME, "name-stays-taken", words, second, Step.REQUEST)]


AGAIN = Probe(_NAME, "Is the name free again when its publisher's connection has ended?", _ask)
