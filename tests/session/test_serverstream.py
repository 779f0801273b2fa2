# -*- test-case-name: tests.session.test_serverstream -*-
"""
Tests for L{rtmptw.session.serverstream}: what a command does in which state.
"""

from __future__ import annotations

from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.busy import LOOK_SECONDS
from rtmptw.requests import Granted
from rtmptw.session.serverstream import ServerStream, State
from rtmptw.wire.control import UserControl, UserControlType
from tests.session.dialects import Application, Client, Stage, audio, command, connect, video

KEYFRAME = video(0)


def names(client: Client) -> list[str]:
    """What the client was told, without media."""
    return [
        word.removeprefix("onStatus@1 NetStream.") for word in client.told() if not word.startswith(("AUDIO", "VIDEO"))
    ]


class PlayerTests(SynchronousTestCase):
    """What players may say while they play."""

    def setUp(self) -> None:
        self.stage = Stage(self)
        self.publisher = self.stage.publisher()
        self.publisher.send(KEYFRAME)
        self.player = self.stage.player()
        self.player.take()

    def test_conformance81_neverCloses(self) -> None:
        """pause, seek and the rest, on the stream, on none, on another; with any arguments, or none."""
        buffer = UserControl(UserControlType.SET_BUFFER_LENGTH, 1, 3000)
        for id in (1, 0, 9):
            for arguments in ((), (True, 0), (False, 0), (5.0,), ("x", {}), (None,)):
                for name in (
                    "pause",
                    "pauseRaw",
                    "seek",
                    "receiveAudio",
                    "receiveVideo",
                    "getStreamLength",
                    "whatever",
                ):
                    self.player.send(command(name, 0, None, *arguments, id=id), buffer.encode())
                self.publisher.send(audio(1))
                self.stage.pass_(1)
        self.player.send(command("pause", 0, None, False, id=1))
        self.player.take()
        self.publisher.send(video(7))
        self.assertEqual((self.player.closing, self.player.told()[-1]), (False, "VIDEO@1 7"))

    def test_log(self) -> None:
        """The log tells who plays and who publishes what, and who waits for a publisher."""
        self.stage.player(name="other")
        lines = [str(formatEvent(event)) for event in self.stage.log]
        said = [line.partition(": ")[2] for line in lines if ": playing" in line or ": publishing" in line]
        expected = ["publishing live/test", "playing live/test", "playing live/other, which nobody publishes yet"]
        self.assertEqual(said, expected)

    def test_pause(self) -> None:
        for id in (1, 0):
            for name in ("pause", "pauseRaw"):
                self.player.send(command(name, 0, None, True, 0, id=id))
                self.assertEqual(names(self.player), ["Pause.Notify", "STREAM_EOF 1"])
                self.publisher.send(audio(5))
                self.player.assertSilent()
                self.player.send(command(name, 0, None, False, 0, id=id))
                told = self.player.told()
                self.assertEqual(told[:2], ["STREAM_BEGIN 1", "onStatus@1 NetStream.Unpause.Notify"])
                self.assertEqual(told[-1], "AUDIO@1 5")

    def test_seek(self) -> None:
        self.player.send(command("seek", 0, None, 5000, id=1))
        self.assertEqual(names(self.player), ["Seek.Notify", "Play.Start"])

    def test_receive(self) -> None:
        """Off: no answer, and none of it. On: the statuses, and all of it."""
        for name, word in (("receiveAudio", "AUDIO@1 9"), ("receiveVideo", "VIDEO@1 9")):
            self.player.send(command(name, 0, None, False, id=1))
            self.player.assertSilent()
            self.publisher.send(audio(9), video(9))
            told = self.player.told()
            self.assertEqual((len(told), word in told), (1, False))
            self.player.send(command(name, 0, None, True, id=1))
            self.assertEqual(names(self.player), ["Seek.Notify", "Play.Start"])
            self.publisher.send(audio(9), video(9))
            self.assertIn(word, self.player.told())

    def test_close(self) -> None:
        """closeStream ends the play, the message stream remains; deleteStream takes it too."""
        self.player.send(command("closeStream", 0, id=1))
        self.publisher.send(audio(5))
        self.player.assertSilent()
        self.player.send(command("play", 0, None, "test", id=1))
        self.assertEqual(names(self.player)[1], "Play.Start")
        self.player.send(command("deleteStream", 0, None, 1))
        self.publisher.send(audio(5))
        self.player.assertSilent()
        self.publisher.lose()
        self.stage.clock.advance(1)
        self.player.assertSilent()
        self.assertFalse(self.player.closing)

    def test_playNext(self) -> None:
        """Another play on the same message stream replaces the first."""
        other = self.stage.publisher("other")
        self.player.send(command("play", 0, None, "other", -2, -1, True, id=1))
        self.assertEqual(names(self.player), ["STREAM_BEGIN 1", "Play.Reset", "Play.Start", "DATA@1 |RtmpSampleAccess"])
        self.publisher.send(audio(5))
        self.player.assertSilent()
        other.send(audio(6))
        self.assertEqual(self.player.told(), ["AUDIO@1 6"])

    def test_playInvalidNext(self) -> None:
        self.player.send(command("play", 0, None, id=1))
        self.assertEqual(names(self.player), ["Play.Failed"])
        self.assertTrue(self.player.closing)

    def test_conformance79_end(self) -> None:
        """Both words that players know, after all media, then the close."""
        self.publisher.send(audio(5))
        self.publisher.lose()
        self.assertEqual(self.player.told(), ["AUDIO@1 5"])
        self.stage.clock.advance(1)
        self.assertEqual(names(self.player), ["Play.UnpublishNotify", "STREAM_EOF 1"])
        self.assertEqual(self.player.transport.calls[-1], "loseWriteConnection")

    def test_twoPlays(self) -> None:
        """The end of one of two plays does not close; that of the second does."""
        other = self.stage.publisher("other")
        self.player.send(command("play", 0, None, "other", id=2))
        self.player.take()
        self.publisher.lose()
        self.stage.clock.advance(1)
        self.assertEqual((len(self.player.take()), self.player.closing), (2, False))
        other.lose()
        self.stage.clock.advance(1)
        self.assertEqual((len(self.player.take()), self.player.closing), (2, True))

    def test_startArguments(self) -> None:
        """Start as it was sent; -2 if it is none."""
        for arguments, start in (((), -2.0), ((-1000,), -1000.0), ((None,), -2.0), (("x",), -2.0), ((5, 7, 0), 5.0)):
            self.player.send(command("play", 0, None, "test", *arguments, id=1))
            self.assertEqual(self.stage.application.requests[-1][1].start, start)
            self.publisher.send(audio(1))
            self.stage.pass_(7)

    def test_playOneself(self) -> None:
        """Publish and play on one connection."""
        self.publisher.send(command("play", 0, None, "test", id=2))
        self.publisher.take()
        self.publisher.send(audio(5))
        self.assertEqual(self.publisher.told(), ["AUDIO@2 5"])
        self.publisher.send(command("deleteStream", 0, None, 1))
        self.stage.clock.advance(1)
        self.assertEqual(self.publisher.told()[-1], "STREAM_EOF 2")

    def test_resetForms(self) -> None:
        """Reset as a boolean or a number."""
        for value, reset in ((True, True), (1, True), (False, False), (0, False), (None, False)):
            client = self.stage.connected()
            client.send(command("play", 0, None, "test", -2, -1, value, id=1))
            self.assertEqual("Play.Reset" in names(client), reset)


