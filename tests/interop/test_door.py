"""
Publishers that are read together, over real TCP: N of N messages, whoever ends how (L{rtmptw.door}).
"""

from __future__ import annotations

import re
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self
from unittest import TestCase

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import ClientHandshake
from rtmptw.wire.message import MEDIA_CHUNK_STREAMS, Message, MessageType
from tests.interop.compare import assertSameMedia, mediaOf, readWholeFLV
from tests.interop.opendoor import FEW
from tests.interop.processes import alone, siege, waitFor
from tests.interop.server import Server

#: How many publishers there are, and the time between two messages of each, seconds.
COUNT = 60
STEP = 0.01

#: The size of a message, bytes, and of the one that each ends with: several segments of TCP. When the server is what
#: ends, it is more than a turn of its reactor reads, but not more than what Linux takes before anything is read.
SOUND = 372
LAST = 30_000
LAST_AT_SIGTERM = 80_000

#: What somebody sends in each step who floods, bytes: more in a round than a round takes. And for how long, seconds.
FLOOD = 300_000
FLOOD_SECONDS = 1.5

#: How late a message may be while somebody floods, seconds: a busy machine is no reason to fail.
LATE = 1.0


class _Server(Server):
    """The server with a watch at its door."""

    def __init__(self) -> None:
        super().__init__(arguments=("-m", "tests.interop.opendoor"))

    def stop(self) -> int:
        """SIGTERM: the exit status."""
        return self._process.terminate()

    @property
    def gathered(self) -> list[int]:
        """How many publishers were read together, from time to time."""
        return [int(count) for count in re.findall(r"gathered: (\d+)", self.log)]


