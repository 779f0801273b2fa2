# -*- test-case-name: tests.gate.test_port -*-
"""
Ports: where a server listens, and how many connections come through it in one turn of the reactor.

Twisted's own port accepts a hundred connections in a turn, and twenty more in each next one for as long as there are so
many: in a flood everybody who is connected waits for them. Here it accepts for some milliseconds, and what waits longer
is the kernel's, up to a backlog that suits a server (hostile row A8).

The endpoints C{rtmp:} and C{rtmp6:}, for L{twisted.internet.endpoints.serverFromString}, are Twisted's C{tcp:} and
C{tcp6:} on such ports::

    rtmp:1935:interface=127.0.0.1:backlog=1024

Who is refused
==============
A factory refuses a connection by making no protocol for it. Twisted's port closes it then, but what wraps a factory
(C{haproxy:}, TLS) would wrap that nothing. Here, nothing is made of nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Port
from twisted.plugin import IPlugin
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from zope.interface import implementer

__all__ = ["ACCEPTS", "BACKLOG", "TURN", "PacedPort", "PortEndpoint", "PortParser", "RefusingFactory", "isRefused"]

#: How many connections may wait to be accepted. With more of them new ones have to try again, a second later.
BACKLOG = "1024"

#: How many are accepted between two looks at the clock, and for how long in a turn of the reactor, seconds. One that
#: gets in takes a tenth of a millisecond, over TLS several of them, and one that is refused a thirtieth: so a turn of
#: five milliseconds is kept on a slow machine, too.
ACCEPTS = 4
TURN = 0.002


class PacedPort(Port):
    """
    A port that accepts connections for so long in a turn, and no longer.

    @ivar seconds: tells the time. The reactor's own need not go on within a turn.
    """

    seconds = staticmethod(monotonic)

    def doRead(self) -> None:
        """See L{twisted.internet.interfaces.IReadDescriptor}."""
        end = self.seconds() + TURN
        while True:
            self.numberAccepts = ACCEPTS
            super().doRead()
            # It has become more if there were as many as that, and there may be others.
            if self.numberAccepts <= ACCEPTS or self.seconds() >= end:
                break


def isRefused(protocol: object) -> bool:
    """Whether that is no protocol, or a wrapper around none."""
    while isinstance(protocol, ProtocolWrapper):
        protocol = protocol.wrappedProtocol
    return protocol is None


class RefusingFactory(WrappingFactory):
    """Makes no protocol if what it wraps makes none. Otherwise it is not noticed."""

    def logPrefix(self) -> str:
        """See L{twisted.internet.interfaces.ILoggingContext}."""
        prefix: str = getattr(self.wrappedFactory, "logPrefix", lambda: type(self.wrappedFactory).__name__)()
        return prefix

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """See L{IProtocolFactory.buildProtocol}."""
        protocol: Protocol | None = self.wrappedFactory.buildProtocol(addr)
        return None if isRefused(protocol) else protocol


@implementer(IStreamServerEndpoint)
class PortEndpoint:
    """TCP, for IPv4 or IPv6: by the interface."""

    def __init__(self, reactor: Any, port: int, interface: str = "", backlog: int = int(BACKLOG)) -> None:
        """
        @param interface: an address of this machine; empty for all of IPv4, C{::} for all there are.
        """
        self._reactor = reactor
        self._port = port
        self._interface = interface
        self._backlog = backlog

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen. See L{IStreamServerEndpoint.listen}."""
        if isinstance(self._reactor, PosixReactorBase):
            listening: Deferred[IListeningPort] = execute(self._open, protocolFactory)
        else:
            kind = TCP6ServerEndpoint if ":" in self._interface else TCP4ServerEndpoint
            listening = kind(self._reactor, self._port, self._backlog, self._interface).listen(protocolFactory)
        return listening

    def _open(self, factory: IProtocolFactory) -> IListeningPort:
        """As C{listenTCP} of such a reactor does it."""
        port = PacedPort(self._port, factory, self._backlog, self._interface, self._reactor)
        port.startListening()
        return port


class _RefusingEndpoint(PortEndpoint):
    """L{PortEndpoint} for any factory."""

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen. See L{IStreamServerEndpoint.listen}."""
        isWrapping = isinstance(protocolFactory, WrappingFactory)
        return super().listen(RefusingFactory(protocolFactory) if isWrapping else protocolFactory)


@implementer(IPlugin, IStreamServerEndpointStringParser)
class PortParser:
    """C{rtmp:PORT:interface=ADDRESS:backlog=NUMBER}, and the same for C{rtmp6:}."""

    def __init__(self, prefix: str) -> None:
        """
        @param prefix: one of L{_PARSERS}.
        """
        self.prefix = prefix

    def parseStreamServer(self, reactor: Any, *args: Any, **kwargs: Any) -> PortEndpoint:
        """See L{IStreamServerEndpointStringParser.parseStreamServer}."""
        return _PARSERS[self.prefix](reactor, *args, **kwargs)


# The names and the order of the parameters are those of Twisted's endpoints.


def _tcp(reactor: Any, port: str, interface: str = "", backlog: str = BACKLOG) -> PortEndpoint:
    return _RefusingEndpoint(reactor, int(port), interface, int(backlog))


def _tcp6(reactor: Any, port: str, backlog: str = BACKLOG, interface: str = "::") -> PortEndpoint:
    return _RefusingEndpoint(reactor, int(port), interface, int(backlog))


_PARSERS: dict[str, Callable[..., PortEndpoint]] = {"rtmp": _tcp, "rtmp6": _tcp6}
