# -*- test-case-name: tests.brokenservers.test_plain -*-
"""
Tests for L{tests.brokenservers.plain}: the server without a mistake.
"""

from __future__ import annotations

import hashlib
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ClientHandshake
from rtmptw.wire.message import Message
from tests.brokenservers.plainstream import forPlayers
from tests.brokenservers.talk import MEDIA, PREPARE, Server, publish
from tests.session.dialects import HANDSHAKE, audio, command, connect, data, told, video
from tests.wire.test_captures import ORACLE, SEGMENT, capture

CONNECTED = [
    "WINDOW_ACKNOWLEDGEMENT_SIZE 2500000",
    "SET_PEER_BANDWIDTH 2500000",
    "SET_CHUNK_SIZE 4096",
    "_result 1",
]
STARTED = ["STREAM_BEGIN 1", "onStatus@1 NetStream.Publish.Start"]
PLAYING = ["STREAM_BEGIN 1", "onStatus@1 NetStream.Play.Start"]
ENDED = ["onStatus@1 NetStream.Play.UnpublishNotify", "STREAM_EOF 1"]


class CaptureTests(SynchronousTestCase):
    """What real clients have sent goes through, however it is cut."""

    def check(self, name: str, path: str, *sizes: int) -> None:
        """A publisher."""
        _size, _messages, commands, *counts, _bytes, _times, digest, chunkSize = ORACLE[f"{name}.c2s"]
        for size in sizes:
            server = Server()
            client = server.client()
            client.receive(capture(f"{name}.c2s"), size)
            client.lose()
            stream, connection = server.stream(path), client.protocol
            media = [message for message in stream.stored if message.type in (8, 9)]
            found = hashlib.sha256(b"".join(message.payload for message in media)).hexdigest()
            self.assertEqual([str(connection.received[type]) for type in (18, 8, 9)], counts)
            self.assertEqual(len(stream.stored), sum(map(int, counts)))
            self.assertEqual((str(len(connection.heard)), str(connection.reader.chunkSize)), (commands, chunkSize))
            self.assertEqual(found[:12], digest)
            self.assertEqual((connection.problem, stream.ends, stream.publisher), ("", 1, None))
            replies = client.raw()[HANDSHAKE_SIZE:]
            self.assertEqual([told(message) for message in client.reader.feed(replies)][-2:], STARTED)

    def test_ffmpeg5(self) -> None:
        self.check("ffmpeg5-publish", "live/test", 1, SEGMENT, 1 << 30)

    def test_ffmpeg9Multitrack(self) -> None:
        self.check("ffmpeg9-publish-multitrack", "live/mt", SEGMENT)

    def test_librtmp(self) -> None:
        self.check("gst122-rtmpsink-librtmp-publish", "live/g1", 7, SEGMENT)

    def test_rtmp2sink(self) -> None:
        self.check("gst122-rtmp2sink-publish", "live/g2", 7, SEGMENT)

    def test_relay(self) -> None:
        self.check("nginxrtmp-relay-push", "live/relayed", SEGMENT)

    def test_players(self) -> None:
        """What players say is answered, and brings them the stream."""
        for name in ("ffmpeg5-play", "rtmpdump24-play-live", "rtmpdump24-play-any", "gst122-rtmp2src-play"):
            server = Server()
            client = server.client()
            client.receive(capture(f"{name}.c2s"), SEGMENT)
            replies = [told(message) for message in client.reader.feed(client.raw()[HANDSHAKE_SIZE:])]
            self.assertEqual(replies[:4], CONNECTED, name)
            self.assertEqual(replies[-2:], PLAYING, name)
            hasGone = client.protocol.heard[-1].name == "deleteStream"
            self.assertEqual(server.stream("live/p1").players, [] if hasGone else [client.protocol], name)


