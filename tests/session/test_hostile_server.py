# -*- test-case-name: tests.session.test_hostile_server -*-
"""
Hostile input to our client: what a server may say without harm, in each phase of a connection. The names are those of
the rows.

Harm would be: an exception out of C{dataReceived}; a call that never ends, or ends twice; a subscriber or a stream that
is not told of the end, or told twice; a delayed call that is left behind; a log or a memory that the server fills.
"""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import CallError, ConnectionClosed, RTMPError
from rtmptw.limits import Limits
from rtmptw.session import status
from rtmptw.session.clientstream import ClientStream, PlayedStream, PublishedStream
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue
from rtmptw.wire.command import Command
from rtmptw.wire.control import (
    UserControl,
    UserControlType,
    acknowledgement,
    setChunkSize,
    setPeerBandwidth,
    windowAcknowledgementSize,
)
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message
from tests.session.dialects import TCPTransport, audio, command, data, video
from tests.session.servers import Listener, Script
from tests.wire.chunks import aborted, header, sized

KIB = 1024
NAN, INF = float("nan"), float("inf")

#: How many small chunks, empty messages and commands are read in a second, and how many pings are answered.
SMALL, EMPTY, COMMANDS, PINGS = 50_000, 2_000, 100, 10

#: How far a client has come: connect is said; all is quiet; createStream is said, publish is said, play is said; it
#: publishes; it plays.
PHASES = ("connecting", "connected", "creating", "asking", "requesting", "publishing", "playing")

#: What a server may write into our log: a line of its own, colours, another direction of writing, half a character.
NASTY = "no\r\n1.2.3.4:5: closed: all is well\x1b[31m\0\u202e\udcff"


class Target:
    """
    A client in one of L{PHASES}, and everything that waits for something of it.

    @ivar ends: by name, what each has come to. There is to be one for each, at the end.
    """

    def __init__(self, case: SynchronousTestCase, phase: str, transport: TCPTransport | None = None) -> None:
        self.case = case
        self.phase = phase
        self.server = Script(case, transport)
        self.connection = self.server.connection
        self.listener = Listener()
        self.ends: dict[str, list[object]] = {}
        self.expect("whenClosed", self.connection.whenClosed())
        self.expect("whenConnected", self.connection.whenConnected())
        if phase == "connecting":
            self.server.shakeHands()
        else:
            self.server.connected()
            self.expect("call", self.connection.call("any", timeout=None))
            getattr(self, f"_{phase}")()
        self.server.take()

    def expect(self, name: str, deferred: Deferred[Any]) -> None:
        """Watch a Deferred, and pass on what it has."""
        ends = self.ends.setdefault(name, [])

        def ended(end: object) -> object:
            ends.append(end)
            # What whenConnected has is looked at by Script as well; a failure must not be left over.
            return end if name == "whenConnected" and not isinstance(end, Failure) else None

        deferred.addBoth(ended)

    def _connected(self) -> None:
        """Nothing more."""

    def _creating(self) -> None:
        self.expect("publish", self.connection.publish("test?key=secret", timeout=None))
        self.expect("play", self.connection.play("test", Listener(), timeout=None))

    def _asking(self) -> None:
        self.expect("publish", self.connection.publish("test?key=secret", timeout=None))
        self.server.answer(self.server.commands()[-1].transactionId, 1.0)

    def _requesting(self) -> None:
        self.expect("play", self.connection.play("test", self.listener, timeout=None))
        self.server.answer(self.server.commands()[-1].transactionId, 1.0)

    def _publishing(self) -> None:
        self.stream = self.server.publishing()
        self.expect("whenEnded", self.stream.whenEnded())
        self.stream.send(video(0))

    def _playing(self) -> None:
        stream = self.server.playing(self.listener)
        self.expect("whenEnded", stream.whenEnded())

    def receive(self, data: bytes, size: int = 1 << 30) -> None:
        """Bytes from the server, in pieces."""
        for start in range(0, len(data), size):
            self.server.protocol.dataReceived(data[start : start + size])

    def assertClosed(self, reason: str) -> None:
        """The client has closed the connection for this reason; what still comes changes nothing."""
        self.case.assertTrue(self.server.transport.disconnecting, (self.phase, reason))
        self.receive(b"\3" * 5000)
        self.server.lose()
        self.assertOver(reason)

    def assertOver(self, reason: str = "") -> None:
        """The connection is gone: everything has ended once, and nothing is left."""
        case, phase = self.case, self.phase
        for name, ends in self.ends.items():
            case.assertEqual(len(ends), 1, (phase, name))
            [end] = ends
            if isinstance(end, Failure):
                case.assertIsInstance(end.value, RTMPError, (phase, name))
        told = phase in ("requesting", "playing")
        case.assertEqual(len(self.listener.reasons), int(told), phase)
        case.assertEqual(self.server.clock.getDelayedCalls(), [], phase)
        [line] = [line for line in self.server.lines() if ": closed: " in line]
        case.assertIn(reason, line)
        for each in self.server.lines():
            case.assertTrue(each.isprintable() and len(each) < 1000, (phase, each))
            case.assertNotIn("secret", each)
        case.assertEqual(case.flushLoggedErrors(), [])

    def assertUnharmed(self) -> None:
        """Nothing has ended, and the conversation goes on where it was; the end of it is an ordinary one."""
        case, server, phase = self.case, self.server, self.phase
        case.assertFalse(server.transport.disconnecting, phase)
        server.take()
        server.say(UserControl(UserControlType.PING_REQUEST, 7).encode())
        case.assertEqual(server.told(), ["PING_RESPONSE 7"], phase)
        unfinished = {name for name, ends in self.ends.items() if not ends}
        case.assertEqual(unfinished, set(self.ends) - ({"whenConnected"} if phase != "connecting" else set()), phase)
        getattr(self, f"_{phase}GoesOn")()
        server.lose()
        self.assertOver("gone")

    def _connectingGoesOn(self) -> None:
        self.server.answer(1.0, {"code": status.CONNECT_SUCCESS})
        self.case.assertTrue(self.connection.connected)

    def _connectedGoesOn(self) -> None:
        self.server.answer(2.0, "five")
        self.case.assertEqual(self.ends["call"], ["five"])

    def _creatingGoesOn(self) -> None:
        self.server.answer(5.0, 1.0)
        self.case.assertEqual([c.name for c in self.server.commands()], ["publish"])

    def _askingGoesOn(self) -> None:
        self.server.status(status.PUBLISH_START)
        self.case.assertEqual(len(self.ends["publish"]), 1)

    def _requestingGoesOn(self) -> None:
        self.server.status(status.PLAY_START)
        self.case.assertEqual(len(self.ends["play"]), 1)

    def _publishingGoesOn(self) -> None:
        self.stream.send(audio(5))
        self.case.assertEqual(self.server.told(), ["AUDIO@1 5"])

    def _playingGoesOn(self) -> None:
        count = len(self.listener.messages)
        self.server.say(audio(7))
        self.case.assertEqual(len(self.listener.messages), count + 1)


