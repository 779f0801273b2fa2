# -*- test-case-name: tests.wire.test_handshake -*-
"""
The handshake (RTMP 1.0, section 5.2; wire facts 1): the first 3073 bytes in either direction.

::

    C0, S0    1 byte: the version, 3
    C1, S1    1536 bytes: time 4 | version 4, or zero | random 1528
    C2, S2    1536 bytes: a copy of S1, of C1; or signed, see below

    client                                  server
      | C0 C1 ---------------------------------> |
      | <------------------------------ S0 S1 S2 |    at once: many clients wait for all of it
      | C2, connect ... -----------------------> |    C2 is not looked at: many clients send a wrong one

A C1 with version bytes that are not all zero may carry a digest (L{rtmptw.wire.digest}). If it does, S1 carries one in
the same layout and S2 is signed; C2 is then signed too, or not. A server that knows nothing of digests is understood by
all but some Flash players, as long as the version bytes of its S1 are zero: else FFmpeg's player looks for a digest and
leaves.

Neither side reads a clock: the time that is sent is 0, which the specification allows. Feed what arrives, send what
comes back, and go on with the chunks when C{rest} is no longer C{None}::

    handshake = ServerHandshake()
    reply, rest = handshake.feed(data)
    transport.write(reply)
    if rest is not None:
        chunks.feed(rest)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Protocol

from rtmptw.errors import LocalProtocolError, RemoteProtocolError
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

__all__ = ["HANDSHAKE_SIZE", "RTMP_VERSION", "ClientHandshake", "Handshake", "ServerHandshake"]

#: C0 and S0.
RTMP_VERSION = 3

#: The size of C0, C1 and C2 together, and of S0, S1 and S2, bytes: where the chunks begin.
HANDSHAKE_SIZE = 1 + 2 * BLOCK_SIZE

_S0 = _C0 = bytes([RTMP_VERSION])
_TIME = bytes(4)
_PLAIN_VERSION = bytes(4)

#: What goes into C1 with a digest: 9.0.124.2, as FFmpeg sends, which every server has met.
_CLIENT_VERSION = bytes.fromhex("09007c02")

#: What goes into S1 with a digest; nginx-rtmp's, which was tried with all clients of wire facts 1.3.
_SERVER_VERSION = bytes.fromhex("0d0e0a0d")

_RANDOM_SIZE = BLOCK_SIZE - len(_TIME) - len(_PLAIN_VERSION)
_SIGNED_SIZE = BLOCK_SIZE - DIGEST_SIZE

_ENCRYPTED = dict.fromkeys((0x06, 0x08, 0x09), "encrypted RTMP (RTMPE), which is not supported")

#: What a first byte other than 3 most likely means, for the log; by who sent it.
_CLIENT_MISTAKES = {
    **_ENCRYPTED,
    0x0D: "a PROXY protocol header, which this port does not expect",
    0x16: "a TLS ClientHello on a plain port: give the port a TLS endpoint",
    **dict.fromkeys(b"CDGHOT", "an HTTP request: this port speaks RTMP"),
    ord("P"): "an HTTP request (RTMPT begins with POST) or a PROXY protocol header: this port speaks RTMP",
}
_SERVER_MISTAKES = {
    **_ENCRYPTED,
    0x15: "a TLS alert: the server's port wants TLS (rtmps)",
    ord("H"): "an HTTP answer: the server's port speaks HTTP, not RTMP",
}


def _checkVersion(name: str, first: int, mistakes: Mapping[int, str]) -> None:
    if first == RTMP_VERSION:
        return
    meaning = mistakes.get(first)
    if meaning is None:
        # RTMP 1.0, section 5.2.2: 32 and above are forbidden, so that text is not taken for RTMP.
        meaning = "not RTMP" if first >= 32 else f"RTMP version {first} is not supported"
    raise RemoteProtocolError(f"{name} is 0x{first:02x}: {meaning}", offset=0)


def _hasVersion(block: bytes) -> bool:
    """Only a C1 or S1 with version bytes can carry a digest (wire facts 1.3)."""
    return block[4:8] != _PLAIN_VERSION


class Handshake(Protocol):
    """What both sides have in common for those who carry the bytes."""

    def start(self) -> bytes:
        """What to send before anything has come."""

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Take bytes as they arrive; give what to send now, and what follows the handshake (L{None} before its end)."""


