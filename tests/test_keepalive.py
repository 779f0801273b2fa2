# -*- test-case-name: tests.test_keepalive -*-
"""
Tests for L{rtmptw.keepalive}.
"""

from __future__ import annotations

import socket

from twisted.internet.interfaces import ISystemHandle
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rtmptw import keepalive
from rtmptw.keepalive import COUNT, IDLE_SECONDS, INTERVAL_SECONDS, keepAlive
from tests.session.dialects import TCPTransport


@implementer(ISystemHandle)
class SystemTransport(TCPTransport):
    """A transport with a socket below it."""

    def __init__(self, handle: object) -> None:
        super().__init__()
        self.handle = handle

    def getHandle(self) -> object:
        return self.handle


class KeepAliveTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.socket = socket.socket()
        self.addCleanup(self.socket.close)

    def options(self) -> list[int]:
        """What the system was told."""
        names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        return [self.socket.getsockopt(socket.IPPROTO_TCP, name) for name in names]

    def test_plain(self) -> None:
        transport = SystemTransport(self.socket)
        keepAlive(transport)
        self.assertEqual(transport.calls, ["keepAlive"])
        self.assertEqual(self.options(), [IDLE_SECONDS, INTERVAL_SECONDS, COUNT])

    def test_wrapped(self) -> None:
        """Below TLS, which is such a wrapper."""
        transport = SystemTransport(self.socket)
        wrapper = ProtocolWrapper(WrappingFactory(Factory.forProtocol(Protocol)), Protocol())
        wrapper.makeConnection(transport)
        keepAlive(wrapper)
        self.assertEqual(self.options(), [IDLE_SECONDS, INTERVAL_SECONDS, COUNT])

    def test_others(self) -> None:
        """A transport without a socket, with something else, and with one that has no TCP."""
        pair = socket.socketpair()
        for end in pair:
            self.addCleanup(end.close)
        for transport in (TCPTransport(), SystemTransport(object()), SystemTransport(pair[0])):
            keepAlive(transport)
            self.assertEqual(transport.calls, ["keepAlive"])

    def test_otherSystems(self) -> None:
        """Some have not all of the options."""

        class Socket:
            """A system's socket module without them."""

            socket, AF_INET, AF_INET6, IPPROTO_TCP = socket.socket, socket.AF_INET, socket.AF_INET6, socket.IPPROTO_TCP

        before = self.options()
        self.patch(keepalive, "socket", Socket)
        keepAlive(SystemTransport(self.socket))
        self.assertEqual(self.options(), before)