class Talk:
    """
    A client whose user does things at random, while the server says things at random.

    @ivar ends: what each Deferred has come to.
    """

    def __init__(self, case: SynchronousTestCase, size: int) -> None:
        """
        @param size: how many bytes the client receives at a time.
        """
        self.case = case
        self.size = size
        self.server = Script(case)
        self.connection = self.server.connection
        self.ends: list[list[object]] = []
        self.asked: list[Deferred[Any]] = []
        self.published: list[PublishedStream] = []
        self.played: list[PlayedStream] = []
        self.listeners: list[Listener] = []
        self.given = 0
        self.expect(self.connection.whenConnected())
        self.expect(self.connection.whenClosed())
        self.server.shakeHands()

    def expect(self, deferred: Deferred[Any], streams: list[Any] | None = None) -> None:
        """
        Watch a Deferred.

        @param streams: where its result goes, if that is a stream.
        """
        ends: list[object] = []
        self.ends.append(ends)

        def ended(end: object) -> None:
            ends.append(type(end.value if isinstance(end, Failure) else end))
            if isinstance(end, ClientStream) and streams is not None:
                streams.append(end)
                self.expect(end.whenEnded())

        deferred.addBoth(ended)

    def say(self, what: Message | bytes) -> None:
        data = self.server.writer.write(what) if isinstance(what, Message) else what
        for start in range(0, len(data), self.size):
            self.server.protocol.dataReceived(data[start : start + self.size])

    def call(self) -> None:
        self._ask(self.connection.call("any", timeout=5))

    def publish(self) -> None:
        self._ask(self.connection.publish("test", timeout=5), self.published)

    def play(self) -> None:
        self.listeners.append(Listener())
        self._ask(self.connection.play("test", self.listeners[-1], timeout=5), self.played)

    def _ask(self, asked: Deferred[Any], streams: list[Any] | None = None) -> None:
        self.asked.append(asked)
        self.expect(asked, streams)

    def cancel(self) -> None:
        for asked in self.asked[-1:]:
            asked.cancel()

    def send(self) -> None:
        for stream in self.published:
            with contextlib.suppress(ConnectionClosed):
                stream.send(audio(5))

    def pause(self) -> None:
        for stream in self.played:
            stream.pauseProducing()

    def resume(self) -> None:
        for stream in self.played:
            stream.resumeProducing()

    def closeStream(self) -> None:
        for stream in [*self.published, *self.played][-1:]:
            self.expect(stream.close())

    def close(self) -> None:
        self.expect(self.connection.close())

    def abort(self) -> None:
        self.connection.abort()

    def acceptConnect(self) -> None:
        self.say(Command("_result", 1.0, {}).encode())

    def accept(self) -> None:
        """The server says yes to whatever it was asked."""
        for asked in self.server.commands():
            if asked.name in ("publish", "play"):
                code = status.PUBLISH_START if asked.name == "publish" else status.PLAY_START
                self.say(status.onStatus(self.given, code, ""))
            elif asked.transactionId:
                self.given += asked.name == "createStream"
                self.say(Command("_result", asked.transactionId, None, (float(self.given),)).encode())

    def wait(self) -> None:
        self.server.clock.advance(3)

    def finish(self) -> None:
        """The connection is lost: all has ended once."""
        self.server.lose()
        case = self.case
        case.assertEqual([len(ends) for ends in self.ends], [1] * len(self.ends))
        case.assertEqual(self.server.clock.getDelayedCalls(), [])
        case.assertEqual(len([line for line in self.server.lines() if ": closed: " in line]), 1)
        case.assertEqual(case.flushLoggedErrors(), [])
        case.assertTrue(all(len(listener.reasons) <= 1 for listener in self.listeners))
        case.assertGreaterEqual(sum(len(listener.reasons) for listener in self.listeners), len(self.played))