class ConversationTests(SynchronousTestCase):
    """What is answered to what."""

    def test_handshake(self) -> None:
        """S0, S1 and S2 leave at once, and nothing waits for more."""
        client = Server().client()
        client.receive(HANDSHAKE[:1537], 100)
        self.assertEqual(len(client.raw()), HANDSHAKE_SIZE)
        self.assertTrue(client.transport.getTcpNoDelay())

    def test_otherTransports(self) -> None:
        """They have no such delay."""
        transport = StringTransport()
        connection = Server().factory.buildProtocol(None)
        connection.makeConnection(transport)
        connection.dataReceived(HANDSHAKE)
        self.assertEqual(len(transport.value()), HANDSHAKE_SIZE)

    def test_publisher(self) -> None:
        """A burst is answered with one write, and all in order."""
        server = Server()
        client = server.greeted()
        client.send(connect())
        self.assertEqual(client.told(), CONNECTED)
        client.transport.calls.clear()
        client.send(*PREPARE)
        self.assertEqual(client.transport.calls, ["write"])
        self.assertEqual(client.told(), ["_result 2", "_result 3", "_result 4"])
        client.send(publish())
        self.assertEqual(client.told(), STARTED)
        client.send(*MEDIA, command("_checkbw", 7), command("FCUnpublish", 8, None, "test"))
        self.assertEqual(client.raw(), b"")
        self.assertEqual([m.payload for m in server.stream().stored], [m.payload for m in MEDIA])

    def test_theyesToConnect(self) -> None:
        """It has the transaction ID that came, 190 bytes, and an object with the code."""
        client = Server().greeted()
        client.send(connect(transactionId=2.5))
        result = client.take()[-1]
        values: list[Any] = amf0.decode(result.payload)
        name, number, server, information = values
        self.assertEqual((result.type, len(result.payload), name, number), (20, 190, "_result", 2.5))
        self.assertEqual(server["capabilities"], 31.0)
        self.assertEqual(information["code"], "NetConnection.Connect.Success")

    def test_otherCalls(self) -> None:
        """They get null and undefined; what has transaction ID 0 gets nothing."""
        client = Server().connected()
        client.send(command("_checkbw", 9), command("releaseStream", 0, None, "test"))
        (result,) = client.take()
        self.assertEqual(amf0.decode(result.payload), ["_result", 9.0, None, UNDEFINED])

    def test_getStreamLength(self) -> None:
        """It is 0."""
        client = Server().connected()
        client.send(command("getStreamLength", 3, None, "test"))
        self.assertEqual([amf0.decode(message.payload) for message in client.take()], [["_result", 3.0, None, 0.0]])

    def test_moreStreams(self) -> None:
        """Message streams are numbered from 1 on."""
        client = Server().connected()
        client.send(command("createStream", 2), command("createStream", 3))
        self.assertEqual([Command.decode(message).arguments for message in client.take()], [(1.0,), (2.0,)])

    def test_ping(self) -> None:
        """It is answered with its own number; other events, and half ones, are passed over."""
        client = Server().connected()
        client.send(
            UserControl(UserControlType.PING_REQUEST, 77).encode(),
            UserControl(UserControlType.SET_BUFFER_LENGTH, 0, 300).encode(),
            Message(4, 0, 0, b"\0", 2),
        )
        self.assertEqual(client.told(), ["PING_RESPONSE 77"])

    def test_oddWords(self) -> None:
        """A connect without an object, a publish without a name, commands that are none: nothing dies of it."""
        server = Server()
        client = server.greeted()
        client.send(command("connect", 1, None), command("publish", 2, None, None), Message(20, 0, 0, b"\2", 3))
        self.assertEqual(client.told(), [*CONNECTED, *STARTED])
        self.assertEqual([each.name for each in client.protocol.heard], ["connect", "publish"])
        self.assertIs(server.stream("").publisher, client.protocol)

    def test_queries(self) -> None:
        """They are no part of a name."""
        server = Server()
        client = server.greeted()
        client.send(connect("live?a=b"), command("createStream", 2), publish(name="test?token=x"))
        self.assertIs(server.stream("live/test").publisher, client.protocol)

    def test_times(self) -> None:
        """It is known when something was said, and when a connection began and ended."""
        server = Server()
        server.clock.advance(3)
        client = server.connected()
        server.clock.advance(2)
        client.lose()
        connection = client.protocol
        self.assertEqual((connection.began, connection.times, connection.ended), (3, [3], 5))

    def test_broken(self) -> None:
        """What can't be read ends the connection, behind what was read before; nothing is read afterwards."""
        server = Server()
        client = server.publisher()
        client.send(*MEDIA)
        client.receive(b"\xdf\0\0")
        self.assertIn("chunk stream 31", client.protocol.problem)
        self.assertTrue(client.isClosing)
        self.assertEqual(len(server.stream().stored), len(MEDIA))
        client.send(*MEDIA)
        self.assertEqual(len(server.stream().stored), len(MEDIA))

    def test_notRTMP(self) -> None:
        client = Server().client()
        client.receive(b"GET / HTTP/1.1\r\n\r\n")
        self.assertIn("HTTP", client.protocol.problem)
        self.assertTrue(client.isClosing)

    def test_realHandshake(self) -> None:
        """Our own client's, with a digest; what stands behind C2 is read."""
        client = Server().client()
        handshake = ClientHandshake(digest=True)
        client.receive(handshake.start())
        c2, rest = handshake.feed(client.raw())
        self.assertEqual((rest, handshake.s2Echoes), (b"", True))
        client.receive(c2 + client.writer.write(connect()))
        self.assertEqual(client.told(), CONNECTED)


