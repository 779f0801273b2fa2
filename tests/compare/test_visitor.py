# -*- test-case-name: tests.compare.test_visitor -*-
"""
Tests for L{rtmptw.compare.visitor}: who it was.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.cause import Cause, Severity
from rtmptw.compare.step import listen
from rtmptw.compare.visitor import Visitor, visitor
from rtmptw.wire.amf import AMFValue
from tests.compare.bending import CAPTURES, told
from tests.compare.test_step import asks

#: What begins the name of a capture, and who made it.
PROGRAMS = {"ffmpeg": "FFmpeg", "rtmpdump": "librtmp", "librtmp": "librtmp", "nginxrtmp": "nginx-rtmp"}


class CaptureTests(SynchronousTestCase):
    def test_all(self) -> None:
        """Every client of the captures is known for what it is, and what it does."""
        names = sorted(path.name.removesuffix(".c2s.bin") for path in CAPTURES.glob("*.c2s.bin"))
        self.assertGreater(len(names), 15)
        for name in names:
            found = visitor(listen(told(name)))
            expected = next((program for start, program in PROGRAMS.items() if name.startswith(start)), "GStreamer")
            if "librtmp" in name:
                expected = "librtmp"
            role = "plays" if "-play" in name else "publishes"
            self.assertEqual((found.name, found.role), (expected, role), name)

    def test_version(self) -> None:
        self.assertEqual(str(visitor(listen(told("ffmpeg9-publish")))), "FFmpeg (Lavf63.1.102)")


class ConnectTests(SynchronousTestCase):
    def found(self, parameters: AMFValue) -> Visitor:
        return visitor(listen([asks("connect", 1.0, parameters)]))

    def test_byItsConnect(self) -> None:
        known: tuple[tuple[AMFValue, str], ...] = (
            ({"flashVer": "FMLE/3.0 (compatible; FMSc/1.0)"}, "OBS"),
            ({"flashVer": "LNX 9,0,124,2", "objectEncoding": 0.0}, "MediaMTX"),
            ({"flashVer": "LNX 9,0,124,2"}, "LNX 9,0,124,2"),
            ({"flashVer": "FMLE/3.0 (compatible; rtmptw)"}, "FMLE/3.0 (compatible; rtmptw)"),
            ({"flashVer": "LNX 10,0,32,18"}, "GStreamer"),
            ({"flashVer": "LNX 10,0,32,18", "audioCodecs": 3191.0}, "librtmp"),
            ({"flashVer": "x\n" * 1000}, ("x\\n" * 1000)[:60]),
            ({"flashVer": 5.0}, ""),
            (None, ""),
        )
        for parameters, name in known:
            self.assertEqual(self.found(parameters).name, name)

    def test_isLike(self) -> None:
        """Who has not got far enough to say what it is there for may be the same."""
        publisher = Visitor("FFmpeg", "Lavf59", "publishes")
        for other, isLike in (
            (Visitor("FFmpeg", "Lavf63", "publishes"), True),
            (Visitor("FFmpeg", "Lavf59", "plays"), False),
            (Visitor("OBS", "", "publishes"), False),
            (self.found({"flashVer": "Lavf1"}), True),
            (self.found(None), True),
        ):
            self.assertEqual((publisher.isLike(other), other.isLike(publisher)), (isLike, isLike), other)

    def test_minds(self) -> None:
        cause = Cause(
            "a-cause",
            "title",
            Severity.STOPS,
            "mend",
            "3.6",
            {"FFmpeg": "It goes on.", "FFmpeg player": "It stops.", "GStreamer": "It copes.", "SRS": "It stops."},
            frozenset(("FFmpeg", "GStreamer")),
        )
        plain = Cause("a-cause", "title", Severity.STOPS, "mend", "3.6")
        for visitor_, minds in (
            (Visitor("FFmpeg", "", "publishes"), False),
            (Visitor("FFmpeg", "", "plays"), True),
            (Visitor("SRS", "", "plays"), True),
            (Visitor("GStreamer", "", "plays"), False),
            (Visitor("OBS", "", "publishes"), False),
            (Visitor("a program of one's own", "", "publishes"), True),
        ):
            self.assertEqual((visitor_.minds(cause), visitor_.minds(plain)), (minds, True), visitor_)

    def test_mindsAsAPlayer(self) -> None:
        """Where a player gets through and a publisher does not."""
        does = {"FFmpeg": "It stops.", "FFmpeg player": "It goes on."}
        cause = Cause("a-cause", "title", Severity.STOPS, "mend", "3.6", does, frozenset(("FFmpeg player",)))
        self.assertFalse(Visitor("FFmpeg", "", "plays").minds(cause))
        self.assertTrue(Visitor("FFmpeg", "", "publishes").minds(cause))

    def test_nobody(self) -> None:
        nobody = visitor(listen([]))
        self.assertEqual(nobody, Visitor("", "", "does neither publish nor play"))
        self.assertEqual(str(nobody), "a client that has not said who it is")
