"""
A TCP proxy on loopback that keeps what passes through: what the server has really sent to a player, and when.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field
from threading import Thread
from types import TracebackType
from typing import Self

from tests.interop.processes import waitFor

__all__ = ["Conversation", "Proxy", "Segment"]


@dataclass(frozen=True)
class Segment:
    """
    Bytes that came together.

    @ivar at: when, C{time.monotonic()}.
    @ivar fromClient: whether the client has sent them; else the server has.
    """

    at: float
    fromClient: bool
    data: bytes


@dataclass
class Conversation:
    """
    One connection.

    @ivar segments: everything, in the order in which it came.
    @ivar over: whether both sides have closed.
    """

    segments: list[Segment] = field(default_factory=list)
    over: bool = False

    def said(self, byClient: bool) -> bytes:
        """All that one side has sent."""
        return b"".join(segment.data for segment in tuple(self.segments) if segment.fromClient is byClient)


class Proxy:
    """
    To be used in a C{with}.

    @ivar port: where it listens on 127.0.0.1.
    @ivar conversations: the connections, oldest first.
    """

    def __init__(self, port: int) -> None:
        """
        @param port: where it connects to.
        """
        self._target = port
        self.conversations: list[Conversation] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = [self._listener]
        self._threads = [Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for each in tuple(self._sockets):
            # Wakes the thread that waits for it; closing alone does not.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in tuple(self._threads):
            thread.join(10)

    def url(self, path: str) -> str:
        """The URL of a stream, through here."""
        return f"rtmp://127.0.0.1:{self.port}/{path}"

    def finished(self, position: int = 0) -> Conversation:
        """A conversation; waited for until it is over."""
        waitFor("the end of a connection", lambda: self.conversations[position:] and self.conversations[position].over)
        return self.conversations[position]

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._sockets += [client, server]
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conversation = Conversation()
            self.conversations.append(conversation)
            thread = Thread(target=self._serve, args=(conversation, client, server), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, conversation: Conversation, client: socket.socket, server: socket.socket) -> None:
        back = Thread(target=self._pass, args=(conversation, server, client, False), daemon=True)
        back.start()
        self._pass(conversation, client, server, True)
        back.join()
        client.close()
        server.close()
        conversation.over = True

    def _pass(self, conversation: Conversation, source: socket.socket, target: socket.socket, byClient: bool) -> None:
        """Pass bytes on in one direction, and then the end."""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                conversation.segments.append(Segment(time.monotonic(), byClient, data))
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
