# -*- test-case-name: tests.live.test_subscription -*-
"""
A subscription: Python code that is given every message of a stream as it comes.

Nothing is queued here and nothing is dropped. A subscriber that must not lose anything and can't keep up pauses the
publisher for a while (L{rtmptw.interfaces.ISubscription}).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.interfaces import ISubscriber, ISubscription
from rtmptw.live.headers import HeaderCache
from rtmptw.live.image import decodeImages
from rtmptw.live.tape import Tape
from rtmptw.wire.message import Message

if TYPE_CHECKING:
    from rtmptw.live.livestream import LiveStream

__all__ = ["Subscription"]


@implementer(ISubscription, IPushProducer)
class Subscription:
    """One subscriber's hold on one stream."""

    _log = Logger()

    def __init__(self, stream: LiveStream, subscriber: ISubscriber) -> None:
        self._stream = stream
        self._subscriber = subscriber
        self._stopped = False

    def begin(self, tape: Tape, headers: HeaderCache) -> None:
        """Give what a late viewer is given first, but no video is kept from a subscriber."""
        start = tape.start
        if start is None and tape.keyframe is None and tape.first == 0:
            past = decodeImages(tape.images(0))
        else:
            start = tape.end if start is None else start
            past = headers.messages(tape.timestamp(min(start, tape.end - 1))) + decodeImages(tape.images(start))
        for message in past:
            self.give(message)

    def give(self, message: Message) -> None:
        """Pass a message on; a subscriber that raises has had its last."""
        if self._stopped:
            return
        try:
            self._subscriber.messageReceived(message)
        except Exception:
            self._fail()

    def end(self, reason: str) -> None:
        """The publisher has ended."""
        if self._stopped:
            return
        self.stopProducing()
        try:
            self._subscriber.streamEnded(reason)
        except Exception:
            self._fail()

    def _fail(self) -> None:
        self._log.failure("{path}: a subscriber has failed and is dropped", path=self._stream.path)
        self.stopProducing()

    # ISubscription

    def pauseProducing(self) -> None:
        """See L{ISubscription.pauseProducing}."""
        if not self._stopped:
            self._stream.hold(self)

    def resumeProducing(self) -> None:
        """See L{ISubscription.resumeProducing}."""
        self._stream.release(self)

    def stopProducing(self) -> None:
        """See L{ISubscription.stopProducing}."""
        self._stopped = True
        self._stream.release(self)
        self._stream.unsubscribe(self)
