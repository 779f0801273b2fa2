# -*- test-case-name: tests.brokenservers.test_refusalbends -*-
"""
Tests for L{tests.brokenservers.refusalbends}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.amf import UNDEFINED
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message
from tests.brokenservers.plain import PlainServer
from tests.brokenservers.refusalbends import (
    ClosesOnExtraArgument,
    ClosesOnJunkData,
    ClosesOnUnknownType,
    ErrorStatusUnknownCode,
    ErrorWithoutClose,
    NameStaysTaken,
    RefusalWithoutStatus,
)
from tests.brokenservers.talk import MEDIA, PREPARE, Server, differing, publish
from tests.session.dialects import command, connect, data

ENDED = ["onStatus@1 NetStream.Play.UnpublishNotify", "STREAM_EOF 1"]


def refused(server: type[PlainServer]) -> tuple[list[Message], bool]:
    """
    What the second publisher of a name is told.

    @return: and whether the connection was closed.
    """
    stage = Server(server)
    stage.publisher()
    second = stage.connected()
    second.send(*PREPARE)
    second.take()
    second.send(publish())
    return second.take(), second.isClosing


class RefusalBendTests(SynchronousTestCase):
    def test_welcome(self) -> None:
        """Who is not to be refused sees nothing of all this, and players are left at the end as ever."""
        for server in (
            ErrorWithoutClose,
            RefusalWithoutStatus,
            ErrorStatusUnknownCode,
            NameStaysTaken,
            ClosesOnUnknownType,
            ClosesOnExtraArgument,
            ClosesOnJunkData,
        ):
            self.assertEqual(differing(server), [], server)
            stage = Server(server)
            player, publisher = stage.player(), stage.publisher()
            publisher.send(*MEDIA)
            publisher.lose()
            self.assertEqual((player.told()[-2:], player.isClosing), (ENDED, True), server)
            self.assertEqual(len(stage.stream().stored), len(MEDIA))

    def test_errorWithoutClose(self) -> None:
        """The same status, and the connection stays open."""
        (status,), closed = refused(PlainServer)
        self.assertTrue(closed)
        self.assertEqual(refused(ErrorWithoutClose), ([status], False))

    def test_refusalWithoutStatus(self) -> None:
        """Closed without a word."""
        self.assertEqual(refused(RefusalWithoutStatus), ([], True))

    def test_errorStatusUnknownCode(self) -> None:
        """Closed, and only the code differs."""
        (sound,), _ = refused(PlainServer)
        (bent,), closed = refused(ErrorStatusUnknownCode)
        one, other = ({**Command.decode(message).arguments[0]} for message in (sound, bent))  # type: ignore[dict-item]
        self.assertEqual(
            (one.pop("code"), other.pop("code")), ("NetStream.Publish.BadName", "Application.Stream.NotNow")
        )
        self.assertEqual((one, closed, bent.streamId), (other, True, sound.streamId))

    def test_nameStaysTaken(self) -> None:
        """It is, for others, after every kind of end; its players are told of the end nevertheless."""
        for end in (None, command("deleteStream", 7, None, 1), command("FCUnpublish", 7, None, "test")):
            stage = Server(NameStaysTaken)
            player, first = stage.player(), stage.publisher()
            if end is not None:
                first.send(end)
            first.lose()
            self.assertEqual(player.told(), ENDED)
            second = stage.connected()
            second.send(*PREPARE, publish())
            self.assertEqual(second.told()[-1], "onStatus@1 NetStream.Publish.BadName")
            self.assertTrue(second.isClosing)

    def test_closesOnUnknownType(self) -> None:
        """On 7, for one; not on any type that RTMP 1.0 knows."""
        for type, closes in ((7, True), (99, True), (16, False), (19, False), (22, False), (15, False)):
            for server in (ClosesOnUnknownType, PlainServer):
                client = Server(server).publisher()
                client.send(Message(type, 0, 1, b"\0\0\0\0\0", 4))
                self.assertEqual(client.isClosing, closes and server is not PlainServer, type)

    def test_closesOnExtraArgument(self) -> None:
        """More arguments, no object, or a value in it that is no number, boolean or string."""
        for message in (
            command("connect", 1, {"app": "live"}, "authMe"),
            command("connect", 1, None),
            command("connect", 1),
            connect(nothing=None),
            connect(nothing=UNDEFINED),
            connect(fourCcList=["hvc1", "Opus"]),
        ):
            client = Server(ClosesOnExtraArgument).greeted()
            client.send(message)
            self.assertEqual((client.raw(), client.isClosing), (b"", True), message)
            client = Server().greeted()
            client.send(message)
            self.assertEqual(client.told()[-1], "_result 1")

    def test_closesOnJunkData(self) -> None:
        """Four bytes of a time code, or a number; not on any data with a name."""
        for message, closes in (
            (Message(18, 0, 1, b"\0\1\2\3", 4), True),
            (data(1.0, "onMetaData"), True),
            (Message(18, 0, 1, b"", 4), True),
            (data("onTextData", 1.0), False),
        ):
            for server in (ClosesOnJunkData, PlainServer):
                client = Server(server).publisher()
                client.send(message)
                self.assertEqual(client.isClosing, closes and server is not PlainServer)
