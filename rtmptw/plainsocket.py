# -*- test-case-name: tests.test_plainsocket -*-
"""
The socket below a transport, if it is safe to use it directly.
"""

from __future__ import annotations

import socket
from contextlib import suppress

from twisted.internet.interfaces import ISSLTransport
from twisted.internet.tcp import Connection

__all__ = ["UNSENT", "plainSocket"]

#: How much may wait in the system for a peer, bytes, besides what is on its way. Left to itself, Linux keeps up to 4
#: MiB for each one that does not read, and with a thousand of those it has no memory for anybody else. Until this is
#: full, such a one costs as much as a viewer that reads; and what waits here can't be left out any more when it is old.
#: It is what 50 Mbit/s need in 10 ms.
UNSENT = 64 * 1024

#: Not every system has it.
_TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", None)


def plainSocket(transport: object) -> socket.socket | None:
    """
    The non-blocking socket of a plain TCP (or Unix) connection, as Twisted's reactors for sockets make it: epoll, poll,
    select, kqueue, and asyncio with any loop. What waits in it is bounded by L{UNSENT}.

    @return: L{None} over TLS, for another reactor's transports, and for whatever wraps a transport: there the bytes on
        the socket are not those of the connection.
    """
    if not isinstance(transport, Connection) or ISSLTransport.providedBy(transport):
        return None
    handle: object = transport.getHandle()
    if not isinstance(handle, socket.socket):
        return None
    if handle.family != getattr(socket, "AF_UNIX", None) and _TCP_NOTSENT_LOWAT is not None:
        # Some systems do not allow it any more once the peer has gone.
        with suppress(OSError):
            handle.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, UNSENT)
    return handle
