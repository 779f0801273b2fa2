# -*- test-case-name: tests.live.test_brake -*-
"""
The brake of a stream: its publisher is not read while anybody holds it who can't keep up.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer

__all__ = ["Brake"]


class Brake:
    """
    Who holds the publisher of one stream, whoever that is.
    """

    def __init__(self) -> None:
        self._holders: set[object] = set()
        self._publisher: IPushProducer | None = None

    @property
    def isOn(self) -> bool:
        """Whether anybody holds it."""
        return bool(self._holders)

    def change(self, publisher: IPushProducer | None) -> None:
        """Another publisher has come, or none is there any more. The one before may have more to say, elsewhere."""
        before, self._publisher = self._publisher, publisher
        if self._holders and before is not None:
            before.resumeProducing()
        if self._holders and publisher is not None:
            publisher.pauseProducing()

    def hold(self, holder: object) -> None:
        """Do not read it until this one lets go."""
        if not self._holders and self._publisher is not None:
            self._publisher.pauseProducing()
        self._holders.add(holder)

    def release(self, holder: object) -> None:
        """Undo L{hold}. Harmless when repeated."""
        if holder in self._holders:
            self._holders.remove(holder)
            if not self._holders and self._publisher is not None:
                self._publisher.resumeProducing()
