# -*- test-case-name: tests.brokenservers.test_mediabends -*-
"""
Tests for L{tests.brokenservers.mediabends}.
"""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.message import Message
from tests.brokenservers.mediabends import (
    BEFORE_STOP,
    INTERVAL,
    LOOK_TIME,
    PIECE_TIME,
    PIECES,
    READ_TIME,
    STOPPED,
    PingsPublisher,
    SlowReader,
    SlowReplies,
    StatusToPublisher,
    StopsReading,
    TailDropped,
    UnaskedAcks,
    WaitsForKeyframe,
    WaitsForMetadata,
    _Talkative,
)
from tests.brokenservers.plain import PlainServer
from tests.brokenservers.talk import MEDIA, PREPARE, Client, Server, differing, publish
from tests.session.dialects import audio, command, connect, video


class HeldSocket:
    """As much of a TCP transport's socket as is asked for."""

    def __init__(self, client: Client) -> None:
        near, self.far = socket.socketpair()
        client.transport.getHandle = lambda: near  # type: ignore[attr-defined]
        self.near = near

    def close(self) -> None:
        self.near.close()
        self.far.close()


class SlowReaderTests(SynchronousTestCase):
    def test_pauses(self) -> None:
        """A publisher is not read from for a while after each read; nobody else waits, and nothing is lost."""
        self.assertEqual(differing(SlowReader), [])
        server = Server(SlowReader)
        player = server.player()
        self.assertEqual(player.transport.producerState, "producing")
        client = server.publisher()
        self.assertEqual(client.transport.producerState, "paused")
        server.clock.advance(READ_TIME)
        self.assertEqual(client.transport.producerState, "producing")
        client.send(*MEDIA)
        client.lose()
        server.clock.advance(READ_TIME)
        self.assertEqual(client.transport.producerState, "paused")
        self.assertEqual(len(server.stream().stored), len(MEDIA))


