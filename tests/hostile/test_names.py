# -*- test-case-name: tests.hostile.test_names -*-
"""
Name servers that are hostile, slow or away, and a disk that takes all the threads: rows D20, F14, F24.
"""

from __future__ import annotations

import socket
import threading
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorPluggableNameResolver, IReactorThreads
from twisted.internet.task import deferLater
from twisted.internet.testing import EventLoggingObserver, MemoryReactorClock
from twisted.internet.threads import deferToThreadPool
from twisted.logger import eventAsText, globalLogPublisher
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

import rtmptw
from rtmptw.client import connect
from rtmptw.lookups import LOOKUP_SECONDS, Lookups, installLookups
from rtmptw.relay.pull import Pull
from rtmptw.server import RTMPServerFactory
from rtmptw.tap import WRITERS
from rtmptw.tls.certificatefiles import PEMDirectory
from rtmptw.tls.servercertificates import LOOK_SECONDS, ServerCertificates
from tests.live.doubles import atOnce
from tests.test_lookups import AWAY, UNKNOWN, Receiver
from tests.tls.authority import DAY, NOW, Authority
from tests.tls.directory import Directory
from tests.tls.handshake import shakeHands


@implementer(IReactorPluggableNameResolver)
class Reactor(MemoryReactorClock):
    """
    A reactor without sockets, threads or time, whose names are looked up in our way.

    @ivar asked: what the system was asked and has not answered yet.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Deferred[Any]] = []
        self.nameResolver = Lookups(self, self._later)

    def _later(self, function: object) -> Deferred[Any]:
        self.asked.append(Deferred())
        return self.asked[-1]

    def installNameResolver(self, resolver: Any) -> Any:
        """There is one already."""
        raise NotImplementedError


class RelayTests(SynchronousTestCase):
    """A pull whose source has a name, and what becomes of that."""

    def setUp(self) -> None:
        self.reactor = Reactor()
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        factory = RTMPServerFactory(None, atOnce(self.reactor), self.reactor)
        self.pull = Pull(factory.hub, factory.identity, self.reactor, partial(connect, reactor=self.reactor))
        self.addCleanup(self.pull.finish)

    def start(self, url: str = "rtmp://origin.example/live/camera") -> None:
        self.pull.add("live/camera", url, always=True)

    def lines(self) -> list[str]:
        """Why it did not succeed, each time."""
        texts = [eventAsText(event, includeTimestamp=False) for event in self.log]
        return [text for text in texts if "again in" in text]

    def assertConnects(self, host: str) -> None:
        """It wants to go there, and nowhere else."""
        self.assertEqual([connector[:2] for connector in self.reactor.tcpClients], [(host, 1935)])

    def test_F14_silent(self) -> None:
        """Name servers that do not answer: each try ends after three seconds, and says so; the system is asked once."""
        self.start()
        self.reactor.pump([0.1] * 29)
        self.assertEqual(self.lines(), [])
        self.reactor.pump([0.1] * 2)
        [line] = self.lines()
        self.assertIn("DNS lookup failed", line)
        self.reactor.pump([0.1] * 300)
        self.assertGreater(len(self.lines()), 5)
        self.assertEqual((len(self.reactor.asked), self.reactor.tcpClients), (1, []))

    def test_F14_away(self) -> None:
        """Those that answer with an error: at once."""
        for error in (AWAY, UNKNOWN):
            self.start()
            self.reactor.asked[-1].errback(error)
            self.assertIn("DNS lookup failed", self.lines()[-1])
        self.assertEqual(self.reactor.tcpClients, [])

    def test_F14_lastAnswer(self) -> None:
        """A source that was there before is still found where it was."""
        receiver = Receiver()
        self.reactor.nameResolver.resolveHostName(receiver, "origin.example")
        self.reactor.asked.pop().callback([(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))])
        self.start()
        self.reactor.pump([0.1] * int(LOOKUP_SECONDS * 10 + 1))
        self.assertConnects("192.0.2.1")

    def test_F14_address(self) -> None:
        """An address needs nobody."""
        self.start("rtmp://192.0.2.7/live/camera")
        self.assertConnects("192.0.2.7")
        self.assertEqual(self.reactor.asked, [])

    def test_F14_stop(self) -> None:
        """A relay that is not wanted any more does not wait for the end of its lookup."""
        self.start()
        self.successResultOf(self.pull.finish())
        self.reactor.advance(LOOKUP_SECONDS)
        self.assertEqual((self.reactor.tcpClients, self.reactor.getDelayedCalls()), ([], []))

    def test_D20_strangeAnswers(self) -> None:
        """What the system says is no more than addresses; anything else among them is passed over."""
        self.start()
        strange = [(family, socket.SOCK_STREAM, 6, "name", ("x", 0)) for family in (socket.AF_UNIX, 0, 99)]
        self.reactor.asked[0].callback(strange * 1000)
        self.assertIn("DNS lookup failed", self.lines()[0])
        self.assertEqual(self.reactor.tcpClients, [])

    def test_D20_system(self) -> None:
        """Answers of name servers are the system's to read: nothing here, and nothing that is used, does."""
        for path in Path(rtmptw.__file__).parent.rglob("*.py"):
            text = path.read_text()
            self.assertEqual([name for name in ("twisted.names", "import dns", "from dns") if name in text], [], path)


class ThreadTests(TestCase):
    """A disk that does not answer has all the threads that are for it: who waits for something else does not wait."""

    def setUp(self) -> None:
        self.clock: Any = reactor
        plug: Any = IReactorPluggableNameResolver(reactor)
        self.addCleanup(plug.installNameResolver, plug.nameResolver)
        self.lookups = installLookups(reactor)
        self.disk = threading.Event()
        self.waiting: list[Deferred[Any]] = []

    async def block(self, pool: ThreadPool, count: int) -> None:
        """So many writes do not come back."""
        began: list[None] = []

        def write() -> None:
            began.append(None)
            self.disk.wait(30)

        self.waiting += [deferToThreadPool(self.clock, pool, write) for _ in range(2 * count)]
        while len(began) < count:
            await deferLater(self.clock, 0.01)

    async def release(self) -> None:
        """The disk is back."""
        self.disk.set()
        for waiting in self.waiting:
            await waiting

    async def check(self, pool: ThreadPool, count: int) -> None:
        """With this pool full, a name is found at once, and a new certificate is used."""
        authority = Authority()
        one, two = (authority.certify("a.example", notBefore=0, notAfter=NOW + 3650 * DAY) for _ in range(2))
        files = Directory(self)  # type: ignore[arg-type]
        files.write(a=one.keyPEM + one.pem)
        now = 0.0
        server = ServerCertificates(PEMDirectory(files.path), lambda: now, lambda: NOW)
        await self.block(pool, count)
        try:
            done: Deferred[None] = Deferred()
            self.lookups.resolveHostName(Receiver(lambda: done.callback(None)), "localhost")
            await done.addTimeout(LOOKUP_SECONDS, self.clock)
            files.write(a=two.keyPEM + two.pem)
            now += LOOK_SECONDS
            self.assertEqual(shakeHands(server).serial, two.serial)
        finally:
            await self.release()

    async def test_F24_writers(self) -> None:
        """The threads of the recorder."""
        pool = ThreadPool(0, WRITERS, "recorder")
        pool.start()
        self.addCleanup(pool.stop)
        await self.check(pool, WRITERS)

    async def test_F24_reactor(self) -> None:
        """The reactor's own, which applications use."""
        pool: Any = IReactorThreads(reactor).getThreadPool()  # type: ignore[attr-defined]
        await self.check(pool, pool.max)
