# -*- test-case-name: tests.test_plainsocket -*-
"""
The socket below a transport, if it is safe to use it directly.
"""

from __future__ import annotations

from socket import socket

from twisted.internet.interfaces import ISSLTransport
from twisted.internet.tcp import Connection

__all__ = ["plainSocket"]


def plainSocket(transport: object) -> socket | None:
    """
    The non-blocking socket of a plain TCP (or Unix) connection, as Twisted's reactors for sockets make it: epoll, poll,
    select, kqueue, and asyncio with any loop.

    @return: L{None} over TLS, for another reactor's transports, and for whatever wraps a transport: there the bytes on
        the socket are not those of the connection.
    """
    if isinstance(transport, Connection) and not ISSLTransport.providedBy(transport):
        handle = transport.getHandle()
        if isinstance(handle, socket):
            return handle
    return None
