# -*- test-case-name: tests.brokenservers.test_handshakebends -*-
"""
Tests for L{tests.brokenservers.handshakebends}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.digest import BLOCK_SIZE, SERVER_KEY, findDigest
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ClientHandshake
from tests.brokenservers.handshakebends import READING_PAUSE, C2TailDropped, S1VersionWithoutDigest, S2WaitsForC2
from tests.brokenservers.plain import PlainServer
from tests.brokenservers.talk import Client, Server
from tests.session.dialects import HANDSHAKE, connect

C0C1, C2 = HANDSHAKE[: 1 + BLOCK_SIZE], HANDSHAKE[1 + BLOCK_SIZE :]


class HandshakeBendTests(SynchronousTestCase):
    def goesOn(self, client: Client) -> None:
        """Behind the handshake all is as it should be."""
        client.send(connect())
        self.assertEqual(client.told()[-1], "_result 1")

    def test_s2WaitsForC2(self) -> None:
        """S0 and S1 come at once, S2 behind C2."""
        client = Server(S2WaitsForC2).client()
        client.receive(C0C1, 1000)
        self.assertEqual(len(client.raw()), 1 + BLOCK_SIZE)
        client.receive(C2[:-1])
        self.assertEqual(client.raw(), b"")
        client.receive(C2[-1:])
        self.assertEqual(client.raw(), C0C1[1:])
        self.goesOn(client)

    def test_c2TailDropped(self) -> None:
        """What comes in the same read as the end of C2 is thrown away; what comes later is not."""
        server = Server(C2TailDropped)
        client = server.client()
        client.receive(C0C1)
        self.assertEqual(len(client.raw()), HANDSHAKE_SIZE)
        client.receive(C2 + client.writer.write(connect()))
        self.assertEqual((client.protocol.heard, client.raw()), ([], b""))
        client.writer = type(client.writer)()
        self.goesOn(client)

    def test_c2TailIsWaitedFor(self) -> None:
        """It reads nothing for a while between, so that there is something to throw away."""
        server = Server(C2TailDropped)
        client = server.client()
        client.receive(C0C1)
        self.assertEqual(client.transport.producerState, "paused")
        server.clock.advance(READING_PAUSE)
        self.assertEqual(client.transport.producerState, "producing")
        client.receive(C2, 500)
        self.assertEqual(client.transport.producerState, "producing")

    def test_c2InOneRead(self) -> None:
        """A client that sends all at once is not waited for."""
        client = Server(C2TailDropped).client()
        client.receive(HANDSHAKE)
        self.assertEqual(client.transport.producerState, "producing")

    def test_s1VersionWithoutDigest(self) -> None:
        """S1 has a version, and no digest that is right, whether C1 has one or not; S2 is right."""
        for digest in (False, True):
            versions = []
            for server in (PlainServer, S1VersionWithoutDigest):
                client = Server(server).client()
                handshake = ClientHandshake(digest=digest)
                client.receive(handshake.start())
                reply = client.raw()
                c2, _ = handshake.feed(reply)
                self.assertTrue(handshake.s2Echoes)
                versions.append(handshake.s1Version.hex())
                hasDigest = findDigest(reply[1 : 1 + BLOCK_SIZE], SERVER_KEY) is not None
                self.assertEqual(hasDigest, digest and server is PlainServer)
                client.receive(c2)
                self.goesOn(client)
            self.assertEqual(versions, ["0d0e0a0d" if digest else "00000000", "03000001"])
