"""
Every reactor, and every way in: plain, RTMPS, behind a proxy that says who comes, and over a Unix socket.

One publisher and three viewers for each way: one that is there before the publisher, one that comes in the middle, and
one that stops reading for longer than the system keeps what it has not read.
"""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import ssl
import time
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from threading import Event, Thread
from typing import Self
from unittest import SkipTest, TestCase

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import ClientHandshake
from rtmptw.wire.message import MEDIA_CHUNK_STREAMS, Message, MessageType
from tests.interop.compare import assertSameMedia, isFrame, mediaOf
from tests.interop.processes import waitFor
from tests.interop.server import LOOPBACK, TWISTD, Server
from tests.tls.authority import DAY, Authority

AUTHORITY = Authority("Reactors' Authority")

#: How a reactor is chosen: what Python is started with, and what the log says then. Another loop than asyncio's own is
#: for a launcher of a few lines.
REACTORS = {
    **{
        name: ((*TWISTD, f"--reactor={name}"), rf"\.{name}reactor\.") for name in ("epoll", "poll", "select", "asyncio")
    },
    "uvloop": (
        (
            "-c",
            "import uvloop; from twisted.internet import asyncioreactor; loop = uvloop.new_event_loop(); print(loop); "
            f"asyncioreactor.install(loop); {TWISTD[1]}",
            *TWISTD[2:],
        ),
        r"<uvloop\.Loop .*(?s:.*)\.asyncioreactor\.",
    ),
}

#: The ways in: the endpoint, and what the log calls it when it listens. C{%} stands for the server's directory.
WAYS = {
    "plain": (LOOPBACK, r"Factory starting on (\d+)"),
    "tls": (
        "ssl:0:interface=127.0.0.1:privateKey=%/key.pem:certKey=%/certificate.pem",
        r"Factory \(TLS\) starting on (\d+)",
    ),
    "haproxy": (f"haproxy:{LOOPBACK}", r"Factory \(PROXY\) starting on (\d+)"),
    "unix": ("unix:%/socket", r"Factory starting on '(/.*/socket)'"),
}

#: Frames per second, for how many seconds, and the sizes of a picture, bytes: 3.3 MB/s.
RATE = 30
SECONDS = 3
KEYFRAME = 150_000
PICTURE = 110_000
SOUND = 400

#: When the slow viewer stops to read, how long that is (seconds), and how much the system may keep for it on its side,
#: bytes: on the server's side Linux keeps up to 4 MB, less than what comes meanwhile, and with that the viewer is not
#: yet so far behind that it would have to skip (8 MiB, 5 s). With less than some kilobytes on the viewer's side, TCP
#: takes seconds to get going again, which is nothing of the server's.
STOP = 0.5
PAUSE = 1.8
SMALL = 16 * 1024
LARGE = 1024 * 1024

#: How long anything may take, seconds.
PATIENCE = 10.0

#: What a proxy says of whom it speaks for: version 1 of HAProxy's protocol.
PROXY = b"PROXY TCP4 192.0.2.1 192.0.2.2 4321 1935\r\n"


@cache
def film() -> list[Message]:
    """A header of each kind, then pictures and sounds; no two are the same. A keyframe in every second."""
    dice = random.Random(1)
    messages = [
        _media(
            MessageType.VIDEO, 0, b"\x17\0\0\0\0\x01\x64\0\x1f\xff\xe1\0\x04\x67\x64\0\x1f\x01\0\x04\x68\xee\x3c\x80"
        ),
        _media(MessageType.AUDIO, 0, b"\xaf\0\x12\x10"),
    ]
    for number in range(RATE * SECONDS):
        time, isKey = number * 1000 // RATE, number % RATE == 0
        size, head = (KEYFRAME, b"\x17\x01\0\0\0") if isKey else (PICTURE, b"\x27\x01\0\0\0")
        messages.append(_media(MessageType.VIDEO, time, head + dice.randbytes(size)))
        messages.append(_media(MessageType.AUDIO, time, b"\xaf\x01" + dice.randbytes(SOUND)))
    return messages


def _media(type: MessageType, timestamp: int, payload: bytes) -> Message:
    return Message(type, timestamp, 1, payload, MEDIA_CHUNK_STREAMS[type])


