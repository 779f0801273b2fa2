"""
C{rtmptw trace} between FFmpeg 9 and nginx: it changes nothing, whatever becomes of it, costs little, and shows no
secrets; and what it has saved, or somebody else has captured, is read as it was seen.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import tempfile
import time
from pathlib import Path
from unittest import TestCase

from rtmptw.capture.saved import readSaved
from rtmptw.trace.segment import Side
from tests.interop.compare import Media, assertSameMedia, mediaOf, readRTMP, readWholeFLV
from tests.interop.pcap import writeCapture
from tests.interop.processes import PATIENCE, Process, run, waitFor
from tests.interop.programs import ffmpeg9
from tests.interop.proxy import Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.relay import Relay
from tests.interop.server import ROOT, Server
from tests.interop.sources import source
from tests.tls.authority import DAY, Authority

#: The command, as its console script runs it; and with a decoder that raises.
TRACE = (sys.executable, "-c", "from rtmptw.cli import main; main()", "trace")
BROKEN = (
    sys.executable,
    "-c",
    "from rtmptw.cli import main; from rtmptw.trace.conversation import Conversation; "
    "Conversation.feed = lambda self, segment: {}['a mistake']; main()",
    "trace",
)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}

KEY = "Streng-geheim-7"
TOKEN = "abc-Token-99"

#: nginx writes each publish into a file of its own, named as the stream.
RECORD = "record all; record_path {directory}; record_unique off;"


class Tracer:
    """
    C{rtmptw trace --listen}, to be used in a C{with}.

    @ivar lines: the file that it writes to standard output.
    """

    def __init__(self, directory: Path, target: str, *options: object, program: tuple[str, ...] = TRACE) -> None:
        """
        @param target: the URL.
        """
        self.directory = directory
        self.lines = directory / "lines.txt"
        command = shlex.join([*program, "--listen", "0", target, *map(str, options)])
        # The shell becomes the program; what is written to standard error is the log.
        shell = f"echo $$ > {directory}/pid; exec {command} > {self.lines}"
        self.process = Process(["bash", "-c", shell], directory / "trace.log", ENVIRONMENT)

    def __enter__(self) -> Tracer:
        try:
            self.port = int(waitFor("the tracer to listen", self._listens)[1])
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.terminate()

    def _listens(self) -> re.Match[str] | None:
        if self.process.status is not None:
            raise AssertionError(f"it does not start: {self.process}")
        return re.search(r"127\.0\.0\.1:(\d+) leads to rtmps?://", self.process.output)

    @property
    def text(self) -> str:
        """What it has written."""
        return self.lines.read_text("ascii")

    @property
    def seconds(self) -> float:
        """How long it has used a processor (proc(5))."""
        pid = int((self.directory / "pid").read_text())
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))

    def url(self, path: str) -> str:
        """The URL of a stream, through here."""
        return f"rtmp://127.0.0.1:{self.port}/{path}"


def entries(text: str) -> list[str]:
    """The lines that tell what was said; a saved trace does not know how a side has ended, nor where it was read."""
    return [
        line for line in text.splitlines() if not re.search(r"^--- |[CS]  (closed|reset|dropped|nothing more)", line)
    ]


class TraceTestCase(TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="rtmptw-trace-")))

    def nginx(self) -> Relay:
        """nginx, which records."""
        return self.enterContext(Relay(self.directory, RECORD.format(directory=self.directory)))

    def tracer(self, target: str, *options: object, program: tuple[str, ...] = TRACE) -> Tracer:
        return self.enterContext(Tracer(self.directory, target, *options, program=program))

    def publish(self, url: str, realTime: bool = True, input: Path | None = None) -> None:
        """Publish a source."""
        command = ffmpegPublish(ffmpeg9(), input or source(), url, realTime=realTime)
        with Process(command, self.directory / "ffmpeg.log") as publisher:
            publisher.succeed()

    def recorded(self, name: str) -> list[Media]:
        """What nginx has recorded, when the end of the stream has come to it."""
        path = self.directory / f"{name}.flv"

        def whole() -> list[Media]:
            try:
                media = mediaOf(readWholeFLV(path))
            except (AssertionError, FileNotFoundError):
                return []
            return media if len(media) >= self.sent else []

        return waitFor(f"{path}", whole)

    def assertRecorded(self) -> None:
        """All media is there; nginx may put a header before it once more."""
        found, sent = self.recorded(KEY), mediaOf(readWholeFLV(source()))
        for type in (8, 9):
            digests = [[digest for each, _, digest in media if each == type] for media in (found, sent)]
            self.assertEqual(digests[0][-len(digests[1]) :], digests[1])

    @property
    def sent(self) -> int:
        """How many messages of media the source has."""
        return len(mediaOf(readWholeFLV(source())))

    def read(self, path: Path, *options: str, status: int = 0) -> str:
        """C{rtmptw trace --read}."""
        log = self.directory / "read.log"
        with Process([*TRACE, "--read", str(path), *options], log, ENVIRONMENT) as reader:
            self.assertEqual(reader.wait(), status, str(reader))
            return reader.output


class SameTests(TraceTestCase):
    """What goes through it is the same as without it."""

    def test_recording(self) -> None:
        """
        nginx's recording of the same source is the same; the lines tell it, without secrets; what is saved is what was
        sent, and gives the same lines again.
        """
        nginx = self.nginx()
        self.publish(f"rtmp://127.0.0.1:{nginx.port}/live/direct")
        tracer = self.tracer(f"rtmp://127.0.0.1:{nginx.port}", "--save", self.directory / "saved")
        self.publish(tracer.url(f"live/{KEY}?token={TOKEN}"))
        assertSameMedia(self, self.recorded(KEY), self.recorded("direct"))
        waitFor("the end of the session", lambda: "S->C  closed (FIN)" in tracer.text)
        text = tracer.text
        for words in (
            'connect(1, {app: "live", ',
            'publish(5, null, "<key#1>?token=<secret#1>", "live")',
            'code: "NetStream.Publish.Start"',
            "video keyframe avc1",
        ):
            self.assertIn(words, text)
        for secret in (KEY, TOKEN):
            self.assertNotIn(secret, text + tracer.process.output)
        self.assertNotIn("!", text)
        trace = readSaved(self.directory / "saved" / "1")
        raw = b"".join(segment.data for segment in trace.segments if segment.side is Side.CLIENT)
        assertSameMedia(self, mediaOf(readRTMP(raw)), mediaOf(readWholeFLV(source())), "what is saved")
        self.assertEqual(entries(self.read(self.directory / "saved")), entries(text))
        self.assertIn(KEY, self.read(self.directory / "saved" / "1", "--show-secrets"))

    def test_everything(self) -> None:
        """Bytes, chunks and JSON, at full speed, and nowhere a secret."""
        nginx = self.nginx()
        tracer = self.tracer(f"rtmp://127.0.0.1:{nginx.port}", "--once", "--json", "--hex", "--chunks")
        self.publish(tracer.url(f"live/{KEY}?token={TOKEN}"), realTime=False)
        tracer.process.succeed()
        lines = [json.loads(line) for line in tracer.text.splitlines()]
        media = [line for line in lines if line["kind"] == "message" and "media" in line]
        self.assertEqual(len(media), self.sent)
        self.assertRecorded()
        self.assertEqual([line for line in lines if line.get("violations")], [])
        self.assertEqual([line["how"] for line in lines if line["kind"] == "ending"], ["closed", "closed"])
        for secret in (KEY, TOKEN):
            self.assertNotIn(secret, tracer.text)
            self.assertNotIn(secret.encode().hex(), tracer.text)

    def test_tls(self) -> None:
        """The client without TLS, the server with it."""
        authority = Authority("Interop Authority")
        credential = authority.certify("127.0.0.1", notBefore=time.time() - DAY, notAfter=time.time() + DAY)
        server = Server(endpoint="ssl:0:interface=127.0.0.1:privateKey=%/key.pem:certKey=%/certificate.pem")
        (server.directory / "key.pem").write_bytes(credential.keyPEM)
        (server.directory / "certificate.pem").write_bytes(credential.pem)
        (self.directory / "ca.pem").write_bytes(authority.pem)
        with server:
            tracer = self.tracer(f"rtmps://127.0.0.1:{server.port}", "--ca", self.directory / "ca.pem", "--once")
            self.publish(tracer.url(f"live/{KEY}"))
            tracer.process.succeed()
            assertSameMedia(
                self, mediaOf(readWholeFLV(server.recording(f"live/{KEY}"))), mediaOf(readWholeFLV(source()))
            )
        self.assertIn('publish(5, null, "<key#1>", "live")', tracer.text)
        self.assertNotIn("!!", tracer.text)

    def test_captured(self) -> None:
        """A capture of the same session shows the same as the tracer that stood behind it."""
        nginx = self.nginx()
        tracer = self.tracer(f"rtmp://127.0.0.1:{nginx.port}", "--once")
        with Proxy(tracer.port) as proxy:
            self.publish(proxy.url(f"live/{KEY}"))
            conversation = proxy.finished()
        tracer.process.succeed()
        writeCapture(self.directory / "session.pcap", [conversation])
        found, seen = (
            # Neither the times nor what came first of the two sides need be the same.
            [sorted(line[9:] for line in entries(text) if f"{arrow}  " in line) for arrow in ("C->S", "S->C")]
            for text in (self.read(self.directory / "session.pcap"), tracer.text)
        )
        self.assertEqual(found, seen)


class TroubleTests(TraceTestCase):
    """Whatever becomes of the tracer, or of those who look."""

    def test_killed(self) -> None:
        """kill -9 leaves a trace that can be read."""
        nginx = self.nginx()
        tracer = self.tracer(f"rtmp://127.0.0.1:{nginx.port}", "--save", self.directory / "saved")
        with Process(ffmpegPublish(ffmpeg9(), source(), tracer.url(f"live/{KEY}")), self.directory / "ffmpeg.log"):
            waitFor("some media", lambda: tracer.text.count(" video ") > 20)
            tracer.process.kill()
        text = self.read(self.directory / "saved")
        self.assertGreaterEqual(text.count(" video "), 20)
        for words in ("connect(1, {", 'publish(5, null, "<key#1>", "live")'):
            self.assertIn(words, text)
        # What was written before it was killed is the beginning of that.
        before = entries(tracer.text.rpartition("\n")[0])
        self.assertEqual(before, entries(text)[: len(before)])

    def test_decoderRaises(self) -> None:
        """A mistake of ours is logged once; nobody else notices, and everything is saved."""
        nginx = self.nginx()
        target = f"rtmp://127.0.0.1:{nginx.port}"
        tracer = self.tracer(target, "--once", "--save", self.directory / "saved", program=BROKEN)
        self.publish(tracer.url(f"live/{KEY}"))
        tracer.process.succeed()
        self.assertRecorded()
        self.assertEqual(tracer.process.output.count("a mistake"), 1)
        self.assertEqual(tracer.process.output.count("has failed, and sees no more of its session"), 1)
        self.assertIn("publish(5, null,", self.read(self.directory / "saved"))

    def test_nobodyReads(self) -> None:
        """A reader that does not read stops neither the session nor the end."""
        nginx = self.nginx()
        os.mkfifo(self.directory / "lines.txt")
        # Open for reading, so that the tracer can begin; and nobody reads.
        reader = os.open(self.directory / "lines.txt", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        tracer = self.tracer(f"rtmp://127.0.0.1:{nginx.port}", "--once", "--hex")
        self.publish(tracer.url(f"live/{KEY}"))
        tracer.process.succeed(20)
        self.assertRecorded()
        self.assertTrue(os.read(reader, 1000).startswith(b"--- connection 1"))

    def test_readerLeaves(self) -> None:
        """One that has had enough does not either; it is said."""
        nginx = self.nginx()
        os.mkfifo(self.directory / "lines.txt")
        reader = os.open(self.directory / "lines.txt", os.O_RDONLY | os.O_NONBLOCK)
        tracer = self.tracer(f"rtmp://127.0.0.1:{nginx.port}", "--once")
        os.close(reader)
        self.publish(tracer.url(f"live/{KEY}"))
        tracer.process.succeed(20)
        self.assertRecorded()
        self.assertIn("nobody reads it any more; the sessions go on", tracer.process.output)

    def test_interrupted(self) -> None:
        """Ctrl-C ends it in order."""
        nginx = self.nginx()
        tracer = self.tracer(f"rtmp://127.0.0.1:{nginx.port}")
        with Process(ffmpegPublish(ffmpeg9(), source(), tracer.url(f"live/{KEY}")), self.directory / "ffmpeg.log"):
            waitFor("some media", lambda: tracer.text.count(" video ") > 20)
            tracer.process.interrupt()
        self.assertTrue(tracer.text.endswith("\n"))
        self.assertEqual(tracer.text.count("  interrupted"), 2)

    def test_noServer(self) -> None:
        """That the server is not there is said, and the client is told by the end of its connection."""
        nginx = self.nginx()
        nginx.terminate()
        tracer = self.tracer(f"rtmp://127.0.0.1:{nginx.port}", "--once")
        with Process(
            ffmpegPublish(ffmpeg9(), source(), tracer.url("live/x")), self.directory / "ffmpeg.log"
        ) as publisher:
            self.assertNotEqual(publisher.wait(), 0)
        tracer.process.succeed()
        self.assertIn("--- there is no connection to the server: ", tracer.text)


class CostTests(TraceTestCase):
    #: How much is measured, seconds, and of what: bit/s.
    SECONDS = 8
    RATE = 10_000_000

    def heavySource(self) -> Path:
        """Noise, which can't be compressed to less than it is given."""
        path = self.directory / "heavy.flv"
        run(
            [
                *(ffmpeg9(), "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"),
                *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-vf", "noise=alls=100:allf=t"),
                *("-t", str(self.SECONDS + 3), "-c:v", "libx264", "-preset", "ultrafast", "-g", "50"),
                *("-b:v", str(self.RATE), "-minrate", str(self.RATE), "-maxrate", str(self.RATE)),
                *("-bufsize", str(self.RATE // 4), "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "flv", str(path)),
            ],
            path.with_suffix(".log"),
        )
        return path

    def test_processor(self) -> None:
        """
        10 Mbit/s cost a small part of a processor. On a machine with other things to do, the same work takes longer, so
        that what is asserted is three times what was measured.
        """
        nginx, heavy = self.nginx(), self.heavySource()
        tracer = self.tracer(f"rtmp://127.0.0.1:{nginx.port}", "--save", self.directory / "saved")
        client = self.directory / "saved" / "1" / "client.bin"
        with Process(ffmpegPublish(ffmpeg9(), heavy, tracer.url(f"live/{KEY}")), self.directory / "ffmpeg.log"):
            waitFor("some media", lambda: tracer.text.count(" video ") > 20, PATIENCE)
            began, used, size = time.monotonic(), tracer.seconds, client.stat().st_size
            time.sleep(self.SECONDS)
            elapsed, used, size = time.monotonic() - began, tracer.seconds - used, client.stat().st_size - size
        rate = size * 8 / elapsed
        self.assertGreater(rate, 0.7 * self.RATE)
        share = used / elapsed * self.RATE / rate
        measured = f"{used:.2f} s in {elapsed:.1f} s, {rate / 1e6:.1f} Mbit/s"
        print(f"the tracer: {share:.1%} of a processor at 10 Mbit/s ({measured})")
        self.assertLess(share, 0.3)