class EndTests(SynchronousTestCase):
    """A publish ends once, in whatever way, and all that came before it is there."""

    def test_everyWay(self) -> None:
        ways = {
            "FCUnpublish": command("FCUnpublish", 6, None, "test"),
            "deleteStream": command("deleteStream", 7, None, 1),
            "deleteStream with a name": command("deleteStream", 0, None, "test"),
            "closeStream": command("closeStream", 0, id=1),
            "publish(false)": command("publish", 0, None, False, id=1),
        }
        for name, message in ways.items():
            server = Server()
            player, client = server.player(), server.publisher()
            client.send(*MEDIA, message, video(80))
            heard = player.told()
            self.assertEqual(heard[-2:], ENDED, name)
            self.assertEqual(len(heard), len(MEDIA) + 2, name)
            self.assertTrue(player.isClosing, name)
            self.assertEqual(len(server.stream().stored), len(MEDIA), name)
            client.lose()
            self.assertEqual(server.stream().ends, 1, name)

    def test_lost(self) -> None:
        server = Server()
        player, client = server.player(), server.publisher()
        client.send(*MEDIA)
        client.lose()
        self.assertEqual(player.told()[-2:], ENDED)

    def test_again(self) -> None:
        """The name is free afterwards, and nothing is left of what was published before."""
        server = Server()
        first = server.publisher()
        first.send(*MEDIA)
        first.lose()
        second, player = server.publisher(), server.player()
        second.send(audio(5))
        self.assertEqual(player.told(), ["AUDIO@1 5"])
        self.assertEqual(len(server.stream().stored), 1)

    def test_otherName(self) -> None:
        """A publisher that takes another name has left the first one."""
        server = Server()
        client = server.publisher()
        client.send(publish(name="other"))
        self.assertEqual((server.stream("live/test").ends, server.stream("live/test").publisher), (1, None))
        client.send(publish(name="other"))
        self.assertIs(server.stream("live/other").publisher, client.protocol)

    def test_busy(self) -> None:
        """Who comes second is told so, and the connection is closed; the first one does not notice."""
        server = Server()
        first, second = server.publisher(), server.connected()
        second.send(*PREPARE, publish())
        self.assertEqual(second.told()[-1], "onStatus@1 NetStream.Publish.BadName")
        self.assertTrue(second.isClosing)
        first.send(*MEDIA)
        self.assertEqual(len(server.stream().stored), len(MEDIA))
        self.assertEqual(first.raw(), b"")


