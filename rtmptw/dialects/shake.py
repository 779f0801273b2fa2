# -*- test-case-name: tests.dialects.test_shake -*-
"""
The handshake of a visit (RTMP 1.0, section 5.2; wire facts 1).

Most clients read S0, S1 and S2 before they write C2. A server that waits for C2 first, as the specification lets it,
waits for ever; whether it is that shows when C2 is sent all the same.
"""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.dialect import C2, Dialect
from rtmptw.trace.entry import Unreadable, Violation
from rtmptw.trace.segment import Side
from rtmptw.wire.digest import (
    BLOCK_SIZE,
    CLIENT_KEY,
    CLIENT_SIGNING_KEY,
    DIGEST_SIZE,
    SERVER_KEY,
    SERVER_SIGNING_KEY,
    Layout,
    findDigest,
    isSigned,
    placeDigest,
    readDigest,
    sign,
)
from rtmptw.wire.handshake import RTMP_VERSION

if TYPE_CHECKING:
    from rtmptw.dialects.visit import Visit

__all__ = ["shakeHands"]

#: From this S1 version on, FFmpeg's player wants a digest, and signs C2 (wire facts 1.3).
_DIGEST_VERSION = 3

#: How long S2 may take behind a C2 that came too early, seconds.
_LATE = 1.0

_TIME, _NO_VERSION = bytes(4), bytes(4)


async def shakeHands(visit: Visit) -> None:
    """
    Shake hands, as the visit's dialect does.

    @raise rtmptw.dialects.visit.Over: if the server does not.
    """
    contact, dialect = visit.contact, visit.dialect
    c1 = _c1(dialect)
    contact.say(bytes((RTMP_VERSION,)) + c1)
    blocks = contact.conversation.talk.blocks
    awaited = "S1" if dialect.c2BehindS1 or visit.earlyC2 else "S2"
    await contact.until(lambda: blocks.get(awaited) or _foreign(visit), visit.patience)
    if "S1" not in blocks:
        visit.handshakeFails(_foreign(visit) or "")
    s1, isLate = blocks["S1"], "S2" not in blocks and not dialect.c2BehindS1
    if "S2" in blocks:
        visit.progress.handshake = contact.now
    contact.say(_c2(dialect, s1, 1 + int(contact.now * 1000)))
    await contact.until(lambda: blocks.get("S2"), min(_LATE, visit.patience) if isLate else visit.patience)
    if "S2" not in blocks:
        visit.handshakeFails("")
    if isLate:
        words = "S2 came only when C2 had been sent, and most clients send C2 only when they have S2"
        visit.stops(Violation(CAUSES["s2-waits-for-c2"], words, 1 + BLOCK_SIZE))
    if dialect.requirements.digest and not _isContent(c1, s1, blocks["S2"]):
        version = ".".join(map(str, s1[4:8]))
        words = (
            f"S1 has version {version}, and from 3 on a player looks for a digest in it; there is none, or S2 is not "
            "signed with it"
        )
        visit.stops(Violation(CAUSES["s1-version-without-digest"], words, 5))


def _c1(dialect: Dialect) -> bytes:
    version = dialect.version if dialect.digest else _NO_VERSION
    block = _TIME + version + urandom(BLOCK_SIZE - len(_TIME) - len(version))
    return placeDigest(block, Layout.DIGEST_FIRST, CLIENT_KEY) if dialect.digest else block


def _c2(dialect: Dialect, s1: bytes, now: int) -> bytes:
    """
    @param now: the client's time, ms.
    """
    if dialect.c2 is C2.TIMED:
        return s1[:4] + (now & 0xFFFFFFFF).to_bytes(4, "big") + s1[8:]
    layout = findDigest(s1, SERVER_KEY) if dialect.c2 is C2.SIGNED and s1[4] >= _DIGEST_VERSION else None
    if layout is None:
        return s1
    return sign(urandom(BLOCK_SIZE - DIGEST_SIZE), CLIENT_SIGNING_KEY, readDigest(s1, layout))


def _foreign(visit: Visit) -> str | None:
    """What the server speaks, if it is not RTMP."""
    for entry in visit.contact.entries:
        if isinstance(entry, Unreadable) and entry.side is Side.SERVER:
            return entry.reason
    return None


def _isContent(c1: bytes, s1: bytes, s2: bytes) -> bool:
    """Whether FFmpeg's player goes on."""
    if s1[4] < _DIGEST_VERSION:
        return True
    layout = findDigest(c1, CLIENT_KEY)
    if layout is None or findDigest(s1, SERVER_KEY) is None:
        return False
    return isSigned(s2, SERVER_SIGNING_KEY, readDigest(c1, layout))
