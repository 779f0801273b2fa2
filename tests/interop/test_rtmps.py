"""
RTMPS: the same, encrypted; and certificates that are replaced meanwhile.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self
from unittest import SkipTest, TestCase
from xml.etree import ElementTree

from cryptography import x509

from rtmptw.tls.servercertificates import LOOK_SECONDS
from rtmptw.wire.flv import encodeTag, fileHeader
from tests.interop import lightplayers
from tests.interop.compare import assertSameMedia, isFrame, mediaOf, readFLV, readWholeFLV
from tests.interop.processes import PATIENCE, Process, run, siege, waitFor
from tests.interop.programs import ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import ROOT, Server
from tests.interop.sources import longSource, remux, source
from tests.tls.authority import DAY, Authority, Credential

#: How soon a new certificate is to be used, seconds (F19 has 5).
SOON = 3.0

#: How often a certificate is replaced under load, and before which of them there is a bad one. A replacement takes as
#: long as the server waits between two looks at the files. The stream ends behind the last one; if it takes as long as
#: this (seconds), they have taken too long.
REPLACEMENTS = 100
BAD_EVERY = 20
SECONDS = 100

#: Players that are programs of their own, and those in one process.
FFMPEGS = 2
LIGHT = 18


class _TLSServer(Server):
    """
    C{twistd rtmp} behind a certificate for 127.0.0.1, from two files (C{ssl:}) or from a directory (C{tls:}), where
    there is one more, for localhost.

    @ivar authority: whom a client has to trust.
    """

    def __init__(self, kind: str = "ssl") -> None:
        endpoints = {
            "ssl": "ssl:0:interface=127.0.0.1:privateKey=%/tls/key.pem:certKey=%/tls/certificate.pem",
            "tls": "tls:%/tls:0:interface=127.0.0.1",
        }
        super().__init__(endpoint=endpoints[kind])
        self._authority = Authority()
        self.authority = self.directory / "authority.pem"
        self.authority.write_bytes(self._authority.pem)
        self._tls = self.directory / "tls"
        self._tls.mkdir()
        self.certificate = self.replace()
        if kind == "tls":
            self.other = self._certify("localhost")
            (self._tls / "other.pem").write_bytes(self.other.keyPEM + self.other.pem)

    def _certify(self, host: str) -> Credential:
        now = time.time()
        return self._authority.certify(host, notBefore=now - DAY, notAfter=now + 30 * DAY)

    def replace(self) -> Credential:
        """Make a new certificate, and put it in the place of the old one, as certbot does: the key, then the other."""
        new = self._certify("127.0.0.1")
        for name, content in (("key.pem", new.keyPEM), ("certificate.pem", new.pem)):
            self.put(name, content)
        return new

    def put(self, name: str, content: bytes) -> None:
        """Put a file in the place of another."""
        temporary = self._tls / f"{name}.new"
        temporary.write_bytes(content)
        os.replace(temporary, self._tls / name)

    def serial(self, host: str = "127.0.0.1") -> int:
        """Shake hands, as a client that trusts the authority: the serial number of the certificate."""
        context = ssl.create_default_context(cafile=str(self.authority))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection,
            context.wrap_socket(connection, server_hostname=host) as client,
        ):
            certificate = client.getpeercert(binary_form=True)
        assert certificate is not None
        return x509.load_der_x509_certificate(certificate).serial_number


class _Feed(Thread):
    """
    A source that can be ended early, to be used in a C{with}: whole tags, through a pipe with a name.

    @ivar pipe: where it is to be read.
    @ivar file: what has gone through it, at the end.
    """

    def __init__(self, source: Path, pipe: Path) -> None:
        super().__init__(daemon=True)
        self.pipe = pipe
        self.file = pipe.with_suffix(".flv")
        self._tags = readWholeFLV(source)
        self._ended = Event()
        os.mkfifo(pipe)

    def run(self) -> None:
        """Write until it is ended, or nobody reads any more."""
        with suppress(BrokenPipeError), self.pipe.open("wb", 0) as pipe, self.file.open("wb") as file:
            for data in (fileHeader(), *(encodeTag(tag.type, tag.timestamp, tag.payload) for tag in self._tags)):
                if self._ended.is_set():
                    break
                pipe.write(data)
                file.write(data)

    def end(self) -> None:
        """End it behind the tag that is being written."""
        self._ended.set()
        self.join(PATIENCE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()


def _sslscan() -> str:
    program = shutil.which("sslscan")
    if program is None:
        reason = "sslscan is not installed: Debian package sslscan"
        raise (AssertionError if os.environ.get("RTMPTW_INTEROP") == "required" else SkipTest)(reason)
    return program


class RTMPSTests(TestCase):
    """FFmpeg 9 over TLS, as fast as it goes."""

    def test_publish(self) -> None:
        """FFmpeg trusts this certificate; the recording holds all that it sent."""
        program = ffmpeg9()
        sent = mediaOf(readWholeFLV(remux(program, longSource())))
        with _TLSServer() as server:
            url = server.url("live/encrypted", "rtmps")
            command = ffmpegPublish(program, longSource(), url, realTime=False)
            # Options of the output: they go before the URL.
            command[-1:] = ["-tls_verify", "1", "-ca_file", str(server.authority), url]
            with Process(command, server.directory / "ffmpeg.log") as process:
                process.succeed()
            recorded = mediaOf(readWholeFLV(server.recording("live/encrypted")))
        assertSameMedia(self, recorded, sent)


class ExaminationTests(TestCase):
    """What sslscan finds, which tries every version and every suite there is."""

    def examine(self, kind: str) -> None:
        program = _sslscan()
        with _TLSServer(kind) as server:
            report = server.directory / "scan.xml"
            run([program, f"--xml={report}", f"127.0.0.1:{server.port}"], server.directory / "sslscan.log")
            found = ElementTree.parse(report).getroot()
        protocols = {(each.get("type"), each.get("version")): each.get("enabled") for each in found.iter("protocol")}
        self.assertEqual(
            {name for name, enabled in protocols.items() if enabled != "0"}, {("tls", "1.2"), ("tls", "1.3")}
        )
        # It has looked for the others.
        self.assertLessEqual({("ssl", "3"), ("tls", "1.0"), ("tls", "1.1")}, set(protocols))
        ciphers = {(each.get("sslversion"), each.get("cipher")) for each in found.iter("cipher")}
        self.assertEqual({version for version, _ in ciphers}, {"TLSv1.2", "TLSv1.3"})
        for version, cipher in ciphers:
            pattern = r"ECDHE-ECDSA-.*(GCM|POLY1305).*" if version == "TLSv1.2" else r"TLS_.*_(GCM|POLY1305)_SHA\d+"
            self.assertRegex(str(cipher), f"^{pattern}$")
        self.assertEqual([each.get("supported") for each in found.iter("renegotiation")], ["0"])
        self.assertNotIn("1", [each.get("supported") for each in found.iter("compression")])
        self.assertEqual({each.get("vulnerable") for each in found.iter("heartbleed")}, {"0"})

    def test_files(self) -> None:
        """C{ssl:}"""
        self.examine("ssl")

    def test_directory(self) -> None:
        """C{tls:}"""
        self.examine("tls")


@siege
class ReplacementTests(TestCase):
    """F19: new connections get the new certificate, and those that there are do not notice."""

    def replace(self, server: _TLSServer) -> Credential:
        """Replace the certificate, and wait until it is used."""
        new = server.replace()
        waitFor("the new certificate", lambda: server.serial() == new.serial, SOON)
        return new

    def spoil(self, server: _TLSServer, old: Credential) -> None:
        """Put half a certificate there, and see that the old one stays in use."""
        warnings = len(re.findall("cut short", server.log))
        server.put("certificate.pem", old.pem[: len(old.pem) // 2])

        def warned() -> bool:
            self.assertEqual(server.serial(), old.serial)
            return len(re.findall("cut short", server.log)) > warnings

        waitFor("a warning", warned, SOON)
        self.assertEqual(server.serial(), old.serial)
        self.assertEqual(len(re.findall("cut short", server.log)), warnings + 1)

    def test_directory(self) -> None:
        """C{tls:}: each host has its own, and one can be replaced without the other."""
        with _TLSServer("tls") as server:
            first = server.certificate
            self.assertEqual((server.serial(), server.serial("localhost")), (first.serial, server.other.serial))
            second = self.replace(server)
            self.spoil(server, second)
            self.assertEqual(server.serial("localhost"), server.other.serial)
            self.replace(server)

    def test_underLoad(self) -> None:
        """
        C{ssl:}: a hundred replacements under a publisher in real time and twenty players, who join all the time: the
        recording is what was sent, and everybody has got everything since a keyframe before it joined.
        """
        program, input = ffmpeg9(), source(seconds=SECONDS)
        with _TLSServer() as server, ExitStack() as stack:
            url = server.url("live/camera", "rtmps")
            secure = ["-tls_verify", "1", "-ca_file", str(server.authority)]
            feed = stack.enter_context(_Feed(input, server.directory / "feed"))
            command = ffmpegPublish(program, feed.pipe, url)
            command[-1:] = [*secure, url]
            publisher = stack.enter_context(Process(command, server.directory / "publisher.log"))
            waitFor("the recording to begin", lambda: mediaOf(readFLV(server.partial("live/camera"))))
            began = time.time()
            light = stack.enter_context(self.startLight(server))
            files = [server.directory / f"ffmpeg{number}.flv" for number in range(FFMPEGS)]
            players = [
                stack.enter_context(
                    Process(
                        [
                            *(program, "-nostdin", "-v", "warning", *secure),
                            *("-i", url, "-c", "copy", "-f", "flv", str(file)),
                        ],
                        file.with_suffix(".log"),
                    )
                )
                for file in files
            ]
            certificate = server.certificate
            for number in range(REPLACEMENTS):
                if number % BAD_EVERY == BAD_EVERY - 1:
                    self.spoil(server, certificate)
                certificate = self.replace(server)
            server.waitForLog("playing live/camera", LIGHT + FFMPEGS)
            self.assertIsNone(publisher.status, "the stream is over before the last replacement")
            feed.end()
            for process in (publisher, light, *players):
                process.succeed()
            sent = mediaOf(readWholeFLV(remux(program, feed.file)))
            recording = readWholeFLV(server.recording("live/camera"))
            got = lightplayers.read(server.directory / "light.json")
            played = [[tag for tag in readWholeFLV(file) if isFrame(tag)] for file in files]
            taken = re.findall(r"from now on the certificate for 127.0.0.1 \(serial number ([0-9a-f]+)", server.log)
        assertSameMedia(self, mediaOf(recording), sent)
        self.assertEqual(len(set(taken)), REPLACEMENTS)
        self.assertEqual(len(got), LIGHT)
        # They have come at different times, and met different certificates.
        self.assertGreater(len({player.serial for player in got}), LIGHT // 2)
        frames = [tag for tag in recording if isFrame(tag)]
        every = [(type, digest) for type, _, digest in mediaOf(frames)]
        for number, player in enumerate(got):
            self.checkGot(player.frames, every, f"player {number}")
            self.assertLessEqual(player.first - frames[0].timestamp, (player.joined - began) * 1000 + 1000)
        for number, tags in enumerate(played):
            self.checkGot([(type, digest) for type, _, digest in mediaOf(tags)], every, f"FFmpeg {number}")

    def startLight(self, server: _TLSServer) -> Process:
        """The light players: one more every few seconds."""
        interval = f"{REPLACEMENTS * LOOK_SECONDS / LIGHT:.1f}"
        command = [sys.executable, "-m", "tests.interop.lightplayers", str(server.port), "live/camera", str(LIGHT)]
        return Process(
            [*command, interval, str(server.authority), str(server.directory / "light.json")],
            server.directory / "light.log",
            {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def checkGot(self, got: list[tuple[int, str]], every: list[tuple[int, str]], who: str) -> None:
        """Assert that it is the end of everything, without a gap."""
        self.assertGreater(len(got), 0, who)
        self.assertEqual(got, every[-len(got) :], f"{who}: not everything from a point on to the end")
