# -*- test-case-name: tests.session.test_serverconnection -*-
"""
Tests for L{rtmptw.session.serverconnection}: whole conversations with every known client. Conformance lines are those
of wire facts 10.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import StatusError
from rtmptw.live.busy import LOOK_SECONDS
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, ECMAArray, TypedObject
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.control import (
    UserControl,
    UserControlType,
    acknowledgement,
    setPeerBandwidth,
    windowAcknowledgementSize,
)
from rtmptw.wire.data import DataMessage
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message, MessageType
from tests.session.dialects import (
    HANDSHAKE,
    METADATA,
    PLAYERS,
    PUBLISHERS,
    Application,
    Client,
    Stage,
    audio,
    command,
    connect,
    data,
    video,
)

CAPTURES = Path(__file__).parents[1] / "captures"


@cache
def capture(name: str) -> bytes:
    return (CAPTURES / name).read_bytes()


@cache
def captured(name: str) -> list[Message]:
    """The messages of a capture."""
    return list(ChunkReader(offset=HANDSHAKE_SIZE).feed(capture(name)[HANDSHAKE_SIZE:]))


def mediaOf(messages: object) -> list[tuple[int, int, bytes]]:
    return [(m.type, m.timestamp, m.payload) for m in messages if m.type in (8, 9)]


class PublishingDialectTests(SynchronousTestCase):
    """Wire facts 3.1."""

    def test_conversations(self) -> None:
        """Everybody gets the right answers in order, and then silence until the end; every message arrives."""
        for dialect in PUBLISHERS:
            stage = Stage(self)
            client = stage.client()
            client.shakeHands()
            for step in dialect.steps:
                client.send(*step)
            self.assertEqual((dialect.name, client.told()), (dialect.name, list(dialect.answers)))
            for message in dialect.media:
                client.send(message)
            client.send(*dialect.ending)
            client.assertSilent()
            client.lose()
            client.assertSilent()
            [published] = stage.published
            self.assertEqual((dialect.name, published.path), (dialect.name, "live/test"))
            self.assertEqual((dialect.name, published.media()), (dialect.name, mediaOf(dialect.media)))
            self.assertEqual((published.messagesAtEnd, len(published.ends)), (len(published.messages), 1))
            self.assertEqual(len(stage.lines()), 1)

    def test_allInOneWriteOrByteByByte(self) -> None:
        """How the bytes are cut does not matter (A6)."""
        for dialect in PUBLISHERS:
            for size in (1 << 30, 1, 7, 1448):
                stage = Stage(self)
                client = stage.client()
                sent = [message for step in dialect.steps for message in step]
                client.receive(HANDSHAKE + client.encode(*sent, *dialect.media, *dialect.ending), size)
                client.transport.io.seek(HANDSHAKE_SIZE)
                answers = [m for m in client.reader.feed(client.transport.io.read()) if m.type != 3]
                self.assertEqual(len(answers), len(dialect.answers), (dialect.name, size))
                client.lose()
                [published] = stage.published
                self.assertEqual((dialect.name, published.media()), (dialect.name, mediaOf(dialect.media)))
                self.assertEqual(len(published.ends), 1)

    def test_metadata(self) -> None:
        """Subscribers get metadata without @setDataFrame, as often as it comes."""
        for dialect in PUBLISHERS:
            stage = Stage(self)
            client = stage.client()
            client.shakeHands()
            client.send(*[message for step in dialect.steps for message in step], *dialect.media)
            found = [amf0.decode(m.payload) for m in stage.published[0].messages if m.type == 18]
            expected = sum(message.type in (15, 18) for message in dialect.media)
            self.assertEqual((dialect.name, [values[0] for values in found]), (dialect.name, ["onMetaData"] * expected))


class PlayingDialectTests(SynchronousTestCase):
    """Wire facts 3.3."""

    def play(self, stage: Stage, dialect: object) -> Client:
        client = stage.client()
        client.shakeHands()
        for step in dialect.steps:
            client.send(*step)
        return client

    def test_conversations(self) -> None:
        """Everybody gets the right answers in order, media only behind them, and the news of the end."""
        for dialect in PLAYERS:
            stage = Stage(self)
            publisher = stage.publisher()
            publisher.send(data("@setDataFrame", "onMetaData", METADATA), video(0, b"\x17\0\0\0\0a"), video(0))
            client = self.play(stage, dialect)
            heard = client.told()
            answers = len(dialect.answers)
            self.assertEqual((dialect.name, heard[:answers]), (dialect.name, list(dialect.answers)))
            self.assertEqual(heard[answers:], ["DATA@1 onMetaData", "VIDEO@1 0", "VIDEO@1 0"])
            publisher.send(audio(23))
            self.assertEqual(client.told(), ["AUDIO@1 23"])
            publisher.lose()
            stage.clock.advance(1)
            self.assertEqual((dialect.name, client.told()), (dialect.name, list(dialect.afterwards)))
            self.assertTrue(client.closing)

    def test_playerFirst(self) -> None:
        """Somebody who plays what is not there yet waits for it."""
        for dialect in PLAYERS:
            stage = Stage(self)
            client = self.play(stage, dialect)
            self.assertEqual(client.told(), list(dialect.answers))
            stage.publisher().send(audio(5), video(7))
            self.assertEqual(client.told(), ["AUDIO@1 5", "VIDEO@1 7"])


class CaptureTests(SynchronousTestCase):
    """Real bytes."""

    def test_publish(self) -> None:
        """Every publish capture starts, and all its media is delivered in order, however it is cut."""
        names = sorted(path.name for path in CAPTURES.glob("*-p*sh*.c2s.bin"))
        self.assertTrue(len(names) >= 12, names)
        for name in names:
            for size in (1 << 30, 65536, 1448, 997):
                stage = Stage(self)
                client = stage.client()
                client.receive(capture(name), size)
                client.transport.io.seek(HANDSHAKE_SIZE)
                client.receive(b"")
                answers = list(client.reader.feed(client.transport.io.read()))
                self.assertEqual(answers[-1].type, 20, name)
                self.assertEqual(amf0.decode(answers[-1].payload)[3]["code"], "NetStream.Publish.Start")
                client.lose()
                [published] = stage.published
                self.assertEqual((name, published.media()), (name, mediaOf(captured(name))))
                self.assertEqual((published.messagesAtEnd, len(published.ends)), (len(published.messages), 1))

    def test_publishIsSilent(self) -> None:
        """Nothing is written from Publish.Start to the end of the capture, byte by byte where it matters."""
        for path in sorted(CAPTURES.glob("*-p*sh*.c2s.bin")):
            stage = Stage(self)
            client = stage.client()
            started = None
            for start in range(0, len(capture(path.name)), 500):
                client.receive(capture(path.name)[start : start + 500])
                if started is None and stage.published:
                    started = len(client.transport.value())
            self.assertEqual((path.name, len(client.transport.value())), (path.name, started))

    def test_play(self) -> None:
        """Every play capture gets StreamBegin and Play.Start, and then media."""
        names = sorted(path.name for path in CAPTURES.glob("*-play*.c2s.bin"))
        self.assertTrue(len(names) >= 6, names)
        for name in names:
            for size in (1 << 30, 97):
                stage = Stage(self)
                client = stage.client()
                client.receive(capture(name), size)
                client.transport.io.seek(HANDSHAKE_SIZE)
                answers = list(client.reader.feed(client.transport.io.read()))
                client.transport.clear()
                [(_, path)] = stage.application.asked
                heard = [m.type for m in answers]
                self.assertNotIn(MessageType.VIDEO, heard)
                codes = [
                    values[3]["code"]
                    for values in (amf0.decode(m.payload) for m in answers if m.type == 20)
                    if values[0] == "onStatus"
                ]
                self.assertEqual((name, codes[-1]), (name, "NetStream.Play.Start"))
                self.assertIn(
                    UserControl(UserControlType.STREAM_BEGIN, 1).encode().payload, [m.payload for m in answers]
                )
                if b"deleteStream" not in capture(name):
                    stage.publisher(path.removeprefix("live/")).send(video(3))
                    self.assertEqual(client.told(), ["VIDEO@1 3"])


class AnswerTests(SynchronousTestCase):
    """What is said, to the letter."""

    def values(self, message: Message) -> list[object]:
        self.assertEqual(message.type, 20)
        return amf0.decode(message.payload)

    def test_conformance44_transactionOfConnect(self) -> None:
        """Any number comes back as the very same (wire facts 0.1)."""
        for number in (1.0, 2.0, 0.0, 7.5, -3.0, 1e300, 2.0**53):
            client = Stage(self).client()
            client.shakeHands()
            client.send(connect(transactionId=number))
            result = client.take()[-1]
            self.assertTrue(result.payload.startswith(amf0.encode("_result", number)), number)

    def test_conformance45_alwaysAMF0(self) -> None:
        """Whatever type asks, type 20 answers, on chunk stream 3, and not on a message stream."""
        for type in (17, 20):
            client = Stage(self).connected(objectEncoding=3.0)
            client.send(*[command(name, 5, type=type) for name in ("createStream", "_checkbw", "getStreamLength")])
            self.assertEqual([(m.type, m.streamId, m.chunkStreamId) for m in client.take()], [(20, 0, 3)] * 3)

    def test_conformance46_AMF3Commands(self) -> None:
        """Type 17 with a leading 0, without one, and with AMF3 values."""
        name = amf0.encode("publish", 3.0, None)
        for payload in (
            b"\0" + name + amf0.encode("test"),
            name + amf0.encode("test"),
            b"\0" + name + b"\x11\x06\x09test",
        ):
            stage = Stage(self)
            client = stage.connected()
            client.send(Message(17, 0, 1, payload, 8))
            self.assertEqual(client.told(), ["STREAM_BEGIN 1", "onStatus@1 NetStream.Publish.Start"])
            self.assertEqual(stage.application.asked, [("publish", "live/test")])

    def test_conformance47_connectResult(self) -> None:
        client = Stage(self).client()
        client.shakeHands()
        client.send(connect(objectEncoding=3.0))
        result = client.take()[-1]
        name, transactionId, properties, information = self.values(result)
        self.assertEqual((name, transactionId), ("_result", 1.0))
        self.assertEqual({type(properties), type(information)}, {dict})
        self.assertEqual(properties["fmsVer"], "FMS/3,0,1,123")
        self.assertEqual(information["code"], "NetConnection.Connect.Success")
        self.assertEqual((information["level"], information["objectEncoding"]), ("status", 3.0))
        self.assertTrue(information["description"])

    def test_conformance48_createStreamResult(self) -> None:
        """Number, null, and the first stream is 1."""
        client = Stage(self).connected()
        for number in (1.0, 2.0, 3.0):
            client.send(command("createStream", 10 + number))
            [answer] = client.take()
            self.assertEqual(answer.payload, amf0.encode("_result", 10 + number, None, number))

    def test_conformance49_anyOrderOrNone(self) -> None:
        """Every command stands for itself."""
        calls = [command(name, 9, None, "test") for name in ("releaseStream", "FCPublish", "FCSubscribe", "_checkbw")]
        create = command("createStream", 4)
        publish = command("publish", 0, None, "test", id=1)
        for order in ([*calls, create], [create, *calls], calls[::-1], [create], []):
            client = Stage(self).connected()
            client.send(*order, publish)
            answers = client.told()
            self.assertEqual(len(answers), len(order) + 2)
            self.assertEqual(answers[-1], "onStatus@1 NetStream.Publish.Start")

    def test_conformance50_anyIdsAndChunkStreams(self) -> None:
        """Publish and play on message streams that nobody created, 0 too, on any chunk stream, with any number."""
        for id in (0, 1, 5, 0xFFFFFFFF):
            for csid, number in ((3, 0), (8, 5), (63, 1)):
                stage = Stage(self)
                client = stage.connected()
                client.send(command("publish", number, None, "test", id=id, csid=csid), audio(3, id=id))
                self.assertEqual(client.told(), [f"STREAM_BEGIN {id}", f"onStatus@{id} NetStream.Publish.Start"])
                self.assertEqual(stage.published[0].media(), mediaOf([audio(3)]))
                player = stage.connected()
                player.send(command("play", number, None, "test", id=id, csid=csid))
                self.assertEqual(player.told()[:2], [f"STREAM_BEGIN {id}", f"onStatus@{id} NetStream.Play.Start"])
                client.send(audio(7, id=id))
                self.assertIn(f"AUDIO@{id} 7", player.told())

    def test_publishBeforeCreateStream(self) -> None:
        """The stream that it is told of afterwards is the one that it has."""
        client = Stage(self).connected()
        client.send(command("publish", 5, None, "test", id=1), command("createStream", 4))
        self.assertEqual(client.told()[1:], ["onStatus@1 NetStream.Publish.Start", "_result 4"])
        self.assertFalse(client.closing)

    def test_conformance51_52_53_onStatus(self) -> None:
        """Type 20, number 0, null, a plain object of strings, on the message stream; the first is the start."""
        for name, code in (("publish", "NetStream.Publish.Start"), ("play", "NetStream.Play.Start")):
            client = Stage(self).connected()
            client.send(command(name, 5, None, "test", id=3))
            [status] = [m for m in client.take() if m.type == 20]
            self.assertTrue(status.payload.startswith(amf0.encode("onStatus", 0.0, None) + b"\x03"))
            self.assertTrue(status.payload.endswith(b"\0\0\x09"))
            self.assertEqual(status.streamId, 3)
            information = self.values(status)[3]
            self.assertEqual(sorted(information), ["code", "description", "level"])
            self.assertEqual((information["level"], information["code"]), ("status", code))
            self.assertEqual({type(value) for value in information.values()}, {str})

    def test_conformance54_noResultToPublishOrPlay(self) -> None:
        for name in ("publish", "play"):
            client = Stage(self).connected()
            client.send(command(name, 77, None, "test", id=1))
            self.assertNotIn("_result 77", client.told())

    def test_conformance55_transactionZero(self) -> None:
        """Who says 0 wants no answer; nor do answers."""
        client = Stage(self).connected()
        for name in ("releaseStream", "FCPublish", "_checkbw", "getStreamLength", "createStream", "anything"):
            client.send(command(name, 0, None, "test"))
        for name in ("_result", "_error", "onStatus"):
            client.send(command(name, 5, None, "test"))
        client.send(command("FCUnpublish", 4), command("deleteStream", 5, None, 9))
        client.assertSilent()
        self.assertFalse(client.closing)

    def test_conformance56_atLeastThreeValues(self) -> None:
        """Name, number, null or object, in every command that is ever sent; undefined only in empty results."""
        heard: list[Message] = []
        for dialect in (*PUBLISHERS, *PLAYERS):
            client = Stage(self).client()
            client.shakeHands()
            client.send(*[message for step in dialect.steps for message in step])
            heard += client.take()
        stage = Stage(self)
        stage.publisher()
        for message in (command("publish", 4, None, "test", id=1), command("connect", 9), command("play", 2, id=1)):
            client = stage.connected()
            client.send(message)
            heard += client.take()
        commands = [amf0.decode(m.payload) for m in heard if m.type == 20]
        self.assertTrue(len(commands) > 50)
        for name, number, third, *rest in commands:
            self.assertIsInstance(number, float)
            self.assertTrue(third is None or type(third) is dict)
            self.assertTrue(name == "_result" or UNDEFINED not in rest)

    def test_conformance60_oddConnects(self) -> None:
        """No object, no fields, wrong types, arguments behind it, strict and ECMA arrays."""
        objects: list[object] = [
            None,
            {},
            UNDEFINED,
            ECMAArray(app="live"),
            TypedObject("flash.Thing", {"app": "live"}),
            "live",
            3.0,
            {"app": None, "tcUrl": 5.0, "fpad": 1.0, "objectEncoding": "3", "fourCcList": [["*"], None]},
            {"app": True, "tcUrl": [], "objectEncoding": float("nan")},
        ]
        for object in objects:
            for rest in ((), ("x", None, [1.0], {"a": {}})):
                stage = Stage(self)
                client = stage.client()
                client.shakeHands()
                client.send(command("connect", 1, object, *rest), command("publish", 0, None, "test", id=1))
                self.assertEqual(
                    client.told()[4:], ["_result 1", "STREAM_BEGIN 1", "onStatus@1 NetStream.Publish.Start"]
                )
                hasApp = isinstance(object, dict) and object.get("app") == "live"
                self.assertEqual(stage.application.asked, [("publish", "live/test" if hasApp else "test")])

    def test_conformance61_91_paths(self) -> None:
        """Application and name make the path; queries are kept apart, wherever they stand (wire facts 8)."""
        rows = [
            ("live", "test", "live/test", ""),
            ("live", "test?token=x", "live/test", "token=x"),
            ("live?token=x", "test", "live/test", "token=x"),
            ("live/test", "", "live/test", ""),
            ("live/test?token=x", "", "live/test", "token=x"),
            ("", "test", "test", ""),
            ("live/a", "b/test", "live/a/b/test", ""),
            ("live/a/b", "test", "live/a/b/test", ""),
            ("live", "test?u=a/b", "live/test", "u=a/b"),
            ("live/_definst_", "mp4:test", "live/test", ""),
            ("live?a=1", "test?b=2", "live/test", "b=2&a=1"),
        ]
        for what in ("publish", "play"):
            for app, name, path, query in rows:
                stage = Stage(self)
                client = stage.connected(app)
                client.send(command(what, 0, None, name, id=1))
                request = stage.application.requests[-1][1]
                self.assertEqual((request.path, request.query), (path, query))
                self.assertFalse(client.closing)

    def test_conformance91_queryOfTheURL(self) -> None:
        """A token may stand in tcUrl only."""
        stage = Stage(self)
        client = stage.client()
        client.shakeHands()
        client.send(
            command("connect", 1, {"app": "live", "tcUrl": "rtmp://h/live?token=a%20b"}),
            command("publish", 0, None, "test?user=u", id=1),
        )
        request = stage.application.requests[-1][1]
        self.assertEqual((request.path, request.query), ("live/test", "user=u&token=a%20b"))
        self.assertEqual((request.parameter("token"), request.parameter("none")), ("a b", None))

    def test_conformance88_enhanced(self) -> None:
        """What we can is said to who asks: forward everything. Never Reconnect."""
        for properties in ({"fourCcList": ["hvc1"]}, {"videoFourCcInfoMap": {"*": 1.0}}, {"capsEx": 15.0}):
            client = Stage(self).client()
            client.shakeHands()
            client.send(connect(**properties))
            answer = self.values(client.take()[-1])[2]
            self.assertEqual(answer["fourCcList"], ["*"])
            self.assertEqual(answer["videoFourCcInfoMap"], {"*": 4.0})
            self.assertEqual(answer["audioFourCcInfoMap"], {"*": 4.0})
            self.assertEqual(int(answer["capsEx"]) & 1, 0)
        client = Stage(self).client()
        client.shakeHands()
        client.send(connect())
        self.assertEqual(sorted(self.values(client.take()[-1])[2]), ["capabilities", "fmsVer"])


class RefusalTests(SynchronousTestCase):
    """Every refusal says why, and closes."""

    def assertRefused(self, client: Client, code: str, description: str) -> None:
        """A status with a reason, then the close, then one line in the log."""
        *_, last = client.take()
        information = amf0.decode(last.payload)[3]
        self.assertEqual((information["level"], information["code"]), ("error", code))
        self.assertIn(description, information["description"])
        self.assertEqual(client.transport.calls[-2:], ["write", "loseWriteConnection"])
        self.assertEqual(client.stage.lines(), [])
        client.lose()
        [line] = client.stage.lines()
        self.assertIn(information["description"], line)

    def test_conformance57_byTheApplication(self) -> None:
        rows = [
            ("connect", StatusError("not you"), "NetConnection.Connect.Rejected"),
            ("connect", StatusError("not you", "NetConnection.Connect.InvalidApp"), "NetConnection.Connect.InvalidApp"),
            ("publish", StatusError("not you"), "NetStream.Publish.Denied"),
            ("publish", StatusError("not you", "NetStream.Publish.BadName"), "NetStream.Publish.BadName"),
            ("play", StatusError("not you"), "NetStream.Play.Failed"),
            ("play", StatusError("not you", "NetStream.Play.StreamNotFound"), "NetStream.Play.StreamNotFound"),
        ]
        for what, error, code in rows:
            for late in (False, True):
                deferred: Deferred[None] = Deferred()
                stage = Stage(self, Application(**{what: deferred if late else error}))
                client = stage.client()
                client.shakeHands()
                client.send(connect())
                client.send(command(what, 5, None, "test", id=1))
                if late:
                    deferred.errback(error)
                self.assertRefused(client, code, "not you")
                self.assertEqual(stage.published, [])

    def test_connectRefusalHasItsNumber(self) -> None:
        client = Stage(self, Application(connect=StatusError("no"))).client()
        client.shakeHands()
        client.send(connect(transactionId=2))
        self.assertEqual(client.told(), ["_error 2 NetConnection.Connect.Rejected"])

    def test_conformance62_busyName(self) -> None:
        stage = Stage(self)
        first = stage.publisher()
        second = stage.connected()
        second.send(command("publish", 5, None, "test", id=1))
        # It is looked whether the first one is still there.
        stage.clock.advance(LOOK_SECONDS / 2)
        first.send(audio(0))
        self.assertEqual(second.take(), [])
        stage.clock.advance(LOOK_SECONDS)
        self.assertRefused(second, "NetStream.Publish.BadName", "published already")
        first.send(audio(1))
        self.assertEqual(len(stage.published[0].messages), 2)
        first.assertSilent()

    def test_conformance99_freeAtOnce(self) -> None:
        """A name is free as soon as its publisher is gone."""
        stage = Stage(self)
        for _ in range(3):
            stage.publisher().lose()
        self.assertEqual([len(published.ends) for published in stage.published], [1, 1, 1])

    def test_D1_stateTable(self) -> None:
        """Commands in the wrong state are refused in words."""
        publish, play = command("publish", 5, None, "test", id=1), command("play", 5, None, "test", id=1)
        rows = [
            ([publish], "NetConnection.Call.Failed", "connect"),
            ([command("createStream", 2)], "NetConnection.Call.Failed", "connect"),
            ([command("anything", 0)], "NetConnection.Call.Failed", "connect"),
            ([connect(), connect()], "NetConnection.Call.Failed", "before"),
            ([connect(), publish, publish], "NetStream.Publish.BadName", "publishes already"),
            ([connect(), publish, play], "NetStream.Play.Failed", "publishes already"),
            ([connect(), play, publish], "NetStream.Publish.BadName", "plays already"),
        ]
        for messages, code, description in rows:
            client = Stage(self).client()
            client.shakeHands()
            client.send(*messages)
            self.assertRefused(client, code, description)

    def test_C6_wrongTypes(self) -> None:
        """Missing and wrong arguments are refused, never an exception."""
        for what, code in (("publish", "NetStream.Publish.BadName"), ("play", "NetStream.Play.Failed")):
            for arguments in ((), (None,), (5.0,), ({},), (UNDEFINED,), (True,)):
                client = Stage(self).connected()
                client.send(command(what, 5, None, *arguments, id=1))
                self.assertRefused(client, code, "needs a stream name")

    def test_C8_names(self) -> None:
        """Names that can't be seen or would leave their place are refused."""
        for what, code in (("publish", "NetStream.Publish.Denied"), ("play", "NetStream.Play.Failed")):
            for name in (
                "a\0b",
                "a\r\nb",
                "a\x1b[2J",
                "a\u202eb",
                "a\udcff",
                "../x",
                "a/./b",
                "x" * 257,
                "",
                "/",
                "a?" + "q" * 3000,
            ):
                client = Stage(self).connected("" if name in ("", "/") else "live")
                client.send(command(what, 5, None, name, id=1))
                self.assertRefused(client, code, "")

    def test_C8_applications(self) -> None:
        """The application is looked at before the rules are asked."""
        for app, url in (
            ("a\0b", ""),
            ("x" * 129, ""),
            ("a\u2028b", ""),
            ("live?a\rb", ""),
            ("live", "rtmp://h/live?\x1b"),
            ("live?" + "q" * 3000, "rtmp://h/live?" + "r" * 3000),
        ):
            stage = Stage(self)
            client = stage.client()
            client.shakeHands()
            client.send(command("connect", 1, {"app": app, "tcUrl": url}))
            self.assertRefused(client, "NetConnection.Connect.Rejected", "the ")
            self.assertEqual(stage.application.requests, [])

    def test_applicationFails(self) -> None:
        """An exception is logged, and refuses without its text."""
        rows = (
            ("connect", "NetConnection.Connect.Rejected"),
            ("publish", "NetStream.Failed"),
            ("play", "NetStream.Failed"),
        )
        for what, code in rows:
            for late in (False, True):
                deferred: Deferred[None] = Deferred()
                stage = Stage(self, Application(**{what: deferred if late else ValueError("the secret")}))
                client = stage.client()
                client.shakeHands()
                client.send(connect())
                client.send(command(what, 5, None, "test", id=1))
                if late:
                    deferred.errback(ValueError("the secret"))
                self.assertNotIn(b"secret", client.transport.value())
                self.assertRefused(client, code, "internal error")
                self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_nothingBehindARefusal(self) -> None:
        """What stands behind what was refused is not done."""
        stage = Stage(self, Application(publish=StatusError("no")))
        client = stage.connected()
        client.send(*[command("publish", n, None, f"test{n}", id=n) for n in (1, 2, 3)], audio(0))
        self.assertEqual(len(client.told()), 1)
        self.assertEqual(stage.application.asked, [("publish", "live/test1")])