class _Server(Server):
    """C{twistd rtmp} on every way in, with one reactor."""

    def __init__(self, arguments: tuple[str, ...], *ways: str) -> None:
        super().__init__(endpoint=WAYS[ways[0]][0], arguments=(*arguments, "rtmp"))
        self._ways = ways
        for way in ways[1:]:
            self._options += ("--port", WAYS[way][0].replace("%", str(self.directory)))
        own = AUTHORITY.certify("127.0.0.1", notBefore=time.time() - DAY, notAfter=time.time() + 30 * DAY)
        for name, content in (("key", own.keyPEM), ("certificate", own.pem), ("authority", AUTHORITY.pem)):
            (self.directory / f"{name}.pem").write_bytes(content)

    def __enter__(self) -> Self:
        super().__enter__()
        self.places = {way: self.waitForLog(WAYS[way][1])[0] for way in self._ways}
        return self

    def connect(self, way: str, receiveBuffer: int = 0) -> socket.socket:
        """
        Connect.

        @param receiveBuffer: how much the system may keep that was not read, bytes; 0: as much as it likes.
        """
        place = self.places[way]
        connection = socket.socket(socket.AF_UNIX if way == "unix" else socket.AF_INET)
        connection.settimeout(PATIENCE)
        if receiveBuffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receiveBuffer)
        connection.connect(place if way == "unix" else ("127.0.0.1", int(place)))
        if way == "haproxy":
            connection.sendall(PROXY)
        if way == "tls":
            context = ssl.create_default_context(cafile=str(self.directory / "authority.pem"))
            return context.wrap_socket(connection, server_hostname="127.0.0.1")
        return connection

    def stop(self) -> int:
        """SIGTERM: the exit status."""
        # asyncio's reactor does not log the end of its main loop, for which a server is waited for at its exit.
        self._killed = True
        return self._process.terminate()


class _Peer(Thread):
    """
    One connection, in a thread of its own, to be used in a C{with}: at its end, all was well.

    @ivar got: what has come.
    @ivar said: set when the server has said yes.
    """

    def __init__(self, connection: socket.socket, command: str, name: str) -> None:
        super().__init__(daemon=True)
        self.got: list[Message] = []
        self.said = Event()
        self._connection = connection
        self._command = command
        self._stream = name
        self._writer, self._reader = ChunkWriter(), ChunkReader()
        self._problem: BaseException | None = None

    def run(self) -> None:
        """What it does."""
        try:
            with self._connection:
                self.ask()
                self.act()
        except BaseException as error:
            self._problem = error

    def ask(self) -> None:
        """Shake hands, and ask for what it wants, until the server has said yes."""
        handshake = ClientHandshake()
        self._connection.sendall(handshake.start())
        rest: bytes | None = None
        while rest is None:
            reply, rest = handshake.feed(self._connection.recv(1 << 16))
            self._connection.sendall(reply)
        self.send(Command("connect", 1.0, {"app": "live", "tcUrl": "rtmp://127.0.0.1/live"}).encode())
        self.send(Command("createStream", 2.0).encode())
        self.send(Command(self._command, 3.0, None, (self._stream,)).encode(streamId=1))
        self.take(rest)
        while not self.said.is_set():
            self.read()

    def send(self, message: Message) -> None:
        """Send a message."""
        self._connection.sendall(self._writer.write(message))

    def read(self) -> bool:
        """
        Read.

        @return: whether something has come: if not, it is over.
        """
        data = self._connection.recv(1 << 16)
        self.take(data)
        return bool(data)

    def take(self, data: bytes) -> None:
        """Something has come."""
        self.got += self._reader.feed(data)
        if not self.said.is_set() and any(b"Start" in message.payload for message in self.got):
            self.said.set()

    def act(self) -> None:
        """What it does then."""
        while self.read():
            pass

    def __enter__(self) -> Self:
        self.start()
        waitFor("the server to say yes", lambda: self.said.is_set() or not self.is_alive(), PATIENCE)
        return self

    def __exit__(self, *exception: object) -> None:
        self.join(PATIENCE)
        if self._problem is not None:
            raise self._problem
        if self.is_alive():
            raise AssertionError(f"{self._command} does not end")


