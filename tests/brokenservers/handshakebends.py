# -*- test-case-name: tests.brokenservers.test_handshakebends -*-
"""
Mistakes in the handshake (RTMP 1.0, section 5.2; wire facts 1).
"""

from __future__ import annotations

from rtmptw.wire.digest import BLOCK_SIZE
from tests.brokenservers.bend import Bend, Scene
from tests.brokenservers.plain import PlainServer

__all__ = ["HANDSHAKE_BENDS", "READING_PAUSE", "C2TailDropped", "S1VersionWithoutDigest", "S2WaitsForC2"]

#: A version that promises a digest (wire facts 1.3).
VERSION = bytes.fromhex("03000001")

#: How long the server that drops what stands behind C2 takes before it reads C2, seconds: enough for a client's next
#: words to be there as well. With less it would be a matter of luck.
READING_PAUSE = 0.2


class S2WaitsForC2(PlainServer):
    """S0 and S1 are sent, S2 not before C2 has come."""

    _heldBack = b""

    def shakeHands(self, data: bytes) -> bytes | None:
        assert self.handshake is not None
        reply, rest = self.handshake.feed(data)
        if reply:
            self._heldBack = reply[-BLOCK_SIZE:]
            self.transport.write(reply[:-BLOCK_SIZE])
        if rest is not None:
            self.transport.write(self._heldBack)
            self.handshake = None
        return rest


class C2TailDropped(PlainServer):
    """C2 is read as if it came alone: what stands behind it in the same read is thrown away."""

    def shakeHands(self, data: bytes) -> bytes | None:
        assert self.handshake is not None
        isFirst = not self.handshake.c1Version
        rest = super().shakeHands(data)
        if self.handshake is not None and isFirst and self.handshake.c1Version:
            self.transport.pauseProducing()
            self.factory.clock.callLater(READING_PAUSE, self.transport.resumeProducing)
        return None if rest is None else b""


class S1VersionWithoutDigest(PlainServer):
    """S1 has a version that promises a digest, and none that is right."""

    def shakeHands(self, data: bytes) -> bytes | None:
        assert self.handshake is not None
        reply, rest = self.handshake.feed(data)
        if reply:
            self.transport.write(reply[:5] + VERSION + reply[9:])
        if rest is not None:
            self.handshake = None
        return rest


HANDSHAKE_BENDS: dict[str, Bend] = {
    "s2-waits-for-c2": Bend(
        "s2-waits-for-c2",
        S2WaitsForC2,
        (5,),
        "stalls",
        ("ffmpeg5", "ffmpeg9", "rtmp2sink"),
        otherwise={"rtmp2sink": "fails"},
        symptom="Handshaking...",
    ),
    "c2-tail-dropped": Bend(
        "c2-tail-dropped",
        C2TailDropped,
        (5,),
        "stalls",
        ("ffmpeg5", "ffmpeg9", "rtmp2sink", "rtmpsink"),
        symptom="Proto = rtmp, path = /live/test, app = live, fname = test",
    ),
    "s1-version-without-digest": Bend(
        "s1-version-without-digest",
        S1VersionWithoutDigest,
        (6,),
        "fails",
        ("ffmpeg5-play", "ffmpeg9-play"),
        symptom="Server response validating failed",
        scene=Scene.PLAY,
    ),
}
