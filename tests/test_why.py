"""
Tests for docs/why-ffmpeg-stops.rst: what it says is what the catalogue of causes, the table of broken servers, the
bytes of these servers and the command line say.
"""

from __future__ import annotations

import io
import re
import shlex
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES, Severity
from rtmptw.cli import Options
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message
from tests.brokenservers import talk
from tests.brokenservers.bends import BENDS, Bend
from tests.brokenservers.plain import PlainServer
from tests.session.dialects import connect

PAGE = Path(__file__).parent.parent / "docs" / "why-ffmpeg-stops.rst"

MAX_LINE = 120

#: What the causes of each chapter lead to.
CHAPTERS = {
    "The publisher stops": Severity.STOPS,
    "The player stops": Severity.STOPS,
    "Data is lost": Severity.LOSES,
    "Advice": Severity.ADVICE,
}

#: The programs, as the table of broken servers has them, and as the page calls them.
PROGRAMS = {
    "FFmpeg 5.1": "ffmpeg5",
    "FFmpeg 9.0": "ffmpeg9",
    "FFmpeg 5.1 playing": "ffmpeg5-play",
    "FFmpeg 9.0 playing": "ffmpeg9-play",
    "rtmp2sink": "rtmp2sink",
    "rtmp2src": "rtmp2src",
    "rtmpsink": "rtmpsink",
    "rtmpdump": "rtmpdump",
    "nginx-rtmp's relay": "nginx-relay",
}

#: Bends that the page has under another name than that of their cause: what is seen there is this.
ELSEWHERE = {"connect-transaction-id:string": "transaction-id-not-number"}

#: A literal; it may go on in the next line.
_LITERAL = re.compile(r"``(.+?)``", re.DOTALL)

#: What a program publishes or plays in a test.
_URL = re.compile(r"rtmp://127\.0\.0\.1:\d+/live/\w+")

_LABEL = re.compile(r"^\.\. _cause-([a-z0-9-]+):\n\n(.+)\n(~+)\n", re.MULTILINE)

#: Where to read on: a section of the wire facts, a row of 3.6, a section of RTMP 1.0. A range stands for its ends.
_PLACE = re.compile(r"row \d+|\d+(?:\.\d+)*")


@dataclass(frozen=True)
class Section:
    """
    What the page says of one cause.

    @ivar chapter: under which heading.
    @ivar name: the label.
    @ivar heading: and its underline.
    @ivar body: the rest.
    """

    chapter: str
    name: str
    heading: tuple[str, str]
    body: str

    def field(self, name: str) -> str:
        """
        One of its fields in one line, without the blocks in it; empty if there is none.
        """
        found = re.search(rf"^:{name}: (.*(?:\n    (?! ).*)*)", self.body, re.MULTILINE)
        return _oneLine(found[1]) if found else ""

    def bytes(self, word: str) -> list[bytes]:
        """The lines of bytes that begin with a word."""
        return [bytes.fromhex(each) for each in re.findall(rf"^ +{word}  ([0-9a-f ]+)$", self.body, re.MULTILINE)]


def _oneLine(text: str) -> str:
    return " ".join(text.split())


@cache
def page() -> str:
    """The page."""
    return PAGE.read_text()


@cache
def sections() -> tuple[Section, ...]:
    """The causes in it, in order."""
    found = []
    chapters = re.split(r"^(.+)\n-{4,}\n", page(), flags=re.MULTILINE)
    for chapter, text in zip(chapters[1::2], chapters[2::2], strict=True):
        parts = _LABEL.split(text)[1:]
        for name, heading, line, body in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
            found.append(Section(chapter, name, (heading, line), body))
    return tuple(found)


def bendsOf(cause: str) -> list[Bend]:
    """The broken servers that a section is about."""
    return [bend for name, bend in BENDS.items() if ELSEWHERE.get(name, bend.cause) == cause]


def commands() -> list[str]:
    """All command lines of ours that the page tells its reader to type."""
    inText = [_oneLine(literal) for literal in _LITERAL.findall(page())]
    inBlocks = re.findall(r"^ +\$ (rtmptw .*)$", page(), re.MULTILINE)
    return [each for each in [*inText, *inBlocks] if each.startswith("rtmptw ")]


def written(server: type[PlainServer]) -> bytes:
    """All bytes that a server sends to FFmpeg behind the handshake, from connect to publish."""
    client = talk.Server(server).greeted()
    sent = b""
    for messages in ((connect(),), talk.PREPARE, (talk.publish(),)):
        client.send(*messages)
        sent += client.raw()
    return sent


class _InSmallChunks(PlainServer):
    """Announces no chunk size, and cuts all its messages at 128 bytes, as is right then."""

    def connectReplies(self, command: Command) -> list[Message]:
        return [self.connectResult(command.transactionId)]