class _Peer:
    """
    One connection, to be used in a C{with}.

    @ivar name: of its stream.
    @ivar got: the messages that it has received.
    """

    def __init__(self, port: int, verb: str, name: str) -> None:
        """
        @param verb: "publish" or "play".
        """
        self.name = name
        self.got: list[Message] = []
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writer, self._reader = ChunkWriter(), ChunkReader()
        handshake = ClientHandshake()
        self.socket.sendall(handshake.start())
        rest: bytes | None = None
        while rest is None:
            reply, rest = handshake.feed(self.socket.recv(1 << 16))
            self.socket.sendall(reply)
        self.send(Command("connect", 1.0, {"app": "live", "tcUrl": "rtmp://127.0.0.1/live"}).encode())
        self.send(Command("createStream", 2.0).encode())
        self.send(Command(verb, 3.0, None, (name,)).encode(streamId=1))
        self.got += self._reader.feed(rest)
        self.readUntil(lambda message: b"Start" in message.payload)

    def send(self, message: Message) -> None:
        """Send a message."""
        self.socket.sendall(self._writer.write(message))

    def read(self) -> bool:
        """
        Read.

        @return: whether something has come: if not, it is over.
        """
        data = self.socket.recv(1 << 16)
        self.got += self._reader.feed(data)
        return bool(data)

    def readUntil(self, condition: Callable[[Message], bool]) -> None:
        """Read until such a message has come."""
        while not any(map(condition, self.got)):
            if not self.read():
                raise AssertionError(f"{self.name}: the server has closed the connection")

    def readToEnd(self) -> None:
        """Read until the server closes its side."""
        while self.read():
            pass

    def readWaiting(self) -> None:
        """Read what has come."""
        self.socket.setblocking(False)
        with suppress(BlockingIOError):
            self.readToEnd()
        self.socket.settimeout(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.socket.close()


class _Publisher(_Peer):
    """
    Publishes.

    @ivar sent: what.
    """

    def __init__(self, port: int, name: str) -> None:
        super().__init__(port, "publish", name)
        self.sent: list[Message] = []

    def publish(self, size: int = SOUND) -> None:
        """Send the next message. No two are the same."""
        number = len(self.sent)
        payload = b"\xaf\x01" + f"{self.name} {number} ".encode().ljust(size, b".")
        message = Message(MessageType.AUDIO, number * 10, 1, payload, MEDIA_CHUNK_STREAMS[MessageType.AUDIO])
        self.sent.append(message)
        self.send(message)

    def last(self, size: int = LAST) -> None:
        """Send the last ones, as fast as they go."""
        for _ in range(3):
            self.publish()
        self.publish(size)

    def close(self) -> None:
        """Close, at once: with a FIN, since there is nothing that was not read."""
        self.socket.close()

    def reset(self) -> None:
        """Go without a farewell."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def stop(self) -> None:
        """End the stream in order, and wait until the server has read that."""
        self.send(Command("closeStream", 0.0).encode(streamId=1))
        self.send(Command("createStream", 4.0).encode())
        self.readUntil(lambda message: message.type == MessageType.COMMAND and b"\x40\x10" in message.payload)
        self.socket.close()


class _Flooder(_Publisher):
    """Publishes as much as the server takes."""

    _rest = memoryview(b"")

    def flood(self) -> None:
        """Send what is for one step, or as much of it as it goes."""
        if not self._rest:
            message = Message(MessageType.AUDIO, 0, 1, b"\xaf\x01" + bytes(60_000), 4)
            self._rest = memoryview(b"".join(self._writer.write(message) for _ in range(FLOOD // 60_000)))
        self.socket.setblocking(False)
        with suppress(BlockingIOError):
            self._rest = self._rest[self.socket.send(self._rest) :]


@siege
class DoorTests(TestCase):
    """Publishers at a hundred messages a second."""

    def setUp(self) -> None:
        """The server."""
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        self.stack.enter_context(alone("measuring"))
        self.server = self.stack.enter_context(_Server())

    def publishers(self, count: int) -> list[_Publisher]:
        """So many."""
        return [self.stack.enter_context(_Publisher(self.server.port, f"p{number}")) for number in range(count)]

    def publish(
        self,
        publishers: Iterable[_Publisher],
        isOver: Callable[[], bool],
        besides: Callable[[], None] = lambda: None,
        patience: float = 10,
    ) -> None:
        """
        Let them publish for a while.

        @param isOver: asked ten times a second.
        @param besides: what to do between, a hundred times a second.
        """
        began, steps = time.monotonic(), 0
        while steps % 10 or not isOver():
            if time.monotonic() - began > patience:
                self.fail(f"it is not over after {patience:g} s; gathered: {self.server.gathered}")
            for publisher in publishers:
                publisher.publish()
            besides()
            steps += 1
            time.sleep(max(began + steps * STEP - time.monotonic(), 0))

    def gather(self, publishers: list[_Publisher]) -> None:
        """Let them publish until they are read together, and then some rounds more."""
        self.publish(publishers, lambda: self.server.gathered[-1:] == [len(publishers)])
        until = time.monotonic() + 0.3
        self.publish(publishers, lambda: time.monotonic() > until)

    def assertRecorded(self, publishers: Iterable[_Publisher]) -> None:
        """Assert that what was sent is what was recorded, of each."""
        for publisher in publishers:
            recorded = readWholeFLV(self.server.recording(f"live/{publisher.name}"))
            assertSameMedia(self, mediaOf(recorded), mediaOf(publisher.sent), publisher.name)

    def reasons(self, publishers: list[_Publisher]) -> set[str]:
        """Why their connections have ended, from the log; waited for."""
        pattern = r"closed: (.*?); it (?:was|had been) publishing live/(p\d+) "
        found: dict[str, str] = {}

        def areThere() -> bool:
            found.update((name, reason) for reason, name in re.findall(pattern, self.server.log))
            return all(publisher.name in found for publisher in publishers)

        waitFor("their ends in the log", areThere, 10)
        return {found[publisher.name] for publisher in publishers}

    def test_ends(self) -> None:
        """Half of them close behind their last bytes, a quarter is reset there, a quarter stays and ends in order."""
        publishers = self.publishers(COUNT)
        self.gather(publishers)
        closing, resetting, staying = publishers[::2], publishers[1::4], publishers[3::4]
        for publisher in publishers:
            publisher.last()
            if publisher in closing:
                publisher.close()
            elif publisher in resetting:
                publisher.reset()
        self.assertLess(len(staying) / STEP, FEW)
        self.assertEqual(self.server.gathered[-1], COUNT)
        self.publish(staying, lambda: self.server.gathered[-1] == 0)
        for publisher in staying:
            publisher.last()
            publisher.stop()
        self.assertRecorded(publishers)
        self.assertEqual(self.reasons(closing), {"the peer closed the connection"})
        self.assertEqual(self.reasons(staying), {"the peer closed the connection"})
        [reason] = self.reasons(resetting)
        self.assertIn("Connection reset by peer", reason)

    def test_SIGTERM(self) -> None:
        """The server ends: what came before is recorded."""
        publishers = self.publishers(COUNT)
        self.gather(publishers)
        for publisher in publishers:
            publisher.last(LAST_AT_SIGTERM)
        self.assertEqual(self.server.gathered[-1], COUNT)
        with ThreadPoolExecutor(1) as executor:
            stopped = executor.submit(self.server.stop)
            for publisher in publishers:
                publisher.readToEnd()
                publisher.close()
            self.assertIn(stopped.result(), (0, -signal.SIGTERM))
        self.assertRecorded(publishers)
        self.assertEqual(self.reasons(publishers), {"the server is shutting down"})

    def test_flood(self) -> None:
        """Somebody who sends as much as it can is not read together with others, and they do not wait for it."""
        publishers = self.publishers(COUNT)
        watched = publishers[7]
        viewer = self.stack.enter_context(_Peer(self.server.port, "play", watched.name))
        self.gather(publishers)
        viewer.readWaiting()
        flooder = self.stack.enter_context(_Flooder(self.server.port, "flood"))
        before, sent = len(self.server.gathered), [time.monotonic()] * len(watched.sent)
        lateness: list[float] = []

        def flood() -> None:
            sent.append(time.monotonic())
            flooder.flood()
            seen = len(viewer.got)
            viewer.readWaiting()
            for message in viewer.got[seen:]:
                if message.type == MessageType.AUDIO:
                    lateness.append(time.monotonic() - sent[message.timestamp // 10])

        until = time.monotonic() + FLOOD_SECONDS
        self.publish(publishers, lambda: time.monotonic() > until, flood)
        counts = self.server.gathered[before:]
        flooder.reset()
        self.assertLessEqual(set(counts), {len(publishers), len(publishers) + 1})
        self.assertEqual(counts[-1:] or [len(publishers)], [len(publishers)])
        self.assertGreater(len(lateness), FLOOD_SECONDS / STEP / 2)
        self.assertLess(max(lateness), LATE)
        for publisher in publishers:
            publisher.close()
        self.assertRecorded(publishers)