class _Publisher(_Peer):
    """
    Publishes the film, in its own time.

    @ivar sent: how many messages are sent.
    """

    sent = 0

    def act(self) -> None:
        """Send, then say that it is over."""
        began = time.monotonic()
        for message in film():
            time.sleep(max(began + message.timestamp / 1000 - time.monotonic(), 0))
            self.send(message)
            self.sent += 1
        self.send(Command("deleteStream", 0.0, None, (1.0,)).encode())
        # Whoever closes now may lose what the server has not read yet; when it has answered, it has.
        self.send(Command("createStream", 4.0).encode())
        while not any(_isAnswer(message, 4.0) for message in self.got):
            self.read()


def _isAnswer(message: Message, transactionId: float) -> bool:
    return message.type == MessageType.COMMAND and Command.decode(message).transactionId == transactionId


class _SlowViewer(_Peer):
    """Stops to read for a while."""

    def act(self) -> None:
        """Read, stop, go on."""
        until = time.monotonic() + STOP
        while time.monotonic() < until:
            self.read()
        time.sleep(PAUSE)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LARGE)
        super().act()


class ReactorTests(TestCase):
    def check(self, reactor: str, *ways: str) -> None:
        """Publish and play in each way, all at the same time."""
        arguments, inLog = REACTORS[reactor]
        got: dict[str, list[_Peer]] = {}
        with _Server(arguments, *ways) as server:
            self.assertRegex(server.log, inLog)
            with ExitStack() as stack:
                for way in ways:
                    got[way] = [
                        stack.enter_context(_Peer(server.connect(way), "play", way)),
                        stack.enter_context(_SlowViewer(server.connect(way, SMALL), "play", way)),
                    ]
                publishers = {way: stack.enter_context(_Publisher(server.connect(way), "publish", way)) for way in ways}
                for way in ways:
                    self.waitForHalf(publishers[way])
                    got[way].append(stack.enter_context(_Peer(server.connect(way), "play", way)))
            status = server.stop()
            log = server.log
        for way, viewers in got.items():
            self.checkGot(viewers, f"{reactor}, {way}")
        # twistd ends by the signal that has ended it, once all is done.
        self.assertIn(status, (0, -signal.SIGTERM))
        self.assertIn("Server Shut Down", log)
        self.assertNotRegex(log, "Traceback|Unhandled|too slow a viewer")
        for way in ways:
            line = rf"closed: the stream that it played has ended; it had been playing live/{way} "
            self.assertEqual(len(re.findall(line, log)), len(got[way]), line)

    @staticmethod
    def waitForHalf(publisher: _Publisher) -> None:
        waitFor("half of the film", lambda: publisher.sent > len(film()) // 2 or not publisher.is_alive(), PATIENCE)

    def checkGot(self, viewers: list[_Peer], where: str) -> None:
        """Assert that who was there got all, and who came in the middle all from a keyframe on, headers first."""
        sent = film()
        early, slow, late = (
            [message for message in viewer.got if message.type in (MessageType.AUDIO, MessageType.VIDEO)]
            for viewer in viewers
        )
        for name, got in (("early", early), ("slow", slow)):
            assertSameMedia(self, mediaOf(got), mediaOf(sent), f"{where}, {name}")
        headers, frames = late[:2], late[2:]
        self.assertEqual([m.payload for m in headers], [m.payload for m in sent[:2]], where)
        self.assertTrue(isFrame(frames[0]) and frames[0].payload[0] == 0x17, where)
        self.assertGreater(len(frames), RATE, where)
        assertSameMedia(self, mediaOf(frames), mediaOf(sent[-len(frames) :]), f"{where}, late")

    def test_epoll(self) -> None:
        """C{--reactor=epoll}, the default on Linux."""
        self.check("epoll", "plain", "tls")

    def test_poll(self) -> None:
        """C{--reactor=poll}"""
        self.check("poll", "plain", "tls")

    def test_select(self) -> None:
        """C{--reactor=select}"""
        self.check("select", "plain", "tls")

    def test_asyncio(self) -> None:
        """C{--reactor=asyncio}"""
        self.check("asyncio", "plain", "tls")

    def test_uvloop(self) -> None:
        """Twisted's asyncio reactor with another loop."""
        if find_spec("uvloop") is None:
            reason = "uvloop is not installed: PyPI package uvloop"
            raise (AssertionError if os.environ.get("RTMPTW_INTEROP") == "required" else SkipTest)(reason)
        self.check("uvloop", "plain", "tls")

    def test_wrapped(self) -> None:
        """A transport that is wrapped has no socket of its own, and a Unix socket is one without TCP's options."""
        self.check("epoll", "haproxy", "unix")