class WhyTests(SynchronousTestCase):
    """The page is complete, and true."""

    def test_causes(self) -> None:
        """Each cause has a section, and each section is a cause, under its name."""
        self.assertEqual(sorted(section.name for section in sections()), sorted(CAUSES))
        for section in sections():
            self.assertEqual(section.heading, (section.name, "~" * len(section.name)))

    def test_chapters(self) -> None:
        """A cause stands where its severity says."""
        for section in sections():
            self.assertIs(CHAPTERS.get(section.chapter), CAUSES[section.name].severity, section.name)

    def test_fields(self) -> None:
        """What is wrong, how to mend it, and what shows it, is said of each."""
        for section in sections():
            for name in ("Wrong", "Mend", "Show"):
                self.assertTrue(section.field(name), f"{section.name}: {name}")
            self.assertIn("rtmptw ", section.field("Show"), section.name)

    def test_sources(self) -> None:
        """Where to read on is what the catalogue says, or a part of it."""
        for section in sections():
            _, named, places = section.field("Mend").partition("Wire facts ")
            self.assertTrue(named, section.name)
            known = set(_PLACE.findall(CAUSES[section.name].source))
            self.assertEqual(set(_PLACE.findall(places)) - known, set(), section.name)

    def test_programs(self) -> None:
        """Those that are said to be affected are those that the tests run."""
        for section in sections():
            told = section.field("Proven with")
            programs = {PROGRAMS[each] for each in told.split(", ")} if told else set()
            affected = {program for bend in bendsOf(section.name) for program in bend.affected}
            self.assertEqual(programs, affected, section.name)

    def test_symptoms(self) -> None:
        """What the tests want to read is what the page says, with the ports and names of its runs."""
        for section in sections():
            said = _oneLine(section.body.partition(":Wrong:")[0])
            for bend in bendsOf(section.name):
                self.assertIn(_URL.sub("rtmp://127.0.0.1:1935/live/test", bend.symptom), said, section.name)

    def test_commands(self) -> None:
        """Each command line is one."""
        self.assertGreater(len(commands()), len(CAUSES))
        for command in commands():
            words = shlex.split(re.sub(r"\bURL\b", "rtmp://HOST/live/test", command).replace("HOST", "127.0.0.1"))
            try:
                # Some say something, and exit: --list.
                with redirect_stdout(io.StringIO()):
                    Options().parseOptions(words[1:])
            except SystemExit as end:
                self.assertEqual(end.code, 0, command)
            except Exception as error:
                self.fail(f"{command}: {error}")

    def test_links(self) -> None:
        """Each link leads somewhere, and the tables to nearly every cause that stops somebody or loses something."""
        tables = page().partition("Find out in a minute\n---")[0]
        linked = set(re.findall(r"\bcause-([a-z0-9-]+)_", page()))
        self.assertEqual(linked - set(CAUSES), set())
        inTables = set(re.findall(r"\bcause-([a-z0-9-]+)_", tables))
        stopping = {name for name, cause in CAUSES.items() if cause.severity is not Severity.ADVICE}
        # No line of a client tells of these two: one is the server's author's own client, one is seen in the picture.
        self.assertEqual(stopping - inTables, {"client-not-chunked", "media-damaged"})

    def test_bytes(self) -> None:
        """The right bytes are what a sound server sends, and the wrong ones what the broken one does."""
        count = 0
        for section in sections():
            rights, wrongs = section.bytes("right"), section.bytes("wrong")
            self.assertEqual(len(rights), len(wrongs), section.name)
            for right, wrong in zip(rights, wrongs, strict=True):
                count += 1
                sound = _InSmallChunks if section.name == "reply-not-chunked" else PlainServer
                broken = bendsOf(section.name)[0].connection
                self.assertIn(right, written(sound), section.name)
                self.assertNotIn(right, written(broken), section.name)
                self.assertIn(wrong, written(broken), section.name)
                self.assertNotIn(wrong, written(sound), section.name)
        self.assertGreaterEqual(count, 4)

    def test_lines(self) -> None:
        """They are not longer than elsewhere."""
        for number, line in enumerate(page().splitlines(), 1):
            self.assertLessEqual(len(line), MAX_LINE, f"line {number}")

    def test_docutils(self) -> None:
        """It is reStructuredText without a warning."""
        try:
            publish = import_module("docutils.core").publish_doctree
        except ImportError:
            raise SkipTest("docutils is not there") from None
        warnings = io.StringIO()
        publish(page(), str(PAGE), settings_overrides={"warning_stream": warnings, "report_level": 2})
        self.assertEqual(warnings.getvalue(), "")
