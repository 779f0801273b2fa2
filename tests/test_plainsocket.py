# -*- test-case-name: tests.test_plainsocket -*-
"""
Tests for L{rtmptw.plainsocket}.
"""

from __future__ import annotations

import socket

from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.plainsocket import UNSENT, plainSocket
from tests.memorysocket import SocketTransport


class PlainSocketTests(SynchronousTestCase):
    """Below which transports the socket is the connection's."""

    def test_TCP(self) -> None:
        """A transport of Twisted's reactors for sockets."""
        transport = SocketTransport()
        self.assertIs(plainSocket(transport), transport.wire)

    def test_unsent(self) -> None:
        """What may wait in the system is bounded, where there is such a bound."""
        for family in (socket.AF_INET, socket.AF_INET6):
            wire = socket.socket(family, socket.SOCK_STREAM)
            self.addCleanup(wire.close)
            transport = SocketTransport()
            transport.getHandle = lambda wire=wire: wire  # type: ignore[method-assign, misc]
            self.assertIs(plainSocket(transport), wire)
            self.assertEqual(wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT), UNSENT)

    def test_unix(self) -> None:
        """A Unix socket has no such bound, and needs none."""
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        for wire in (ours, theirs):
            self.addCleanup(wire.close)
        transport = SocketTransport()
        transport.getHandle = lambda: ours  # type: ignore[method-assign]
        self.assertIs(plainSocket(transport), ours)

    def test_TLS(self) -> None:
        """One that was TCP, and is TLS now: what is on the socket is encrypted."""
        transport = SocketTransport()
        transport.protocol = Protocol()
        transport.startTLS(CertificateOptions())
        self.assertTrue(ISSLTransport.providedBy(transport))
        self.assertIs(plainSocket(transport), None)

    def test_wrapped(self) -> None:
        """One that is wrapped: the wrapper may change what comes."""
        wrapper = ProtocolWrapper(WrappingFactory(Factory.forProtocol(Protocol)), Protocol())
        wrapper.makeConnection(SocketTransport())
        self.assertIs(wrapper.getHandle(), wrapper.transport.wire)  # type: ignore[union-attr]
        self.assertIs(plainSocket(wrapper), None)

    def test_others(self) -> None:
        """What has no socket, or says that something else is its handle."""
        foreign = SocketTransport()
        foreign.getHandle = lambda: 7  # type: ignore[assignment, method-assign, return-value]
        for transport in (StringTransport(), foreign, object(), None):
            self.assertIs(plainSocket(transport), None)