class PlayerTests(SynchronousTestCase):
    """What players get."""

    def test_before(self) -> None:
        """Who comes before the publisher gets everything, byte for byte, but for C{@setDataFrame}."""
        server = Server()
        players = [server.player(), server.player()]
        server.publisher().send(*MEDIA)
        for player in players:
            messages = player.take()
            self.assertEqual([m.payload for m in messages[1:]], [m.payload for m in MEDIA[1:]])
            self.assertEqual([m.timestamp for m in messages], [m.timestamp for m in MEDIA])
            self.assertEqual(amf0.decode(messages[0].payload), ["onMetaData", {"width": 320.0}])
            self.assertEqual({m.streamId for m in messages}, {1})

    def test_late(self) -> None:
        """Who comes later gets metadata and headers first, each once, with the time of now."""
        server = Server()
        publisher = server.publisher()
        publisher.send(*MEDIA, MEDIA[0], MEDIA[2])
        client = server.connected()
        client.send(command("createStream", 2), command("play", 0, None, "test", id=1))
        messages = client.take()[1:]
        self.assertEqual([m.type for m in messages[2:]], [18, 8, 9])
        self.assertEqual([m.payload for m in messages[3:]], [MEDIA[1].payload, MEDIA[2].payload])
        self.assertEqual({m.timestamp for m in messages[2:]}, {MEDIA[2].timestamp})
        publisher.send(audio(70))
        self.assertEqual(client.told(), ["AUDIO@1 70"])

    def test_severalTracksInOneHeader(self) -> None:
        """A message that is the header of two tracks is sent once."""
        server = Server()
        # Enhanced RTMP: multitrack SequenceStart, many tracks, hvc1, tracks 0 and 1 with one byte each.
        both = bytes.fromhex("96 10") + b"hvc1" + bytes.fromhex("00 000001 aa 01 000001 bb")
        server.publisher().send(video(5, both))
        client = server.connected()
        client.send(command("createStream", 2), command("play", 0, None, "test", id=1))
        self.assertEqual([m.payload for m in client.take()[3:]], [both])

    def test_gone(self) -> None:
        """Who has gone, or plays something else, is written to no more."""
        server = Server()
        gone, other = server.player(), server.player()
        gone.lose()
        other.send(command("play", 3, None, "else", id=1))
        other.take()
        server.publisher().send(*MEDIA)
        self.assertEqual((gone.raw(), other.raw()), (b"", b""))
        self.assertEqual(server.stream().players, [])

    def test_deleteStream(self) -> None:
        server = Server()
        player = server.player()
        player.send(command("deleteStream", 0, None, 1))
        server.publisher().send(*MEDIA)
        self.assertEqual(player.raw(), b"")

    def test_uninvited(self) -> None:
        """Media of somebody who does not publish are nobody's."""
        server = Server()
        server.player().send(*MEDIA)
        self.assertEqual(server.stream().stored, [])

    def test_dataForPlayers(self) -> None:
        """Data that say nothing, or clear something, are stored and not passed on; AMF3 becomes AMF0."""
        self.assertIsNone(forPlayers(Message(18, 0, 1, b"\0\0\0\0", 4)))
        self.assertIsNone(forPlayers(data("@clearDataFrame", "onMetaData")))
        amf3 = forPlayers(Message(15, 7, 1, b"\0" + amf0.encode("onFI", {"tc": "1"}), 4))
        assert amf3 is not None
        self.assertEqual((amf3.type, amf3.timestamp, amf0.decode(amf3.payload)), (18, 7, ["onFI", {"tc": "1"}]))
        server = Server()
        player, junk = server.player(), Message(18, 0, 1, b"\0\0\0\0", 4)
        server.publisher().send(junk)
        self.assertEqual((player.raw(), len(server.stream().stored)), (b"", 1))

    def test_statusIsACommand(self) -> None:
        """A status is of type 20, with null, transaction ID 0 and an object, on the message stream that it is about."""
        client = Server().connected()
        client.send(command("createStream", 2), publish())
        status = client.take()[-1]
        heard = Command.decode(status)
        self.assertEqual((status.type, status.streamId, heard.transactionId, heard.commandObject), (20, 1, 0.0, None))
        self.assertEqual(status.payload[-3:], b"\0\0\x09")
        self.assertEqual(status.payload[len(amf0.encode("onStatus", 0.0, None))], 3)
