# -*- test-case-name: tests.brokenservers.test_main -*-
"""
Tests for L{tests.brokenservers.__main__}.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.brokenservers.__main__ import SOUND, describe, main, serve
from tests.brokenservers.bends import BENDS
from tests.brokenservers.mediabends import SlowReader
from tests.brokenservers.plain import PlainServer
from tests.brokenservers.talk import MEDIA, Server


class MainTests(SynchronousTestCase):
    def test_describe(self) -> None:
        """What was said, when, and what is stored."""
        server = Server()
        publisher = server.publisher()
        publisher.send(*MEDIA)
        publisher.lose()
        state = describe(server.factory)
        self.assertEqual(json.loads(json.dumps(state))["streams"], state["streams"])
        self.assertEqual(state["streams"], {"live/test": {"stored": 6, "video": 3, "audio": 2, "ends": 1}})
        (connection,) = state["connections"]
        words = [line.partition("(")[0] for line in connection["heard"]]
        self.assertEqual(words, ["connect", "releaseStream", "FCPublish", "createStream", "publish"])
        self.assertEqual(connection["times"], [0.0] * 5)
        self.assertEqual(connection["received"], {20: 5, 18: 1, 8: 2, 9: 3})
        self.assertEqual((connection["ended"], connection["problem"], connection["shookHands"]), (0.0, "", True))

    def test_serve(self) -> None:
        """Each has a port, on the loopback only; a label makes another one of the same kind."""
        reactor = MemoryReactorClock()
        ports = serve(reactor, ["plain", "slow-reader", "onstatus-ecma@a", "onstatus-ecma@b"])
        self.assertEqual([*ports], ["plain", "slow-reader", "onstatus-ecma@a", "onstatus-ecma@b", "state"])
        self.assertEqual({interface for _, _, _, interface in reactor.tcpServers}, {"127.0.0.1"})
        servers: list[Any] = reactor.tcpServers[:-1]
        kinds = [type(factory.buildProtocol(None)) for _, factory, *_ in servers]
        ecma = BENDS["onstatus-ecma"].connection
        self.assertEqual(kinds, [PlainServer, SlowReader, ecma, ecma])

    def test_state(self) -> None:
        """Whoever connects to the last port gets everything, and the connection is closed."""
        reactor = MemoryReactorClock()
        serve(reactor, ["plain"])
        servers: list[Any] = reactor.tcpServers
        (_, plain, *_), (_, told, *_) = servers
        plain.buildProtocol(None)
        transport = StringTransport()
        told.buildProtocol(None).makeConnection(transport)
        self.assertEqual(json.loads(transport.value()), {"plain": describe(plain)})
        self.assertTrue(transport.disconnecting)

    def test_main(self) -> None:
        """A line for each; it serves for as long as is said."""
        reactor, output = MemoryReactorClock(), io.StringIO()
        self.patch(sys, "stdout", output)
        done = main(reactor, "--seconds", "5", "plain", "reply-as-amf3")
        self.assertEqual(output.getvalue(), "plain rtmp://127.0.0.1:0\nreply-as-amf3 rtmp://127.0.0.1:0\nstate 0\n")
        self.assertNoResult(done)
        reactor.advance(5)
        self.successResultOf(done)

    def test_all(self) -> None:
        """Without names, all."""
        reactor = MemoryReactorClock()
        self.patch(sys, "stdout", io.StringIO())
        main(reactor)
        self.assertEqual(len(reactor.tcpServers), len(SOUND) + len(BENDS) + 1)

    def test_unknown(self) -> None:
        """A name that is none is refused."""
        reactor, output = MemoryReactorClock(), io.StringIO()
        self.patch(sys, "stderr", output)
        self.assertRaises(SystemExit, main, reactor, "plain", "nonesuch@a")
        self.assertIn("no such server: nonesuch", output.getvalue())
        self.assertEqual(reactor.tcpServers, [])