class ServerHandshake:
    """
    The server's side. One for each connection; of no use once C{rest} was returned or an error raised.

    It holds at most C0 and C1; C2 is counted, not kept.

    @ivar layout: how C1 carried its digest; C{None} for the plain handshake, or while C1 is not complete.
    @ivar c1Version: the 4 version bytes of C1; empty while C1 is not complete.
    @ivar peerTimestamp: the time in C1, ms.
    """

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        """
        @param random: gives that many random bytes.
        """
        self.layout: Layout | None = None
        self.c1Version = b""
        self.peerTimestamp = 0
        self._random = random
        self._received = bytearray()
        self._c2Missing = BLOCK_SIZE
        self._answered = False
        self._over = False

    def start(self) -> bytes:
        """
        Begin.

        @return: nothing: the client speaks first.
        """
        return b""

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """
        Take bytes as they arrive, in any pieces.

        @return: what to send now (S0, S1 and S2 together, as soon as C1 is complete; else nothing), and what follows
            C2: C{None} while C2 is not complete, then all that is left of C{data}, maybe nothing.
        @raise RemoteProtocolError: C0 is not 3. It is raised on the first byte.
        @raise LocalProtocolError: the handshake is over, well or badly.
        """
        if self._over:
            raise LocalProtocolError("the handshake is over")
        reply = b""
        used = 0
        if not self._answered:
            used = 1 + BLOCK_SIZE - len(self._received)
            self._received += data[:used]
            if not self._received:
                return b"", None
            self._over = self._received[0] != RTMP_VERSION
            _checkVersion("C0", self._received[0], _CLIENT_MISTAKES)
            if len(self._received) <= BLOCK_SIZE:
                return b"", None
            reply = self._answer(bytes(self._received[1:]))
        c2Size = min(self._c2Missing, len(data) - used)
        self._c2Missing -= c2Size
        if self._c2Missing:
            return reply, None
        self._over = True
        return reply, bytes(data[used + c2Size :])

    def _answer(self, c1: bytes) -> bytes:
        self._answered = True
        self._received.clear()
        self.peerTimestamp = int.from_bytes(c1[:4], "big")
        self.c1Version = c1[4:8]
        if _hasVersion(c1):
            self.layout = findDigest(c1, CLIENT_KEY)
        if self.layout is None:
            return _S0 + _TIME + _PLAIN_VERSION + self._random(_RANDOM_SIZE) + c1
        s1 = placeDigest(_TIME + _SERVER_VERSION + self._random(_RANDOM_SIZE), self.layout, SERVER_KEY)
        return _S0 + s1 + sign(self._random(_SIGNED_SIZE), SERVER_SIGNING_KEY, readDigest(c1, self.layout))


class ClientHandshake:
    """
    The client's side. One for each connection; of no use once C{rest} was returned or an error raised.

    It takes any S1 and S2: servers differ too much to be strict.

    @ivar layout: how S1 carried its digest; C{None} if it has none, none was asked for, or it is not complete.
    @ivar s1Version: the 4 version bytes of S1; empty while S2 is not complete.
    @ivar peerTimestamp: the time in S1, ms.
    @ivar s2Echoes: whether S2 is a copy of C1 (but for bytes 4 to 7, which may hold the server's own time) or rightly
        signed; C{None} while S2 is not complete. For curious tools: nothing depends on it.
    """

    def __init__(
        self,
        random: Callable[[int], bytes] = os.urandom,
        digest: bool = False,
        layout: Layout = Layout.DIGEST_FIRST,
    ) -> None:
        """
        @param random: gives that many random bytes.
        @param digest: whether C1 carries a digest. Without one every known server is content.
        @param layout: which layout C1 has then.
        """
        self.layout: Layout | None = None
        self.s1Version = b""
        self.peerTimestamp = 0
        self.s2Echoes: bool | None = None
        self._random = random
        self._c1Layout = layout if digest else None
        self._c1 = b""
        self._received = bytearray()
        self._over = False

    def start(self) -> bytes:
        """
        Begin.

        @return: C0 and C1, to be sent at once.
        @raise LocalProtocolError: it was called before.
        """
        if self._c1:
            raise LocalProtocolError("the handshake was started before")
        if self._c1Layout is None:
            self._c1 = _TIME + _PLAIN_VERSION + self._random(_RANDOM_SIZE)
        else:
            block = _TIME + _CLIENT_VERSION + self._random(_RANDOM_SIZE)
            self._c1 = placeDigest(block, self._c1Layout, CLIENT_KEY)
        return _C0 + self._c1

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """
        Take bytes as they arrive, in any pieces.

        @return: what to send now (C2, as soon as S0, S1 and S2 are complete; else nothing), and what follows S2:
            C{None} while S2 is not complete, then all that is left of C{data}, maybe nothing.
        @raise RemoteProtocolError: S0 is not 3. It is raised on the first byte.
        @raise LocalProtocolError: the handshake was not started, or is over, well or badly.
        """
        if not self._c1:
            raise LocalProtocolError("the handshake was not started")
        if self._over:
            raise LocalProtocolError("the handshake is over")
        used = HANDSHAKE_SIZE - len(self._received)
        self._received += data[:used]
        if not self._received:
            return b"", None
        self._over = self._received[0] != RTMP_VERSION
        _checkVersion("S0", self._received[0], _SERVER_MISTAKES)
        if len(self._received) < HANDSHAKE_SIZE:
            return b"", None
        self._over = True
        received = bytes(self._received)
        self._received.clear()
        return self._answer(received[1 : 1 + BLOCK_SIZE], received[1 + BLOCK_SIZE :]), bytes(data[used:])

    def _answer(self, s1: bytes, s2: bytes) -> bytes:
        self.peerTimestamp = int.from_bytes(s1[:4], "big")
        self.s1Version = s1[4:8]
        self.s2Echoes = s2[:4] == self._c1[:4] and s2[8:] == self._c1[8:]
        if self._c1Layout is None:
            return s1
        if not self.s2Echoes:
            self.s2Echoes = isSigned(s2, SERVER_SIGNING_KEY, readDigest(self._c1, self._c1Layout))
        if _hasVersion(s1):
            self.layout = findDigest(s1, SERVER_KEY)
        if self.layout is None:
            return s1
        return sign(self._random(_SIGNED_SIZE), CLIENT_SIGNING_KEY, readDigest(s1, self.layout))
