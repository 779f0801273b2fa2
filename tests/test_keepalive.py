# -*- test-case-name: tests.test_keepalive -*-
"""
Tests for L{rtmptw.keepalive}.
"""

from __future__ import annotations

import socket

from twisted.internet.interfaces import ISystemHandle
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rtmptw import keepalive
from rtmptw.keepalive import COUNT, IDLE_SECONDS, INTERVAL_SECONDS, USER_TIMEOUT_SECONDS, keepAlive
from rtmptw.limits import Limits
from rtmptw.server import RTMPServerFactory
from rtmptw.tls.transport import Below
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
        names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        return [self.socket.getsockopt(socket.IPPROTO_TCP, name) for name in names]

    def test_plain(self) -> None:
        transport = SystemTransport(self.socket)
        keepAlive(transport)
        self.assertEqual(transport.calls, ["keepAlive"])
        self.assertEqual(self.options(), [IDLE_SECONDS, INTERVAL_SECONDS, COUNT, 20_000])

    def test_wrapped(self) -> None:
        """Below TLS, which is such a wrapper."""
        transport = SystemTransport(self.socket)
        wrapper = ProtocolWrapper(WrappingFactory(Factory.forProtocol(Protocol)), Protocol())
        wrapper.makeConnection(transport)
        keepAlive(wrapper, 7)
        self.assertEqual(self.options(), [IDLE_SECONDS, INTERVAL_SECONDS, COUNT, 7000])

    def test_F2_belowTLS(self) -> None:
        """Below our own TLS, which has something between itself and the transport."""
        transport = SystemTransport(self.socket)
        wrapper = ProtocolWrapper(WrappingFactory(Factory.forProtocol(Protocol)), Protocol())
        wrapper.makeConnection(Below(transport, Clock(), self.socket.send))
        keepAlive(wrapper)
        self.assertEqual(self.options(), [IDLE_SECONDS, INTERVAL_SECONDS, COUNT, 20_000])

    def test_userTimeoutSeconds(self) -> None:
        """It is what the limits say, and no more than the system can keep. When it is over is up to the system."""
        self.assertEqual(Limits().userTimeoutSeconds, USER_TIMEOUT_SECONDS)
        for seconds, expected in ((1.0, 1000), (19.999, 19_999), (20.0, 20_000), (1e9, 0x7FFFFFFF)):
            keepAlive(SystemTransport(self.socket), seconds)
            self.assertEqual(self.options()[-1], expected)

    def test_F2_connection(self) -> None:
        """Every connection of a server has it, by its limits."""
        transport = SystemTransport(self.socket)
        factory = RTMPServerFactory(clock=Clock(), limits=Limits(userTimeoutSeconds=12))
        factory.buildProtocol(None).makeConnection(transport)
        self.assertEqual(self.options(), [IDLE_SECONDS, INTERVAL_SECONDS, COUNT, 12_000])

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
