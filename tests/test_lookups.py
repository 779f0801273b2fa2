# -*- test-case-name: tests.test_lookups -*-
"""
Tests for L{rtmptw.lookups}.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from rtmptw.lookups import KEPT_SECONDS, LOOKUP_SECONDS, MAX_KEPT, THREADS, Lookups, installLookups

NAME = "media.example"
FOUR = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))
SIX = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 7))
FOUR_ADDRESS = IPv4Address("TCP", "192.0.2.1", 1935)
SIX_ADDRESS = IPv6Address("TCP", "2001:db8::1", 1935, 0, 7)

UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
AWAY = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


@implementer(IResolutionReceiver)
class Receiver:
    """
    Somebody who waits.

    @ivar found: the addresses.
    @ivar calls: what it was told, in order: C{"began"}, C{"address"}, C{"complete"}.
    """

    def __init__(self, done: Callable[[], object] = lambda: None) -> None:
        self.found: list[IAddress] = []
        self.calls: list[str] = []
        self.resolution: IHostResolution | None = None
        self._done = done

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        self.resolution = resolution
        self.calls.append("began")

    def addressResolved(self, address: IAddress) -> None:
        self.found.append(address)
        self.calls.append("address")

    def resolutionComplete(self) -> None:
        self.calls.append("complete")
        self._done()


class LookupsTests(SynchronousTestCase):
    """Without threads: what is asked of the system is answered when a test says so."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.asked: list[tuple[Any, ...]] = []
        self.answers: list[Deferred[Any]] = []
        self.lookups = Lookups(self.clock, self.run_, self.ask)
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)

    def ask(self, *question: Any) -> Any:
        self.asked.append(question)

    def run_(self, function: Callable[[], Any]) -> Deferred[Any]:
        """A thread that takes its time."""
        function()
        self.answers.append(Deferred())
        return self.answers[-1]

    def lookUp(self, name: str = NAME, **options: Any) -> Receiver:
        """Somebody wants to know."""
        receiver = Receiver()
        resolution = self.lookups.resolveHostName(receiver, name, 1935, **options)
        self.assertIs(resolution, receiver.resolution)
        self.assertEqual(resolution.name, name)
        return receiver

    def assertFound(self, receiver: Receiver, *addresses: IAddress) -> None:
        """It was told so, once."""
        self.assertEqual(receiver.found, list(addresses))
        self.assertEqual(receiver.calls, ["began", *["address"] * len(addresses), "complete"])

    def assertWaits(self, receiver: Receiver) -> None:
        self.assertEqual(receiver.calls, ["began"])

    def known(self) -> None:
        """The name has been looked up before."""
        self.lookUp()
        self.answers.pop().callback([FOUR])
        self.asked.clear()

    def test_interfaces(self) -> None:
        self.assertTrue(verifyObject(IHostnameResolver, self.lookups))
        self.assertTrue(verifyObject(IHostResolution, self.lookUp().resolution))

    def test_found(self) -> None:
        """All addresses, with the port; what is neither IPv4 nor IPv6 is left out."""
        receiver = self.lookUp()
        self.assertWaits(receiver)
        self.assertEqual(self.asked, [(NAME, 0, socket.AF_UNSPEC, socket.SOCK_STREAM)])
        self.answers[0].callback([SIX, (socket.AF_UNIX, 0, 0, "", "/x"), FOUR])
        self.assertFound(receiver, SIX_ADDRESS, FOUR_ADDRESS)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_kinds(self) -> None:
        """Only IPv4, only IPv6, for UDP: other questions."""
        receivers = [
            self.lookUp(addressTypes=[IPv4Address]),
            self.lookUp(addressTypes=[IPv6Address]),
            self.lookUp(addressTypes=[IPv4Address, IPv6Address]),
            self.lookUp(transportSemantics="UDP"),
        ]
        self.assertEqual(
            self.asked,
            [
                (NAME, 0, socket.AF_INET, socket.SOCK_STREAM),
                (NAME, 0, socket.AF_INET6, socket.SOCK_STREAM),
                (NAME, 0, socket.AF_UNSPEC, socket.SOCK_STREAM),
                (NAME, 0, socket.AF_UNSPEC, socket.SOCK_DGRAM),
            ],
        )
        self.answers[3].callback([FOUR])
        self.assertFound(receivers[3], IPv4Address("UDP", "192.0.2.1", 1935))

    def test_literals(self) -> None:
        """An address is one, and needs no thread, even if all are busy."""
        self.assertFound(self.lookUp("192.0.2.1"), FOUR_ADDRESS)
        self.assertFound(self.lookUp("2001:db8::1"), IPv6Address("TCP", "2001:db8::1", 1935))
        self.assertFound(self.lookUp("192.0.2.1", addressTypes=[IPv4Address]), FOUR_ADDRESS)
        self.assertFound(self.lookUp("192.0.2.1", addressTypes=[IPv6Address]))
        self.assertEqual((self.asked, self.clock.getDelayedCalls()), ([], []))

    def test_onceAtATime(self) -> None:
        """However many wait for a name, it is looked up once."""
        receivers = [self.lookUp() for _ in range(1000)]
        self.assertEqual(len(self.asked), 1)
        self.answers[0].callback([FOUR])
        for receiver in receivers:
            self.assertFound(receiver, FOUR_ADDRESS)
        self.lookUp()
        self.assertEqual(len(self.asked), 2)

    def test_unknown(self) -> None:
        """No such name, by any of the ways to say it: no address, and no line in the log."""
        for error in (UNKNOWN, socket.gaierror(socket.EAI_NODATA, "no address"), UnicodeError("label too long"), AWAY):
            receiver = self.lookUp()
            self.answers.pop().errback(error)
            self.assertFound(receiver)
        self.assertEqual((list(self.log), self.clock.getDelayedCalls()), ([], []))

    def test_slow(self) -> None:
        """Nobody waits longer than three seconds, wherever the system is."""
        receiver = self.lookUp()
        self.clock.advance(LOOKUP_SECONDS - 1)
        late = self.lookUp()
        self.assertWaits(receiver)
        self.clock.advance(1)
        self.assertFound(receiver)
        self.assertFound(late)

    def test_slowAgain(self) -> None:
        """As long as the system is at it, it is not asked again: so silent name servers fill no queue."""
        for _ in range(100):
            receiver = self.lookUp()
            self.clock.advance(LOOKUP_SECONDS)
            self.assertFound(receiver)
        self.assertEqual((len(self.asked), self.clock.getDelayedCalls()), (1, []))
        receiver = self.lookUp()
        self.answers[0].callback([FOUR])
        self.assertFound(receiver, FOUR_ADDRESS)
        self.lookUp()
        self.assertEqual(len(self.asked), 2)

    def test_lateAnswer(self) -> None:
        """What came too late counts the next time that the name servers are silent."""
        self.lookUp()
        self.clock.advance(LOOKUP_SECONDS)
        self.answers[0].callback([FOUR])
        receiver = self.lookUp()
        self.clock.advance(LOOKUP_SECONDS)
        self.assertFound(receiver, FOUR_ADDRESS)

    def test_kept(self) -> None:
        """Name servers that are away or silent: the answer before counts, for some time; and the log says so."""
        self.known()
        receiver = self.lookUp()
        self.answers.pop().errback(AWAY)
        self.assertFound(receiver, FOUR_ADDRESS)
        self.clock.advance(KEPT_SECONDS - LOOKUP_SECONDS)
        receiver = self.lookUp()
        self.clock.advance(LOOKUP_SECONDS)
        self.assertFound(receiver, FOUR_ADDRESS)
        self.assertEqual([round(event["age"]) for event in self.log], [0, 3600])
        receiver = self.lookUp()
        self.clock.advance(LOOKUP_SECONDS)
        self.assertFound(receiver)

    def test_newAnswer(self) -> None:
        """The newest answer is the one that counts."""
        self.known()
        self.lookUp()
        self.answers.pop().callback([SIX])
        receiver = self.lookUp()
        self.answers.pop().errback(AWAY)
        self.assertFound(receiver, SIX_ADDRESS)

    def test_unknownNow(self) -> None:
        """A name that is gone is gone."""
        self.known()
        for error in (UNKNOWN, AWAY):
            receiver = self.lookUp()
            self.answers.pop().errback(error)
            self.assertFound(receiver)

    def test_keepsOnlySome(self) -> None:
        """The answer that was not renewed for the longest time is forgotten."""
        for number in range(MAX_KEPT + 1):
            self.lookUp(f"host{number}.example")
            self.answers.pop().callback([FOUR])
            if number == MAX_KEPT // 2:
                self.lookUp("host0.example")
                self.answers.pop().callback([FOUR])
        for number, kept in ((0, [FOUR_ADDRESS]), (1, []), (2, [FOUR_ADDRESS]), (MAX_KEPT, [FOUR_ADDRESS])):
            receiver = self.lookUp(f"host{number}.example")
            self.answers.pop().errback(AWAY)
            self.assertFound(receiver, *kept)

    def test_broken(self) -> None:
        """What can't be is logged, and nobody waits for it."""
        receiver = self.lookUp()
        self.answers.pop().errback(Failure(ZeroDivisionError("oops")))
        self.assertFound(receiver)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_cancel(self) -> None:
        """Who does not want it any more is told the end, and nothing else later; the others are."""
        receiver, other = self.lookUp(), self.lookUp()
        assert receiver.resolution is not None
        receiver.resolution.cancel()
        self.assertFound(receiver)
        self.answers[0].callback([FOUR])
        self.assertFound(receiver)
        self.assertFound(other, FOUR_ADDRESS)


