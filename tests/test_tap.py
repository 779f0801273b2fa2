"""Tests for L{rtmptw.tap}."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import tempfile
from math import inf

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import IService, IServiceMaker
from twisted.internet.defer import Deferred
from twisted.plugin import getPlugins
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

import rtmptw
from rtmptw import tap
from rtmptw.auth.authoriser import Authoriser
from rtmptw.auth.publishers import PublisherAuthentication
from rtmptw.live.rounds import FlushTimes
from rtmptw.live.tape import CacheLimits
from rtmptw.record.recorder import Recorder
from rtmptw.server import OpenApplication
from rtmptw.tap import WRITERS, Options, RTMPService, makeService
from rtmptw.tls.endpoint import RTMPSEndpoint
from tests.live.doubles import MemoryPublisher
from tests.tls.authority import Authority


def parse(*arguments: str) -> Options:
    """Parse a command line."""
    options = Options()
    options.parseOptions(arguments)
    return options


class OptionsTests(SynchronousTestCase):
    """The command line."""

    def directory(self) -> str:
        """A directory that is removed after the test."""
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        return directory

    def assertRefused(self, words: list[str], *arguments: str) -> None:
        """Assert that a command line is refused, with these words."""
        message = str(self.assertRaises(UsageError, parse, *arguments))
        for word in words:
            self.assertIn(word, message)

    def printed(self, option: str) -> str:
        """What an option prints that exits, with success."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exit = self.assertRaises(SystemExit, parse, option)
        self.assertIn(exit.code, (0, None))
        return output.getvalue()

    def test_defaults(self) -> None:
        """Without options: the port of RTMP, no recording, a quiet log."""
        options = parse()
        self.assertEqual((options["port"], options["record"], options["verbose"]), (["rtmp:1935"], None, 0))

    def test_ports(self) -> None:
        """A number, an endpoint string, several; the default is no addition to what was said."""
        for arguments, expected in (
            (["--port", "1936"], ["rtmp:1936"]),
            (["-p", "0"], ["rtmp:0"]),
            (["--port=65535"], ["rtmp:65535"]),
            (["--port", "tcp:1935:interface=127.0.0.1"], ["rtmp:1935:interface=127.0.0.1"]),
            (["--port", "tcp6:1935:interface=\\:\\:1"], ["rtmp6:1935:interface=\\:\\:1"]),
            (["--port", "unix:/tmp/x"], ["unix:/tmp/x"]),
            (["-p", "1935", "--port", "tcp:1936", "-p", "1937"], ["rtmp:1935", "rtmp:1936", "rtmp:1937"]),
        ):
            self.assertEqual(parse(*arguments)["port"], expected)

    def test_badPorts(self) -> None:
        """What can't be listened on is refused with the option, what was said, and why."""
        rubbish = os.path.join(self.directory(), "rubbish.pem")
        with open(rubbish, "w") as file:
            file.write("no key")
        missing = os.path.join(self.directory(), "missing.pem")
        for description, reason in (
            ("rtmpx", "Unknown endpoint type"),
            ("", "Unknown endpoint type"),
            ("65536", "65535"),
            ("99999999999", "65535"),
            ("-1", "Unknown endpoint type"),
            ("19.35", "Unknown endpoint type"),
            ("\u00b2", "invalid literal"),
            ("tcp:rtmp", "invalid literal"),
            ("tcp", ""),
            ("tcp:1935:color=red", "color"),
            ("127.0.0.1:1935", "Unknown endpoint type"),
            (f"ssl:443:privateKey={missing}", f"{missing}: No such file"),
            (f"ssl:443:privateKey={rubbish}", f"{rubbish}: not a PEM file"),
            (f"tls:{missing}:443", f"{missing}: no such directory"),
            (f"rtmps:443:privateKey={missing}", f"{missing}: No such file"),
        ):
            self.assertRefused([f"--port {description}: ", reason], "--port", description)

    def test_TLSPorts(self) -> None:
        """Twisted's endpoints for TLS are ours: a port has a service with our endpoint."""
        directory = self.directory()
        credential = Authority().certify("a.example")
        path = os.path.join(directory, "all.pem")
        with open(path, "wb") as file:
            file.write(credential.keyPEM + credential.pem)
        for description, expected in (
            (f"ssl:443:privateKey={path}", f"rtmps:443:privateKey={path}"),
            (f"tls:{directory}:443", f"rtmps-directory:{directory}:443"),
            (f"rtmps:443:privateKey={path}", f"rtmps:443:privateKey={path}"),
        ):
            options = parse("--port", description)
            self.assertEqual(options["port"], [expected])
            (port,) = makeService(options)
            self.assertIsInstance(port.endpoint, RTMPSEndpoint)

    def test_record(self) -> None:
        """A directory is taken, and made absolute, as twistd may go somewhere else."""
        directory = self.directory()
        self.assertEqual(parse("--record", directory)["record"], directory)
        self.assertEqual(parse("--record", os.path.relpath(directory))["record"], directory)

    def test_badRecord(self) -> None:
        """A directory that is none is refused with the option and its name."""
        missing = os.path.join(self.directory(), "missing")
        for directory, wrong in (
            (missing, "no such directory"),
            (__file__, "not a directory"),
            ("", "no such directory"),
        ):
            self.assertRefused([f"--record {directory}: ", wrong], "--record", directory)

    def test_readOnlyRecord(self) -> None:
        """One that can't be written to, too. (The permission is an answer here: root may write everywhere.)"""
        directory = self.directory()
        asked: list[tuple[object, int]] = []

        def access(path: object, mode: int) -> bool:
            asked.append((path, mode))
            return False

        self.patch(os, "access", access)
        self.assertRefused([f"--record {directory}: ", "permission"], "--record", directory)
        self.assertEqual(asked, [(directory, os.W_OK | os.X_OK)])

    def test_publishUser(self) -> None:
        """A file of users is taken, and made absolute."""
        file = os.path.join(self.directory(), "users")
        with open(file, "w") as output:
            output.write("camera:sesame\n")
        self.assertIsNone(parse()["publish-user"])
        self.assertEqual(parse("--publish-user", os.path.relpath(file))["publish-user"], file)

    def test_badPublishUser(self) -> None:
        """What is none is refused with the option, the file and the line, and without what may be a password."""
        file = os.path.join(self.directory(), "users")
        with open(file, "w") as output:
            output.write("camera:sesame\nsesame\n")
        message = str(self.assertRaises(UsageError, parse, "--publish-user", file))
        self.assertEqual(message, f"--publish-user {file}, line 2: there is no colon between a user and a password")
        self.assertRefused([f"--publish-user {file}.no: No such file"], "--publish-user", f"{file}.no")

    def test_relays(self) -> None:
        """Names and URLs, as often as one likes."""
        options = parse(
            *("--push", "live=rtmp://a/live", "--push=/live/x/=rtmps://me:pw@b:444/app/key?k=v=w"),
            *(
                "--pull",
                "live/x=rtmp://c/live/x",
                "--pull-always",
                "live/a/b=rtmp://d/app?x=y/z",
                "--pull=/live/y/=rtmp://e/app",
            ),
        )
        push = [(name, (url.tcUrl, url.name, url.user, url.password)) for name, url in options["push"]]
        expected = [
            ("live", ("rtmp://a/live", "", "", "")),
            ("live/x", ("rtmps://b:444/app", "key?k=v=w", "me", "pw")),
        ]
        self.assertEqual(push, expected)
        pull = [(path, url.tcUrl, url.name, always) for path, url, always in options["pull"]]
        expected_ = [
            ("live/x", "rtmp://c/live", "x", False),
            ("live/a/b", "rtmp://d/app?x=y", "z", True),
            ("live/y", "rtmp://e/app", "", False),
        ]
        self.assertEqual(pull, expected_)
        self.assertEqual((parse()["push"], parse()["pull"]), ([], []))

    def test_badRelays(self) -> None:
        """What can't be a relay is refused with the option, and what is wrong; and without what may be a secret."""
        rows = [
            ("SECRET@host/app", "=...: it needs a name and a URL, as live"),
            ("live=", "live=...: a URL that begins with rtmp://"),
            ("live=SECRET", "live=...: a URL that begins with rtmp://"),
            ("live=http://host/app/SECRET", "live=...: the scheme http:// is unknown"),
            ("live=rtmpe://host/app/SECRET", "live=...: encrypted RTMP (rtmpe) is not supported"),
            ("live=rtmp://host", "live=...: the URL needs an application, as rtmp://host/app"),
            ("live=rtmp://me:SECRET@host", "live=...: the URL needs an application"),
            ("live=rtmp://host:SECRET@/app", "live=...: there is no host"),
            ("live=rtmp://me:SECRET/@host/app", "live=...: the port is not a number"),
            ("live=rtmp://host/app/SECRET SECRET", "live=...: the URL has a space in it"),
            ("=rtmp://host/app/SECRET", "=...: it needs a name and a URL, as live"),
            ("/=rtmp://host/app/SECRET", "=...: it needs a name and a URL, as live"),
            ("rtmp://me:SECRET@host/app/SECRET", "=...: it needs a name and a URL, as live"),
            ("rtmp://host/app/x?key=SECRET", "=...: it needs a name and a URL, as live"),
            ("", "=...: it needs a name and a URL, as live"),
            ("/", "=...: it needs a name and a URL, as live"),
            ("live", "live: it needs a name and a URL, as live"),
            ("thisMayBeTheKeySECRET", "=...: it needs a name and a URL, as live"),
        ]
        for option in ("push", "pull", "pull-always"):
            for text, words in rows:
                message = str(self.assertRaises(UsageError, parse, f"--{option}", text))
                self.assertIn(f"--{option} ", message)
                self.assertIn(words, message)
                self.assertNotIn("SECRET", message, text)

    def test_pullsAStream(self) -> None:
        """What is fetched is a stream of an application: a name alone is refused, with what is needed."""
        for option in ("pull", "pull-always"):
            for name in ("live", "/live", "live/"):
                message = str(self.assertRaises(UsageError, parse, f"--{option}", f"{name}=rtmp://host/app/SECRET"))
                expected = "it needs an application and a name, as live/camera=rtmp://host/app/camera"
                self.assertEqual(message, f"--{option} live=...: {expected}")
        self.assertEqual([name for name, _ in parse("--push", "live=rtmp://host/app")["push"]], ["live"])

    def test_flush(self) -> None:
        """The least and the most time between rounds, in ms; what is not said is what the library does."""
        self.assertEqual(parse()["flush"], FlushTimes())
        for text, least, most in (
            ("0:0", 0, 0),
            ("0:100", 0, 0.1),
            ("20:20", 0.02, 0.02),
            ("0.5:2.5", 0.0005, 0.0025),
            ("0:10000", 0, 10),
            ("10000:10000", 10, 10),
        ):
            self.assertEqual(parse("--flush", text)["flush"], FlushTimes(least, most), text)
        self.assertEqual(parse("--flush=1:2", "--flush=3:4")["flush"], FlushTimes(0.003, 0.004))

    def test_badFlush(self) -> None:
        """What are not two times, the lesser one first, is refused with the option, what was said, and an example."""
        for text in (
            *("", ":", "100", "100:", ":100", "0:100:200", "0-100", "a:b", "0:b", "a:0", "100:0", "0.2:0.1"),
            *("-1:100", "-2:-1", "0:10001", "10001:10001", "0:inf", "nan:1", "0:nan", "inf:inf", "0:100ms"),
        ):
            self.assertRefused([f"--flush {text}: ", "two times in ms", ": 0:"], "--flush", text)

    def test_cache(self) -> None:
        """How far back joiners may start, each limit by itself; what is not said is what the library does."""
        self.assertEqual(parse()["cache"], CacheLimits())
        for arguments, expected in (
            (["--cache-seconds", "0"], CacheLimits(seconds=0)),
            (["--cache-seconds=2.5"], CacheLimits(seconds=2.5)),
            (["--cache-frames", "1"], CacheLimits(frames=1)),
            (["--cache-bytes", "33554432"], CacheLimits(bytes=33554432)),
            (
                ["--cache-bytes=1000", "--cache-seconds=4", "--cache-frames=20", "--cache-seconds=3"],
                CacheLimits(20, 1000, 3),
            ),
        ):
            self.assertEqual(parse(*arguments)["cache"], expected)

    def test_badCache(self) -> None:
        """What can't be a limit is refused with the option, what was said, and what is right."""
        for text in ("", "-1", "inf", "nan", "4s", "0:4", "\u0664s", "-0.001"):
            self.assertRefused([f"--cache-seconds {text}: a number of seconds"], "--cache-seconds", text)
        for option in ("cache-frames", "cache-bytes"):
            for text in ("", "0", "00", "-1", "1.5", "1e3", "16M", "inf", "+1", "\u0664", "\u00b2", "1 000", "1_000"):
                self.assertRefused([f"--{option} {text}: a number, 1 or more"], f"--{option}", text)

    def test_unknown(self) -> None:
        """What is no option is refused."""
        self.assertRefused(["colour"], "--colour")

    def test_version(self) -> None:
        """C{--version} is ours, not Twisted's."""
        self.assertEqual(self.printed("--version"), f"rtmptw {rtmptw.__version__}\n")

    def test_help(self) -> None:
        """C{--help} has every option, and every example on a line of its own, in any terminal."""
        for columns in ("40", "80", "200"):
            self.patch(os, "environ", {**os.environ, "COLUMNS": columns})
            text = self.printed("--help")
            for option in (
                "--help",
                "--port=",
                "-p, ",
                "--record=",
                "--publish-user=",
                "--publish-keys=",
                "--play-keys=",
                "--publish-signed=",
                "--play-signed=",
                "--allow=",
                "--deny=",
                "--auth=",
                "--help-auth",
                "--push=",
                "--pull=",
                "--pull-always=",
                "--flush=",
                "--cache-seconds=",
                "--cache-frames=",
                "--cache-bytes=",
                "--verbose",
                "-v, ",
                "--version",
            ):
                self.assertIn(option, text)
            lines = [line.strip() for line in text.splitlines()]
            for example in (
                "twistd --nodaemon rtmp",
                "twistd rtmp --record /var/recordings",
                "twistd rtmp --port 1935 --port ssl:443:privateKey=key.pem:certKey=cert.pem",
                "ffmpeg -re -i FILE -c copy -f flv rtmp://HOST/live/NAME",
                "ffplay rtmp://HOST/live/NAME",
            ):
                self.assertIn(example, lines)
            self.assertNotRegex(text, r"\S {4,}\S+ {4,}\S")
        self.assertLessEqual(max(len(line) for line in tap.EXAMPLES.splitlines()), 80)

    def test_helpStands(self) -> None:
        """In the help options are in the order of the alphabet: what is said of one must not need another's."""
        self.patch(os, "environ", {**os.environ, "COLUMNS": "200"})
        lines = [" ".join(line.split()) for line in self.printed("--help").splitlines()]
        limits = CacheLimits()
        joins = "Who joins starts at the newest keyframe, unless it is more than so many"
        for expected in (
            f"--cache-bytes= {joins} bytes ago. [default: {limits.bytes}]",
            f"--cache-frames= {joins} frames ago. [default: {limits.frames}]",
            f"--cache-seconds= {joins} seconds ago. [default: any age]",
        ):
            self.assertIn(expected, lines)
        self.assertEqual(limits.seconds, inf)
        [flush] = [line for line in lines if line.startswith("--flush= MIN:MAX: ")]
        [default] = re.findall(r"\[default: (.*)\]", flush)
        self.assertEqual(parse("--flush", default)["flush"], FlushTimes())
        for line in lines:
            self.assertNotRegex(line, r"^(-\w, )?--[\w-]+=? ([a-z.]|$)")

    def test_examples(self) -> None:
        """The examples for twistd are command lines that we understand."""
        patched = self.directory()
        files = {"KEYS": "", "SECRETS": "0123456789abcdef"}
        for name, content in files.items():
            with open(os.path.join(patched, name), "w") as output:
                output.write(content)
        for line in tap.EXAMPLES.splitlines():
            words = line.split()
            if words[:1] == ["twistd"]:
                arguments = words[words.index("rtmp") + 1 :]
                options = Options()
                self.patch(tap, "serverFromString", lambda reactor, description: None)
                places = {name: os.path.join(patched, name) for name in files}
                options.parseOptions(
                    [patched if word.startswith("/var") else places.get(word, word) for word in arguments]
                )
                self.assertGreater(len(options["port"]), 0)

    def test_plugin(self) -> None:
        """C{twistd} knows us by this name."""
        (maker,) = [maker for maker in getPlugins(IServiceMaker) if maker.tapname == "rtmp"]
        self.assertEqual((maker.module, maker.options), ("rtmptw.tap", Options))


