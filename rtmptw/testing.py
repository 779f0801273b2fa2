# -*- test-case-name: tests.test_testing -*-
"""
For the tests of RTMP servers: clients of each kind, and what they mind.

All of them at once, and every probe, with trial or pytest::

    from twisted.internet import reactor
    from twisted.trial.unittest import TestCase

    from rtmptw.testing import examineServer

    class EveryClientTests(TestCase):
        async def test_healthy(self):
            port = reactor.listenTCP(0, MyServerFactory(), interface="127.0.0.1")
            self.addCleanup(port.stopListening)
            report = await examineServer(f"rtmp://127.0.0.1:{port.getHost().port}/live/test")
            self.assertEqual([str(finding) for finding in report.findings], [])

Or one client, step by step::

    client = await fakeClient("obs-publish", url)
    if not await client.open():
        raise AssertionError(client.progress.findings[0].words)
    client.begin()
    client.send(client.footage.frames(50))
    client.leave()

L{DIALECTS} and L{PROBES} hold them by name; L{rtmptw.causes.causes.CAUSES} has every cause that a finding may name. The
server may be any, in any language: all that is needed is its URL.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import (
    IAddress,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.client import endpointOf
from rtmptw.closereason import whyLost
from rtmptw.dialects.contact import Contact, ContactFactory
from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Finding, Progress, Step, StepState
from rtmptw.dialects.footage import Footage
from rtmptw.dialects.players import PLAYERS
from rtmptw.dialects.publishers import PUBLISHERS
from rtmptw.dialects.visit import PATIENCE, Visit
from rtmptw.doctor.examination import Report, examine
from rtmptw.doctor.probe import Probe
from rtmptw.doctor.probes import PROBES as _PROBES
from rtmptw.doctor.target import Target, Unreachable
from rtmptw.doctor.witness import Witness
from rtmptw.url import RTMPURL

__all__ = [
    "DIALECTS",
    "PATIENCE",
    "PROBES",
    "Contact",
    "Dialect",
    "Finding",
    "Footage",
    "Probe",
    "Progress",
    "Report",
    "Step",
    "StepState",
    "Unreachable",
    "Visit",
    "Witness",
    "examineServer",
    "fakeClient",
    "fakePlayer",
    "target",
]

#: By name: how each client speaks; those that publish first.
DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (*PUBLISHERS, *PLAYERS)}

#: By name: what else a server can be asked.
PROBES: dict[str, Probe] = {probe.name: probe for probe in _PROBES}


def target(
    url: str | RTMPURL,
    *,
    playURL: str | RTMPURL | None = None,
    patience: float = PATIENCE,
    reactor: Any = None,
    tls: IOpenSSLClientConnectionCreator | None = None,
) -> Target:
    """
    A server to be examined.

    @param url: of a stream that may be published.
    @param playURL: where it can be played, if elsewhere.
    @param patience: how long an answer may take, seconds.
    @param reactor: by default, the global one.
    @param tls: for rtmps: how to check the server.
    @raise URLError: if a URL is none.
    """
    if reactor is None:
        from twisted.internet import reactor
    published = _parsed(url)
    endpoint, clock = endpointOf(published, reactor, tls), IReactorTime(reactor)
    played = published if playURL is None else _parsed(playURL)

    def connect() -> Deferred[Any]:
        if not published.secure:
            return endpoint.connect(ContactFactory(clock))
        return Deferred.fromCoroutine(_secured(endpoint, clock))

    return Target(published, connect, clock, played, patience)


def examineServer(
    url: str | RTMPURL,
    clients: Iterable[str] | None = None,
    probes: Iterable[str] | None = None,
    **options: Any,
) -> Deferred[Report]:
    """
    Let clients of all kinds publish and play, and ask all probes.

    @param clients: the names of the dialects; by default, all.
    @param probes: the names of the probes; by default, all.
    @param options: those of L{target}.
    @return: what is known then; fails with L{Unreachable} if nobody is there.
    @raise KeyError: for a name that is unknown.
    """
    dialects = list(DIALECTS.values()) if clients is None else [DIALECTS[name] for name in clients]
    questions = list(PROBES.values()) if probes is None else [PROBES[name] for name in probes]
    return Deferred.fromCoroutine(examine(target(url, **options), dialects, questions))


def fakeClient(dialect: str, url: str | RTMPURL, **options: Any) -> Deferred[Visit]:
    """
    One client, connected, and nothing said yet: see L{Visit}.

    @param dialect: the name of its dialect.
    @param options: those of L{target}.
    @return: fails with L{Unreachable} if nobody is there.
    @raise KeyError: for a name that is unknown.
    """
    return Deferred.fromCoroutine(target(url, **options).visit(DIALECTS[dialect]))


def fakePlayer(url: str | RTMPURL, **options: Any) -> Deferred[Witness | None]:
    """
    A player that takes any answer, and counts what comes: see L{Witness}.

    @param options: those of L{target}.
    @return: L{None} if the server lets nobody play; fails with L{Unreachable} if nobody is there.
    """
    return Deferred.fromCoroutine(target(url, **options).witness())


@implementer(IHandshakeListener)
class _SecureContact(Contact):
    """
    A contact that is there when TLS is: else a server with a wrong certificate would look like one that says nothing.

    @ivar secured: the contact; fails with C{ConnectError} if TLS does.
    """

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__(clock)
        self.secured: Deferred[Contact] = Deferred(lambda _: self.abort())

    def handshakeCompleted(self) -> None:
        """TLS is there."""
        self.secured.callback(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if not self.secured.called:
            self.secured.errback(ConnectError(string=whyLost(reason)))


class _SecureFactory(ContactFactory):
    """Makes them."""

    def buildProtocol(self, addr: IAddress | None) -> _SecureContact:
        return _SecureContact(self._clock)


async def _secured(endpoint: IStreamClientEndpoint, clock: IReactorTime) -> Contact:
    """
    @raise ConnectError: or OSError, if there is no connection.
    """
    contact: Any = await endpoint.connect(_SecureFactory(clock))
    secured: Contact = await contact.secured
    return secured


def _parsed(url: str | RTMPURL) -> RTMPURL:
    return url if isinstance(url, RTMPURL) else RTMPURL.parse(url)
