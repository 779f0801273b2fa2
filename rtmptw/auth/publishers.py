# -*- test-case-name: tests.auth.test_publishers -*-
"""
Publishers must authenticate, by Adobe's scheme (L{rtmptw.session.adobe}; wire facts 8); everybody may play.

::

    from rtmptw import RTMPServerFactory
    from rtmptw.auth.publishers import PublisherAuthentication
    from rtmptw.auth.userfile import UserFile

    factory = RTMPServerFactory(PublisherAuthentication(UserFile("users").password, reactor), clock=reactor)

The scheme is part of the connect, when nobody has said yet what he is going to do. But encoders connect otherwise than
players do (L{mustAuthenticate}), so encoders are asked, and players are not: those could not answer. Who was not asked
plays as ever, and can't publish.

In a URL, C{rtmp://user:password@host/live/camera}, what means something there is percent-encoded. rtmp2sink decodes
user and password. FFmpeg (5.1 and 9) decodes neither, splits at the last @, and takes 49 bytes of each. So the user is
decoded here, and a password counts in both forms: as it is, and with everything but letters, digits and C{_.-~} encoded
(C{%2F}, not C{%2f}). Letters and digits are never in doubt.

Against those who guess (hostile D13): a challenge is random and good for one response; a wrong one is answered after
a while; somebody who was wrong too often is not heard for a while; and a user who does not exist gets the same answers
as one who does.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from urllib.parse import quote

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.auth.challenges import Challenge, Challenges
from rtmptw.auth.failures import LONGEST_DELAY, SHORTEST_DELAY, Failures, answerDelay, originOf
from rtmptw.auth.principal import decide, proven
from rtmptw.errors import AuthenticationError, StatusError
from rtmptw.interfaces import IApplication
from rtmptw.limits import Limits, Reached
from rtmptw.requests import ConnectRequest, PlayRequest, PublishRequest, StreamRequest
from rtmptw.server import OpenApplication
from rtmptw.session.adobe import AuthenticationQuery, authFailed, needAuth, needResponse, readQuery, response

__all__ = [
    "LONGEST_DELAY",
    "SHORTEST_DELAY",
    "AuthenticatedRule",
    "PublisherAuthentication",
    "authenticatedUser",
    "mustAuthenticate",
]

#: What is said to those who publish and were not asked.
_HOW = "publishing needs a user and a password: rtmp://user:password@host/application/name"

#: The note (L{ConnectRequest.notes}) of who has authenticated.
_NOTE = "rtmptw.auth.user"


def authenticatedUser(request: ConnectRequest | StreamRequest) -> str:
    """
    Who has authenticated on this connection.

    @return: the user's name; empty if nobody has. (What the query says about a user is only what the client says.)
    """
    connect = request if isinstance(request, ConnectRequest) else request.connect
    return str(connect.notes.get(_NOTE, ""))


def mustAuthenticate(request: ConnectRequest) -> bool:
    """
    Whether a connect is that of an encoder: each that is known calls itself "FMLE/..." (Flash Media Live Encoder), or
    says that it is "nonprivate", and no player does (tests/captures). Who speaks of authentication must as well.
    """
    version = request.parameters.get("flashVer")
    return (
        (isinstance(version, str) and version.startswith("FMLE/"))
        or request.parameters.get("type") == "nonprivate"
        or readQuery(request.query) is not None
    )


class AuthenticatedRule:
    """Only for those who have authenticated. A L{rtmptw.auth.rule.Rule}, to stand before others that take guesses."""

    #: There is nothing to try here: that was when the connect came.
    guessable = False

    async def check(self, action: str, request: StreamRequest) -> StreamRequest:
        """See L{rtmptw.auth.rule.Rule}."""
        if not authenticatedUser(request):
            raise StatusError(_HOW)
        return request


@implementer(IApplication)
class PublisherAuthentication:
    """
    An application that lets nobody publish who has not authenticated. About everything else another one decides; when
    it is asked, L{authenticatedUser} has the answer, and of a publish the principal (L{rtmptw.auth.principal}) as well.
    """

    _log = Logger()

    def __init__(
        self,
        passwordOf: Callable[[str], str | None],
        clock: IReactorTime,
        application: IApplication | None = None,
        random: Callable[[int], bytes] = os.urandom,
        *,
        limits: Limits | None = None,
        reached: Reached | None = None,
    ) -> None:
        """
        @param passwordOf: gives the password of a user, and L{None} for one who does not exist. It must not take long.
        @param application: the other one; by default, L{OpenApplication}.
        @param random: gives so many random bytes.
        @param limits: how often somebody may be wrong, and how many challenges wait; see L{Failures}, L{Challenges}.
        @param reached: counts how often that was too much.
        """
        self._passwordOf = passwordOf
        self._clock = clock
        self._application = application if application is not None else OpenApplication()
        self._random = random
        self._challenges = Challenges(clock, random, limits=limits, reached=reached)
        self._failures = Failures(clock, limits=limits, reached=reached)

    def connectRequested(self, request: ConnectRequest) -> object:
        """Ask encoders who they are. See L{IApplication}."""
        if not mustAuthenticate(request):
            return self._application.connectRequested(request)
        origin = originOf(request.peer)
        self._failures.check(origin)
        query = readQuery(request.query)
        if query is None or query.scheme != "adobe":
            raise AuthenticationError(needAuth(), isQuestion=True)
        if not query.response:
            raise AuthenticationError(self._newChallenge(query.user, origin), isQuestion=True)
        challenge = self._challenges.take(query.opaque, query.user, origin)
        if challenge is None:
            self._log.info(
                "{peer}: the response of {user} is too late, or not the first", peer=request.peer, user=query.user
            )
            raise AuthenticationError(self._newChallenge(query.user, origin), isQuestion=True)
        if not self._isRight(challenge, query):
            self._failures.add(origin)
            self._log.warn(
                "{peer}: authentication failed: wrong user or password; user {user}",
                peer=request.peer,
                user=challenge.user,
            )
            return deferLater(self._clock, answerDelay(self._random), self._fail)
        self._log.info("{peer}: authenticated as {user}", peer=request.peer, user=challenge.user)
        request.notes[_NOTE] = challenge.user
        return self._application.connectRequested(request)

    async def publishRequested(self, request: PublishRequest) -> object:
        """Only for those who have authenticated. See L{IApplication}."""
        user = authenticatedUser(request)
        if not user:
            raise StatusError(_HOW)
        return await decide(self._application.publishRequested, request, proven(request, f"user {user}"))

    def playRequested(self, request: PlayRequest) -> object:
        """See L{IApplication}."""
        return self._application.playRequested(request)

    def _newChallenge(self, user: str, origin: str) -> str:
        challenge = self._challenges.make(user, origin)
        return needResponse(user, challenge.salt, challenge.text, challenge.text)

    def _isRight(self, challenge: Challenge, query: AuthenticationQuery) -> bool:
        """It takes the same time whatever is wrong."""
        known = self._passwordOf(challenge.user)
        password = self._random(16).hex() if known is None else known
        right = False
        for form in (password, quote(password, safe="")):
            expected = response(challenge.user, form, challenge.salt, challenge.text, "", query.challenge)
            right |= hmac.compare_digest(expected.encode(), query.response.encode())
        return right and known is not None

    def _fail(self) -> None:
        raise AuthenticationError(authFailed())