class MakeServiceTests(SynchronousTestCase):
    """From options to services."""

    def make(self, *arguments: str) -> RTMPService:
        """Make the service for a command line."""
        service = makeService(parse(*arguments))
        assert isinstance(service, RTMPService)
        self.addCleanup(service._writers.stop)
        return service

    def test_ports(self) -> None:
        """A service for each port, and one factory behind all."""
        service = self.make("-p", "1935", "-p", "tcp:1936:interface=127.0.0.1")
        self.assertTrue(IService.providedBy(service))
        ports = list(service)
        self.assertEqual(len(ports), 2)
        for port in ports:
            assert isinstance(port, StreamServerEndpointService)
            self.assertIs(port.factory, service.factory)
        self.assertEqual([port.endpoint._port for port in ports], [1935, 1936])

    def test_recorder(self) -> None:
        """With C{--record} there is a recorder on the hub; else there is none."""
        service = self.make()
        self.assertEqual(service.factory.hub.observers, [service.push])
        directory = tempfile.mkdtemp()
        self.addCleanup(os.rmdir, directory)
        service = self.make("--record", directory)
        recorder, push = service.factory.hub.observers
        self.assertIs(push, service.push)
        assert isinstance(recorder, Recorder)
        self.assertEqual(recorder._directory, directory)
        self.assertIs(service.recorder, recorder)

    def test_publishUser(self) -> None:
        """With C{--publish-user} publishers must authenticate as a user of the file; else not."""
        self.assertIsInstance(self.make().factory.application, OpenApplication)
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        file = os.path.join(directory, "users")
        with open(file, "w") as output:
            output.write("camera:sesame\n")
        factory = self.make("--publish-user", file).factory
        application = factory.application
        assert isinstance(application, PublisherAuthentication)
        self.assertIs(application._clock, factory.clock)
        self.assertEqual([application._passwordOf(user) for user in ("camera", "x")], ["sesame", None])

    def test_whoMay(self) -> None:
        """With keys, signatures or addresses there is an authoriser; with keys the log leaves out names."""
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        keys = os.path.join(directory, "keys")
        with open(keys, "w") as output:
            output.write("")
        for arguments, hides in (
            (["--publish-keys", keys], True),
            (["--play-keys", keys], True),
            (["--deny", "192.0.2.7"], False),
        ):
            factory = self.make(*arguments).factory
            assert isinstance(factory.application, Authoriser)
            self.assertEqual((factory.application._clock, factory.hidesNames), (factory.clock, hides))
        self.assertFalse(self.make().factory.hidesNames)

    def test_relays(self) -> None:
        """What is relayed is known to what relays it, when the service starts and not before; both know the hub."""
        service = self.make(
            *(
                "--port",
                "unix:/nowhere/at/all",
                "--push",
                "live=rtmp://a.test/live",
                "--push",
                "live=rtmp://b.test/x/key",
            ),
            *("--pull", "live/x=rtmp://c.test/live", "--pull-always", "live/y=rtmp://d.test/live/z"),
        )
        # Nobody is asked for it here and now.
        self.patch(service.pull, "_connect", lambda url, **options: Deferred())
        hub = service.factory.hub
        self.assertEqual((hub.observers, hub.sources), ([service.push], [service.pull]))
        self.assertEqual((list(service.push), list(service.pull)), ([], []))
        for relay in service._starts:
            relay()
        self.assertEqual(
            [(path, str(url)) for path, url in service.pull],
            [("live/x", "rtmp://c.test/live/x"), ("live/y", "rtmp://d.test/live/z")],
        )
        self.assertEqual(list(service.pull._pullings), ["live/y"])
        self.successResultOf(service.pull.finish())
        self.assertEqual(
            [(app, str(url)) for app, url in service.push],
            [("live", "rtmp://a.test/live"), ("live", "rtmp://b.test/x/key")],
        )

    def test_flushAndCache(self) -> None:
        """C{--flush} and C{--cache-...} reach the hub, its rounds and its streams, and the defaults do."""
        for arguments, flush, limits in (
            ([], FlushTimes(), CacheLimits()),
            (
                ["--flush", "20:30", "--cache-seconds=4", "--cache-frames=300", "--cache-bytes=40000000"],
                FlushTimes(0.02, 0.03),
                CacheLimits(300, 40_000_000, 4),
            ),
        ):
            hub = self.make(*arguments).factory.hub
            self.assertEqual((hub.rounds.times, hub._cache), (flush, limits))
            hub.publish("live/x", MemoryPublisher())
            [stream] = hub
            self.assertEqual(stream.tape._cache, limits)

    def test_verbose(self) -> None:
        """C{--verbose} reaches the connections."""
        self.assertFalse(self.make().factory.verbose)
        self.assertTrue(self.make("-v").factory.verbose)

    def test_writers(self) -> None:
        """Threads are started when there is something to write, and not more than so many."""
        service = self.make()
        self.assertEqual((service._writers.min, service._writers.max), (0, WRITERS))
        self.assertFalse(service._writers.started)