#: What the user of L{Talk} may do.
DEEDS = (
    *("accept", "accept", "accept", "call", "publish", "play", "send", "wait", "pause", "resume", "cancel"),
    *("closeStream", "close", "abort"),
)

_IDS = st.sampled_from((0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, NAN, -1.0))
_VALUES = st.sampled_from((None, UNDEFINED, 1.0, 2.0, 1.0, 2.0, NAN, NASTY, {}, {"code": status.PUBLISH_START}))
_STREAMS = st.sampled_from((0, 1, 1, 2, 9))
_CODES = (status.PUBLISH_START, status.PLAY_START, status.UNPUBLISH_NOTIFY, status.BAD_NAME, status.CLOSED, NASTY)
_EVENTS = (UserControlType.PING_REQUEST, UserControlType.STREAM_EOF, UserControlType.STREAM_BEGIN)

#: What the server of L{Talk} may say: all of it is well formed, and little of it expected.
SAYINGS = st.one_of(
    st.builds(lambda id, value: command("_result", id, None, value), _IDS, _VALUES),
    st.builds(lambda id, value: command("_error", id, None, value), _IDS, _VALUES),
    st.builds(status.onStatus, _STREAMS, st.sampled_from(_CODES), st.just("x"), st.sampled_from(("status", "error"))),
    st.builds(lambda event, id: UserControl(event, id).encode(), st.sampled_from(_EVENTS), _STREAMS),
    st.builds(lambda id: audio(5, id=id), _STREAMS),
    st.builds(lambda id: data("onMetaData", {}, id=id), _STREAMS),
    st.builds(setChunkSize, st.sampled_from((1, 2, 128, 5000))),
    st.builds(lambda body: Message(22, 5, 1, body, 4), st.sampled_from((b"", b"\x08" + bytes(14)))),
    st.builds(lambda type, id: Message(type, 0, id, bytes(6), 3), st.sampled_from((0, 4, 7, 16, 99, 255)), _STREAMS),
)

#: How L{Talk} may begin.
BEGINNINGS = st.sampled_from(
    (
        (),
        ("acceptConnect",),
        ("acceptConnect", "publish", "accept", "accept"),
        ("acceptConnect", "play", "accept", "accept"),
        ("acceptConnect", "publish", "accept", "accept", "play", "accept", "accept"),
        ("acceptConnect", "call", "publish", "play"),
    )
)

#: What ends it: a chunk size that there is not, a header without a beginning, half a message, a bad aggregate, noise.
SPOILERS = st.one_of(
    st.sampled_from(
        (sized(0), header(2, 33), header(0, 3, 0, 100, 20), aborted(3), header(0, 3, 0, 5, 22) + b"\x16...")
    ),
    st.binary(max_size=40),
)


class HostileServerTestCase(SynchronousTestCase):
    def targets(self, *but: str) -> Iterator[Target]:
        """A client in each phase, but for some; one behind the other, since each looks at all that is logged."""
        for phase in PHASES:
            if phase not in but:
                yield Target(self, phase)

    def assertCloses(self, data: bytes, reason: str) -> None:
        """These bytes close the connection in each phase, however they are cut."""
        for size in (1 << 30, 1448, 1 if len(data) < 5000 else 100):
            for target in self.targets():
                target.receive(data, size)
                target.assertClosed(reason)

    def assertPassedOver(self, *messages: Message, but: tuple[str, ...] = ()) -> None:
        """These messages change nothing, in each phase."""
        for target in self.targets(*but):
            target.server.say(*messages)
            target.assertUnharmed()


