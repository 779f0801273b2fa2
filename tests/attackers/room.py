"""
A room in memory: the real server, and attackers, with a network between them that has bounded buffers
(L{tests.doctor.network}) and is driven by a clock.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rtmptw.server import RTMPServerFactory
from tests.doctor.network import End, Network

__all__ = ["Room"]


class _End(End):
    """An end with what the server and L{tests.attackers.campaign} need besides."""

    address = IPv4Address("TCP", "127.0.0.1", 1935)

    def getPeer(self) -> IPv4Address:
        peer: _End = self.peer  # type: ignore[assignment]
        return peer.address

    def setTcpKeepAlive(self, isOn: bool) -> None:
        """Nobody disappears here."""

    def loseWriteConnection(self) -> None:
        self._network.later(self.peer.fin)


class _Timed(Network):
    """The network's part of it: L{End} needs no more."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.latency = 0.0


class Room(Clock):
    """
    A reactor, as far as a L{tests.attackers.campaign.Campaign} needs one.

    @ivar server: the real one.
    @ivar refused: whether nobody listens any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.server = RTMPServerFactory(clock=self)
        self.refused: Exception | None = None
        self._network = _Timed(self)
        self._number = 40000

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float, bindAddress: tuple[str, int]) -> None:
        """As the reactor does it."""
        self.callLater(0, self._connect, factory, bindAddress[0])

    def _connect(self, factory: Any, source: str) -> None:
        if self.refused is not None:
            factory.clientConnectionFailed(None, Failure(self.refused))
            return
        self._number += 1
        address = IPv4Address("TCP", source, self._number)
        server = self.server.buildProtocol(address)
        client = factory.buildProtocol(None)
        near, far = _End(self._network, client), _End(self._network, server)
        near.address, near.peer, far.peer = address, far, near
        if server is None:
            # As L{rtmptw.gate.port} has it: the connection is there, and then it is not.
            self.callLater(0, near.reset)
        else:
            server.makeConnection(far)
        client.makeConnection(near)

    def advanceBy(self, seconds: float, step: float = 0.01) -> None:
        """Let time pass."""
        for _ in range(round(seconds / step)):
            self.advance(step)
