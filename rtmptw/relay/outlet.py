# -*- test-case-name: tests.relay.test_outlet -*-
"""
An outlet whose connection comes and goes.

A relay takes its place on the tape when the publisher comes, and connects after that. Until it is connected this outlet
is not ready, so nothing is sent, and the tape keeps what the relay has still to send, within its bounds.
"""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from rtmptw.interfaces import IOutlet

__all__ = ["RelayOutlet"]


@implementer(IOutlet)
class RelayOutlet:
    """
    The way out of a relay.

    @ivar peer: where it goes, for the log.
    """

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self._inner: IOutlet | None = None
        self._drained: dict[Callable[[], None], None] = {}

    @property
    def ready(self) -> bool:
        """Whether there is a connection, and it takes more."""
        return self._inner is not None and bool(self._inner.ready)

    def open(self, inner: IOutlet) -> None:
        """There is a connection. Whatever waits is sent at once."""
        self._inner = inner
        inner.attach(self._tell)
        if inner.ready:
            self._tell()

    def shut(self) -> None:
        """The connection is gone, or is not to be used any more. Harmless when repeated."""
        if self._inner is not None:
            self._inner.detach(self._tell)
            self._inner = None

    @property
    def block(self) -> int:
        """See L{IOutlet}."""
        return 0 if self._inner is None else int(self._inner.block)

    def offer(self, data: bytes) -> int:
        """See L{IOutlet.offer}. Without a connection it goes nowhere."""
        return len(data) if self._inner is None else int(self._inner.offer(data))

    def write(self, data: bytes | memoryview) -> None:
        """See L{IOutlet.write}. Without a connection it goes nowhere."""
        if self._inner is not None:
            self._inner.write(data)

    def attach(self, drained: Callable[[], None]) -> None:
        """See L{IOutlet.attach}."""
        self._drained[drained] = None

    def detach(self, drained: Callable[[], None]) -> None:
        """See L{IOutlet.detach}."""
        self._drained.pop(drained, None)

    def _tell(self) -> None:
        for drained in tuple(self._drained):
            if self.ready and drained in self._drained:
                drained()