class TableTests(SynchronousTestCase):
    """The table of transitions."""

    def test_methods(self) -> None:
        for (state, _), method in ServerStream.TRANSITIONS.items():
            self.assertIsInstance(state, State)
            self.assertTrue(callable(getattr(ServerStream, method)))

    def test_notInTheTable(self) -> None:
        """Commands without a meaning in a state do nothing."""
        for begin in ("connected", "publisher"):
            client = getattr(Stage(self), begin)()
            for name in ("pause", "pauseRaw", "seek", "receiveAudio", "receiveVideo"):
                client.send(command(name, 0, None, True, id=1))
            client.assertSilent()
            self.assertFalse(client.closing)

    def test_D2_messageStreams(self) -> None:
        """No more than eight at a time, however they are made."""
        client = Stage(self).connected()
        for _ in range(8):
            client.send(command("createStream", 2))
        self.assertEqual((client.told(), client.closing), (["_result 2"] * 8, False))
        client.send(command("createStream", 2))
        self.assertEqual((client.told(), client.closing), (["_error 2 NetConnection.Call.Failed"], True))
        client = Stage(self).connected()
        client.send(*[command("publish", 0, None, f"test{n}", id=n) for n in range(9)])
        self.assertEqual(client.told()[-1], "onStatus@8 NetStream.Publish.Denied")
        self.assertTrue(client.closing)

    def test_D2_createdInAll(self) -> None:
        """No more than 64 in all."""
        stage = Stage(self)
        client = stage.connected()
        for n in range(1, 65):
            client.send(command("createStream", 2), command("deleteStream", 0, None, n))
            stage.clock.advance(0.1)
        self.assertEqual((client.told(), client.closing), (["_result 2"] * 64, False))
        client.send(command("createStream", 2))
        self.assertTrue(client.closing)

    def test_D2_rapidReset(self) -> None:
        """Publishing again and again costs the application ten questions, then one each eight seconds."""
        stage = Stage(self)
        client = stage.connected()
        stop = command("publish", 0, None, False, id=1)
        client.send(*[command("publish", 0, None, "test", id=1), stop] * 10)
        self.assertFalse(client.closing)
        stage.pass_(8)
        client.send(command("publish", 0, None, "test", id=1), stop)
        self.assertFalse(client.closing)
        client.take()
        client.send(command("publish", 0, None, "test", id=1), stop)
        self.assertEqual((client.told(), client.closing), (["onStatus@1 NetStream.Publish.Denied"], True))
        self.assertEqual(len(stage.application.asked), 11)

    def test_connectAgain(self) -> None:
        client = Stage(self).publisher()
        client.send(connect(transactionId=9))
        self.assertEqual(client.told(), ["_error 9 NetConnection.Call.Failed"])
        self.assertEqual(len(client.stage.published[0].ends), 1)