class PublisherTests(SynchronousTestCase):
    """Silence, and the end."""

    #: What may reach us from a publisher without an answer.
    NOISE = (
        audio(1),
        video(1),
        audio(2, b""),
        video(2, b""),
        data("onCuePoint", {}),
        data(5.0, "junk"),
        Message(18, 0, 1, b"\0\1\2\3", 4),
        Message(15, 0, 1, b"\0\2\0\1a", 4),
        Message(22, 0, 1, b"", 4),
        command("releaseStream", 9, None, "x"),
        command("FCPublish", 10, None, "x"),
        command("_checkbw", 11),
        command("getStreamLength", 12, None, "x"),
        command("whatever", 13, {"a": 1.0}),
        command("_result", 3, None),
        command("pause", 0, None, True, 0, id=1),
        command("seek", 0, None, 5, id=1),
        command("receiveAudio", 0, None, True, id=1),
        command("deleteStream", 14, None, 9),
        command("closeStream", 15, None, id=7),
        UserControl(UserControlType.SET_BUFFER_LENGTH, 1, 0xFFFFFFFF).encode(),
        UserControl(UserControlType.PING_RESPONSE, 1).encode(),
        acknowledgement(5),
        acknowledgement(0),
        setPeerBandwidth(1),
        Message(0, 0, 0, b"x", 3),
        Message(7, 0, 0, b"", 3),
        Message(255, 0, 0, b"x" * 100, 3),
        Message(4, 0, 0, b"", 2),
        Message(3, 0, 0, b"\1", 2),
        Message(20, 0, 0, b"", 3),
    )

    def test_conformance37_40_silence(self) -> None:
        """Whatever comes, between Publish.Start and the end nothing is written; nor within time, while bytes come."""
        stage = Stage(self)
        client = stage.publisher()
        for message in self.NOISE:
            client.send(message)
            client.assertSilent()
            stage.clock.advance(3)
            client.assertSilent()
        client.send(command("FCUnpublish", 20, None, "test"))
        for message in self.NOISE:
            client.send(message)
        client.send(command("deleteStream", 21, None, 1))
        client.assertSilent()
        self.assertFalse(client.closing)

    def test_conformance38_94_acknowledgements(self) -> None:
        """A publisher that asked is acknowledged when it rests, not while it sends nor at its end."""
        stage = Stage(self)
        client = stage.publisher()
        client.send(windowAcknowledgementSize(40000))
        for n in range(20):
            client.send(video(n, bytes(9000)))
            stage.clock.advance(0.5)
        client.assertSilent()
        stage.pass_(2)
        self.assertEqual(client.told(), [f"ACKNOWLEDGEMENT {client.protocol.received}"])
        stage.pass_(2)
        client.assertSilent()
        client.send(
            video(30, bytes(50000)), command("FCUnpublish", 20, None, "test"), command("deleteStream", 21, None, 1)
        )
        client.assertSilent()

    def test_conformance38_player(self) -> None:
        """Somebody else who asked is acknowledged by the window, once for a read."""
        client = Stage(self).connected()
        client.send(windowAcknowledgementSize(1))
        client.assertSilent()
        for _ in range(3):
            client.send(*[Message(99, 0, 0, bytes(40000), 5)] * 3)
            self.assertEqual(client.told(), [f"ACKNOWLEDGEMENT {client.protocol.received}"])
        client.send(Message(99, 0, 0, bytes(30000), 5))
        client.assertSilent()

    def test_conformance93_95_ends(self) -> None:
        """However a publisher goes, everything that came is delivered first, and the end is told once."""
        unpublish, delete = command("FCUnpublish", 6, None, "test"), command("deleteStream", 7, None, 1)
        ends: list[tuple[Message, ...]] = [
            (),
            (unpublish,),
            (delete,),
            (unpublish, delete),
            (delete, unpublish, delete),
            (command("closeStream", 0, id=1),),
            (command("publish", 0, None, False, id=1),),
            (command("deleteStream", 0, None, "test"),),
            (command("deleteStream", 0),),
            (command("deleteStream", 0, None, None),),
            (command("FCUnpublish", 0, None, "another name"),),
            (command("FCUnpublish", 0),),
            (unpublish, command("closeStream", 0, id=1), command("publish", 0, None, False, id=1), delete),
        ]
        for ending in ends:
            stage = Stage(self)
            client = stage.publisher()
            last = client.encode(*[audio(n) for n in range(50)], *ending, audio(99))
            client.receive(last[:-2])
            client.lose()
            [published] = stage.published
            self.assertEqual([m.timestamp for m in published.messages], list(range(50)))
            self.assertEqual((published.messagesAtEnd, len(published.ends)), (50, 1))
            client.assertSilent()

    def test_conformance58_59_publishForms(self) -> None:
        """publish with and without a type, publish(false) while nothing is published."""
        for arguments, type in (
            (("test",), "live"),
            (("test", "record"), "record"),
            (("test", "append"), "append"),
            (("test", None), "live"),
        ):
            stage = Stage(self)
            client = stage.connected()
            client.send(command("publish", 0, None, False, id=1))
            client.assertSilent()
            client.send(command("publish", 0, None, *arguments, id=1))
            self.assertEqual(stage.application.requests[-1][1].type, type)
            self.assertEqual(client.told()[-1], "onStatus@1 NetStream.Publish.Start")

    def test_publishAgainAfterTheEnd(self) -> None:
        stage = Stage(self)
        client = stage.publisher()
        client.send(
            audio(1), command("publish", 0, None, False, id=1), command("publish", 0, None, "test", id=1), audio(2)
        )
        self.assertEqual(client.told(), ["STREAM_BEGIN 1", "onStatus@1 NetStream.Publish.Start"])
        self.assertEqual([[m.timestamp for m in published.messages] for published in stage.published], [[1], [2]])

    def test_D4_othersStreams(self) -> None:
        """Names of others' streams have no effect on others."""
        stage = Stage(self)
        owner = stage.publisher()
        other = stage.publisher("mine")
        stranger = stage.connected()
        for client in (stranger, other):
            client.send(
                *[
                    command(name, 0, None, value)
                    for name in ("releaseStream", "FCPublish", "deleteStream", "FCUnpublish")
                    for value in ("test", "live/test", 1.0)
                ]
            )
        owner.send(audio(1))
        self.assertEqual((stage.published[0].ends, len(stage.published[0].messages)), ([], 1))

    def test_twoPublishesOnOneConnection(self) -> None:
        """FCUnpublish then ends the one that it names."""
        stage = Stage(self)
        client = stage.connected()
        client.send(*[command("publish", 0, None, name, id=n) for n, name in ((1, "a"), (2, "b"))])
        client.send(audio(1, id=1), audio(2, id=2), audio(3, id=3))
        for name in ("c", "a\0", "../b"):
            client.send(command("FCUnpublish", 0, None, name))
        self.assertEqual([published.ends for published in stage.published], [[], []])
        client.send(command("FCUnpublish", 0, None, "b?x"))
        self.assertEqual([len(published.ends) for published in stage.published], [0, 1])
        client.send(command("deleteStream", 0))
        self.assertEqual([len(published.ends) for published in stage.published], [1, 1])
        self.assertEqual([[m.timestamp for m in published.messages] for published in stage.published], [[1], [2]])

    def test_aggregate(self) -> None:
        """Its audio, video and data count as such, with their own times."""
        stage = Stage(self)
        client = stage.publisher()
        tags = b""
        for type, stamp, body in (
            (8, 100, b"a"),
            (9, 110, b"\x17"),
            (18, 120, amf0.encode("onCuePoint", 1.0)),
            (3, 130, b""),
        ):
            tags += (
                bytes((type,)) + len(body).to_bytes(3, "big") + stamp.to_bytes(3, "big") + bytes(4) + body + bytes(4)
            )
        client.send(Message(22, 1000, 1, tags, 4))
        self.assertEqual(
            [(m.type, m.timestamp) for m in stage.published[0].messages], [(8, 1000), (9, 1010), (18, 1020)]
        )