class TalkativeTests(SynchronousTestCase):
    def words(self, server: type[PlainServer]) -> list[str]:
        """What a publisher is told while it sends three and a half intervals of media; nothing is lost of them."""
        stage = Server(server)
        client = stage.publisher()
        media = [video(number, b"\x17\x01\0\0\0" + bytes(INTERVAL // 10 - 5)) for number in range(35)]
        for message in media:
            client.send(message)
        self.assertEqual([m.payload for m in stage.stream().stored], [m.payload for m in media])
        return client.told()

    def test_silence(self) -> None:
        self.assertEqual(self.words(SlowReader), [])

    def test_acks(self) -> None:
        acks = [f"ACKNOWLEDGEMENT {number * INTERVAL}" for number in (1, 2, 3)]
        self.assertEqual(self.words(UnaskedAcks), acks)

    def test_pings(self) -> None:
        self.assertEqual(self.words(PingsPublisher), [f"PING_REQUEST {number * INTERVAL}" for number in (1, 2, 3)])

    def test_statuses(self) -> None:
        self.assertEqual(self.words(StatusToPublisher), ["onStatus@1 NetStream.Data.Start"] * 3)

    def test_beforeMedia(self) -> None:
        """Up to Publish.Start nothing differs."""
        for server in (UnaskedAcks, PingsPublisher, StatusToPublisher):
            self.assertEqual(differing(server), [])
        self.assertRaises(NotImplementedError, _Talkative().word)


class TailDroppedTests(SynchronousTestCase):
    def publisher(self, server: Server) -> tuple[Client, HeldSocket]:
        """Somebody who publishes, with a socket."""
        client = server.connected()
        held = HeldSocket(client)
        self.addCleanup(held.close)
        client.send(*PREPARE, publish())
        return client, held

    def test_whileItSends(self) -> None:
        """As long as there is no FIN, all is read, however long it takes."""
        server = Server(TailDropped)
        client, held = self.publisher(server)
        held.far.send(b"not read yet")
        for _ in range(10):
            server.clock.advance(LOOK_TIME)
            client.send(*MEDIA)
        self.assertFalse(client.transport.disconnected)
        self.assertEqual(len(server.stream().stored), 10 * len(MEDIA))

    def test_fin(self) -> None:
        """When it is there the connection is aborted, with what is still unread before it."""
        server = Server(TailDropped)
        client, held = self.publisher(server)
        client.send(*MEDIA)
        held.far.send(b"not read yet")
        held.far.shutdown(socket.SHUT_WR)
        self.assertNotIn("abortConnection", client.transport.calls)
        server.clock.advance(LOOK_TIME)
        self.assertIn("abortConnection", client.transport.calls)
        self.assertEqual(held.near.recv(100), b"not read yet")
        self.assertEqual(len(server.stream().stored), len(MEDIA))

    def test_withoutSocket(self) -> None:
        """Where there is none, nothing is dropped."""
        server = Server(TailDropped)
        client = server.publisher()
        client.send(*MEDIA)
        server.clock.pump([LOOK_TIME] * 10)
        self.assertNotIn("abortConnection", client.transport.calls)

    def test_lost(self) -> None:
        """Nobody looks any more when the connection is gone."""
        server = Server(TailDropped)
        client, held = self.publisher(server)
        client.lose()
        held.far.shutdown(socket.SHUT_WR)
        server.clock.pump([LOOK_TIME, READ_TIME, LOOK_TIME])
        self.assertNotIn("abortConnection", client.transport.calls)
        self.assertEqual(server.clock.getDelayedCalls(), [])


class StopsReadingTests(SynchronousTestCase):
    def test_once(self) -> None:
        """Behind so many bytes nothing is read for seconds; then everything."""
        self.assertEqual(differing(StopsReading), [])
        server = Server(StopsReading)
        client = server.publisher()
        frame = b"\x17\x01\0\0\0" + bytes(BEFORE_STOP // 2 - 5)
        client.send(video(0, frame))
        self.assertEqual(client.transport.producerState, "producing")
        client.send(video(40, frame))
        self.assertEqual(client.transport.producerState, "paused")
        server.clock.advance(STOPPED - 0.1)
        self.assertEqual(client.transport.producerState, "paused")
        server.clock.advance(0.2)
        self.assertEqual(client.transport.producerState, "producing")
        client.send(video(80, frame), video(120, frame))
        self.assertEqual(client.transport.producerState, "producing")
        self.assertEqual(len(server.stream().stored), 4)

    def test_lost(self) -> None:
        server = Server(StopsReading)
        client = server.publisher()
        client.send(video(0, bytes(BEFORE_STOP)))
        client.lose()
        server.clock.advance(STOPPED)
        self.assertEqual(client.transport.producerState, "paused")


class SlowRepliesTests(SynchronousTestCase):
    def test_pieces(self) -> None:
        """The same bytes as of the sound server, a piece at a time."""
        sound = Server().greeted()
        sound.send(connect())
        server = Server(SlowReplies)
        client = server.greeted()
        client.send(connect())
        pieces = [client.raw()]
        while server.clock.getDelayedCalls():
            server.clock.advance(PIECE_TIME)
            pieces.append(client.raw())
        self.assertEqual(b"".join(pieces), sound.raw())
        self.assertEqual(len(list(filter(None, pieces))), 4 * PIECES)
        self.assertLessEqual(max(map(len, pieces)), -(-(12 + 190) // PIECES))

    def test_inOrder(self) -> None:
        """What is said meanwhile waits its turn, and a refusal is told before the end."""
        server = Server(SlowReplies)
        first, second = server.connected(), server.connected()
        for client in (first, second):
            client.send(*PREPARE, publish())
        self.assertFalse(second.isClosing)
        for _ in range(100):
            server.clock.advance(PIECE_TIME)
        self.assertEqual(first.told()[-1], "onStatus@1 NetStream.Publish.Start")
        self.assertEqual(second.told()[-1], "onStatus@1 NetStream.Publish.BadName")
        self.assertEqual((first.isClosing, second.isClosing), (False, True))

    def test_lost(self) -> None:
        """Nothing is written to who has gone."""
        server = Server(SlowReplies)
        client = server.greeted()
        client.send(connect())
        client.raw()
        client.lose()
        server.clock.advance(PIECE_TIME)
        self.assertEqual(client.raw(), b"")
        self.assertEqual(server.clock.getDelayedCalls(), [])

    def test_player(self) -> None:
        """Media are not held up."""
        server = Server(SlowReplies)
        player = server.connected()
        player.send(command("createStream", 2), command("play", 3, None, "test", id=1))
        server.clock.pump([PIECE_TIME] * 50)
        player.take()
        publisher = server.publisher()
        publisher.send(audio(1), audio(2))
        server.clock.pump([0, 0, 0])
        self.assertEqual(player.told(), ["AUDIO@1 1", "AUDIO@1 2"])


class WaitingTests(SynchronousTestCase):
    def stored(self, server: type[PlainServer], *media: Message) -> list[Message]:
        """What is left of media."""
        self.assertEqual(differing(server), [])
        stage = Server(server)
        stage.publisher().send(*media)
        return stage.stream().stored

    def test_metadata(self) -> None:
        """What comes before metadata is dropped; without them, all is."""
        self.assertEqual(self.stored(WaitsForMetadata, *MEDIA[1:]), [])
        self.assertEqual(len(self.stored(WaitsForMetadata, *MEDIA)), len(MEDIA))
        self.assertEqual([m.timestamp for m in self.stored(WaitsForMetadata, audio(3), MEDIA[0], audio(7))], [0, 7])

    def test_keyframe(self) -> None:
        """Metadata and headers are dropped with the rest."""
        stored = self.stored(WaitsForKeyframe, *MEDIA)
        self.assertEqual([m.payload for m in stored], [m.payload for m in MEDIA[3:]])
        self.assertEqual(self.stored(WaitsForKeyframe, *MEDIA[:3], *MEDIA[4:]), [])