class HandshakeTests(HostileServerTestCase):
    """Before the handshake is over."""

    def target(self) -> tuple[Script, list[object]]:
        server = Script(self)
        ends: list[object] = []
        server.connection.whenConnected().addBoth(ends.append)
        server.connection.whenClosed().addBoth(ends.append)
        return server, ends

    def assertEnded(self, server: Script, ends: list[object], reason: str, after: str = "x" * 5000) -> None:
        """Once, with this reason in the error and in the log, whatever the server says afterwards."""
        self.assertTrue(server.transport.disconnecting)
        server.protocol.dataReceived(after.encode())
        server.lose()
        failure, closed = ends
        assert isinstance(failure, Failure)
        failure.trap(ConnectionClosed)
        self.assertIn(reason, str(failure.value))
        self.assertIn(reason, str(closed))
        self.assertEqual(server.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(len([line for line in server.lines() if reason in line]), 1)

    def test_A3_D18_notRTMP(self) -> None:
        """At the first byte, in words."""
        rows = [
            (b"HTTP/1.1 302 Found\r\nLocation: rtmp://x\r\n\r\n", "HTTP"),
            (b"\x15\3\3\0\2\2\x46", "TLS"),
            (b"\6", "RTMPE"),
            (b"\0", "RTMP version 0 is not supported"),
            (b"SSH-2.0-x\r\n", "not RTMP"),
            (b"\xff" * 5000, "not RTMP"),
        ]
        for answer, words in rows:
            for size in (1, 5000):
                server, ends = self.target()
                for start in range(0, len(answer), size):
                    server.protocol.dataReceived(answer[start : start + size])
                self.assertEnded(server, ends, words)

    def test_A4_A5_anyHandshake(self) -> None:
        """Random S1 and S2 do: servers differ too much to be strict."""
        server, ends = self.target()
        server.protocol.dataReceived(b"\3" + b"\xff" * 3072)
        self.assertFalse(server.transport.disconnecting)
        server.protocol.dataReceived(server.writer.write(Command("_result", 1.0, {}).encode()))
        self.assertEqual(len(ends), 1)
        self.assertTrue(server.connection.connected)
        server.lose()

    def test_D18_neverEnding(self) -> None:
        """Silence, and a byte each second: 10 s."""
        for dripping in (b"", b"\3"):
            server, ends = self.target()
            for _ in range(10):
                self.assertFalse(server.transport.disconnecting)
                server.protocol.dataReceived(dripping)
                server.clock.advance(1)
            self.assertTrue(server.transport.disconnected)
            self.assertEnded(server, ends, "no handshake within 10 s", "")


class ChunkTests(HostileServerTestCase):
    """The chunk layer's rows (tests.wire.test_chunk_hostile), through a client."""

    def test_B1_everyChunkStreamHalfAMessage(self) -> None:
        def basic(id: int) -> bytes:
            return bytes((1, (id - 64) & 0xFF, (id - 64) >> 8))

        huge = b"".join(basic(id) + header(0, 3, 0, MAX_MESSAGE_SIZE)[1:] + b"\xaa" for id in range(64, 400))
        self.assertCloses(huge, "a message of 16777215 bytes")
        many = b"".join(basic(id) + header(0, 3, 0, 64 * KIB)[1:] + b"\xaa" for id in range(64, 400))
        self.assertCloses(sized(1) + many, "more than 16 messages half sent")
        empty = b"".join(basic(id) + header(0, 3)[1:] for id in range(64, 400))
        self.assertCloses(empty, "more than 64 chunk streams in use")

    def test_B1_sum(self) -> None:
        """How much may be half sent, before anything was played; and that a publisher is sent no media."""
        halves = sized(60 * KIB) + b"".join(header(0, id, 0, 64 * KIB, 20) + b"\xaa" * 60 * KIB for id in range(3, 10))
        for target in self.targets("creating", "requesting", "playing"):
            target.receive(halves, 1448)
            target.assertClosed("more than 131072 bytes of messages half sent")
        for target in self.targets("creating", "requesting", "playing"):
            target.receive(header(0, 6, 0, 64 * KIB + 1))
            target.assertClosed("a message of 65537 bytes")

    def test_B2_memoryIsWhatWasReceived(self) -> None:
        """8 MiB are announced, and 100 KiB come; then nothing, for 30 s."""
        part = sized(65536) + header(0, 6, 0, 8 << 20) + b"\xaa" * 65536 + b"\xc6" + b"\xaa" * 34 * KIB
        target = Target(self, "playing")
        tracemalloc.start()
        try:
            target.receive(part, 1448)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertLess(peak, 300 * KIB)
        target.server.clock.pump([1.0] * 31)
        target.assertClosed("a message was not completed within 30 s")

    def test_B2_B3_halfAMessage(self) -> None:
        """Half a message, for 30 s, in each phase: with silence, and with a byte a second."""
        for dripping in (b"", b"\xaa"):
            for target in self.targets():
                target.receive(header(0, 3, 0, 100, 20) + b"\2")
                for _ in range(29):
                    target.receive(dripping)
                    target.server.clock.advance(1)
                self.assertFalse(target.server.transport.disconnecting, target.phase)
                target.server.clock.pump([1.0] * 2)
                target.assertClosed("a message was not completed within 30 s")

    def test_B3_newHeaderWithinAMessage(self) -> None:
        for target in self.targets():
            target.receive((header(0, 40, 0, 300) + b"\xaa" * 128) * 100)
            target.assertUnharmed()

    def test_B4_chunkSize(self) -> None:
        for size in (0, 0x80000000, 0xFFFFFFFF):
            self.assertCloses(sized(size), "chunk size")

    def test_B5_chunksOfOneByte(self) -> None:
        """They are read at so many a second."""
        for target in self.targets():
            server = target.server
            server.say(setChunkSize(1))
            server.say(Message(99, 0, 0, bytes(SMALL + 100), 3))
            self.assertEqual(server.transport.producerState, "paused", target.phase)
            server.clock.advance(1)
            self.assertEqual(server.transport.producerState, "producing", target.phase)
            server.say(setChunkSize(128))
            target.assertUnharmed()

    def test_B6_hugeChunkSizes(self) -> None:
        for target in self.targets():
            for size in (134217728, 2147483647):
                target.receive(sized(size))
            target.assertUnharmed()

    def test_B7_B11_chunkSizeAndAbort(self) -> None:
        """While others are half sent; and aborts of anything."""
        for target in self.targets():
            target.receive(header(0, 40, 0, 400) + b"\xaa" * 128 + sized(128))
            target.receive(b"".join(map(aborted, (2, 4, 40, 65599, 0xFFFFFFFF))) + header(0, 2, 0, 0, 2, 0))
            target.assertUnharmed()

    def test_B8_shortControls(self) -> None:
        for target in self.targets():
            for type in (1, 2, 3, 5, 6):
                for size in range(4):
                    target.receive(header(0, 2, 0, size, type, 0) + bytes(size))
            for size in range(12):
                for event in (1, 3, 4, 26, 31, 99):
                    # An event that is complete may mean something: the end of a stream.
                    body = event.to_bytes(2, "big")[: min(size, 1)] + bytes(max(0, size - 1))
                    target.server.say(Message(4, 0, 0, body, 2))
            target.assertUnharmed()

    def test_B9_headersWithNothingToBuildOn(self) -> None:
        for first in (header(2, 33), b"\xe1"):
            self.assertCloses(first, "chunk stream 33")

    def test_B10_emptyMessages(self) -> None:
        """One for each byte: read at so many a second, without a line in the log."""
        for target in self.targets():
            server = target.server
            target.receive(header(0, 40, 0, 0, 99) + b"\xe8" * (EMPTY + 1))
            self.assertEqual(server.transport.producerState, "paused", target.phase)
            self.assertEqual(server.lines(), [])
            server.clock.advance(1)
            self.assertEqual(server.transport.producerState, "producing", target.phase)
            target.assertUnharmed()

    def test_B12_B13_timestampsAndChunkStreams(self) -> None:
        for timestamp in (0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF):
            messages = [Message(99, timestamp, 0, bytes(300), id) for id in (40, 64, 319, 320, 65599)]
            self.assertPassedOver(*messages)

    def test_B14_byteByByte(self) -> None:
        """The same, however it is cut."""
        for target in self.targets("connecting"):
            messages = [command("onBWDone", 0, None, 8192), Message(4, 0, 0, bytes(6), 2), video(1, id=9)]
            if target.phase in ("requesting", "playing"):
                messages.pop()
            target.receive(b"".join(map(target.server.writer.write, messages)), 1)
            target.assertUnharmed()

    def test_B15_unknownTypes(self) -> None:
        types = (0, 7, 10, 16, 19, 21, 23, 128, 255)
        self.assertPassedOver(*[Message(type, 0, 1, bytes(size), 3) for type in types for size in (0, 1, 5000)])


class ControlTests(HostileServerTestCase):
    def test_B16_windows(self) -> None:
        """No window makes us write for every byte."""
        for size in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
            for target in self.targets():
                server = target.server
                server.say(Message(5, 0, 0, size.to_bytes(4, "big"), 2))
                for _ in range(100):
                    server.say(Message(99, 0, 0, bytes(100), 3))
                self.assertEqual(server.told(), [], target.phase)
                server.say(*[Message(99, 0, 0, bytes(60_000), 3)] * 5)
                self.assertEqual(len(server.told()), int(size == 1), target.phase)
                target.assertUnharmed()

    def test_B17_B19_controls(self) -> None:
        self.assertPassedOver(
            *[acknowledgement(n) for n in (5, 0, 0xFFFFFFFF, 1, 0x80000000)],
            *[setPeerBandwidth(1 + n * 1000 % 7) for n in range(100)],
            *[UserControl(UserControlType.SET_BUFFER_LENGTH, n, 0xFFFFFFFF).encode() for n in range(100)],
            Message(6, 0, 0, b"\xff" * 5, 2),
            windowAcknowledgementSize(0x7FFFFFFF),
        )

    def test_B18_pings(self) -> None:
        """Ten are answered in a second, whether we publish or play; and none while nothing leaves."""
        pings = [UserControl(UserControlType.PING_REQUEST, n).encode() for n in range(90)]
        for target in self.targets():
            server = target.server
            server.say(*pings)
            self.assertEqual(len(server.take()), PINGS, target.phase)
            server.clock.advance(1)
            server.protocol.outlet.pauseProducing()
            server.say(*pings)
            server.protocol.outlet.resumeProducing()
            self.assertEqual(server.take(), [], target.phase)
            target.assertUnharmed()

    def test_B18_flood(self) -> None:
        """So many are read in a second as commands are: the others wait, and the server with them."""
        for target in self.targets():
            server = target.server
            server.say(*[UserControl(UserControlType.PING_REQUEST, n).encode() for n in range(1_000)])
            self.assertEqual((len(server.take()), server.transport.producerState), (PINGS, "paused"), target.phase)
            for _ in range(9):
                server.clock.advance(1)
                self.assertLessEqual(len(server.take()), PINGS, target.phase)
            server.clock.advance(1)
            self.assertEqual(server.transport.producerState, "producing", target.phase)
            target.assertUnharmed()

    def test_B18_deafServer(self) -> None:
        """One that takes nothing is left after 15 s, if something waits for it."""
        for target in self.targets():
            target.server.protocol.outlet.pauseProducing()
            target.server.clock.pump([1.0] * 14)
            self.assertNotIn("abortConnection", target.server.transport.calls)
            target.server.clock.pump([1.0] * 1)
            self.assertEqual(target.server.transport.calls[-1], "abortConnection", target.phase)
            target.server.lose()
            target.assertOver("took nothing for 15 s")

    def test_B20_aggregates(self) -> None:
        """Broken ones close, behind their good parts; one that is all right, but nobody's, is passed over."""
        part = b"\x08" + bytes(14)
        rows = [
            (b"\x08", 0),
            (b"\x08\0\0\x05" + bytes(7), 0),
            (b"\x16" + bytes(14), 0),
            (part * 2 + b"\x16" + bytes(14), 2),
            (part * 1025, 1024),
        ]
        for payload, good in rows:
            for target in self.targets():
                target.server.say(setChunkSize(60_000), Message(22, 5, 1, payload, 4), audio(2))
                plays = target.phase in ("requesting", "playing")
                self.assertEqual(len(target.listener.messages), good * plays, target.phase)
                target.assertClosed("aggregate")
        self.assertPassedOver(Message(22, 5, 1, part * 1024, 4), but=("requesting",))

    def test_B21_shortTags(self) -> None:
        """Bodies of no, one and two bytes, of every first byte, go through."""
        target = Target(self, "playing")
        sent = [
            Message(type, 0, 1, bytes((first, second))[:size], 4)
            for type in (8, 9)
            for first in range(256)
            for second in (0, 0xFF)
            for size in (0, 1, 2)
        ]
        target.server.say(*sent)
        self.assertEqual(len(target.listener.messages), len(sent))
        target.server.clock.advance(1)
        target.assertUnharmed()


class ValueTests(HostileServerTestCase):
    """AMF in what a server says."""

    def test_C1_C4_commands(self) -> None:
        """Bombs in a _result and in a status."""
        nested = b"\x03\0\1a" * 10_000
        doubling = b"\x0a\0\0\0\2" * 5 + b"\x07\0\0" * 3000
        for name in ("_result", "onStatus"):
            head = amf0.encode(name, 1.0)
            for body in (nested, b"\x0a\xff\xff\xff\xff", b"\x0c\xff\xff\xff\xff", b"\x02\xff\xff", doubling):
                for target in self.targets():
                    target.server.say(setChunkSize(60_000), Message(20, 0, 1, head + body, 3))
                    target.assertClosed("protocol error")

    def test_C1_C4_data(self) -> None:
        """In metadata they are passed over, with one line for all of them."""
        target = Target(self, "playing")
        for body in (b"\x03\0\1a" * 10_000, b"\x0a\xff\xff\xff\xff", b"\x02\xff\xff", b"\xff", b""):
            for _ in range(20):
                target.server.say(Message(18, 0, 1, amf0.encode("onMetaData") + body, 4))
        passed = [line for line in target.server.lines() if "passed over" in line]
        self.assertEqual((len(passed), len(target.listener.messages)), (1, 20))
        target.assertUnharmed()

    def test_C6_C7_numbers(self) -> None:
        """No number that is none is the number of a call; no value is a message stream ID that is none."""
        values: list[AMFValue] = [NAN, INF, -INF, -1.0, 1e308, 1.5, 4294967296.0, True, "1", None, UNDEFINED, {}, [0.0]]
        for value in values:
            for name in ("_result", "_error", "onStatus", "close", "_checkbw"):
                self.assertPassedOver(command(name, value, None, value, value))
        for value in [*values, 0.0, {"x": NASTY * 60}]:
            target = Target(self, "creating")
            target.server.answer(5.0, value)
            [failure] = target.ends["publish"]
            assert isinstance(failure, Failure)
            self.assertEqual(failure.value.command, "createStream")
            self.assertLess(len(str(failure.value)), 400)
            target.server.lose()
            target.assertOver()

    def test_C6_shapes(self) -> None:
        """Statuses and results of every shape."""
        shapes: list[AMFValue] = [None, UNDEFINED, True, 5.0, "text", [], ["x"], {}, {"code": 5.0}, {"code": {}}]
        shapes += [{"level": 5.0, "code": "x"}, {"level": "error", "code": None, "description": []}]
        for shape in shapes[:-1]:
            self.assertPassedOver(command("onStatus", 0, None, shape), command("onStatus", 0, shape))
        for target in self.targets():
            target.server.say(command("onStatus", 0, None, shapes[-1]), command("_error", 99, shapes[-1]))
            target.server.lose()
            target.assertOver()
        self.assertCloses(header(0, 3, 0, 9, 20, 0) + amf0.encode(5.0), "does not begin with a name")

    def test_C8_texts(self) -> None:
        """Whatever is in a text: what we make of it can be printed, and is short; the text itself is there as well."""
        for text in (NASTY, NASTY * 60):
            information: AMFValue = {"level": "error", "code": text, "description": text}
            for name, id in (("_error", 1.0), ("_error", 2.0), ("_error", 3.0), ("_error", 4.0), ("onStatus", 0.0)):
                for target in self.targets():
                    target.server.say(setChunkSize(60_000), Command(name, id, None, (information,)).encode(1))
                    target.server.say(command(text, 5.0, None, text))
                    target.server.lose()
                    target.assertOver()
                    errors = [e.value for ends in target.ends.values() for e in ends if isinstance(e, Failure)]
                    for error in errors:
                        self.assertTrue(str(error).isprintable() and len(str(error)) < 1000, str(error))
                        if isinstance(error, CallError):
                            self.assertEqual(error.description, text[:1024])
                    for reason in target.listener.reasons:
                        self.assertTrue(reason.isprintable() and len(reason) < 1000, reason)

    def test_C8_metadata(self) -> None:
        target = Target(self, "playing")
        target.server.say(setChunkSize(60_000), data("onMetaData", {NASTY: NASTY, "k" * 60_000: 1.0}), data(NASTY))
        self.assertEqual(len(target.listener.messages), 2)
        target.assertUnharmed()


class ConversationTests(HostileServerTestCase):
    """D18: a server that says what none should."""

    def test_D18_hugeResults(self) -> None:
        """Of 64 KiB they are taken, and no larger ones, also by one who plays."""
        fitting, larger = (Command("_result", 99.0, None, ("x" * 1000,) * count).encode() for count in (64, 70))
        self.assertPassedOver(fitting)
        for target in self.targets():
            target.server.say(larger)
            target.assertClosed("a message of 70")

    def test_D18_endlessResults(self) -> None:
        """To nothing: a few lines in the log, so many a second are read, and nothing of them is kept."""
        for target in self.targets():
            server = target.server
            answers = [Command(name, 99.0 + n).encode() for n in range(1_000) for name in ("_result", "_error")]
            tracemalloc.start()
            try:
                before = tracemalloc.get_traced_memory()[0]
                server.say(*answers)
                kept = tracemalloc.get_traced_memory()[0] - before
            finally:
                tracemalloc.stop()
            self.assertLess(kept, 100 * KIB, target.phase)
            self.assertEqual(len(server.lines()), 10, target.phase)
            self.assertEqual(server.transport.producerState, "paused", target.phase)
            server.clock.pump([1.0] * (2_000 // Limits().commands))
            self.assertEqual(server.transport.producerState, "producing", target.phase)
            target.assertUnharmed()

    def test_D18_answeredTwice(self) -> None:
        """Each call has its first answer."""
        for first, second in ((1.0, 2.0), (2.0, 1.0)):
            target = Target(self, "connected")
            target.server.answer(2.0, first)
            target.server.answer(2.0, second)
            target.server.say(status.callError(2.0, "X", "no"))
            self.assertEqual(target.ends["call"], [first])
            target.server.lose()
            target.assertOver()

    def test_D18_connectTwice(self) -> None:
        """Neither a second yes nor a no behind a yes changes anything."""
        self.assertPassedOver(
            Command("_result", 1.0, {}, ({"code": status.CONNECT_SUCCESS},)).encode(),
            status.callError(1.0, status.CONNECT_REJECTED, "changed our mind"),
            but=("connecting",),
        )

    def test_D18_redirect(self) -> None:
        """We do not go where it points to; the error says where that is."""
        target = Target(self, "connecting")
        extra: AMFValue = {"code": 302.0, "redirect": "rtmp://other.test/live?token=abc"}
        information: AMFValue = {
            "level": "error",
            "code": status.CONNECT_REJECTED,
            "description": "RTMP 302 Redirect",
            "ex": extra,
        }
        target.server.say(Command("_error", 1.0, None, (information,)).encode())
        [failure] = target.ends["whenConnected"]
        assert isinstance(failure, Failure)
        self.assertEqual(
            str(failure.value),
            f"connect refused: {status.CONNECT_REJECTED}: RTMP 302 Redirect; "
            "the peer points to rtmp://other.test/live, and is not followed",
        )
        self.assertEqual(failure.value.redirect, "rtmp://other.test/live?token=abc")
        target.server.lose()
        target.assertOver()

    def test_D18_commandsOfClients(self) -> None:
        """We are no server: whoever wants to publish to us is not answered."""
        parameters: AMFValue = {"app": "live", "tcUrl": "rtmp://localhost/live"}
        self.assertPassedOver(
            command("connect", 1, parameters),
            command("releaseStream", 2, None, "test"),
            command("FCPublish", 3, None, "test"),
            command("createStream", 4),
            command("publish", 5, None, "test", "live", id=1),
            command("play", 6, None, "test", id=1),
            command("FCUnpublish", 7, None, "test"),
            command("deleteStream", 8, None, 1.0),
            command("closeStream", 0, id=1),
        )

    def test_D18_commandFlood(self) -> None:
        """So many a second are read."""
        for target in self.targets():
            for _ in range(3):
                target.server.say(*[command("onBWDone", 0)] * (COMMANDS + 1))
                self.assertEqual(target.server.transport.producerState, "paused", target.phase)
                target.server.clock.advance(1)
                self.assertEqual(target.server.transport.producerState, "producing", target.phase)
            target.assertUnharmed()

    def test_D18_strayMedia(self) -> None:
        """To one who does not play."""
        self.assertPassedOver(
            *[video(n) for n in range(50)], data("onMetaData", {}), data(5.0), but=("requesting", "playing")
        )

    def test_D18_endsAndStarts(self) -> None:
        """A stream that the server starts and ends again and again starts once and ends once."""
        for target in self.targets("connecting", "connected", "creating"):
            server = target.server
            for _ in range(5):
                for code in (status.PUBLISH_START, status.PLAY_START, status.UNPUBLISH_NOTIFY, status.BAD_NAME):
                    server.status(code)
                server.say(UserControl(UserControlType.STREAM_EOF, 1).encode(), audio(0))
            server.lose()
            target.assertOver("gone")

    def test_D18_silence(self) -> None:
        """Behind connect, createStream, publish and play: the call says which of them was not answered."""
        begin: dict[str, tuple[Callable[[Script], Deferred[object]], int]] = {
            "createStream": (lambda server: server.connection.publish("x"), 0),
            "publish": (lambda server: server.connection.publish("x"), 1),
            "play": (lambda server: server.connection.play("x", Listener()), 1),
            "any": (lambda server: server.connection.call("any"), 0),
        }
        for name, (ask, answers) in begin.items():
            server = Script(self).connected()
            asked = ask(server)
            [*_, create] = server.commands()
            if answers:
                server.answer(create.transactionId, 1.0)
            server.clock.pump([1.0] * 29)
            self.assertNoResult(asked)
            server.clock.pump([1.0] * 1)
            failure = self.failureResultOf(asked)
            self.assertEqual(str(failure.value), f"no answer to {name} within 30 s")
            server.lose()
            self.assertEqual(server.clock.getDelayedCalls(), [])

    def test_D18_lostAtOnce(self) -> None:
        """Some transports lose the connection within abortConnection(), in the middle of what is being read."""
        for phase in PHASES:
            transport = TCPTransport()
            target = Target(self, phase, transport)
            transport.lost = target.server.protocol.connectionLost
            id, answer = target.connection.calls.begin("trap")
            answer.addBoth(lambda _, target=target: target.connection.abort("enough"))
            target.server.say(Command("_result", id).encode(), audio(1), audio(2))
            target.assertOver(": closed: enough; ")
            # What had come with it is passed on all the same, and once.
            plays = phase in ("requesting", "playing")
            self.assertEqual([message.timestamp for message in target.listener.messages], [1, 2] if plays else [])


class AnythingTests(SynchronousTestCase):
    """Whatever is said and done, in whatever order, at any cut of the bytes."""

    def outcome(self, steps: list[str | bytes | Message], size: int) -> object:
        """What everybody was told, and how everything ended."""
        talk = Talk(self, size)
        for step in steps:
            if isinstance(step, str):
                getattr(talk, step)()
            else:
                talk.say(step)
        talk.finish()
        talk.server.log._events.clear()
        return talk.ends, [(listener.content, listener.reasons) for listener in talk.listeners]

    @settings(deadline=None, max_examples=200)
    @given(
        BEGINNINGS,
        st.lists(st.one_of(st.sampled_from(DEEDS), SAYINGS), max_size=15),
        SPOILERS,
        st.lists(st.one_of(st.sampled_from(DEEDS), SAYINGS), max_size=5),
        st.integers(1, 20),
    )
    def test_anyTalk(
        self,
        beginning: tuple[str, ...],
        steps: list[str | Message],
        spoiler: bytes,
        after: list[str | Message],
        size: int,
    ) -> None:
        """No exception gets out, and every call ends once; and it is the same in one piece."""
        everything: list[str | bytes | Message] = [*beginning, *steps, spoiler, *after]
        self.assertEqual(self.outcome(everything, size), self.outcome(everything, 1 << 30))