class UseTests(SynchronousTestCase):
    """Whether anybody gets anything by a connection."""

    def test_publisher(self) -> None:
        """From the publish on, with media or without, to its end."""
        stage = Stage(self)
        client = stage.connected()
        self.assertFalse(client.protocol.session.isOfUse)
        client.send(command("createStream", 2), command("publish", 3, None, "test", "live", id=1))
        self.assertTrue(client.protocol.session.isOfUse)
        client.send(audio(1))
        self.assertTrue(client.protocol.session.isOfUse)
        client.send(command("closeStream", 0, None, id=1))
        self.assertFalse(client.protocol.session.isOfUse)

    def test_player(self) -> None:
        """As long as the stream is on: whoever waits is active, but of no use yet."""
        stage = Stage(self)
        session = stage.player("test").protocol.session
        self.assertEqual((session.active, session.isOfUse), (True, False))
        publisher = stage.publisher("test")
        self.assertEqual((session.active, session.isOfUse), (True, True))
        publisher.send(command("closeStream", 0, None, id=1))
        publisher.lose()
        stage.pass_(1)
        self.assertFalse(session.isOfUse)

    def test_oneOfMany(self) -> None:
        """One message stream is enough."""
        stage = Stage(self)
        stage.publisher("test")
        player = stage.player("none")
        self.assertFalse(player.protocol.session.isOfUse)
        player.send(command("createStream", 4), command("play", 5, None, "test", id=2))
        self.assertTrue(player.protocol.session.isOfUse)


