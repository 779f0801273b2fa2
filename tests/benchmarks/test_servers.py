# -*- test-case-name: tests.benchmarks.test_servers -*-
"""
Tests for L{benchmarks.servers}: command lines, configurations, and what is said where something is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import servers
from benchmarks.errors import MissingError
from benchmarks.servers import NMS_VARIABLE, SERVERS, Places, Start


class ServersTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def start(self, flush: str | None = None, nms: str | None = None) -> Start:
        return Start(self.directory, 1111, 2222, Places(flush, nms))


class OursTests(ServersTestCase):
    def command(self, name: str, flush: str | None = None) -> list[str]:
        return SERVERS[name].command(self.start(flush))

    def test_flush(self) -> None:
        """Each has its own setting; only one can be told another."""
        for name, expected in (
            ("ours", None),
            ("ours-low", "0:0"),
            ("ours-100ms", "100:100"),
            ("ours-350ms", "350:350"),
        ):
            command = self.command(name)
            setting = command[command.index("--flush") + 1] if "--flush" in command else None
            self.assertEqual(setting, expected)
        self.assertEqual(self.command("ours", "5:50")[-2:], ["--flush", "5:50"])
        self.assertEqual(self.command("ours-low", "5:50")[-2:], ["--flush", "0:0"])

    def test_ports(self) -> None:
        """On loopback, with a place for everybody who comes at once; over TLS, with a certificate."""
        self.assertIn("tcp:1111:interface=127.0.0.1:backlog=4096", self.command("ours"))
        secure = self.command("ours-tls")[-1]
        self.assertTrue(secure.startswith("ssl:2222:interface=127.0.0.1:backlog=4096:privateKey="), secure)
        self.assertIn("BEGIN CERTIFICATE", (self.directory / "cert.pem").read_text())
        self.assertTrue(SERVERS["ours-tls"].isSecure)

    def test_unknownFlush(self) -> None:
        """A version that knows no --flush is measured without, and not with."""
        self.patch(servers, "_knowsFlush", lambda: False)
        self.assertIn("rtmptw", SERVERS["ours"].find(Places()))
        for name, places in (("ours-low", Places()), ("ours", Places("0:9"))):
            error = self.assertRaises(MissingError, SERVERS[name].find, places)
            self.assertIn("knows no --flush", str(error))


class NginxTests(ServersTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.patch(servers, "_nginx", lambda: ("/bin/nginx", "/lib/rtmp.so"))

    def test_configuration(self) -> None:
        """Both are configured, the tuned one with what it is known for."""
        for name, words in (("nginx", "chunk_size 4096;"), ("tuned", "out_queue 4096; out_cork 16; chunk_size 65536;")):
            command = SERVERS[name].command(self.start())
            self.assertEqual(command[0], "/bin/nginx")
            text = (self.directory / "nginx.conf").read_text()
            for word in (words, "listen 127.0.0.1:1111;", "load_module /lib/rtmp.so;", "worker_processes 1;"):
                self.assertIn(word, text)
            self.assertEqual(text.count("{"), text.count("}"))


class NMSTests(ServersTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.patch(os, "environ", {})
        self.patch(shutil, "which", lambda name: f"/bin/{name}")

    def missing(self, nms: str | None) -> str:
        return str(self.assertRaises(MissingError, SERVERS["nms"].find, Places(nms=nms)))

    def install(self) -> None:
        package = self.directory / "node_modules" / "node-media-server"
        package.mkdir(parents=True)
        (package / "package.json").write_text('{"version": "9.8.7"}')

    def test_missing(self) -> None:
        """What to name, what to install."""
        self.assertIn(NMS_VARIABLE, self.missing(None))
        self.assertIn("npm install", self.missing(str(self.directory)))
        self.install()
        self.patch(shutil, "which", lambda name: None)
        self.assertIn("node is not installed", self.missing(str(self.directory)))

    def test_version(self) -> None:
        """Its own and node's; the environment may name the directory."""
        self.install()
        self.patch(servers, "_output", lambda *command: "v20.1.0\n")
        os.environ[NMS_VARIABLE] = str(self.directory)
        self.assertEqual(SERVERS["nms"].find(Places()), "node-media-server 9.8.7, node 20.1.0")

    def test_configuration(self) -> None:
        """It asks nobody who he is."""
        self.install()
        command = SERVERS["nms"].command(self.start(nms=str(self.directory)))
        self.assertEqual(command[0], "node")
        config = json.loads((self.directory / "config.json").read_text())
        self.assertEqual((config["rtmp"]["port"], config["bind"]), (1111, "127.0.0.1"))
        self.assertFalse(config["auth"]["play"] or config["auth"]["publish"])


class NamesTests(SynchronousTestCase):
    def test_names(self) -> None:
        """Peers come first, so that a baseline stands above what is compared with it."""
        self.assertEqual(
            list(SERVERS),
            ["nginx", "tuned", "nms", "ours", "ours-low", "ours-100ms", "ours-350ms", "ours-tls"],
        )
