# -*- test-case-name: tests.dialects.test_dialect -*-
"""
Tests for L{rtmptw.dialects.dialect}.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.dialect import Given, Line, connectMessage, splitAtLast, splitAtSecond
from rtmptw.trace.values import readValues
from rtmptw.url import RTMPURL
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message, MessageType
from tests.dialects.doubles import DIALECTS


class LineTests(SynchronousTestCase):
    given: ClassVar[dict[Given, AMFValue]] = {Given.NAME: "cam", Given.STREAM_ID: 3, Given.APP: "live"}

    def test_arguments(self) -> None:
        """What is given stands for itself; all the rest is said as it is."""
        line = Line("publish", (Given.NAME, "live", Given.STREAM_ID), None, 8, onStream=True)
        message = line.message(5.0, self.given)
        self.assertEqual((message.type, message.streamId, message.chunkStreamId), (MessageType.COMMAND, 3, 8))
        self.assertEqual(Command.decode(message), Command("publish", 5.0, None, ("cam", "live", 3.0)))

    def test_connection(self) -> None:
        message = Line("createStream").message(2.0, self.given)
        self.assertEqual((message.streamId, message.chunkStreamId), (0, 3))
        self.assertEqual([each.marker for each in readValues(message).placed], [2, 0, 5])

    def test_amf3(self) -> None:
        """A 0 in front of the same values."""
        line = Line("deleteStream", (Given.STREAM_ID,))
        plain, amf3 = line.message(0.0, self.given), line.message(0.0, self.given, amf3=True)
        self.assertEqual(amf3.type, MessageType.COMMAND_AMF3)
        self.assertEqual(amf3.payload, b"\0" + plain.payload)


class ConnectTests(SynchronousTestCase):
    def test_order(self) -> None:
        """The members are in their order, and what is given stands where it belongs."""
        message = connectMessage(DIALECTS["ffmpeg-play"], "live", "rtmp://h/live")
        command = Command.decode(message)
        assert isinstance(command.commandObject, dict)
        self.assertEqual(list(command.commandObject)[:3], ["app", "flashVer", "tcUrl"])
        self.assertEqual(command.commandObject["tcUrl"], "rtmp://h/live")
        self.assertEqual(command.transactionId, 1.0)

    def test_always(self) -> None:
        """All of them tell where they want to go, with transaction ID 1, in AMF0."""
        for dialect in DIALECTS.values():
            message = connectMessage(dialect, "a", "rtmp://h/a")
            command = Command.decode(message)
            assert isinstance(command.commandObject, dict)
            self.assertEqual((command.commandObject["app"], command.commandObject["tcUrl"]), ("a", "rtmp://h/a"))
            self.assertEqual((command.transactionId, message.type, message.streamId), (1.0, 20, 0))

    def test_placeholdersAreTexts(self) -> None:
        """Who filters the properties by their types keeps them."""
        self.assertTrue(all(isinstance(each, str) for each in Given))


class ChunkSizeTests(SynchronousTestCase):
    def test_atDefault(self) -> None:
        """No dialect announces a chunk size then, and nothing else has changed."""
        for dialect in DIALECTS.values():
            plain = dialect.atDefaultChunkSize()
            announced = [each for each in (*plain.prelude, *plain.behindCreateStream) if isinstance(each, Message)]
            self.assertNotIn(MessageType.SET_CHUNK_SIZE, [each.type for each in announced])
            self.assertEqual((plain.mirrorsChunkSize, plain.chunkSizeBehindStart), (False, 0))
            rest = replace(
                plain,
                prelude=dialect.prelude,
                behindCreateStream=dialect.behindCreateStream,
                mirrorsChunkSize=dialect.mirrorsChunkSize,
                chunkSizeBehindStart=dialect.chunkSizeBehindStart,
            )
            self.assertEqual(rest, dialect)


class SplitTests(SynchronousTestCase):
    """Where the parts of a URL's path land (wire facts 8)."""

    #: By path: as FFmpeg splits it, librtmp and GStreamer, and gortmplib.
    table = {
        "live/cam": (("live", "cam"), ("live", "cam"), ("live", "cam")),
        "live/inst/cam": (("live/inst", "cam"), ("live/inst", "cam"), ("live/inst", "cam")),
        "live/a/b/cam": (("live/a", "b/cam"), ("live/a/b", "cam"), ("live/a", "b/cam")),
        "live/cam?token=x": (("live", "cam?token=x"), ("live", "cam?token=x"), ("live", "cam?token=x")),
        "live/cam?u=a/b": (("live", "cam?u=a/b"), ("live/cam?u=a", "b"), ("live/cam?u=a", "b")),
        "cam": (("cam", ""), ("cam", ""), ("cam", "")),
    }

    def test_table(self) -> None:
        for path, (ffmpeg, library, mediamtx) in self.table.items():
            url = RTMPURL.parse(f"rtmp://h/{path}")
            self.assertEqual(DIALECTS["ffmpeg-publish"].split(url), ffmpeg, path)
            self.assertEqual(splitAtLast(url), library, path)
            self.assertEqual(splitAtSecond(url), mediamtx, path)
