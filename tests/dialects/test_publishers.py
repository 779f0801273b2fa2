# -*- test-case-name: tests.dialects.test_publishers -*-
"""
Tests for L{rtmptw.dialects.publishers}: each says what the real client said, to the same server.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.publishers import PUBLISHERS
from rtmptw.trace.values import readValues
from rtmptw.url import RTMPURL
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl
from rtmptw.wire.digest import CLIENT_KEY, CLIENT_SIGNING_KEY, SERVER_KEY, Layout, findDigest, isSigned, readDigest
from rtmptw.wire.message import Message, MessageType
from tests.dialects import captured
from tests.dialects.doubles import DIALECTS, Meeting, ScriptedServer, readAll


def publishTo(name: str, dialect: Dialect, stream: str) -> bytes:
    """All bytes that a dialect sends to a captured server."""
    meeting = Meeting()
    url = RTMPURL.parse(f"rtmp://127.0.0.1:19350/live/{stream}")
    visit = meeting.visit(dialect, captured.CapturedServer(name), url)
    assert meeting.run(visit.open()), visit.progress
    assert not visit.progress.findings, list(map(str, visit.progress.findings))
    visit.begin()
    visit.send(visit.footage.frames(4))
    meeting.pump()
    visit.leave()
    return bytes(visit.transport.written)


class CapturedTests(SynchronousTestCase):
    """Message for message, in order: types, streams, commands, transaction IDs, AMF types and values, the ending."""

    def check(self, dialectName: str, name: str, stream: str) -> None:
        theirs, ours = captured.client(name), publishTo(name, DIALECTS[dialectName], stream)
        self.assertEqual(captured.said(ours), captured.said(theirs))
        self.assertEqual(captured.c1Of(ours)[4:8], captured.c1Of(theirs)[4:8])
        self.assertIs(findDigest(captured.c1Of(ours), CLIENT_KEY), findDigest(captured.c1Of(theirs), CLIENT_KEY))
        s1 = captured.c1Of(captured.server(name))
        self.assertEqual(self.kindOf(captured.c2Of(ours), s1), self.kindOf(captured.c2Of(theirs), s1))

    def kindOf(self, c2: bytes, s1: bytes) -> str:
        layout = findDigest(s1, SERVER_KEY)
        if layout is not None and isSigned(c2, CLIENT_SIGNING_KEY, readDigest(s1, layout)):
            return "signed"
        return "echo" if c2 == s1 else "timed" if c2[:4] + c2[8:] == s1[:4] + s1[8:] else "other"

    def test_ffmpeg5(self) -> None:
        self.check("ffmpeg-publish", "ffmpeg5-publish", "test")

    def test_ffmpeg9(self) -> None:
        self.check("ffmpeg-publish", "ffmpeg9-publish", "test")

    def test_rtmp2sink(self) -> None:
        self.check("gstreamer-publish", "gst122-rtmp2sink-publish", "g2")

    def test_librtmp(self) -> None:
        self.check("librtmp-publish", "gst122-rtmpsink-librtmp-publish", "g1")

    def test_nginx(self) -> None:
        """It publishes under the name that it was told to; what it sends of the film is the film's business."""
        ours = captured.said(publishTo("nginxrtmp-relay-push", DIALECTS["nginx-publish"], "relayed"))
        theirs = captured.said(captured.client("nginxrtmp-relay-push"))
        self.assertEqual(ours, theirs)

    def test_nginxHandshake(self) -> None:
        self.check("nginx-publish", "nginxrtmp-relay-push", "relayed")

    def test_otherServer(self) -> None:
        """FFmpeg's own server sends onBWDone, and a chunk size of 128: _checkbw takes the next transaction ID."""
        name = "ffmpeg5-publish-to-ffmpeg9-listen"
        url = "rtmp://127.0.0.1:19352/live"
        ours = captured.said(publishTo(name, DIALECTS["ffmpeg-publish"], "x"))
        theirs = captured.said(captured.client(name))
        self.assertEqual(str(ours).replace("rtmp://127.0.0.1:19350/live", url), str(theirs))


