"""
Our client and our server, as two programs: what is published is recorded and played, to the last message.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from unittest import TestCase

from rtmptw.wire.command import Command
from rtmptw.wire.message import MessageType
from tests.interop.compare import Media, assertSameMedia, mediaOf, readRTMP, readWholeFLV
from tests.interop.ourclient import OurClient
from tests.interop.processes import once, waitFor
from tests.interop.proxy import Proxy
from tests.interop.server import TWISTD, Server
from tests.interop.sources import CODECS, LONG, longSource, source

#: How long an end that needs no waiting may take, seconds. A time-out takes 15 or more.
PROMPTLY = 5.0


@dataclass
class Carried:
    """
    One stream, from our publisher through our server to the recorder and our player.

    @ivar problem: why one of the programs did not end well; empty if all did.
    @ivar reason: why the player's stream has ended.
    """

    problem: str
    sent: list[Media]
    recorded: list[Media]
    played: list[Media]
    reason: str


@once
def carryAll() -> dict[str, Carried]:
    """Publish in real time and play, all codecs at the same time."""
    results: dict[str, Carried] = {}
    with Server() as server, ExitStack() as stack:
        directory = server.directory

        def client(action: str, codecs: str) -> OurClient:
            file = source(codecs) if action == "publish" else directory / f"{codecs}.flv"
            log = directory / f"{action}-{codecs}.log"
            return stack.enter_context(OurClient(action, server.url(f"live/{codecs}"), file, log))

        players = {codecs: client("play", codecs) for codecs in CODECS}
        for player in players.values():
            player.started()
        publishers = {codecs: client("publish", codecs) for codecs in CODECS}
        for codecs, player in players.items():
            problem = ""
            try:
                publishers[codecs].succeed()
                player.succeed(PROMPTLY)
            except AssertionError as error:
                problem = str(error)
            results[codecs] = Carried(
                problem,
                mediaOf(readWholeFLV(source(codecs))),
                mediaOf(readWholeFLV(server.recording(f"live/{codecs}"))),
                mediaOf(readWholeFLV(directory / f"{codecs}.flv")),
                " ".join(player.said("ended")),
            )
    return results


class RealTimeTests(TestCase):
    """In real time, by the timestamps."""

    def check(self, codecs: str) -> None:
        carried = carryAll()[codecs]
        self.assertEqual(carried.problem, "")
        assertSameMedia(self, carried.recorded, carried.sent, f"{codecs}, recorded")
        assertSameMedia(self, carried.played, carried.sent, f"{codecs}, played")
        self.assertEqual(carried.reason, "the server said: NetStream.Play.UnpublishNotify")

    def test_h264AAC(self) -> None:
        self.check("h264-aac")

    def test_hevcOpus(self) -> None:
        self.check("hevc-opus")

    def test_av1FLAC(self) -> None:
        self.check("av1-flac")

    def test_vp9AC3(self) -> None:
        self.check("vp9-ac3")

    def test_multitrack(self) -> None:
        self.check("multitrack")


class FullSpeedTests(TestCase):
    """Without any pace but the server's: N of N messages (wire facts 10.97), and a close that knows it."""

    def check(self, pace: str, *arguments: str) -> None:
        """
        @param arguments: of the server's Python, if it is not the usual one.
        """
        with Server(arguments=arguments or (*TWISTD, "rtmp")) as server:
            with OurClient(
                "publish", server.url("live/long"), longSource(), server.directory / "client.log", "--pace", pace
            ) as client:
                client.succeed()
                self.assertEqual((client.said("sent"), client.said("closed")), ([""], [""]))
            # When the client's close has succeeded, the server has read all of it; the recorder may be behind.
            recorded = mediaOf(readWholeFLV(server.recording("live/long")))
        assertSameMedia(self, recorded, mediaOf(readWholeFLV(longSource())), pace)

    def test_conformance96_97_push(self) -> None:
        self.check("push")

    def test_conformance96_97_pull(self) -> None:
        self.check("pull")

    def test_conformance96_97_pushHeldUp(self) -> None:
        """Each turn of the server's reactor begins with a sleep."""
        self.check("push", "-m", "tests.interop.heldup")

    def test_conformance96_97_pullHeldUp(self) -> None:
        self.check("pull", "-m", "tests.interop.heldup")


