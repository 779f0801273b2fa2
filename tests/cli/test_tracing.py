# -*- test-case-name: tests.cli.test_tracing -*-
"""
Tests for L{rtmptw.cli.tracing}: sessions that pass through, and the end of them.
"""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any, cast

from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.capture.saved import readSaved
from rtmptw.cli.tracing import Tracing
from rtmptw.show.line import LineOptions
from rtmptw.show.printer import Form
from rtmptw.show.secrets import Secrets
from rtmptw.trace.segment import Segment, Side

HELLO = b"\3" + bytes(1536)


class Transport(StringTransport):
    """One that can be lost."""

    protocol: Protocol

    def abortConnection(self) -> None:
        self.loseConnection()


class TracingTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.written: list[str] = []
        self.remarks: list[str] = []

    def tracing(self, once: bool = False, save: str = "", write: Any = None, **form: Any) -> Tracing:
        form = {"options": LineOptions(Secrets()), **form}
        tracing = Tracing(self.reactor, Form(**form), write or self.written.append, self.remarks.append, once)
        if save:
            tracing.save(save, "rtmp://host")
        return tracing

    def begin(self, tracing: Tracing) -> Any:
        """
        Listen.

        @return: the factory.
        """
        endpoint = TCP4ServerEndpoint(self.reactor, 1936, interface="127.0.0.1")
        begun = Deferred.fromCoroutine(tracing.begin(endpoint, TCP4ClientEndpoint(self.reactor, "10.0.0.9", 1935)))
        self.assertIsNone(self.successResultOf(begun))
        return self.reactor.tcpServers[-1][1]

    def connect(self, factory: Any) -> tuple[Protocol, Protocol]:
        """
        A client, and the server behind.

        @return: the legs.
        """
        client = factory.buildProtocol(None)
        client.makeConnection(Transport())
        host, port, target = self.reactor.tcpClients[-1][:3]
        self.assertEqual((host, port), ("10.0.0.9", 1935))
        server = target.buildProtocol(None)
        server.makeConnection(Transport())
        return client, server

    def lose(self, *legs: Any) -> None:
        for leg in legs:
            leg.connectionLost(Failure(ConnectionDone()))

    @property
    def text(self) -> str:
        return "".join(self.written)


class SessionTests(TracingTestCase):
    def test_passesOn(self) -> None:
        """It listens where it shall, connects where it shall, and writes what is said."""
        tracing = self.tracing()
        self.assertEqual(tracing.place, "None")
        factory = self.begin(tracing)
        self.assertEqual(self.reactor.tcpServers[-1][0], 1936)
        client, server = self.connect(factory)
        client.dataReceived(HELLO)
        self.assertEqual(cast(StringTransport, server.transport).value(), HELLO)
        self.assertTrue(tracing._output.close(20))
        lines = self.text.splitlines()
        self.assertRegex(lines[0], r"^--- connection 1: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$")
        self.assertIn("C->S  C0: version 3", lines[1])
        self.assertEqual(self.remarks, [])

    def test_places(self) -> None:
        """Where it listens, as one writes it."""

        class Port:
            """Something that listens."""

            def __init__(self, host: object) -> None:
                self.getHost = lambda: host

        class Address:
            """Of TCP."""

            port = 1936

            def __init__(self, host: str) -> None:
                self.host = host

        tracing = self.tracing()
        for host, place in (
            (Address("::1"), "[::1]:1936"),
            (Address("127.0.0.1"), "127.0.0.1:1936"),
            ("a socket", "a socket"),
        ):
            tracing._port = cast(Any, Port(host))
            self.assertEqual(tracing.place, place)

    def test_goesOn(self) -> None:
        """Without once, one session after the other, and nothing of those that are over is kept."""
        tracing = self.tracing()
        factory = self.begin(tracing)
        for number in (1, 2, 3):
            legs = self.connect(factory)
            self.assertEqual(list(tracing._printers), [number])
            self.lose(*legs)
            self.assertEqual(tracing._printers, {})
        self.reactor.advance(1)
        self.assertNoResult(tracing.done)
        self.assertTrue(tracing._output.close(20))
        self.assertIn("#3    0.0000 C->S  closed (FIN)", self.text)

    def test_quiet(self) -> None:
        """Nothing but what is wrong."""
        tracing = self.tracing(quiet=True)
        legs = self.connect(self.begin(tracing))
        self.lose(*legs)
        self.assertTrue(tracing._output.close(20))
        self.assertEqual(self.text, "")

    def test_save(self) -> None:
        directory = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "new")
        tracing = self.tracing(save=directory)
        client, server = self.connect(self.begin(tracing))
        client.dataReceived(HELLO)
        self.lose(client, server)
        trace = readSaved(os.path.join(directory, "1"))
        self.assertEqual((trace.url, trace.segments), ("rtmp://host", [Segment(Side.CLIENT, 0.0, HELLO)]))

    def test_cannotSave(self) -> None:
        """That is said; the session goes on, and so does its trace."""
        directory = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "new")
        with open(directory, "w"):
            pass
        tracing = self.tracing(save=directory)
        client, server = self.connect(self.begin(tracing))
        client.dataReceived(HELLO)
        self.assertEqual(cast(StringTransport, server.transport).value(), HELLO)
        [remark] = self.remarks
        self.assertIn("connection 1 is not saved: ", remark)
        self.assertTrue(tracing._output.close(20))
        self.assertIn("C0: version 3", self.text)

    def test_nobodyReads(self) -> None:
        """That is said, too."""
        for error, words in (
            (BrokenPipeError(32, "x"), "nobody reads it any more"),
            (OSError(28, "No space"), "No space"),
        ):
            self.remarks.clear()

            def write(text: str, error: OSError = error) -> None:
                raise error

            tracing = self.tracing(write=write)
            client, server = self.connect(self.begin(tracing))
            client.dataReceived(HELLO)
            self.assertEqual(cast(StringTransport, server.transport).value(), HELLO)
            self.assertTrue(tracing._output.close(20))
            [remark] = self.remarks
            self.assertIn(words, remark)
            self.assertIn("; the sessions go on", remark)

    def test_leftOut(self) -> None:
        """What stands for lines that are too many."""
        words = "1,234 lines are left out here: whoever reads this is too slow"
        self.assertEqual(self.tracing()._leftOut(1234), f"--- {words}")
        note = {"kind": "note", "connection": 0, "words": words}
        self.assertEqual(json.loads(self.tracing(json=True)._leftOut(1234)), note)


