# -*- test-case-name: tests.trace.test_handshakerules -*-
"""
Rules for the handshake: S1 and S2, and bytes that begin no RTMP (wire facts 1).
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.trace.entry import HandshakeBlock, Unreadable, Violation
from rtmptw.trace.rule import UNREADABLE, Heard, Rule
from rtmptw.trace.segment import Side
from rtmptw.wire.digest import (
    BLOCK_SIZE,
    CLIENT_KEY,
    DIGEST_SIZE,
    SERVER_KEY,
    SERVER_SIGNING_KEY,
    findDigest,
    isSigned,
    readDigest,
)

__all__ = ["HANDSHAKE_RULES"]

_NO_VERSION = bytes(4)

#: From this on in the first byte of S1's version FFmpeg's player looks for a digest.
_CHECKED_VERSION = 3


def _notRTMP(heard: Heard[Unreadable]) -> Iterator[Violation]:
    """What can't be read at the very start is no C0 or S0."""
    if heard.entry.offset == 0:
        yield heard.violation("not-rtmp", heard.entry.reason, 0)


def _s1(heard: Heard[HandshakeBlock]) -> Iterator[Violation]:
    """
    A digest for the version. Only who has sent a version in C1 looks for one; and SRS writes a plain C1's time there.
    """
    c1, s1 = heard.talk.blocks.get("C1", b""), heard.entry.data
    if c1[4:8] in (b"", _NO_VERSION) or s1[4] < _CHECKED_VERSION or findDigest(s1, SERVER_KEY) is not None:
        return
    version = ".".join(map(str, s1[4:8]))
    words = f"S1 names the version {version} and carries no digest: FFmpeg's player looks for one from version 3 on"
    yield heard.violation("s1-version-without-digest", words, heard.entry.offset + 4)


def _s2(heard: Heard[HandshakeBlock]) -> Iterator[Violation]:
    """A copy of C1, or signed with C1's digest."""
    c1, s1, s2 = heard.talk.blocks.get("C1", b""), heard.talk.blocks.get("S1", b""), heard.entry.data
    if not c1 or not s1:
        return
    layout = None if c1[4:8] == _NO_VERSION else findDigest(c1, CLIENT_KEY)
    if layout is not None:
        if isSigned(s2, SERVER_SIGNING_KEY, readDigest(c1, layout)):
            return
        if s1[4] >= _CHECKED_VERSION and findDigest(s1, SERVER_KEY) is not None:
            words = "S1 carries a digest, but S2 is not signed with the digest of C1: FFmpeg's player checks it"
            yield heard.violation("s1-version-without-digest", words, heard.entry.offset + BLOCK_SIZE - DIGEST_SIZE)
            return
    # Bytes 4 to 7 may hold the time at which C1 was read.
    different = next((i for i in range(BLOCK_SIZE) if not 4 <= i < 8 and c1[i] != s2[i]), None)
    if different is not None:
        words = f"S2 is no copy of C1: the first byte that differs is byte {different} of the block"
        yield heard.violation("s2-not-an-echo", words, heard.entry.offset + different)


HANDSHAKE_RULES = (
    Rule(("not-rtmp",), None, (UNREADABLE,), _notRTMP),
    Rule(("s1-version-without-digest",), Side.SERVER, ("S1",), _s1),
    Rule(("s1-version-without-digest", "s2-not-an-echo"), Side.SERVER, ("S2",), _s2),
)
