# -*- test-case-name: tests.live.test_livestream -*-
"""
A publication: one publisher's hold on a stream.

::

              suspend                       end, or the end of the grace time
    HOLDING ------------> AWAITED -------------------------------------> ENDED
       |                     |                                             ^
       |                     +-- another publication goes on with it ----->|
       +-- end, or another publisher takes the name over ----------------->+

Who is awaited has gone without a word, or has said the end and may publish again; those who watch stay for him.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from rtmptw.errors import LocalProtocolError
from rtmptw.interfaces import IPublication
from rtmptw.wire.message import Message

if TYPE_CHECKING:
    from rtmptw.live.livestream import LiveStream

__all__ = ["Publication"]


@implementer(IPublication)
class Publication:
    """
    A publisher's hold on a stream.

    @ivar path: the stream's identity.
    @ivar publisher: whom to hold when a subscriber must.
    @ivar hops: the servers that it comes through, the first one first; none, if it comes from an encoder.
    @ivar principal: who publishes, as far as proven; see L{rtmptw.requests.StreamRequest.principal}.
    """

    def __init__(
        self, stream: LiveStream, publisher: IPushProducer, hops: tuple[str, ...] = (), principal: str = ""
    ) -> None:
        self.path = stream.path
        self.hops = hops
        self.principal = principal
        self.publisher = publisher
        self._stream = stream

    @property
    def isOver(self) -> bool:
        """Whether it is neither held nor awaited any more."""
        return self._stream.publication is not self and self._stream.awaited is not self

    def append(self, message: Message) -> None:
        """
        See L{IPublication.append}.

        @raise LocalProtocolError: after L{end} or L{suspend}, or if it is no message for a stream.
        """
        if self._stream.publication is not self:
            raise LocalProtocolError(f"{self.path}: this publication has ended")
        self._stream.append(message)

    def clearMetadata(self, name: str) -> None:
        """See L{IPublication.clearMetadata}."""
        if self._stream.publication is self:
            self._stream.headers.forgetData(name)

    def flush(self) -> None:
        """See L{IPublication.flush}."""
        if self._stream.publication is self:
            self._stream.flush()

    def suspend(self, reason: str, isSaid: bool = False) -> None:
        """See L{IPublication.suspend}."""
        if self._stream.publication is self:
            self._stream.lose(reason, isSaid)

    def end(self, reason: str) -> None:
        """See L{IPublication.end}."""
        if not self.isOver:
            self._stream.end(reason)