class EndTests(TracingTestCase):
    def test_once(self) -> None:
        """The second client is not let in; it is over when both connections are gone, not when all is said."""
        tracing = self.tracing(once=True)
        factory = self.begin(tracing)
        stopped: list[None] = []
        self.patch(tracing._port, "stopListening", lambda: stopped.append(None))
        client, server = cast(tuple[Any, Any], self.connect(factory))
        self.assertEqual(stopped, [None])
        client.readConnectionLost()
        server.readConnectionLost()
        self.reactor.advance(0.1)
        self.assertNoResult(tracing.done)
        self.lose(client)
        self.assertNoResult(tracing.done)
        self.lose(server)
        self.assertIsNone(self.successResultOf(tracing.done))
        self.assertIn("S->C  closed (FIN)", self.text)

    def test_onceWithoutServer(self) -> None:
        """The server is not there: that is the end, too."""

        class Nowhere(HostnameEndpoint):
            def __init__(self) -> None:
                pass

            def connect(self, protocolFactory: object) -> Deferred[Any]:
                return fail(ConnectionRefusedError("no route"))

        tracing = self.tracing(once=True)
        endpoint = TCP4ServerEndpoint(self.reactor, 1936, interface="127.0.0.1")
        self.successResultOf(Deferred.fromCoroutine(tracing.begin(endpoint, Nowhere())))
        client = self.reactor.tcpServers[-1][1].buildProtocol(None)
        client.makeConnection(Transport())
        self.assertNoResult(tracing.done)
        self.lose(client)
        self.assertIsNone(self.successResultOf(tracing.done))
        self.assertIn("--- there is no connection to the server: ", self.text)

    def test_interrupted(self) -> None:
        """Ctrl-C: what was half said is told, and everything is written before the reactor stops."""
        tracing = self.tracing()
        client, server = self.connect(self.begin(tracing))
        client.dataReceived(HELLO + bytes(5))
        [trigger] = self.reactor.triggers["before"]["shutdown"]
        self.assertIsNone(trigger[0](*trigger[1], **trigger[2]))
        self.assertIsNone(self.successResultOf(tracing.done))
        self.assertIn("C->S  interrupted; left over: C2: 5 of 1,536 bytes", self.text)
        text = self.text
        # The reactor closes the connections then.
        self.lose(client, server)
        self.assertEqual(self.text, text)
        self.reactor.advance(10)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
