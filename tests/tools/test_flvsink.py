"""Tests for L{rtmptw.tools.flvsink}."""

from __future__ import annotations

import errno
import os
import select
import shutil
import struct
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.interfaces import ISubscriber
from rtmptw.tools.flvsink import MAX_PLACES, FLVSink
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue, ECMAArray
from rtmptw.wire.flv import FLVReader, FLVTag, fileHeader
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import Content, content, inter, key, metadata, pictureHeader, sound, soundHeader, video
from tests.record.disk import readTags

BEGINNING = [metadata(0, duration=0.0, width=640.0, filesize=0.0), pictureHeader(0), soundHeader(0)]
MEDIA = [key(0), sound(21), inter(40)]


def found(tags: list[FLVTag]) -> Content:
    """What tags have in common with messages."""
    return [(tag.type, tag.timestamp, tag.payload) for tag in tags]


class SinkTestCase(SynchronousTestCase):
    """A directory for files."""

    def setUp(self) -> None:
        """It is empty."""
        self.directory = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory / "clip.flv"

    def feed(self, sink: FLVSink, *messages: Message) -> None:
        """Give messages."""
        for message in messages:
            sink.messageReceived(message)

    def sink(self, *messages: Message) -> FLVSink:
        """A sink for the file."""
        sink = FLVSink(str(self.path))
        self.feed(sink, *messages)
        return sink

    def metadataOf(self) -> AMFValue:
        """What the first tag says."""
        return amf0.decode(readTags(self.path)[0].payload)[1]


class FileTests(SinkTestCase):
    """Files."""

    def test_atOnce(self) -> None:
        """After every message the file has all that came, and is whole; payloads are as they came."""
        sink = self.sink()
        verifyObject(ISubscriber, sink)
        self.assertEqual((sink.name, self.path.read_bytes()), (str(self.path), b""))
        sent = [*BEGINNING, *MEDIA, video("", 50), inter(80)]
        for count, message in enumerate(sent, 1):
            sink.messageReceived(message)
            self.assertEqual(found(readTags(self.path)), content(sent[:count]))
            self.assertEqual(sink.bytes, self.path.stat().st_size)
        self.assertEqual(sink.position, 80)
        self.assertNoResult(sink.finished)
        sink.streamEnded("the publisher has ended")
        self.assertEqual(self.successResultOf(sink.finished), "the publisher has ended")
        # The numbers are in; everything else is as it was.
        size = float(self.path.stat().st_size)
        self.assertEqual(self.metadataOf(), {"duration": 0.08, "width": 640.0, "filesize": size})
        self.assertEqual(found(readTags(self.path)[1:]), content(sent[1:]))

    def test_times(self) -> None:
        """Times are those of a file: it begins near 0."""
        self.sink(metadata(7), key(77_000), sound(76_990), inter(77_040)).finish()
        self.assertEqual([tag.timestamp for tag in readTags(self.path)], [0, 1000, 990, 1040])

    def test_types(self) -> None:
        """What is no media has no place; what is meant for servers is taken away."""
        prefix = amf0.encode("@setDataFrame")
        text = Message(MessageType.DATA, 0, 1, b"\2\0\x0aonTextData\5")
        sink = self.sink(
            Message(MessageType.COMMAND, 0, 1, b"x"),
            Message(MessageType.DATA_AMF3, 0, 1, b"x"),
            Message(MessageType.DATA, 0, 1, prefix + BEGINNING[0].payload),
            text,
            key(0),
            inter(2000),
        )
        sink.finish()
        self.assertEqual([tag.type for tag in readTags(self.path)], [18, 18, 9, 9])
        self.assertEqual(readTags(self.path)[1].payload, text.payload)
        metadata = self.metadataOf()
        assert isinstance(metadata, dict)
        self.assertEqual(metadata["duration"], 2.0)

    def test_overwrite(self) -> None:
        """What was in the file is gone, once there is something to be put in its place, and not before."""
        self.path.write_bytes(b"old" * 1000)
        sink = self.sink()
        self.assertEqual(self.path.read_bytes(), b"old" * 1000)
        self.feed(sink, key(0))
        self.assertEqual(found(readTags(self.path)), content([key(0)]))
        sink.finish()
        self.path.write_bytes(b"old")
        self.sink().finish()
        self.assertEqual(self.path.read_bytes(), b"old")

    def test_nothing(self) -> None:
        """If nothing comes, no new file is left."""
        sink = self.sink()
        sink.finish("nobody was there")
        self.assertEqual(self.successResultOf(sink.finished), "nobody was there")
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_over(self) -> None:
        """What comes when it is over is not written; it ends once, and nothing stays open."""
        before = os.listdir("/proc/self/fd")
        sink = self.sink(key(0))
        sink.finish("first")
        sink.streamEnded("second")
        sink.messageReceived(inter(40))
        self.assertEqual(self.successResultOf(sink.finished), "first")
        self.assertEqual(found(readTags(self.path)), content([key(0)]))
        self.assertEqual(os.listdir("/proc/self/fd"), before)

    def test_cannotOpen(self) -> None:
        """A file that can't be made is an error at once, which names it."""
        for path, kind in ((self.directory / "a" / "b.flv", FileNotFoundError), (self.directory, IsADirectoryError)):
            error = self.assertRaises(kind, FLVSink, str(path))
            self.assertEqual(error.filename, str(path))


