# -*- test-case-name: tests.wire.test_digest -*-
"""
The digest in a handshake block (wire facts 1.2; it is not in RTMP 1.0).

A block is 1536 bytes: C1, S1, C2 or S2. C1 and S1 can carry a digest, 32 bytes at a place that 4 other bytes of the
same block tell. There are two layouts, and a reader must try both::

    DIGEST_FIRST    time 4 | version 4 | 764: 4 place bytes, digest somewhere in the rest | 764: key
    KEY_FIRST       time 4 | version 4 | 764: key | 764: 4 place bytes, digest somewhere in the rest

    place  = sum of the 4 place bytes % 728, counted from behind them
    digest = HMAC-SHA256(short key of the sender, the other 1504 bytes)

(The "key" is for RTMPE; here it is random bytes.) C2 and S2 end with a signature, which proves that the sender has
seen the digest of the other side::

    signed block = 1504 random bytes | HMAC-SHA256(HMAC-SHA256(long key of the sender, digest), those 1504 bytes)

The keys are known to everybody: all this keeps nobody out. It only makes some Flash-style players content::

    layout = findDigest(c1, CLIENT_KEY)
    if layout is not None:
        s1 = placeDigest(s1, layout, SERVER_KEY)
        s2 = sign(os.urandom(1504), SERVER_SIGNING_KEY, readDigest(c1, layout))
"""

from __future__ import annotations

import hmac
from enum import Enum

from rtmptw.errors import LocalProtocolError

__all__ = [
    "BLOCK_SIZE",
    "CLIENT_KEY",
    "CLIENT_SIGNING_KEY",
    "DIGEST_SIZE",
    "SERVER_KEY",
    "SERVER_SIGNING_KEY",
    "Layout",
    "findDigest",
    "isSigned",
    "placeDigest",
    "readDigest",
    "sign",
    "signature",
]

#: The size of C1, S1, C2 and S2, bytes (RTMP 1.0, sections 5.2.3 and 5.2.4).
BLOCK_SIZE = 1536

#: The size of a digest and of a signature, bytes.
DIGEST_SIZE = 32

#: How many places a digest can begin at, in either layout.
PLACES = 728

_SHARED = bytes.fromhex("f0eec24a 8068bee8 2e00d0d1 029e7e57 6eec5d2d 29806fab 93b8e636 cfeb31ae")

#: The short keys, for the digests in C1 and S1.
CLIENT_KEY = b"Genuine Adobe Flash Player 001"
SERVER_KEY = b"Genuine Adobe Flash Media Server 001"

#: The long keys, for the signatures of C2 and S2.
CLIENT_SIGNING_KEY = CLIENT_KEY + _SHARED
SERVER_SIGNING_KEY = SERVER_KEY + _SHARED


class Layout(Enum):
    """Where a block keeps its digest; the value is the offset of the 4 place bytes."""

    DIGEST_FIRST = 8
    KEY_FIRST = 772

    def digestOffset(self, block: bytes) -> int:
        """
        Where the digest of C{block} begins, if it has this layout.

        @param block: 1536 bytes.
        @return: 12 to 739 (C{DIGEST_FIRST}) or 776 to 1503 (C{KEY_FIRST}): the digest always lies inside the block
            and never over its place bytes.
        @raise LocalProtocolError: C{block} has another size.
        """
        if len(block) != BLOCK_SIZE:
            raise LocalProtocolError(f"a handshake block has {BLOCK_SIZE} bytes, not {len(block)}")
        base = self.value
        return sum(block[base : base + 4]) % PLACES + base + 4


#: The order in which readers look (wire facts 1.3).
_SEARCH_ORDER = (Layout.KEY_FIRST, Layout.DIGEST_FIRST)


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _digest(block: bytes, offset: int, key: bytes) -> bytes:
    """The digest that belongs at C{offset}: over everything but itself."""
    return _hmac(key, block[:offset] + block[offset + DIGEST_SIZE :])


def findDigest(block: bytes, key: bytes) -> Layout | None:
    """
    Tell which layout a C1 or S1 has. This costs two HMACs at most.

    @param block: 1536 bytes.
    @param key: L{CLIENT_KEY} for a C1, L{SERVER_KEY} for an S1.
    @return: the layout whose digest is right, or C{None} if C{block} carries no valid digest.
    @raise LocalProtocolError: C{block} has another size.
    """
    for layout in _SEARCH_ORDER:
        if hmac.compare_digest(readDigest(block, layout), _digest(block, layout.digestOffset(block), key)):
            return layout
    return None


def readDigest(block: bytes, layout: Layout) -> bytes:
    """
    The 32 bytes at the digest's place, right or wrong.

    @raise LocalProtocolError: C{block} is not 1536 bytes.
    """
    offset = layout.digestOffset(block)
    return block[offset : offset + DIGEST_SIZE]


def placeDigest(block: bytes, layout: Layout, key: bytes) -> bytes:
    """
    Give a C1 or S1 its digest, over 32 of its random bytes.

    @param block: 1536 bytes, with time and version in place; its random bytes choose the digest's place.
    @param key: L{CLIENT_KEY} for a C1, L{SERVER_KEY} for an S1.
    @return: the new block.
    @raise LocalProtocolError: C{block} has another size.
    """
    offset = layout.digestOffset(block)
    return block[:offset] + _digest(block, offset, key) + block[offset + DIGEST_SIZE :]


def signature(content: bytes, key: bytes, digest: bytes) -> bytes:
    """
    The last 32 bytes of a C2 or S2.

    @param content: the 1504 bytes before them.
    @param key: L{CLIENT_SIGNING_KEY} for C2, L{SERVER_SIGNING_KEY} for S2.
    @param digest: the digest that is answered: of S1 for C2, of C1 for S2.
    """
    return _hmac(_hmac(key, digest), content)


def sign(content: bytes, key: bytes, digest: bytes) -> bytes:
    """The whole C2 or S2: C{content} and its L{signature}."""
    return content + signature(content, key, digest)


def isSigned(block: bytes, key: bytes, digest: bytes) -> bool:
    """
    Tell whether a C2 or S2 ends with the right L{signature}. This costs two HMACs.

    @param block: the C2 or S2, 1536 bytes.
    """
    return hmac.compare_digest(block[-DIGEST_SIZE:], signature(block[:-DIGEST_SIZE], key, digest))