class ConversationTests(TestCase):
    """What our client really says, seen by a proxy."""

    def test_conformance65_92(self) -> None:
        """The order of the commands, and their numbers; a query stays with the name, and a password is nowhere."""
        server = Server("--publish-user", "users")
        (server.directory / "users").write_text("camera:s3same\n")
        with server, Proxy(server.port) as proxy:
            url = f"rtmp://camera:s3same@127.0.0.1:{proxy.port}/live/a%20b?key=hush"
            with OurClient("publish", url, source(), server.directory / "client.log", "--pace", "push") as client:
                client.succeed()
            recorded = mediaOf(readWholeFLV(server.recording("live/a%2520b")))
            said = [proxy.finished(position).said(byClient=True) for position in range(3)]
            output = client.output
        assertSameMedia(self, recorded, mediaOf(readWholeFLV(source())))
        for data in said:
            self.assertNotIn(b"s3same", data)
        self.assertNotIn("hush", output)
        commands = [Command.decode(m) for m in readRTMP(said[2]) if m.type == MessageType.COMMAND]
        name = "a%20b?key=hush"
        self.assertEqual(
            [(c.name, c.transactionId, c.arguments) for c in commands[1:]],
            [
                ("releaseStream", 2.0, (name,)),
                ("FCPublish", 3.0, (name,)),
                ("createStream", 4.0, ()),
                ("publish", 5.0, (name, "live")),
                ("FCUnpublish", 6.0, (name,)),
                ("deleteStream", 7.0, (1.0,)),
            ],
        )
        parameters = commands[0].commandObject
        assert isinstance(parameters, dict)
        self.assertRegex(str(parameters["tcUrl"]), r"^rtmp://127\.0\.0\.1:\d+/live\?authmod=adobe&user=camera&")


class UNIXTests(TestCase):
    """Another way than to the URL's host and port."""

    def test_endpoint(self) -> None:
        with Server("--port", "unix:rtmp.socket") as server:
            socket = server.directory / "rtmp.socket"
            waitFor("the socket", socket.exists)
            way = ("--endpoint", f"unix:{socket}")
            url, directory = "rtmp://nowhere.invalid/live/unix", server.directory
            with OurClient("play", url, directory / "played.flv", directory / "play.log", *way) as player:
                player.started()
                with OurClient("publish", url, source(), directory / "publish.log", "--pace", "push", *way) as client:
                    client.succeed()
                player.succeed()
            recorded = mediaOf(readWholeFLV(server.recording("live/unix")))
            played = mediaOf(readWholeFLV(directory / "played.flv"))
        sent = mediaOf(readWholeFLV(source()))
        assertSameMedia(self, recorded, sent, "recorded")
        assertSameMedia(self, played, sent, "played")


class RefusalTests(TestCase):
    """A no comes with its reason, at once."""

    def failure(self, server: Server, url: str) -> str:
        with OurClient("publish", url, source(), server.directory / "refused.log") as client:
            return client.failure(PROMPTLY)

    def test_nameInUse(self) -> None:
        """And the first one notices nothing."""
        input = source(seconds=LONG)
        with Server() as server:
            url = server.url("live/busy")
            with OurClient("publish", url, input, server.directory / "first.log") as first:
                first.started()
                failure = self.failure(server, url)
                first.succeed()
            recorded = mediaOf(readWholeFLV(server.recording("live/busy")))
        self.assertEqual(
            failure, "CallError: publish refused: NetStream.Publish.BadName: live/busy is published already"
        )
        assertSameMedia(self, recorded, mediaOf(readWholeFLV(input)))

    def test_password(self) -> None:
        """Without one, and with a wrong one; which is not repeated anywhere."""
        server = Server("--publish-user", "users")
        (server.directory / "users").write_text("camera:s3same\n")
        with server:
            self.assertRegex(self.failure(server, server.url("live/x")), "^AuthenticationError: .*user:password@host")
            wrong = self.failure(server, server.url("live/x").replace("://", "://camera:gu3ss@"))
            log = server.log + (server.directory / "refused.log").read_text()
        self.assertRegex(wrong, "^AuthenticationError: ")
        self.assertNotIn("gu3ss", log)

    def test_nobodyThere(self) -> None:
        """The server has gone before we come."""
        with Server() as server:
            url = server.url("live/x")
            server.kill()
            self.assertRegex(self.failure(server, url), "^ConnectionClosed: connecting to 127.0.0.1, port .*refused")


class KilledServerTests(TestCase):
    """A server that dies."""

    def test_publishing(self) -> None:
        """The stream ends, and the close fails: nobody knows what has arrived."""
        with Server() as server:
            log = server.directory / "client.log"
            with OurClient("publish", server.url("live/killed"), source(), log) as client:
                server.partial("live/killed")
                began = time.monotonic()
                server.kill()
                failure = client.failure(PROMPTLY)
                self.assertLess(time.monotonic() - began, PROMPTLY)
                self.assertEqual((len(client.said("ended")), len(client.said("cut"))), (1, 1))
        self.assertRegex(failure, "^ConnectionClosed: close failed: .*; what was published last may be lost$")

    def test_playing(self) -> None:
        """The reason says that the server did not end the stream."""
        with Server() as server:
            directory = server.directory
            with (
                OurClient(
                    "play", server.url("live/killed"), directory / "played.flv", directory / "play.log"
                ) as player,
                OurClient("publish", server.url("live/killed"), source(), directory / "publish.log"),
            ):
                player.started()
                waitFor("something to be played", lambda: (directory / "played.flv").stat().st_size)
                server.kill()
                player.wait(PROMPTLY)
                [reason] = player.said("ended")
        self.assertNotIn("the server said", reason)
