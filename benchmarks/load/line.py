# -*- test-case-name: tests.interop.test_benchmarks -*-
"""
The line: a client's connection, plain or over TLS, that never waits.

Whatever a client says while it joins is small, and a new connection takes it at once.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable
from functools import partial

__all__ = ["LOOPBACK", "READ_SIZE", "Line", "TLSLine", "openLine"]

LOOPBACK = "127.0.0.1"

#: How much is worth reading at a time, bytes.
READ_SIZE = 1 << 18


class Line:
    """
    A plain connection.

    @ivar socket: of it.
    """

    def __init__(self, port: int) -> None:
        """
        @param port: on this machine.
        @raise OSError: if nobody listens there.
        """
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = self.socket.connect_ex((LOOPBACK, port))
        if error not in (0, errno.EINPROGRESS):
            self.socket.close()
            raise OSError(error, "connect")

    def opened(self) -> bool:
        """
        To be called when the socket can be written or read, until it is true.

        @return: whether all is ready for RTMP.
        @raise OSError: if the connection has failed.
        """
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "connect")
        return True

    def receive(self, size: int) -> bytes | None:
        """
        @param size: at most, bytes.
        @return: what has come; nothing if the server has closed; L{None} if there is nothing now.
        @raise OSError: if the connection is lost.
        """
        try:
            return self.socket.recv(size)
        except BlockingIOError:
            return None

    def say(self, data: bytes) -> None:
        """
        @raise OSError: if the connection is lost, or does not take it.
        """
        if data and self.socket.send(data) != len(data):
            raise OSError(errno.ENOBUFS, "the server does not read")

    @property
    def receiveRaw(self) -> Callable[[memoryview, int, int], int]:
        """C{recv_into} of the connection below, whatever it carries."""
        return self.socket.recv_into

    def close(self) -> None:
        """Harmless when repeated."""
        self.socket.close()


class TLSLine(Line):
    """The same over TLS, whoever the server is."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._tls: ssl.SSLSocket | None = None

    def opened(self) -> bool:
        """
        @raise OSError: if TLS fails.
        """
        if self._tls is None:
            super().opened()
            self._tls = self._context.wrap_socket(self.socket, do_handshake_on_connect=False)
            self.socket = self._tls
        try:
            self._tls.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        return True

    def receive(self, size: int) -> bytes | None:
        """All that can be decrypted: what OpenSSL holds wakes nobody."""
        assert self._tls is not None
        pieces = []
        try:
            while piece := self._tls.recv(size):
                pieces.append(piece)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b"".join(pieces) if pieces else None
        except ssl.SSLEOFError:
            pass
        return b"".join(pieces)

    @property
    def receiveRaw(self) -> Callable[[memoryview, int, int], int]:
        return partial(socket.socket.recv_into, self.socket)


def openLine(port: int, isSecure: bool) -> Line:
    """
    @raise OSError: if nobody listens there.
    """
    return TLSLine(port) if isSecure else Line(port)
