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
random while; and somebody who was wrong too often is not heard for a while (hostile D13), unless with something right
that nobody can guess (L{Rule.guessable}).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.auth.addresses import AddressList, addressOf
from rtmptw.auth.failures import Failures, answerDelay, originOf
from rtmptw.auth.principal import decide
from rtmptw.auth.rule import ACTIONS, PLAY, PUBLISH, Rule, WrongProof
from rtmptw.errors import StatusError
from rtmptw.interfaces import IApplication
from rtmptw.limits import Limits, Reached
from rtmptw.requests import ConnectRequest, PlayRequest, PublishRequest, StreamRequest
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
        *,
        limits: Limits | None = None,
        reached: Reached | None = None,
    ) -> None:
        """
        @param addresses: from where; by default, from everywhere.
        @param publish: what must hold for a publish, in this order.
        @param play: what must hold for a play.
        @param application: whom to ask then; by default, L{OpenApplication}. It is asked about the path that a rule has
            put in the place of the client's, and told who has proven to be whom.
        @param random: gives so many random bytes.
        @param limits: how often somebody may be wrong; see L{Failures}.
        @param reached: counts who is not heard.
        """
        self._clock = clock
        self._addresses = addresses if addresses is not None else AddressList()
        self._rules = {PUBLISH: tuple(publish), PLAY: tuple(play)}
        self._application = application if application is not None else OpenApplication()
        self._random = random
        self._failures = Failures(clock, limits=limits, reached=reached)

    def connectRequested(self, request: ConnectRequest) -> object:
        """Only from where something is allowed. See L{IApplication}."""
        if not any(self._addresses.allows(action, request.peer) for action in ACTIONS):
            raise StatusError(f"nobody may connect from {_placeOf(request.peer)}")
        return self._application.connectRequested(request)

    async def publishRequested(self, request: PublishRequest) -> object:
        """See L{IApplication}."""
        return await self._decide(PUBLISH, request, self._application.publishRequested)

    async def playRequested(self, request: PlayRequest) -> object:
        """See L{IApplication}."""
        return await self._decide(PLAY, request, self._application.playRequested)

    async def _decide(self, action: str, request: StreamRequest, ask: Callable[[Any], object]) -> object:
        peer = request.connect.peer
        if not self._addresses.allows(action, peer):
            raise StatusError(f"nobody may {action} from {_placeOf(peer)}")
        allowed = request
        for rule in self._rules[action]:
            allowed = await self._check(rule, action, allowed)
        return await decide(ask, request, allowed)

    async def _check(self, rule: Rule, action: str, request: StreamRequest) -> StreamRequest:
        """Ask one rule, if it is not to be asked by those who guess."""
        peer = request.connect.peer
        origin = originOf(peer)
        if rule.guessable:
            self._failures.check(origin)
        try:
            answer = await rule.check(action, request)
        except WrongProof as error:
            self._failures.check(origin)
            self._failures.add(origin)
            self._log.warn("{peer}: may not {action}: {remark}", peer=peer, action=action, remark=error.remark)
            await deferLater(self._clock, answerDelay(self._random), lambda: None)
            raise
        if rule.guessable:
            # A rule may take its time, and somebody may have made many guesses meanwhile: after those that count, a
            # right one has the answer of a wrong one.
            self._failures.check(origin)
        return answer


def _placeOf(peer: str) -> str:
    """Where a peer is, for people."""
    address = addressOf(peer)
    return originOf(peer) if address is None else str(address)