class NumberTests(SinkTestCase):
    """Duration and size."""

    def patched(self, payload: bytes) -> bytes:
        """What becomes of metadata when the stream is 2 s long."""
        sink = self.sink(Message(MessageType.DATA, 0, 1, payload), key(0), inter(2000))
        sink.finish()
        self.successResultOf(sink.finished)
        return readTags(self.path)[0].payload

    def test_changed(self) -> None:
        """Numbers are changed where they are, whatever is around them, and nothing else is."""
        trap = "\0\x08duration\0\0\0\0\0\0\0\0\0"
        for values in (
            {"duration": 0.0},
            {"duration": 77.5, "width": 1.0},
            {"a": trap, "duration": 0.0, "b": trap},
            {"a": {"duration": 5.0}, "duration": 1.0},
            {"a": [{"duration": 5.0}], trap: 1.0, "duration": 2.0},
        ):
            for kind in (ECMAArray, dict):
                found = amf0.decode(self.patched(amf0.encode("onMetaData", kind(values))))[1]  # type: ignore[operator]
                self.assertEqual(found, {**values, "duration": 2.0})
                self.assertIs(type(found), kind)

    def test_unchanged(self) -> None:
        """Where there is no such number, nothing is changed."""
        trap = "\0\x08duration\0\0\0\0\0\0\0\0\0"
        for payload in (
            amf0.encode("onMetaData", ECMAArray({"width": 1.0})),
            amf0.encode("onMetaData", ECMAArray({"duration": "long", "filesize": None})),
            amf0.encode("onMetaData", ECMAArray({"a": trap})),
            amf0.encode("onMetaData", ECMAArray({"a": {"duration": 1.0}})),
            amf0.encode("onMetaData", trap),
            amf0.encode("onMetaData"),
            amf0.encode("onMetaData", {"duration": 1.0})[:-8],
            amf0.encode("onMetaData") + b"\x08\0\0\0\1\0\x08duration\0" + bytes(8) + b"\0\x01a\x0e",
            amf0.encode("onMetaDatA", {"duration": 1.0}),
            # More places to look at than anybody needs.
            amf0.encode("onMetaData", {"a": trap * MAX_PLACES, "duration": 1.0}),
        ):
            self.assertEqual(self.patched(payload), payload)

    def test_first(self) -> None:
        """Of many metadata the first is changed, as players look at that one."""
        sink = self.sink(BEGINNING[0], key(0), metadata(20, duration=0.0), inter(2000))
        sink.finish()
        payloads = [tag.payload for tag in readTags(self.path) if tag.type == MessageType.DATA]
        self.assertEqual([amf0.decode(payload)[1]["duration"] for payload in payloads], [2.0, 0.0])  # type: ignore[index, call-overload]

    @given(st.binary(max_size=40), st.binary(max_size=40))
    def test_hostile(self, before: bytes, after: bytes) -> None:
        """Whatever the metadata are, the file has them, and is whole."""
        payload = amf0.encode("onMetaData") + before + b"\0\x08duration\0" + after
        self.assertEqual(len(self.patched(payload)), len(payload))