class DataTests(SynchronousTestCase):
    """Conformance 70 and 73 to 75."""

    def messages(self, *sent: Message) -> list[list[object]]:
        """What players get for what a publisher sends."""
        stage = Stage(self)
        publisher = stage.publisher()
        player = stage.player()
        player.take()
        publisher.send(*sent)
        found = player.take()
        self.assertEqual({m.type for m in found} - {18}, set())
        return [amf0.decode(m.payload) for m in found]

    def test_conformance73_74_75(self) -> None:
        rows: list[tuple[Message, list[object]]] = [
            (data("@setDataFrame", "onMetaData", METADATA), ["onMetaData", METADATA]),
            (data("onMetaData", {"a": 1.0}), ["onMetaData", {"a": 1.0}]),
            (data("onMetaData", ECMAArray(a=UNDEFINED)), ["onMetaData", {"a": None}]),
            (
                Message(15, 0, 1, b"\0" + amf0.encode("onMetaData") + b"\x11\x0a\x0b\x01\x03a\x04\x05\x01", 4),
                ["onMetaData", {"a": 5.0}],
            ),
        ]
        for message, expected in rows:
            self.assertEqual(self.messages(message, message), [expected, expected])

    def test_conformance70_junk(self) -> None:
        """What can't be read is passed over, and said once."""
        stage = Stage(self)
        client = stage.publisher()
        for payload in (b"\0\0\0\0", b"\0" * 9, b"", b"\xff", amf0.encode(5.0, "@setDataFrame", "onMetaData", {})):
            client.send(Message(18, 0, 1, payload, 4), audio(1))
        self.assertEqual(len(stage.published[0].messages), 5)
        self.assertEqual(client.protocol.session._streams[1].unreadable, 5)
        said = [event for event in stage.log if "passed over" in (event.get("log_format") or "")]
        self.assertEqual(len(said), 1)
        self.assertFalse(client.closing)

    def test_clearDataFrame(self) -> None:
        """Late joiners are not told what was taken back."""
        stage = Stage(self)
        publisher = stage.publisher()
        publisher.send(data("@setDataFrame", "onMetaData", METADATA), video(0, b"\x17\0\0\0\0"), video(0))
        publisher.send(data("@clearDataFrame", "onMetaData"))
        player = stage.connected()
        player.send(command("play", 0, None, "test", id=1))
        self.assertNotIn("DATA@1 onMetaData", player.told())

    def test_D3_foreignStreams(self) -> None:
        """Media goes nowhere before a publish, and else to the one that there is, whatever its message stream says."""
        stage = Stage(self)
        client = stage.connected()
        client.send(audio(0), data("onMetaData", {}), Message(22, 0, 1, b"", 4))
        client.send(
            command("publish", 0, None, "test", id=1), audio(1, id=2), audio(2, id=0), data("onMetaData", {}, id=5)
        )
        self.assertEqual([message.type for message in stage.published[0].messages], [8, 8, 18])
        self.assertEqual(client.protocol.session.strays, 5)
        said = [event for event in stage.log if "idle message stream" in (event.get("log_format") or "")]
        self.assertEqual(len(said), 1)

    def test_foreignStreamsOfTwo(self) -> None:
        """With two publications nobody can tell whose they are."""
        stage = Stage(self)
        client = stage.publisher()
        client.send(command("publish", 0, None, "other", id=2), audio(1, id=3), audio(2, id=2))
        self.assertEqual([[m.timestamp for m in published.messages] for published in stage.published], [[], [2]])


class DecodedTests(SynchronousTestCase):
    """The two decoders agree with what players get."""

    def test_dataOfCaptures(self) -> None:
        """The metadata of every capture reaches subscribers in the very bytes that were sent, without the prefix."""
        for path in sorted(CAPTURES.glob("*-p*sh*.c2s.bin")):
            stage = Stage(self)
            client = stage.client()
            client.receive(capture(path.name), 4000)
            sent = [DataMessage.decode(m) for m in captured(path.name) if m.type == 18]
            found = [m.payload for m in stage.published[0].messages if m.type == 18]
            self.assertEqual(found, [message.payload for message in sent])
            for m, message in zip([m for m in captured(path.name) if m.type == 18], sent, strict=True):
                self.assertTrue(m.payload.endswith(message.payload), path.name)
