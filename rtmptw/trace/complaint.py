# -*- test-case-name: tests.trace.test_complaint -*-
"""
What to say of a side that cuts its messages otherwise than it has announced (wire facts 3.6, rows 2 and 3).
"""

from __future__ import annotations

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.chunkwalker import UNCUT
from rtmptw.trace.entry import Violation
from rtmptw.trace.recut import Recut
from rtmptw.trace.segment import Side

__all__ = ["complaint"]

#: Who does not cut at all.
_UNCUT = {Side.SERVER: "reply-not-chunked", Side.CLIENT: "client-not-chunked"}

_OTHERWISE = "announced-chunk-size-not-used"


def complaint(side: Side, found: Recut, peerChunkSize: int) -> Violation:
    """
    Say what is wrong.

    @param side: who has done it.
    @param peerChunkSize: what the other side has announced for its own chunks, bytes.
    """
    who, length, expected = f"the {side.value}", f"{found.length:,}", f"{found.expected:,}"
    if found.size == UNCUT:
        size = f"its chunk size is {expected}" if found.announced else f"its chunk size is still {expected}"
        words = (
            f"{who} has written a message of {length} bytes in one piece, but {size}: behind byte {expected} of the "
            "message a reader expects a chunk header, and takes what stands there for one"
        )
        return Violation(CAUSES[_UNCUT[side]], words, found.offset)
    if found.announced:
        words = (
            f"{who} has announced chunks of {expected} bytes, and cuts a message of {length} bytes at {found.size:,}: "
        )
    else:
        words = (
            f"{who} cuts a message of {length} bytes at {found.size:,}, and has not announced that (Set Chunk Size): "
        )
    if found.size < found.expected:
        words += "a reader takes the chunk headers there for a part of the message"
    else:
        words += f"a reader expects a chunk header every {expected} bytes"
    if found.size == peerChunkSize:
        words += f"; {found.size:,} is what the {side.other.value} has announced, for its own chunks only"
    return Violation(CAUSES[_OTHERWISE], words, found.offset)
