# -*- test-case-name: tests.causes.test_causes -*-
"""
Tests for the catalogue: L{rtmptw.causes.causes} and what it is joined from.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES, CLIENTS, Cause, Severity
from rtmptw.causes.chunkcauses import CHUNK_CAUSES
from rtmptw.causes.clientcauses import CLIENT_CAUSES
from rtmptw.causes.commandcauses import COMMAND_CAUSES
from rtmptw.causes.handshakecauses import HANDSHAKE_CAUSES
from rtmptw.causes.mediacauses import MEDIA_CAUSES
from rtmptw.causes.sessioncauses import SESSION_CAUSES
from rtmptw.causes.statuscauses import STATUS_CAUSES
from tests.brokenservers.bends import BENDS

FACTS = (Path(__file__).parents[2] / "docs" / "wire-facts.md").read_text()

#: The sections of RTMP 1.0 that there are, from 5.2 on.
SPECIFICATION = {
    *("5.2.1", "5.2.2", "5.2.3", "5.2.4", "5.2.5", "5.3.1", "5.3.1.1", "5.3.1.2", "5.3.1.2.1", "5.3.1.2.2", "5.3.1.3"),
    *("5.4.1", "5.4.2", "5.4.3", "5.4.4", "5.4.5", "6.1", "6.2", "7.1.1", "7.1.2", "7.1.3", "7.1.4", "7.1.5", "7.1.6"),
    *("7.1.7", "7.2.1.1", "7.2.1.2", "7.2.1.3", "7.2.2.1", "7.2.2.2", "7.2.2.3", "7.2.2.4", "7.2.2.5", "7.2.2.6"),
    *("7.2.2.7", "7.2.2.8"),
}

#: What wire facts 3.6 and 11 call harmless with every client that was run.
HARMLESS = {"answers-transaction-0", "createstream-undefined", "waits-for-pong"}

#: The clients of the programs that the broken servers are tried with.
PROGRAMS = {
    "ffmpeg5": "FFmpeg",
    "ffmpeg9": "FFmpeg",
    "ffmpeg5-play": "FFmpeg player",
    "ffmpeg9-play": "FFmpeg player",
    "rtmp2sink": "GStreamer",
    "rtmp2src": "GStreamer",
    "rtmpsink": "librtmp",
    "rtmpdump": "librtmp",
    "nginx-relay": "nginx-rtmp",
}

#: How it is told that a client does not mind.
CAREFREE = re.compile(r"copes|does not mind|goes on\.|gets through|looks at nothing but|reads .* alike|minds none")

#: Names that other places use.
SHARED = [
    "connect-transaction-id",
    "transaction-id-not-number",
    "reply-not-chunked",
    "announced-chunk-size-not-used",
    "client-chunk-size-ignored",
    "s2-waits-for-c2",
    "c2-tail-dropped",
    "s1-version-without-digest",
    "s2-not-an-echo",
    "reply-as-amf3",
    "createstream-transaction-id",
    "createstream-undefined",
    "createstream-id-not-number",
    "createstream-id-not-1",
    "onstatus-ecma",
    "onstatus-undefined",
    "publish-only-result",
    "onstatus-on-stream-0",
    "connect-without-code",
    "first-status-not-start",
    "waits-for-fcpublish",
    "waits-for-createstream-first",
    "waits-for-checkbw",
    "waits-for-pong",
    "answers-transaction-0",
    "error-without-close",
    "refusal-without-status",
    "slow-replies",
    "waits-for-metadata",
    "waits-for-keyframe",
    "unasked-acks",
    "writes-to-publisher",
    "stops-reading",
    "closes-on-unknown-type",
    "closes-on-junk-data",
    "closes-on-extra-argument",
    "extended-timestamp-not-expected",
    "extended-timestamp-always-expected",
    "extended-timestamp-not-repeated",
    "name-stays-taken",
    "tail-dropped",
    "media-before-start",
    "metadata-undefined",
    "end-without-unpublishnotify",
    "end-without-streameof",
    "short-command",
    "type15-to-player",
    "abort-sent",
    "control-value",
    "no-answer",
    "closed-without-reason",
    "not-rtmp",
    "media-damaged",
    "media-lost-in-the-middle",
    "unsupported-marker",
    "client-not-chunked",
    "error-status-unknown-code",
]


def sections(source: str) -> tuple[list[str], list[str]]:
    """The wire facts, and the sections of RTMP 1.0, that a source names."""
    facts, _, specification = source.partition("; RTMP 1.0, section")
    assert facts.startswith("wire facts "), source
    return facts.removeprefix("wire facts ").split(", "), re.findall(r"\d[\d.]*", specification)


def exists(fact: str) -> bool:
    """Whether the wire facts have such a section, or such a row in it."""
    row = re.fullmatch(r"3\.6 row (\d+)", fact)
    if row is not None:
        return f"\n{row[1]}. " in FACTS.partition("### 3.6")[2].partition("\n## ")[0]
    listed = re.fullmatch(r"(0|10)\.(\d+)", fact)
    if listed is not None:
        return f"\n{listed[2]}. " in FACTS.partition(f"\n## {listed[1]}.")[2].partition("\n## ")[0]
    heading = rf"\n### {re.escape(fact)} " if "." in fact else rf"\n## {fact}\. "
    return re.search(heading, FACTS) is not None


class CatalogueTests(SynchronousTestCase):
    def test_theSharedNamesAreThere(self) -> None:
        self.assertEqual([name for name in SHARED if name not in CAUSES], [])

    def test_nothingIsNamedTwice(self) -> None:
        parts = (
            HANDSHAKE_CAUSES,
            CHUNK_CAUSES,
            COMMAND_CAUSES,
            STATUS_CAUSES,
            SESSION_CAUSES,
            MEDIA_CAUSES,
            CLIENT_CAUSES,
        )
        names = [cause.name for part in parts for cause in part]
        self.assertEqual(sorted(names), sorted(CAUSES))
        self.assertEqual(len({cause.title for cause in CAUSES.values()}), len(CAUSES))

    def test_namesAreShort(self) -> None:
        for name, cause in CAUSES.items():
            self.assertEqual(name, cause.name)
            self.assertRegex(name, r"\A[a-z0-9]+(-[a-z0-9]+)+\Z")
            self.assertTrue(len(name) <= 40, name)

    def test_allSaysSomething(self) -> None:
        for cause in CAUSES.values():
            self.assertTrue(20 <= len(cause.title) <= 110, cause.title)
            self.assertFalse(cause.title.endswith("."), cause.title)
            self.assertIsInstance(cause.severity, Severity)
            for text in (cause.mend, *cause.clients.values()):
                self.assertTrue(len(text) >= 9 and text.endswith((".", ".)")), (cause.name, text))
                self.assertNotIn("  ", text)
                self.assertTrue(text.isascii() and text.isprintable(), (cause.name, text))

    def test_whatIsNoAdviceSaysWhatAClientDoes(self) -> None:
        """But for a fault of the client's own."""
        for cause in CAUSES.values():
            if cause.severity is not Severity.ADVICE and cause not in CLIENT_CAUSES:
                self.assertTrue(cause.clients, cause.name)

    def test_theClientsAreKnownAndInOrder(self) -> None:
        for cause in CAUSES.values():
            order = [client for client in CLIENTS if client in cause.clients]
            self.assertEqual((cause.name, list(cause.clients)), (cause.name, order))

    def test_whoIsAffected(self) -> None:
        """All that were seen to stop or to lose something; and of a cause that stops somebody, somebody."""
        for cause in CAUSES.values():
            self.assertEqual((cause.name, cause.unharmed - set(cause.clients)), (cause.name, set()))
            if cause.clients and cause.severity is not Severity.ADVICE:
                self.assertTrue(cause.affected, cause.name)
        for name, bend in BENDS.items():
            for program in bend.affected:
                self.assertIn(PROGRAMS[program], CAUSES[bend.cause].affected, name)

    def test_whoDoesNotMind(self) -> None:
        """Who is said to get through is not among those that are affected."""
        count = 0
        for cause in CAUSES.values():
            for client in cause.affected:
                self.assertNotRegex(cause.clients[client], CAREFREE, (cause.name, client))
            count += sum(CAREFREE.search(cause.clients[client]) is not None for client in cause.unharmed)
        self.assertGreaterEqual(count, 14)

    def test_theyAreToldInOneWay(self) -> None:
        """Each begins with what "it" does, or with whose words hold."""
        for cause in CAUSES.values():
            for client, words in cause.clients.items():
                self.assertFalse(words.startswith(client), (cause.name, client))

    def test_whatWasNotRunSaysSo(self) -> None:
        """Nobody has run these (wire facts 12)."""
        for cause in CAUSES.values():
            for client in {"MediaMTX", "SRS", "Flash"} & set(cause.clients):
                self.assertRegex(cause.clients[client], r"\(from .*not run\)", (cause.name, client))

    def test_theSectionsExist(self) -> None:
        for cause in CAUSES.values():
            facts, specification = sections(cause.source)
            for fact in facts:
                self.assertTrue(exists(fact), (cause.name, fact))
            self.assertEqual((cause.name, set(specification) - SPECIFICATION), (cause.name, set()))

    def test_sectionsThatDoNotExistAreSeen(self) -> None:
        for fact in ("3.6 row 22", "10.100", "0.6", "3.7", "13"):
            self.assertFalse(exists(fact), fact)

    def test_everyRowOfTheStallsHasACause(self) -> None:
        rows = {int(row) for cause in CAUSES.values() for row in re.findall(r"3\.6 row (\d+)", cause.source)}
        self.assertEqual(rows, set(range(1, 22)))

    def test_whatIsHarmlessIsAdvice(self) -> None:
        self.assertEqual({CAUSES[name].severity for name in HARMLESS}, {Severity.ADVICE})

    def test_aCauseIsAValue(self) -> None:
        self.assertEqual(Cause("a-b", "t", Severity.STOPS, "m", "s"), Cause("a-b", "t", Severity.STOPS, "m", "s", {}))

    def test_affected(self) -> None:
        cause = Cause("a-b", "t", Severity.STOPS, "m", "s", dict.fromkeys(("FFmpeg", "OBS", "SRS"), "."))
        self.assertEqual(cause.affected, ("FFmpeg", "OBS", "SRS"))
        self.assertEqual(replace(cause, unharmed=frozenset({"OBS"})).affected, ("FFmpeg", "SRS"))