class UnseenTests(SynchronousTestCase):
    """Those that no capture shows, as the wire facts (3.1, 2.2, 1.3) have them."""

    def publish(self, name: str, url: str = "rtmp://h/live/cam") -> tuple[bytes, list[Message]]:
        meeting = Meeting()
        server = ScriptedServer(ScriptedServer.yes)
        visit = meeting.visit(name, server, RTMPURL.parse(url))
        self.assertTrue(meeting.run(visit.open()))
        visit.begin()
        meeting.pump()
        visit.leave()
        meeting.pump()
        data = bytes(visit.transport.written)
        return data, readAll(data)

    def lines(self, messages: list[Message]) -> list[str]:
        """In short: chunk stream, message stream, and what it is."""
        lines = []
        for message in messages:
            where = f"{message.chunkStreamId}/{message.streamId}"
            if message.type in (17, 20):
                values = readValues(message)
                rest = [str(each.value) for each in values.placed[3:]]
                kind = "amf3 " if message.type == MessageType.COMMAND_AMF3 else ""
                lines.append(" ".join([where, f"{kind}{values.name}", f"{values.transactionId:g}", *rest]))
            elif message.type == MessageType.USER_CONTROL:
                lines.append(f"{where} {UserControl.decode(message.payload)}")
            elif message.type in (8, 9, 18):
                lines.append(f"{where} type {message.type}")
            else:
                lines.append(f"{where} type {message.type} {int.from_bytes(message.payload[:4], 'big')}")
        return lines

    def connect(self, messages: list[Message]) -> list[tuple[str, object]]:
        command = next(Command.decode(each) for each in messages if each.type == MessageType.COMMAND)
        assert isinstance(command.commandObject, dict)
        return list(command.commandObject.items())

    def test_obs(self) -> None:
        """A chunk size before connect; audio first."""
        data, messages = self.publish("obs-publish")
        self.assertEqual(data[5:9], bytes(4))
        self.assertEqual(
            self.lines(messages),
            [
                "2/0 type 1 4096",
                "3/0 connect 1",
                "3/0 releaseStream 2 cam",
                "3/0 FCPublish 3 cam",
                "3/0 createStream 4",
                "4/1 publish 5 cam live",
                "4/1 type 18",
                "4/1 type 8",
                "4/1 type 9",
                "3/0 FCUnpublish 6 cam",
                "3/0 deleteStream 7 1.0",
            ],
        )
        self.assertEqual(
            self.connect(messages),
            [
                ("app", "live"),
                ("type", "nonprivate"),
                ("flashVer", "FMLE/3.0 (compatible; FMSc/1.0)"),
                ("swfUrl", "rtmp://h/live"),
                ("tcUrl", "rtmp://h/live"),
            ],
        )

    def test_mediamtx(self) -> None:
        """The application is publish's second argument, and has two parts at most."""
        data, messages = self.publish("mediamtx-publish", "rtmp://h/a/b/c/d")
        self.assertEqual(data[5:9], bytes(4))
        self.assertEqual(
            self.lines(messages),
            [
                "2/0 type 5 2500000",
                "2/0 type 6 2500000",
                "2/0 type 1 65536",
                "3/0 connect 1",
                "3/0 releaseStream 2 c/d",
                "3/0 FCPublish 3 c/d",
                "3/0 createStream 4",
                "4/1 publish 5 c/d a/b",
                "4/1 type 18",
                "6/1 type 9",
                "4/1 type 8",
            ],
        )
        self.assertEqual(
            self.connect(messages),
            [("app", "a/b"), ("flashVer", "LNX 9,0,124,2"), ("tcUrl", "rtmp://h/a/b"), ("objectEncoding", 0.0)],
        )

    def test_srs(self) -> None:
        """A window behind connect, before that is answered; a chunk size in front of publish."""
        data, messages = self.publish("srs-publish")
        self.assertIs(findDigest(captured.c1Of(data), CLIENT_KEY), Layout.DIGEST_FIRST)
        self.assertEqual(data[5:9].hex(), "80000702")
        self.assertEqual(
            self.lines(messages),
            [
                "3/0 connect 1",
                "2/0 type 5 2500000",
                "3/0 createStream 2",
                "2/0 type 1 60000",
                "5/1 publish 0 cam live",
                "4/1 type 18",
                "6/1 type 9",
                "7/1 type 8",
            ],
        )
        self.assertEqual(
            [name for name, _ in self.connect(messages)],
            [
                "app",
                "flashVer",
                "swfUrl",
                "tcUrl",
                "fpad",
                "capabilities",
                "audioCodecs",
                "videoCodecs",
                "videoFunction",
                "pageUrl",
                "objectEncoding",
            ],
        )

    def test_haivision(self) -> None:
        """createStream comes first (srs issue 844)."""
        data, messages = self.publish("haivision-publish")
        self.assertEqual(data[5:9], bytes(4))
        self.assertEqual(
            self.lines(messages)[:6],
            [
                "3/0 connect 1",
                "3/0 createStream 2",
                "3/0 releaseStream 3 cam",
                "3/0 FCPublish 4 cam",
                "3/0 _checkbw 5",
                "4/1 publish 6 cam live",
            ],
        )

    def test_flash(self) -> None:
        """Type 17 behind connect, more arguments to connect, publish(false) at the end; no FCPublish."""
        _, messages = self.publish("flash-publish")
        self.assertEqual(
            self.lines(messages),
            [
                "3/0 connect 1 user 7.0 None",
                "3/0 amf3 createStream 2",
                "8/1 amf3 publish 0 cam live",
                "4/1 type 18",
                "4/1 type 9",
                "4/1 type 8",
                "8/1 amf3 publish 0 False",
                "8/1 amf3 closeStream 0",
            ],
        )
        self.assertIn(("objectEncoding", 3.0), self.connect(messages))

    def test_libraryWithoutStream(self) -> None:
        """librtmp and OBS have nothing to say of message stream 0 at their end; FFmpeg has."""
        for name, isSaid in (("librtmp-publish", False), ("obs-publish", False), ("ffmpeg-publish", True)):
            meeting = Meeting()
            server = ScriptedServer(
                lambda server, command: (
                    server.command("_result", command.transactionId, None, 0.0)
                    if command.name == "createStream"
                    else server.yes(command)
                )
            )
            visit = meeting.visit(name, server)
            self.assertTrue(meeting.run(visit.open()))
            self.assertEqual(visit.streamId, 0)
            visit.leave()
            names = [readValues(each).name for each in readAll(bytes(visit.transport.written)) if each.type == 20]
            self.assertEqual("deleteStream" in names, isSaid, name)

    def test_names(self) -> None:
        """They are said at the command line."""
        names = [dialect.name for dialect in PUBLISHERS]
        self.assertEqual(len(set(names)), len(names))
        self.assertTrue(
            all(
                dialect.publishes and name.endswith("-publish") for name, dialect in zip(names, PUBLISHERS, strict=True)
            )
        )

    def test_known(self) -> None:
        """Each has createStream among its calls, and the chunk streams of all its media."""
        for dialect in PUBLISHERS:
            self.assertEqual([line.name for line in dialect.calls].count("createStream"), 1)
            self.assertEqual(set(dialect.chunkStreams), {8, 9, 18})
            self.assertEqual(replace(dialect).request.name, "publish")
