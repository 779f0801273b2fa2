# -*- test-case-name: tests.hostile.test_crowds -*-
"""
Everybody at once: row F17.
"""

from __future__ import annotations

import time
from random import Random

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from tests.session.dialects import HANDSHAKE, Client, Stage, TCPTransport, audio, command, connect, video

#: How many come, and how long all of them may take, seconds of the processor.
PUBLISHERS, PLAYERS = 250, 250
PATIENCE = 5.0


class RestartTests(SynchronousTestCase):
    """A server has been started again, and all come back in the same second."""

    def test_F17_all(self) -> None:
        """
        500 clients at once, from as many addresses, publishers and players in any order, each a step at a time: all are
        let in, and every player sees every publisher's first frame.
        """
        random = Random(17)
        stage = Stage(self)
        began = time.process_time()
        crowd = [("publish", number) for number in range(PUBLISHERS)] + [("play", n) for n in range(PLAYERS)]
        random.shuffle(crowd)
        clients: dict[tuple[str, int], Client] = {}
        for who in crowd:
            transport = TCPTransport()
            # A StringTransport has no other way to be told.
            transport.peerAddr = IPv4Address("TCP", f"10.0.{len(clients) // 250}.{len(clients) % 250}", 50000)
            clients[who] = Client(stage, transport)
        for step in range(4):
            random.shuffle(crowd)
            for what, number in crowd:
                client = clients[what, number]
                if step == 0:
                    client.receive(HANDSHAKE)
                    client.transport.clear()
                elif step == 1:
                    client.send(connect())
                elif step == 2:
                    client.send(command("createStream", 2))
                else:
                    client.send(command(what, 3, None, f"stream{number % PUBLISHERS}", id=1))
        for number in range(PUBLISHERS):
            publisher = clients["publish", number]
            self.assertEqual(publisher.told()[-1], "onStatus@1 NetStream.Publish.Start")
            publisher.send(video(0, b"\x17\x00\0\0\0avcC"), video(0), audio(1))
        stage.pass_(1)
        for number in range(PLAYERS):
            self.assertEqual(clients["play", number].told()[-2:], ["VIDEO@1 0", "AUDIO@1 1"])
        self.assertLess(time.process_time() - began, PATIENCE)
        self.assertEqual([client.closing for client in clients.values()], [False] * (PUBLISHERS + PLAYERS))
        self.assertEqual(stage.lines(), [])
        for client in clients.values():
            client.lose()
        stage.clock.advance(1)
        self.assertEqual((list(stage.factory.hub), stage.clock.getDelayedCalls()), ([], []))
