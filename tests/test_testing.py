"""
Tests for L{rtmptw.testing}: what others use to test their servers.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from rtmptw import testing
from rtmptw.dialects.finding import StepState
from rtmptw.doctor.target import Unreachable
from rtmptw.errors import URLError
from rtmptw.testing import DIALECTS, PROBES, Contact, Report, Step, examineServer, fakeClient, fakePlayer, target
from rtmptw.url import RTMPURL
from tests.doctor.network import URL, Network, NetworkTestCase


class Endpoint:
    """As Twisted's, to a network in memory."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.factories: list[Any] = []

    def connect(self, factory: Any) -> Deferred[Any]:
        self.factories.append(factory)
        return self.network.connect()


class TestingTestCase(NetworkTestCase):
    def setUp(self) -> None:
        self.net = self.network()
        self.endpoint = Endpoint(self.net)
        self.urls: list[RTMPURL] = []

        def endpointOf(url: RTMPURL, reactor: object, tls: object) -> Endpoint:
            self.urls.append(url)
            self.tls = tls
            return self.endpoint

        self.patch(testing, "endpointOf", endpointOf)

    def result(self, deferred: Deferred[Any], seconds: float = 60.0) -> Any:
        """Let time pass until it is there."""

        async def wait() -> Any:
            return await deferred

        return self.net.run(wait(), seconds)


class ExamineTests(TestingTestCase):
    def test_all(self) -> None:
        """By default, everything is asked."""
        report: Report = self.result(examineServer(str(URL), reactor=self.net.clock))
        self.assertEqual([str(finding) for finding in report.findings], [])
        self.assertEqual([each.dialect for each in report.progress], list(DIALECTS))
        self.assertEqual([each.probe.name for each in report.answers], list(PROBES))
        self.assertEqual(self.urls, [URL])

    def test_some(self) -> None:
        report: Report = self.result(
            examineServer(URL, ["obs-publish"], ["delay"], reactor=self.net.clock, patience=1.0, tls=None)
        )
        self.assertEqual([each.dialect for each in report.progress], ["obs-publish"])
        self.assertEqual([each.probe.name for each in report.answers], ["delay"])

    def test_wrong(self) -> None:
        for names in ({"clients": ["nobody"]}, {"probes": ["nothing"]}):
            self.assertRaises(KeyError, examineServer, URL, reactor=self.net.clock, **names)
        self.assertRaises(KeyError, fakeClient, "nobody", URL, reactor=self.net.clock)
        self.assertRaises(URLError, target, "http://host/", reactor=self.net.clock)
        self.net.server = None
        with self.assertRaises(Unreachable):
            self.result(examineServer(URL, reactor=self.net.clock))

    def test_names(self) -> None:
        """Publishers come first; the names are those of the dialects and the probes."""
        kinds = [dialect.publishes for dialect in DIALECTS.values()]
        self.assertEqual(kinds, sorted(kinds, reverse=True))
        for name, each in (*DIALECTS.items(), *PROBES.items()):
            self.assertEqual(each.name, name)
        for name in testing.__all__:
            self.assertTrue(hasattr(testing, name), name)


class FakeTests(TestingTestCase):
    def test_clientAndPlayer(self) -> None:
        """As in the words above."""

        async def show() -> list[int]:
            player = await fakePlayer(URL, reactor=self.net.clock)
            client = await fakeClient("obs-publish", URL, reactor=self.net.clock)
            assert player is not None
            self.assertTrue(await client.open())
            player.follow(client)
            client.begin()
            client.send(client.footage.frames(50))
            client.leave()
            await player.sees(49, 1.0)
            player.leave()
            self.assertEqual(client.progress.steps[Step.REQUEST], StepState.OK)
            return player.seen

        self.assertEqual(self.net.run(show()), list(range(50)))

    def test_noPlayer(self) -> None:
        network = self.endpoint.network = self.network("c2-tail-dropped")
        self.net = network
        self.assertIsNone(self.result(fakePlayer(URL, reactor=network.clock)))


class TargetTests(TestingTestCase):
    def test_urls(self) -> None:
        clock = Clock()
        self.assertEqual(target(URL, reactor=clock).playURL, URL)
        there = target(str(URL), playURL="rtmp://host/watch/x", patience=1.5, reactor=clock)
        self.assertEqual((there.url, str(there.playURL), there.patience), (URL, "rtmp://host/watch/x", 1.5))
        self.assertIs(there.clock, clock)

    def test_globalReactor(self) -> None:
        from twisted.internet import reactor

        self.assertIs(target(URL).clock, reactor)


class SecureEndpoint:
    """Makes a connection whose TLS is not there yet."""

    def __init__(self) -> None:
        self.contacts: list[Any] = []

    def connect(self, factory: Any) -> Deferred[Any]:
        contact = factory.buildProtocol(None)
        self.contacts.append(contact)
        contact.makeConnection(StringTransport())
        connected: Deferred[Any] = Deferred()
        connected.callback(contact)
        return connected


class TLSTests(TestingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.endpoint = SecureEndpoint()  # type: ignore[assignment]
        self.contact = Deferred.fromCoroutine(target("rtmps://host/live/x", reactor=self.clock, patience=0).contact())
        [self.made] = self.endpoint.contacts  # type: ignore[attr-defined]

    def test_there(self) -> None:
        """A connection is one when TLS is there."""
        self.assertTrue(IHandshakeListener.providedBy(self.made))
        self.assertNoResult(self.contact)
        self.made.handshakeCompleted()
        self.assertIs(self.successResultOf(self.contact), self.made)
        self.assertIsInstance(self.made, Contact)
        self.made.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.made.closed, "closed")

    def test_wrongCertificate(self) -> None:
        """It is told why there is none, as an error of the connection."""
        self.made.connectionLost(Failure(ValueError("the certificate is for somebody else")))
        error = self.failureResultOf(self.contact, Unreachable).value
        self.assertIn("the certificate is for somebody else", str(error))
        self.assertIsInstance(error.__cause__, ConnectError)

    def test_givenUp(self) -> None:
        """TLS that does not come is waited for no longer than any connection."""
        aborted: list[bool] = []
        self.patch(self.made.transport, "abortConnection", lambda: aborted.append(True))
        self.clock.advance(11)
        self.assertIn("there is no connection after 10 s", str(self.failureResultOf(self.contact, Unreachable).value))
        self.assertEqual(aborted, [True])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_reactor(self) -> None:
        """Without TLS the endpoint is that of the URL's host."""
        self.assertIsNotNone(target(URL, reactor=MemoryReactorClock()))
