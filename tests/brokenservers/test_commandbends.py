# -*- test-case-name: tests.brokenservers.test_commandbends -*-
"""
Tests for L{tests.brokenservers.commandbends}: each server says one thing otherwise than the sound one.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, ECMAArray
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message
from tests.brokenservers import commandbends as bends
from tests.brokenservers.plain import PlainServer
from tests.brokenservers.talk import MEDIA, PREPARE, Server, differing, publish, said
from tests.session.dialects import command, told, video


def only(server: type[PlainServer]) -> tuple[list[Any], list[Any]]:
    """The values of the one command that differs, as the sound server says it, and as this one does."""
    ((one, other),) = differing(server)
    assert (one.type, one.streamId, one.chunkStreamId) == (other.type, other.streamId, other.chunkStreamId)
    return amf0.decode(one.payload), amf0.decode(other.payload)


class ReplyTests(SynchronousTestCase):
    def check(self, server: type[PlainServer], position: int, right: object, wrong: object) -> None:
        """One value of one command differs."""
        one, other = only(server)
        self.assertEqual((one[position], other[position]), (right, wrong))
        self.assertEqual([*one[:position], *one[position + 1 :]], [*other[:position], *other[position + 1 :]])

    def test_connectTransactionID(self) -> None:
        """0, another one, or a string."""
        self.check(bends.ConnectAnswersZero, 1, 1.0, 0.0)
        self.check(bends.ConnectAnswersOther, 1, 1.0, 4.0)
        self.check(bends.ConnectAnswersString, 1, 1.0, "1")

    def test_createStreamTransactionID(self) -> None:
        self.check(bends.CreateStreamAnswersOther, 1, 4.0, 5.0)

    def test_createStreamUndefined(self) -> None:
        """And what comes on message stream 0 then is thrown away; on another it is stored."""
        self.check(bends.CreateStreamUndefined, 2, None, UNDEFINED)
        for server, stored in ((PlainServer, 2), (bends.CreateStreamUndefined, 1)):
            stage = Server(server)
            stage.publisher().send(video(0, id=0), video(5, id=1))
            self.assertEqual(len(stage.stream().stored), stored)

    def test_createStreamIDNotNumber(self) -> None:
        self.check(bends.CreateStreamIdNotNumber, 3, 1.0, "1")

    def test_createStreamIDNotOne(self) -> None:
        """5, and so on all statuses; what comes on message stream 1 is thrown away."""
        pairs = differing(bends.CreateStreamIdNotOne)
        self.assertEqual([amf0.decode(each.payload)[3] for each in pairs[0]], [1.0, 5.0])
        self.assertEqual([each.streamId for each in pairs[2]], [1, 5])
        self.assertEqual(
            [told(other) for _, other in pairs[1:]], ["STREAM_BEGIN 5", "onStatus@5 NetStream.Publish.Start"]
        )
        stage = Server(bends.CreateStreamIdNotOne)
        client = stage.publisher()
        client.send(video(0, id=1), video(5, id=5))
        self.assertEqual([m.timestamp for m in stage.stream().stored], [5])
        client.send(command("createStream", 9))
        self.assertEqual([amf0.decode(m.payload)[3] for m in client.take()], [10.0])

    def test_onStatus(self) -> None:
        """An ECMA array; undefined; on message stream 0."""
        one, other = only(bends.OnStatusECMA)
        self.assertEqual(one, other)
        self.assertEqual([type(each[3]) for each in (one, other)], [dict, ECMAArray])
        self.check(bends.OnStatusUndefined, 2, None, UNDEFINED)
        ((sound, bent),) = differing(bends.OnStatusOnStreamZero)
        self.assertEqual(
            (sound.payload, sound.streamId, bent.payload, bent.streamId), (bent.payload, 1, sound.payload, 0)
        )

    def test_publishOnlyResult(self) -> None:
        """Instead of StreamBegin and onStatus."""
        sound, bent = said(PlainServer), said(bends.PublishOnlyResult)
        self.assertEqual((bent[:-1], told(bent[-1])), (sound[:-2], "_result 5"))

    def test_replyAsAMF3(self) -> None:
        """All commands, and nothing else: another type, and a 0 in front."""
        for one, other in zip(said(PlainServer), said(bends.ReplyAsAMF3), strict=True):
            expected = Message(17, 0, one.streamId, b"\0" + one.payload, one.chunkStreamId) if one.type == 20 else one
            self.assertEqual(other, expected)
        self.assertEqual(sum(each.type == 17 for each in said(bends.ReplyAsAMF3)), 5)

    def test_shortCommand(self) -> None:
        """One command more, which is only a name."""
        sound, bent = said(PlainServer), said(bends.ShortCommand)
        extra = bent.pop(-3)
        self.assertEqual((bent, extra.type, amf0.decode(extra.payload)), (sound, 20, ["onFCPublish"]))

    def test_answersTransactionZero(self) -> None:
        """Calls that ask for no answer get one, before a publish; commands that are no calls get none."""
        self.assertEqual(differing(bends.AnswersTransactionZero), [])
        client = Server(bends.AnswersTransactionZero).connected()
        client.send(command("releaseStream", 0, None, "test"), command("createStream", 2), command("FCPublish", 0))
        self.assertEqual(client.told(), ["_result 0", "_result 2", "_result 0"])
        client.send(publish(0))
        self.assertEqual(client.told(), ["STREAM_BEGIN 1", "onStatus@1 NetStream.Publish.Start"])
        client.send(command("anything", 0))
        self.assertEqual(client.raw(), b"")


class OrderTests(SynchronousTestCase):
    RELEASE, FCPUBLISH, CREATE = PREPARE

    def answers(self, server: type[PlainServer], *messages: Message) -> list[str]:
        """What somebody is told who is connected."""
        client = Server(server).connected()
        client.send(*messages)
        return client.told()

    def test_waitsForFCPublish(self) -> None:
        """createStream is answered behind FCPublish, once."""
        bent = bends.WaitsForFCPublish
        self.assertEqual(differing(bent), [])
        self.assertEqual(self.answers(bent, self.RELEASE, self.CREATE), ["_result 2"])
        self.assertEqual(
            self.answers(bent, self.CREATE, self.RELEASE, self.FCPUBLISH, self.RELEASE)[1:3], ["_result 3", "_result 4"]
        )
        self.assertEqual(len(self.answers(bent, self.CREATE, self.FCPUBLISH, self.RELEASE, self.FCPUBLISH)), 4)

    def test_waitsForCreateStreamFirst(self) -> None:
        """createStream behind one of the two is not answered, before them it is."""
        bent = bends.WaitsForCreateStreamFirst
        for first in (self.RELEASE, self.FCPUBLISH):
            self.assertEqual(len(self.answers(bent, first, self.CREATE, self.CREATE)), 1)
        self.assertEqual(self.answers(bent, self.CREATE, self.FCPUBLISH)[0], "_result 4")

    def test_waitsForCheckBW(self) -> None:
        """onBWDone comes behind the yes to connect; then nothing, until a _checkbw brings everything."""
        client = Server(bends.WaitsForCheckBW).greeted()
        client.send(command("connect", 1, {"app": "live"}))
        self.assertEqual(client.told()[-2:], ["_result 1", "onBWDone 0"])
        client.send(*PREPARE, publish(6))
        self.assertEqual(client.raw(), b"")
        client.send(command("_checkbw", 5))
        answers = [
            "_result 2",
            "_result 3",
            "_result 4",
            "STREAM_BEGIN 1",
            "onStatus@1 NetStream.Publish.Start",
            "_result 5",
        ]
        self.assertEqual(client.told(), answers)

    def test_waitsForPong(self) -> None:
        """The same with a ping; other events do not help."""
        stage = Server(bends.WaitsForPong)
        client = stage.greeted()
        client.send(command("connect", 1, {"app": "live"}))
        self.assertEqual(client.told()[-2:], ["_result 1", "PING_REQUEST 1234"])
        client.send(*PREPARE, UserControl(UserControlType.SET_BUFFER_LENGTH, 0, 300).encode())
        self.assertEqual(client.raw(), b"")
        client.send(UserControl(UserControlType.PING_RESPONSE, 1234).encode())
        self.assertEqual(client.told(), ["_result 2", "_result 3", "_result 4"])
        client.send(publish(), *MEDIA)
        self.assertEqual(len(stage.stream().stored), len(MEDIA))

    def test_waitsForNothing(self) -> None:
        """What is waited for must be said by somebody."""
        self.assertRaises(NotImplementedError, bends._Waiting().request)