class GrantedTests(SynchronousTestCase):
    """An application may grant another stream than the one that was asked for."""

    def test_otherPath(self) -> None:
        """It is known by that path: in the hub, and in the log; who plays is told the name that it has said."""
        stage = Stage(self, Application(publish=Granted("live/public"), play=Granted("live/public")))
        publisher = stage.connected()
        publisher.send(command("createStream", 2), command("publish", 3, None, "SECRET", "live", id=1))
        player = stage.connected()
        player.send(command("createStream", 2), command("play", 3, None, "SECRET", -2, -1, True, id=1))
        publisher.send(video(0))
        self.assertEqual(stage.application.asked, [("publish", "live/SECRET"), ("play", "live/SECRET")])
        self.assertEqual([stream.path for stream in stage.factory.hub], ["live/public"])
        self.assertIn("VIDEO@1 0", player.told())
        publisher.take()
        self.assertIn(b"live/public is now published.", publisher.heard[-1].payload)
        said = b"".join(message.payload for message in player.heard)
        self.assertEqual((said.count(b"live/SECRET"), said.count(b"public")), (2, 0))
        second = stage.connected()
        second.send(command("createStream", 2), command("publish", 3, None, "OTHER", "live", id=1))
        stage.clock.advance(LOOK_SECONDS / 2)
        publisher.send(video(40))
        stage.clock.advance(LOOK_SECONDS / 2)
        self.assertEqual(second.told()[-1], "onStatus@1 NetStream.Publish.BadName")
        publisher.send(command("FCUnpublish", 4, None, "SECRET"), command("deleteStream", 5, None, 1))
        self.assertEqual([len(stream.ends) for stream in stage.published], [1])
        for client in (publisher, player, second):
            client.lose()
        lines = [formatEvent(event) for event in stage.log]
        self.assertIn("publish refused: NetStream.Publish.BadName: live/public is published already", " ".join(lines))
        self.assertEqual([line for line in lines if "SECRET" in line or "OTHER" in line], [])