class InstallTests(TestCase):
    """In the reactor, with threads."""

    def setUp(self) -> None:
        plug: Any = IReactorPluggableNameResolver(reactor)
        before = plug.nameResolver
        self.lookups = installLookups(reactor)
        self.assertIs(plug.nameResolver, self.lookups)
        self.addCleanup(plug.installNameResolver, before)

    async def lookUp(self, name: str) -> Receiver:
        """Look up a name."""
        done: Deferred[None] = Deferred()
        receiver = Receiver(lambda: done.callback(None))
        self.lookups.resolveHostName(receiver, name, 1935)
        await done
        return receiver

    async def test_localhost(self) -> None:
        """The system is asked."""
        [first, *_] = (await self.lookUp("localhost")).found
        self.assertIn(getattr(first, "host", ""), ("127.0.0.1", "::1"))

    async def test_threads(self) -> None:
        """As many threads as are to be, none of which keeps the process alive; who comes then has to wait."""
        names: list[str] = []
        daemons: list[bool] = []
        go = threading.Event()
        self.addCleanup(go.set)

        def ask(name: str, *rest: object) -> list[Any]:
            names.append(name)
            daemons.append(threading.current_thread().daemon)
            go.wait(20)
            return [FOUR]

        self.lookups._getaddrinfo = ask
        waiting = [Deferred.fromCoroutine(self.lookUp(f"host{number}.example")) for number in range(THREADS + 3)]
        clock: Any = reactor
        while len(names) < THREADS:
            pause: Deferred[None] = Deferred()
            clock.callLater(0.01, pause.callback, None)
            await pause
        self.assertEqual(len(names), THREADS)
        go.set()
        for each in waiting:
            self.assertEqual((await each).found, [FOUR_ADDRESS])
        self.assertEqual((len(names), daemons), (THREADS + 3, [True] * (THREADS + 3)))