class FailureTests(SinkTestCase):
    """Disks and pipes that come to an end."""

    def test_fullDisk(self) -> None:
        """The disk is full: the file ends behind its last whole tag, its duration is right, and the error names it."""
        room = 600
        write = os.write

        def full(descriptor: int, data: bytes) -> int:
            nonlocal room
            if not room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = write(descriptor, data[:room])
            room -= written
            return written

        sink = self.sink()
        before = os.listdir("/proc/self/fd")
        self.patch(os, "write", full)
        sent = [*BEGINNING, *(inter(40 * index, bytes(70)) for index in range(20))]
        self.feed(sink, *sent)
        failure = self.failureResultOf(sink.finished, OSError)
        self.assertEqual(str(failure.value), f"[Errno 28] No space left on device: '{self.path}'")
        tags = readTags(self.path)
        self.assertTrue(4 < len(tags) < len(sent))
        self.assertEqual(found(tags[1:]), content(sent[1 : len(tags)]))
        self.assertEqual(sink.bytes, self.path.stat().st_size)
        duration = self.metadataOf()["duration"]  # type: ignore[index, call-overload]
        self.assertEqual(duration, tags[-1].timestamp / 1000)
        self.assertEqual(len(os.listdir("/proc/self/fd")), len(before) - 1)
        sink.streamEnded("later")

    def test_notEvenTheNumbers(self) -> None:
        """If nothing at all can be written any more, the first error is the one that counts."""

        def fail(*arguments: object) -> int:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        sink = self.sink(*BEGINNING)
        self.patch(os, "pwrite", fail)
        self.patch(os, "write", fail)
        self.patch(os, "ftruncate", lambda *arguments: fail())
        self.feed(sink, key(0))
        self.failureResultOf(sink.finished, OSError)

    def test_numbersFail(self) -> None:
        """If the end can't be written, that is an error too, and the file is closed."""
        before = os.listdir("/proc/self/fd")
        sink = self.sink(*BEGINNING, *MEDIA)

        def fail(*arguments: object) -> int:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        self.patch(os, "pwrite", fail)
        sink.finish()
        failure = self.failureResultOf(sink.finished, OSError)
        self.assertEqual(str(failure.value), f"[Errno 5] Input/output error: '{self.path}'")
        self.assertEqual(os.listdir("/proc/self/fd"), before)

    def test_closedPipe(self) -> None:
        """Nobody reads the pipe any more: the caller learns that, and nothing more is written."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, writing)
        sink = FLVSink(writing)
        self.feed(sink, *BEGINNING)
        os.close(reading)
        self.assertNoResult(sink.finished)
        self.feed(sink, key(0), inter(40))
        failure = self.failureResultOf(sink.finished, BrokenPipeError)
        self.assertEqual(str(failure.value), f"[Errno 32] Broken pipe: 'file descriptor {writing}'")
        # It is not ours.
        os.fstat(writing)


class DescriptorTests(SinkTestCase):
    """What is not ours: standard output, as a rule."""

    def test_pipe(self) -> None:
        """Every tag is in the pipe at once, and the pipe stays open."""
        reading, writing = os.pipe()
        for descriptor in (reading, writing):
            self.addCleanup(os.close, descriptor)
        sink = FLVSink(writing)
        reader = FLVReader()
        sent = [*BEGINNING, *MEDIA]
        for message in sent:
            self.feed(sink, message)
            self.assertEqual(found(reader.feed(os.read(reading, 65536))), content([message]))
        sink.finish("done")
        self.assertEqual(self.successResultOf(sink.finished), "done")
        os.fstat(writing)

    def test_nonBlocking(self) -> None:
        """A pipe that is full is waited for, also if somebody has made it non-blocking; no byte is lost."""
        reading, writing = os.pipe()
        for descriptor in (reading, writing):
            self.addCleanup(os.close, descriptor)
            os.set_blocking(descriptor, False)
        received = bytearray()
        test = self

        class Reader:
            """Reads the pipe when it is waited for."""

            def register(self, descriptor: int, events: int) -> None:
                """It is for writing."""
                test.assertEqual((descriptor, events), (writing, select.POLLOUT))

            def poll(self) -> None:
                """Read."""
                received.extend(os.read(reading, 30_000))

        self.patch(select, "poll", Reader)
        sent = [key(0, bytes(300_000)), inter(40)]
        sink = FLVSink(writing)
        self.feed(sink, *sent)
        self.assertGreater(len(received), 200_000)
        while select.select([reading], [], [], 0)[0]:
            received.extend(os.read(reading, 65536))
        self.assertEqual(found(FLVReader().feed(bytes(received))), content(sent))
        self.assertEqual(sink.bytes, len(received))

    def redirected(self, flags: int) -> bytes:
        """The file after something was written behind other things, and is now 2 s long."""
        self.path.write_bytes(b"before")
        descriptor = os.open(self.path, os.O_WRONLY | flags)
        if not flags:
            os.lseek(descriptor, 6, os.SEEK_SET)
        self.addCleanup(os.close, descriptor)
        sink = FLVSink(descriptor)
        self.feed(sink, BEGINNING[0], key(0), inter(2000))
        sink.finish()
        self.successResultOf(sink.finished)
        os.fstat(descriptor)
        return self.path.read_bytes()

    def test_redirected(self) -> None:
        """What is redirected into a file begins where it is told to, and has its numbers there."""
        data = self.redirected(0)
        self.assertEqual(data[:19], b"before" + fileHeader())
        (tag, *_) = FLVReader().feed(data[6:])
        self.assertEqual(amf0.decode(tag.payload)[1]["duration"], 2.0)  # type: ignore[index, call-overload]

    def test_appended(self) -> None:
        """What is appended to can't be changed, and is not."""
        data = self.redirected(os.O_APPEND)
        self.assertEqual(data[:19], b"before" + fileHeader())
        self.assertEqual(found(FLVReader().feed(data[6:])), content([BEGINNING[0], key(0), inter(2000)]))
        self.assertNotIn(struct.pack(">d", 2.0), data)
