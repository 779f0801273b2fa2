"""
Relays between real servers: what is published at one is seen at another, also if one in between dies again and again.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from unittest import TestCase

from rtmptw.wire.message import MessageType
from tests.interop.compare import assertSameMedia, mediaOf, readWholeFLV
from tests.interop.ourclient import OurClient
from tests.interop.processes import Process, alone, siege, waitFor
from tests.interop.programs import ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.relay import Relay
from tests.interop.server import Server
from tests.interop.sources import LONG, remux, source
from tests.interop.watcher import Seen, Watcher

#: For how long nginx is away, seconds; the source has a keyframe every second.
OUTAGES = (0.1, 0.5, 1.0, 2.0, 3.0)

#: How long it is there in between, and at the beginning, seconds.
UPTIME = 2.5

#: How soon the picture must be there when nginx is back, seconds: the two relays come back within a tenth of the outage
#: and half a second, at the same time, and may have to wait for a keyframe after that.
PROMPTLY = 2.0


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class ChainTests(TestCase):
    """A publisher, our server that pushes, nginx, our server that pulls, a player."""

    def test_everything(self) -> None:
        """Whoever publishes: if it is watched from the beginning, all arrives at the other end, and then the end."""
        names = ("ffmpeg", "ours")
        with ExitStack() as stack:
            away = stack.enter_context(Server())
            directory = away.directory
            nginx = stack.enter_context(Relay(directory, ""))
            there = f"rtmp://127.0.0.1:{nginx.port}/live"
            first = stack.enter_context(Server("--push", f"live={there}"))
            pulls = [option for name in names for option in ("--pull", f"live/{name}={there}/{name}")]
            last = stack.enter_context(Server(*pulls))
            players = {}
            for name in names:
                file, log = directory / f"{name}.flv", directory / f"play-{name}.log"
                players[name] = stack.enter_context(OurClient("play", last.url(f"live/{name}"), file, log))
                last.waitForLog(f"live/{name}: pulled from")
            with (
                Process(ffmpegPublish(ffmpeg9(), source(), first.url("live/ffmpeg")), directory / "ffmpeg.log") as one,
                OurClient("publish", first.url("live/ours"), source(), directory / "ours.log") as other,
            ):
                one.succeed()
                other.succeed()
            ended = time.monotonic()
            for name in names:
                players[name].succeed()
                self.assertEqual(players[name].said("ended"), ["the server said: NetStream.Play.UnpublishNotify"])
            self.assertLess(time.monotonic() - ended, 5.0)
            for name, sent in (("ffmpeg", remux(ffmpeg9(), source())), ("ours", source())):
                expected = mediaOf(readWholeFLV(sent))
                assertSameMedia(self, mediaOf(readWholeFLV(first.recording(f"live/{name}"))), expected, "first")
                for where, file in (("last", last.recording(f"live/{name}")), ("played", directory / f"{name}.flv")):
                    found = mediaOf(readWholeFLV(file))
                    # nginx sends each header right before the first frame of its type.
                    for type in (MessageType.AUDIO, MessageType.VIDEO):
                        ofType = [[one for one in media if one[0] == type] for media in (found, expected)]
                        assertSameMedia(self, *ofType, f"{name}, {where}, {type.name}")
                    self.assertEqual(len(found), len(expected))


class OurOwnTests(TestCase):
    """Servers of ours alone: A pushes to B, which wants a password, and C pulls from A."""

    def test_everything(self) -> None:
        """Everything is at B, whose relay has come after the publisher, and at C, where it was waited for."""
        there = Server("--publish-user", "users")
        (there.directory / "users").write_text("camera:s3same\n")
        with ExitStack() as stack:
            stack.enter_context(there)
            target = there.url("copy").replace("://", "://camera:s3same@")
            here = stack.enter_context(Server("--push", f"live={target}/hush?token=t0ken"))
            other = stack.enter_context(Server("--pull", f"live/x={here.url('live/x')}"))
            directory = here.directory
            player = OurClient("play", other.url("live/x"), directory / "played.flv", directory / "play.log")
            stack.enter_context(player)
            other.waitForLog("live/x: pulled from")
            with Process(ffmpegPublish(ffmpeg9(), source(), here.url("live/x")), directory / "ffmpeg.log") as publisher:
                publisher.succeed()
            player.succeed()
            expected = mediaOf(readWholeFLV(remux(ffmpeg9(), source())))
            for where, file in (
                ("A", here.recording("live/x")),
                ("B", there.recording("copy/hush")),
                ("C", other.recording("live/x")),
                ("player", directory / "played.flv"),
            ):
                assertSameMedia(self, mediaOf(readWholeFLV(file)), expected, where)
            here.waitForLog("live/x: pushed to .*, to the end")
            for secret in ("s3same", "hush", "t0ken"):
                self.assertNotIn(secret, here.log)

    def test_wanted(self) -> None:
        """A stream is fetched for a late viewer, and it is at a keyframe at once; nobody has asked before."""
        input = source(seconds=LONG)
        with Server() as here, Server("--pull", f"live/x={here.url('live/x')}") as other:
            command = ffmpegPublish(ffmpeg9(), input, here.url("live/x"))
            with Process(command, here.directory / "ffmpeg.log") as publisher:
                here.partial("live/x")
                time.sleep(1.2)
                self.assertNotIn("pulled from", other.log)
                with Watcher(other.url("live/x"), here.directory / "watcher.log") as watcher:
                    seen = waitFor("a frame", lambda: [one for one in watcher.seen if one.isFrame])
                    self.assertEqual(seen[0].kind, "key")
                    publisher.succeed()
                    watcher.succeed()


@siege
class KilledTests(TestCase):
    """nginx, in the middle of the chain, is killed and started again."""

    def run_(self) -> tuple[list[Seen], list[tuple[float, float]]]:
        """
        Do it.

        @return: what the player has seen; when nginx was killed, and when it listened again, each time.
        """
        seconds = sum(OUTAGES) + UPTIME * (len(OUTAGES) + 1)
        input = source(seconds=round(seconds))
        outages: list[tuple[float, float]] = []
        with ExitStack() as stack:
            away = stack.enter_context(Server())
            relay = Relay(away.directory, "")
            nginx: Process = relay
            stack.callback(lambda: nginx.kill())
            there = f"rtmp://127.0.0.1:{relay.port}/live"
            first = stack.enter_context(Server("--push", f"live={there}"))
            last = stack.enter_context(Server("--pull", f"live/x={there}/x"))
            watcher = stack.enter_context(Watcher(last.url("live/x"), away.directory / "watcher.log"))
            watcher.started()
            command = ffmpegPublish(ffmpeg9(), input, first.url("live/x"))
            publisher = stack.enter_context(Process(command, away.directory / "ffmpeg.log"))
            waitFor("the first frame", lambda: watcher.seen)
            for outage in OUTAGES:
                time.sleep(UPTIME)
                nginx.kill()
                killed = time.monotonic()
                time.sleep(outage)
                nginx = Process(relay.command, away.directory / "nginx.log")
                waitFor("nginx to listen", lambda: _listens(relay.port))
                outages.append((killed, time.monotonic()))
                self.assertEqual((watcher.ends, publisher.status), ([], None))
            publisher.succeed()
            watcher.succeed()
            self.assertEqual(watcher.ends, ["the server said: NetStream.Play.UnpublishNotify"])
            sent = mediaOf(readWholeFLV(remux(ffmpeg9(), input)))
            assertSameMedia(self, mediaOf(readWholeFLV(first.recording("live/x"))), sent, "the first server")
            self.assertEqual(len(list(last.recordings.glob("live/x-*.flv"))), 1)
            return watcher.seen, outages

    def test_killed(self) -> None:
        """
        The publisher notices nothing: the first server has all of it. The player stays connected; after each return it
        goes on at a keyframe, soon, and time never goes back.
        """
        with alone("measuring"):
            seen, outages = self.run_()
        frames = [one for one in seen if one.isFrame]
        delays = []
        for killed, returned in outages:
            after = next(one for one in frames if one.at > returned)
            before = [one for one in frames if one.at <= returned][-1]
            self.assertLess(before.at - killed, 0.2)
            self.assertEqual(after.kind, "key")
            delays.append(after.at - returned)
            print(
                f"away {returned - killed:.2f} s, a picture {delays[-1]:.2f} s later, "
                f"{after.timestamp - before.timestamp} ms left out"
            )
        self.assertLess(max(delays), PROMPTLY)
        for type in (MessageType.AUDIO, MessageType.VIDEO):
            times = [one.timestamp for one in frames if one.type == type]
            self.assertEqual(times, sorted(set(times)), type.name)
