"""
The publisher's link is cut, and nothing says so: no FIN and no reset reaches the server. The encoder comes back while
the server still has the old connection, with the same name, and must have it at once; viewers play on, and the
recording goes on (row F1).

Server and publisher are in network namespaces of their own, with a cable between them. The publisher's machine loses
its power (it is the same address that comes back, and its system knows nothing of the old connection), or its network
changes (another address comes back).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from unittest import TestCase

from rtmptw.live.busy import LOOK_SECONDS, SAME_SILENT_SECONDS, SILENT_SECONDS
from rtmptw.wire.message import Message, MessageType
from tests.attackers.namespace import Cable, Namespace
from tests.interop.compare import readFLV, readRTMP, readWholeFLV
from tests.interop.players import decode, play
from tests.interop.processes import Process, once, run, runDirectory, siege, waitFor
from tests.interop.programs import ffmpeg9
from tests.interop.proxy import Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server

SERVER, PUBLISHER, ELSEWHERE = "10.77.0.1", "10.77.0.2", "10.77.0.3"
NETWORK = "/24"

#: From keyframe to keyframe, s; and what everything else may take on a machine that is busy.
KEYFRAMES = 1.0
SLACK = 0.3

#: How long the first publisher is seen, and the second, s.
SEEN = 3.0

#: How long a source is, s: longer than anything that is done with it.
LENGTH = 40

#: What has so few bytes is no picture.
LEAST = 200


@once
def film(size: str) -> Path:
    """A source with a keyframe each second."""
    path = runDirectory() / f"cutlink-{size}.flv"
    run(
        [
            *(ffmpeg9(), "-nostdin", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25"),
            *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", str(LENGTH)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", "-b:a", "96k", "-f", "flv", str(path)),
        ],
        path.with_suffix(".log"),
    )
    return path


@dataclass(frozen=True)
class Cut:
    """
    What happens.

    @ivar outage: how long the link is down, s.
    @ivar isPower: whether the publisher's machine loses its power; else its address changes.
    @ivar size: of the pictures that come back.
    """

    outage: float
    isPower: bool
    size: str = "320x180"


@dataclass
class Seen:
    """
    What came of it.

    @ivar gap: the longest time in which no media reached the viewer, s.
    @ivar messages: what was sent to the viewer.
    @ivar file: what the viewer has written.
    @ivar recordings: in order.
    @ivar log: the server's.
    """

    gap: float
    messages: list[Message]
    file: Path
    recordings: list[Path]
    log: str


class _Scene:
    """Two machines, a server, a viewer that is seen through a proxy, and a publisher."""

    def __init__(self, test: TestCase, stack: ExitStack) -> None:
        self._test, self._stack = test, stack
        self.server = self._machine()
        self.publisher = self._machine()
        self.cable = self._plug()

    def _machine(self) -> Namespace:
        return self._stack.enter_context(Namespace())

    def _plug(self) -> Cable:
        return Cable(self.server, SERVER + NETWORK, self.publisher, PUBLISHER + NETWORK)

    def serve(self) -> Server:
        """Start the server."""
        with self.server.inside():
            return self._stack.enter_context(Server(endpoint="tcp:0:interface=0.0.0.0"))

    def watch(self, server: Server, file: Path) -> tuple[Proxy, Process]:
        """Start the viewer."""
        with self.server.inside():
            proxy = self._stack.enter_context(Proxy(server.port))
            command = play("ffmpeg9", proxy.url("live/cut"), file)
            return proxy, self._stack.enter_context(Process(command, file.with_suffix(".log")))

    def publish(self, server: Server, size: str, log: Path) -> Process:
        """Start the publisher."""
        command = ffmpegPublish(ffmpeg9(), film(size), f"rtmp://{SERVER}:{server.port}/live/cut")
        with self.publisher.inside():
            return self._stack.enter_context(Process(command, log))

    def interrupt(self, cut: Cut, publisher: Process) -> None:
        """The link is down, the publisher is gone, and later the link is there again."""
        self.cable.cut()
        began = time.monotonic()
        publisher.kill()
        if cut.isPower:
            # Its system goes with it, and all that it would still have sent.
            self.publisher.close()
            self.cable.remove()
            self.publisher = self._machine()
            time.sleep(max(began + cut.outage - time.monotonic(), 0))
            self.cable = self._plug()
        else:
            self.cable.readdress(PUBLISHER + NETWORK, ELSEWHERE + NETWORK)
            time.sleep(max(began + cut.outage - time.monotonic(), 0))
            self.cable.mend()


def longestGap(times: Iterable[float]) -> float:
    """Between two neighbours, s."""
    return max(after - before for before, after in pairwise(times))


@siege
class CutLinkTests(TestCase):
    def see(self, cut: Cut) -> Seen:
        """
        Let it happen.
        """
        for size in {"320x180", cut.size}:
            film(size)
        with ExitStack() as stack:
            scene = _Scene(self, stack)
            server = scene.serve()
            first = scene.publish(server, "320x180", server.directory / "first.log")
            file = server.directory / "viewer.flv"
            proxy, viewer = scene.watch(server, file)
            self._wait(proxy, viewer, SEEN)
            scene.interrupt(cut, first)
            since = time.monotonic()
            second = scene.publish(server, cut.size, server.directory / "second.log")
            self._wait(proxy, viewer, SEEN, since)
            self.assertIsNone(second.status, f"the second publisher has ended: {second}")
            self.assertIsNone(viewer.status, f"the viewer has ended: {viewer}")
            viewer.terminate()
            second.terminate()
            recordings = self._recordings(server)
            kept = self._keep([file, *recordings])
            conversation = proxy.conversations[0]
            segments = [each for each in conversation.segments if not each.fromClient and len(each.data) > LEAST]
            gap = longestGap(each.at for each in segments[3:])
            return Seen(gap, readRTMP(conversation.said(False)), kept[0], kept[1:], server.log)

    def _wait(self, proxy: Proxy, viewer: Process, seconds: float, since: float = 0.0) -> None:
        """Wait until media has come for so long."""

        def came() -> bool:
            self.assertIsNone(viewer.status, f"the viewer has ended: {viewer}")
            if not proxy.conversations:
                return False
            times = [
                each.at
                for each in tuple(proxy.conversations[0].segments)
                if not each.fromClient and len(each.data) > LEAST and each.at > since
            ]
            return bool(times) and times[-1] - times[0] >= seconds

        waitFor(f"{seconds:g} s of media", came, seconds + 25)

    def _recordings(self, server: Server) -> list[Path]:
        """Every recording, when all are finished."""
        waitFor("the recordings", lambda: not [*server.recordings.rglob("*.part")])
        return sorted(server.recordings.rglob("*.flv"), key=lambda path: path.stat().st_mtime)

    def _keep(self, files: list[Path]) -> list[Path]:
        """Their copies, which last until the end of the test."""
        directory = runDirectory() / f"cutlink-{self.id()}"
        directory.mkdir(exist_ok=True)
        self.addCleanup(shutil.rmtree, directory, True)
        return [Path(shutil.copy(file, directory / f"{number}.flv")) for number, file in enumerate(files)]

    def assertMonotonic(self, messages: Iterable[Message], where: str) -> None:
        """Neither sounds nor pictures ever go back."""
        for type in (MessageType.AUDIO, MessageType.VIDEO):
            times = [each.timestamp for each in messages if each.type == type]
            self.assertGreater(len(times), 50, where)
            back = [pair for pair in pairwise(times) if pair[1] < pair[0]]
            self.assertEqual(back, [], f"{where}: {type.name} goes back")

    def assertPlayable(self, file: Path, isWhole: bool = True) -> None:
        """FFmpeg minds nothing, and times never go back."""
        tags = readWholeFLV(file) if isWhole else readFLV(file)
        self.assertMonotonic(tags, file.name)  # type: ignore[arg-type]
        output = run(decode(ffmpeg9(), str(file)), file.with_suffix(".log"))
        self.assertEqual(output, "", f"{file}: FFmpeg minds something")

    def assertGoesOn(self, seen: Seen, cut: Cut) -> None:
        """The viewer has hardly noticed; and it was not the end of the old connection that has helped."""
        waited = max(cut.outage, (SAME_SILENT_SECONDS if cut.isPower else SILENT_SECONDS) + LOOK_SECONDS)
        self.assertLessEqual(seen.gap, waited + KEYFRAMES + SLACK, seen.log[-3000:])
        self.assertMonotonic(seen.messages, "what the viewer was sent")
        self.assertNotRegex(seen.log, r"live/cut.*(was lost|the peer closed)", "the server was told")
        self.assertIn("live/cut: taken over by another connection", seen.log)

    def check(self, cut: Cut) -> Seen:
        """One file, one recording."""
        seen = self.see(cut)
        self.assertGoesOn(seen, cut)
        self.assertPlayable(seen.file)
        self.assertEqual(len(seen.recordings), 1, seen.log)
        self.assertPlayable(seen.recordings[0])
        return seen

    def test_F1_powerLost(self) -> None:
        """3 s: the same address comes back."""
        self.check(Cut(3.0, True))

    def test_F1_otherNetwork(self) -> None:
        """3 s: another address comes back."""
        self.check(Cut(3.0, False))

    def test_F1_powerLostForAMoment(self) -> None:
        """0.5 s: the same address comes back, and need hardly wait."""
        self.check(Cut(0.5, True))

    def test_F1_otherNetworkInAMoment(self) -> None:
        """
        0.5 s, as when a telephone leaves a wireless network: without a key, it may be somebody else, so it waits until
        the old connection is silent for long.
        """
        self.check(Cut(0.5, False))

    def test_F1_otherPictures(self) -> None:
        """What comes back has pictures of another size: the viewer gets their header, and they are a new recording."""
        cut = Cut(3.0, True, "480x270")
        seen = self.see(cut)
        self.assertGoesOn(seen, cut)
        pictures = [each.payload for each in seen.messages if each.type == MessageType.VIDEO]
        headers = {payload for payload in pictures if payload[1:2] == b"\0"}
        self.assertEqual(len(headers), 2, "two headers of pictures")
        self.assertEqual(len(seen.recordings), 2, seen.log)
        for recording in seen.recordings:
            self.assertPlayable(recording)
