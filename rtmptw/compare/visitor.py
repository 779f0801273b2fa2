# -*- test-case-name: tests.compare.test_visitor -*-
"""
Who has visited a server: which program it is, and what for.

Two servers can be compared by what they say to the same client. If the clients are not the same, they have asked other
questions, and got other answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rtmptw.causes.cause import CLIENTS, Cause
from rtmptw.compare.step import Step, Told
from rtmptw.trace.segment import Side

__all__ = ["Visitor", "visitor"]

#: The longest version that is shown, characters: it is a peer's text.
_LONGEST = 60

_NEITHER = "does neither publish nor play"

#: The version bytes of a C1 (wire facts 1.3), and the codecs that a player tells of (3.3).
_FFMPEG_VERSION = bytes.fromhex("09007c02")
_LIBRTMP_CODECS = 3191.0


@dataclass(frozen=True)
class Visitor:
    """
    A client.

    @ivar name: the program, such as C{"FFmpeg"}; empty if it did not say anything that tells.
    @ivar version: what it says about itself; may be empty.
    @ivar role: C{"publishes"}, C{"plays"} or C{"does neither publish nor play"}.
    """

    name: str
    version: str
    role: str

    @property
    def names(self) -> tuple[str, ...]:
        """What L{rtmptw.causes.cause.Cause.clients} may call it."""
        return (f"{self.name} player", self.name) if self.role == "plays" else (self.name,)

    def isLike(self, other: Visitor) -> bool:
        """
        Whether it may be the same program, there for the same. What it has not said, as it did not get that far, tells
        nothing.
        """
        isSameProgram = self.name == other.name or not (self.name and other.name)
        return isSameProgram and (self.role == other.role or _NEITHER in (self.role, other.role))

    def minds(self, cause: Cause) -> bool:
        """Whether it stops at a cause, or loses something, as far as is known."""
        if self.name not in CLIENTS or not cause.clients:
            return True
        # What is known of it as a player goes before what is known of it at all.
        return next((name for name in self.names if name in cause.clients), "") in cause.affected

    def __str__(self) -> str:
        name = self.name or "a client that has not said who it is"
        return f"{name} ({self.version})" if self.version else name


def visitor(told: Told) -> Visitor:
    """Find out who the client of a conversation is."""
    connect = next((s for s in told.steps[Side.CLIENT] if s.key == ("command", "connect")), None)
    name, version = ("", "") if connect is None else _name(connect, told)
    role = "publishes" if told.calls.has("publish") else "plays" if told.calls.has("play") else ""
    return Visitor(name, version, role or _NEITHER)


def _name(connect: Step, told: Told) -> tuple[str, str]:
    """Program and version (wire facts 3.1 and 3.3)."""
    parameters = connect.value(2)
    parameters = parameters if isinstance(parameters, dict) else {}
    flashVer = parameters.get("flashVer", "")
    flashVer = flashVer if isinstance(flashVer, str) else ""
    match = re.search(r"\bLavf[\d.]{1,20}", flashVer)
    if match is not None:
        return "FFmpeg", match[0]
    c1, c2 = told.blocks.get("C1", b""), told.blocks.get("C2", b"")
    shown = ascii(flashVer)[1:-1][:_LONGEST]
    if c1[4:8] == _FFMPEG_VERSION and flashVer.startswith("LNX 9,0,124,"):
        return "FFmpeg", shown
    if flashVer.startswith("LNX 9,0,124,") and "objectEncoding" in parameters:
        return "MediaMTX", shown
    if flashVer.startswith("LNX.11,1,102,"):
        return "nginx-rtmp", shown
    if "FMSc/1.0" in flashVer:
        return "OBS", shown
    if not flashVer or flashVer.startswith("LNX 10,0,32,"):
        # GStreamer's own client says the same, but puts its own time into C2 (wire facts 1.3).
        isLibrtmp = parameters.get("audioCodecs") == _LIBRTMP_CODECS or (len(c2) > 8 and c2[4:8] == bytes(4))
        return ("librtmp" if isLibrtmp else "GStreamer" if flashVer else ""), shown
    return shown, ""
