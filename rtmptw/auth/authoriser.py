# -*- test-case-name: tests.auth.test_authoriser -*-
"""
Who may: one application in front of every publish and every play, however a client comes.

::

    from rtmptw import RTMPServerFactory
    from rtmptw.auth.authoriser import Authoriser
    from rtmptw.auth.keyfile import KeyFile
    from rtmptw.auth.streamkeys import StreamKeys

    authoriser = Authoriser(reactor, publish=[StreamKeys(KeyFile("keys"))])
    factory = RTMPServerFactory(authoriser, clock=reactor, hidesNames=True)

First it looks where somebody comes from, then it asks its rules, one after the other: all must agree. Last it asks the
application behind it. Nothing is fetched for a viewer, and no name is taken, before that.

What may be a guess (L{WrongProof}) is counted and answered as wrong passwords are in L{rtmptw.auth.publishers}: after a
random while; and somebody who was wrong too often is not heard for a while (hostile D13).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.auth.addresses import AddressList
from rtmptw.auth.failures import Failures, answerDelay, originOf
from rtmptw.auth.rule import ACTIONS, PLAY, PUBLISH, Rule, WrongProof
from rtmptw.errors import StatusError
from rtmptw.interfaces import IApplication
from rtmptw.requests import ConnectRequest, Granted, PlayRequest, PublishRequest, StreamRequest
from rtmptw.server import OpenApplication

__all__ = ["Authoriser"]


@implementer(IApplication)
class Authoriser:
    """
    An application that lets through what all of its rules agree to.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        addresses: AddressList | None = None,
        publish: Sequence[Rule] = (),
        play: Sequence[Rule] = (),
        application: IApplication | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """
        @param addresses: from where; by default, from everywhere.
        @param publish: what must hold for a publish, in this order.
        @param play: what must hold for a play.
        @param application: whom to ask then; by default, L{OpenApplication}. It is asked about the path that a rule has
            put in the place of the client's.
        @param random: gives so many random bytes.
        """
        self._clock = clock
        self._addresses = addresses if addresses is not None else AddressList()
        self._rules = {PUBLISH: tuple(publish), PLAY: tuple(play)}
        self._application = application if application is not None else OpenApplication()
        self._random = random
        self._failures = Failures(clock)

    def connectRequested(self, request: ConnectRequest) -> object:
        """Only from where something is allowed. See L{IApplication}."""
        if not any(self._addresses.allows(action, request.peer) for action in ACTIONS):
            raise StatusError(f"nobody may connect from {originOf(request.peer)}")
        return self._application.connectRequested(request)

    async def publishRequested(self, request: PublishRequest) -> object:
        """See L{IApplication}."""
        return await self._decide(PUBLISH, request, self._application.publishRequested)

    async def playRequested(self, request: PlayRequest) -> object:
        """See L{IApplication}."""
        return await self._decide(PLAY, request, self._application.playRequested)

    async def _decide(self, action: str, request: StreamRequest, ask: Callable[[Any], object]) -> object:
        """
        @param ask: the question to the application behind, which may know nothing of a path that was changed here.
        """
        allowed = await self._check(action, request)
        answer: object = await maybeDeferred(ask, allowed)
        if answer is False or isinstance(answer, Granted) or allowed.path == request.path:
            return answer
        return Granted(allowed.path)

    async def _check(self, action: str, request: StreamRequest) -> StreamRequest:
        peer = request.connect.peer
        origin = originOf(peer)
        if not self._addresses.allows(action, peer):
            raise StatusError(f"nobody may {action} from {origin}")
        rules = self._rules[action]
        seconds = self._failures.wait(origin) if rules else 0
        if seconds:
            raise StatusError(f"too many wrong tries from {origin}; try again in {ceil(seconds)} s")
        for rule in rules:
            try:
                request = await rule.check(action, request)
            except WrongProof as error:
                self._failures.add(origin)
                self._log.warn("{peer}: may not {action}: {remark}", peer=peer, action=action, remark=error.remark)
                await deferLater(self._clock, answerDelay(self._random), lambda: None)
                raise
        return request
