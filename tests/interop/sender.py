"""
A publisher that costs little, and can be called anything: what FFmpeg has made of films, sent by a thread.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from threading import Event, Thread
from typing import Protocol

from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message, MessageType

__all__ = ["Sender"]

#: What a handshake consists of, behind a first byte.
_BLOCK = HANDSHAKE_SIZE // 2

#: The size of chunks that nobody has changed, and the message stream that the first createStream makes.
_CHUNK_SIZE, _STREAM = 128, 1


class _Tag(Protocol):
    type: int
    timestamp: int
    payload: bytes


class Sender:
    """
    It keeps account of what the system has taken, and when.

    @ivar account: when each message was taken, C{time.monotonic()}.
    """

    def __init__(self, port: int, name: str, film: Iterable[_Tag], realTime: bool = True) -> None:
        """
        @param name: of the stream; the application is C{live}.
        @param film: audio and video alone.
        @param realTime: send it at the speed at which it is to be watched; otherwise as fast as it goes.
        """
        self.account: list[float] = []
        self._realTime = realTime
        self._port = port
        self._name = name
        self._film = film
        self._stopped = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped.set()
        self._thread.join(10)

    def finish(self) -> None:
        """Wait until all is sent, and taken."""
        self._thread.join(60)

    def _run(self) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self._port), 10) as connection:
                self._send(connection)
        except OSError:
            # The server has been killed.
            return

    def _send(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"\3" + bytes(_BLOCK))
        answer = b""
        while len(answer) < HANDSHAKE_SIZE:
            answer += connection.recv(65536)
        connection.sendall(answer[1 : 1 + _BLOCK])
        for command in (
            Command("connect", 1, {"app": "live", "tcUrl": f"rtmp://127.0.0.1:{self._port}/live"}).encode(),
            Command("createStream", 2).encode(),
            Command("publish", 3, None, [self._name, "live"]).encode(_STREAM),
        ):
            connection.sendall(encodeMessage(command, _CHUNK_SIZE))
        began = time.monotonic()
        for tag in self._film:
            due = began + tag.timestamp / 1000 if self._realTime else began
            if self._stopped.wait(max(0.0, due - time.monotonic())):
                return
            chunkStream = 4 if tag.type == MessageType.AUDIO else 6
            message = Message(tag.type, tag.timestamp, _STREAM, tag.payload, chunkStream)
            connection.sendall(encodeMessage(message, _CHUNK_SIZE))
            self.account.append(time.monotonic())
        connection.sendall(encodeMessage(Command("deleteStream", 4, None, [float(_STREAM)]).encode(), _CHUNK_SIZE))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
