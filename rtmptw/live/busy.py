# -*- test-case-name: tests.live.test_busy -*-
"""
Busy names: what to do about a publish of a name that has a publisher.

What users of every server complain of most: their link drops, the server has not noticed, and their own name is
"already published" for as long. So by default, a publisher that is silent loses the name to one who has the same right
to it. One that is not is left alone.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IPushProducer

from rtmptw.interfaces import IPublisher

if TYPE_CHECKING:
    from rtmptw.live.livestream import LiveStream
    from rtmptw.live.publication import Publication

__all__ = [
    "LEAST_SECONDS",
    "LOOK_SECONDS",
    "SAME_SILENT_SECONDS",
    "SILENT_SECONDS",
    "Busy",
    "originOf",
    "patience",
    "quietOf",
]

#: How long a publisher may be silent before another one may take its name, seconds. Real ones send tens of messages in
#: a second. Who comes earlier is kept waiting until then, or until the silent one is heard.
SILENT_SECONDS = 2.0

#: The same, if the one who comes is most likely that publisher, whose link was cut: who has proven to be the same, or
#: comes from the same address where nobody has proven anything and it is not one that many share.
SAME_SILENT_SECONDS = 0.5

#: How often that is looked at, seconds; and the shortest time to the next look.
LOOK_SECONDS = 0.25
LEAST_SECONDS = 0.001


class Busy(Enum):
    """
    The rule; C{--busy} has these names.
    """

    REFUSE = "refuse"
    REPLACE = "replace"
    REPLACE_SILENT = "replace-silent"


def originOf(publisher: IPushProducer) -> str:
    """See L{IPublisher.origin}; nothing, if it does not tell."""
    return str(getattr(publisher, "origin", ""))


def patience(holder: Publication, origin: str) -> float:
    """
    How long a publisher may be silent before it loses its name, seconds.

    @param origin: that of the one who comes, and has proven the same right to the name.
    """
    isSame = bool(holder.principal) or (origin != "" and origin == originOf(holder.publisher))
    return SAME_SILENT_SECONDS if isSame else SILENT_SECONDS


def quietOf(stream: LiveStream) -> float:
    """For how long nothing was heard of a stream's publisher, seconds: not even a part of a message, if it tells."""
    publication = stream.publication
    if publication is not None and IPublisher.providedBy(publication.publisher):
        return min(stream.quiet, float(IPublisher(publication.publisher).quiet))
    return stream.quiet
