# -*- test-case-name: tests.dialects.test_players -*-
"""
Tests for L{rtmptw.dialects.players}: each says what the real client said, to the same server.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects import shake
from rtmptw.dialects.dialect import Dialect, Given
from rtmptw.dialects.players import PLAYERS
from rtmptw.trace.values import readValues
from rtmptw.url import RTMPURL
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl
from rtmptw.wire.digest import CLIENT_KEY, CLIENT_SIGNING_KEY, SERVER_KEY, findDigest, isSigned, readDigest
from rtmptw.wire.message import MessageType
from tests.dialects import captured
from tests.dialects.doubles import DIALECTS, Meeting, ScriptedServer, readAll


class CapturedTests(SynchronousTestCase):
    """Message for message, in order: types, streams, commands, transaction IDs, AMF types and values, the ending."""

    def play(self, name: str, dialect: Dialect) -> bytes:
        """
        All bytes that a dialect sends to a captured server. S2 is signed for the captured C1: that is made again from
        its random bytes.
        """
        random = captured.c1Of(captured.client(name))[8:]
        self.patch(shake, "urandom", lambda size: random[:size])
        meeting = Meeting()
        visit = meeting.visit(dialect, captured.CapturedServer(name), RTMPURL.parse("rtmp://127.0.0.1:19350/live/p1"))
        self.assertTrue(meeting.run(visit.open()))
        self.assertEqual(list(map(str, visit.progress.findings)), [])
        visit.leave()
        return bytes(visit.transport.written)

    def check(self, dialectName: str, name: str, ours: bytes | None = None) -> bytes:
        theirs = captured.client(name)
        ours = self.play(name, DIALECTS[dialectName]) if ours is None else ours
        self.assertEqual(captured.said(ours), captured.said(theirs))
        c1 = captured.c1Of(ours)
        self.assertEqual(c1[4:8], captured.c1Of(theirs)[4:8])
        self.assertIs(findDigest(c1, CLIENT_KEY), findDigest(captured.c1Of(theirs), CLIENT_KEY))
        return ours

    def test_ffmpeg(self) -> None:
        """C2 is signed, since S1 has a digest."""
        ours = self.check("ffmpeg-play", "ffmpeg5-play")
        s1 = captured.c1Of(captured.server("ffmpeg5-play"))
        layout = findDigest(s1, SERVER_KEY)
        assert layout is not None
        self.assertTrue(isSigned(captured.c2Of(ours), CLIENT_SIGNING_KEY, readDigest(s1, layout)))
        self.assertEqual(captured.c1Of(ours), captured.c1Of(captured.client("ffmpeg5-play")))

    def test_rtmp2src(self) -> None:
        """Two windows: the one that it was told, and its own. C2 has its own time in it."""
        ours = self.check("gstreamer-play", "gst122-rtmp2src-play")
        s1, c2 = captured.c1Of(captured.server("gst122-rtmp2src-play")), captured.c2Of(ours)
        self.assertNotEqual(c2, s1)
        self.assertEqual(c2[:4] + c2[8:], s1[:4] + s1[8:])

    def test_rtmpdump(self) -> None:
        """With --live; its --stop adds the length of what it wants to play's arguments, which are open in number."""
        name = "rtmpdump24-play-live"
        ours = self.play(name, DIALECTS["librtmp-play"])
        theirs = captured.said(captured.client(name))
        play = next(each for each in theirs if each.content[0] == (2, "play"))
        self.assertEqual(play.content.pop(), (0, 2000.0))
        self.assertEqual(captured.said(ours), theirs)
        self.assertEqual(captured.c2Of(ours), captured.c1Of(captured.server(name)))

    def test_rtmpdumpAny(self) -> None:
        """Without --live: no FCSubscribe, and it plays from 0 on."""
        name = "rtmpdump24-play-any"
        live = DIALECTS["librtmp-play"]
        request = replace(live.request, arguments=(Given.NAME, 0.0, 2000.0))
        self.check("", name, self.play(name, replace(live, calls=live.calls[:1], request=request)))

    def test_rtmpsrc(self) -> None:
        """The same library, with another buffer, and without flashVer."""
        name = "gst122-rtmpsrc-librtmp-play"
        rtmpdump = DIALECTS["librtmp-play"]
        properties = {key: value for key, value in rtmpdump.properties.items() if key != "flashVer"}
        rtmpsrc = replace(rtmpdump, properties=properties, bufferMilliseconds=30000)
        self.check("", name, self.play(name, rtmpsrc))


class UnseenTests(SynchronousTestCase):
    """Those that no capture shows, as the wire facts (3.3) and their sources have them."""

    def play(self, name: str, url: str = "rtmp://h/live/cam") -> list[str]:
        meeting = Meeting()
        visit = meeting.visit(name, ScriptedServer(ScriptedServer.yes), RTMPURL.parse(url))
        self.assertTrue(meeting.run(visit.open()))
        visit.leave()
        lines = []
        for message in readAll(bytes(visit.transport.written)):
            where = f"{message.chunkStreamId}/{message.streamId}"
            if message.type in (17, 20):
                values = readValues(message)
                rest = [str(each.value) for each in values.placed[3:]]
                kind = "amf3 " if message.type == MessageType.COMMAND_AMF3 else ""
                lines.append(" ".join([where, f"{kind}{values.name}", f"{values.transactionId:g}", *rest]))
            elif message.type == MessageType.USER_CONTROL:
                control = UserControl.decode(message.payload)
                assert control is not None
                lines.append(f"{where} event {control.event} {control.value} {control.extra}")
            else:
                lines.append(f"{where} type {message.type} {int.from_bytes(message.payload[:4], 'big')}")
            if "connect 1" in lines[-1]:
                self.connect = Command.decode(message).commandObject
        return lines

    def test_mediamtx(self) -> None:
        """Set Buffer Length comes in front of play, for message stream 0; play has nothing behind the name."""
        self.assertEqual(
            self.play("mediamtx-play", "rtmp://h/a/b/c/d"),
            [
                "2/0 type 5 2500000",
                "2/0 type 6 2500000",
                "2/0 type 1 65536",
                "3/0 connect 1",
                "3/0 createStream 2",
                "2/0 event 3 0 100",
                "4/1 play 3 c/d",
            ],
        )
        assert isinstance(self.connect, dict)
        self.assertEqual(
            list(self.connect),
            [
                "app",
                "flashVer",
                "tcUrl",
                "objectEncoding",
                "fpad",
                "capabilities",
                "audioCodecs",
                "videoCodecs",
                "videoFunction",
                "fourCcList",
            ],
        )
        self.assertEqual(self.connect["audioCodecs"], 0x0001 + 0x0004 + 0x0080 + 0x0100 + 0x0400)
        self.assertEqual(self.connect["app"], "a/b")

    def test_flash(self) -> None:
        """Type 17 behind connect."""
        self.assertEqual(
            self.play("flash-play"),
            [
                "3/0 connect 1 user 7.0 None",
                "3/0 amf3 createStream 2",
                "8/1 amf3 play 0 cam -1000.0",
                "2/0 event 3 1 100",
            ],
        )

    def test_names(self) -> None:
        """They are said at the command line."""
        names = [dialect.name for dialect in PLAYERS]
        self.assertEqual(len(set(names)), len(names))
        for name, dialect in zip(names, PLAYERS, strict=True):
            self.assertTrue(not dialect.publishes and name.endswith("-play"))
            self.assertEqual(dialect.request.name, "play")
