# -*- test-case-name: tests.compare.test_shown -*-
"""
Tests for L{rtmptw.compare.shown}.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.cause import Cause, Severity
from rtmptw.compare.aspects import Field
from rtmptw.compare.comparison import compareConversations
from rtmptw.compare.shown import Shown, describe, excerpt
from rtmptw.trace.entry import Ending, Entry, Unreadable, Violation
from rtmptw.trace.segment import Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.message import Message
from tests.compare.bending import told
from tests.compare.test_step import answers, asks, said

CALLS: list[Entry] = [asks("connect", 1.0, {"app": "live"}), asks("publish", 5.0, None, "SecretKey1")]


def status(code: str, description: str = "") -> Entry:
    information: AMFValue = {"code": code, "description": description}
    return answers("onStatus", 0.0, None, information)


def shownOf(one: Sequence[Entry], other: Sequence[Entry] = (), showSecrets: bool = False) -> Shown:
    return Shown(compareConversations([*CALLS, *one], [*CALLS, *other]), showSecrets)


def headlines(one: Sequence[Entry], other: Sequence[Entry] = (), showSecrets: bool = False) -> list[str]:
    shown = shownOf(one, other, showSecrets)
    return [shown.headline(difference) for difference in shown.comparison.differences]


class TitleTests(SynchronousTestCase):
    def test_titles(self) -> None:
        for entry, title in (
            (answers("_result", 1.0, {}), "the answer to connect"),
            (answers("_result", 9.0, None), "an answer that nobody has asked for"),
            (status("NetStream.Publish.Start"), "onStatus NetStream.Publish.Start"),
            (answers("onStatus", 0.0), "onStatus without a code"),
            (answers("onBWDone", 0.0), "onBWDone"),
            (answers(5.0), "a command without a name"),
            (said(Side.SERVER, Message(18, 0, 1, amf0.encode("onMetaData"))), "data onMetaData"),
            (said(Side.SERVER, Message(8, 0, 1, b"\xaf\1xxxxxxxxxx")), "audio"),
            (said(Side.SERVER, Message(9, 0, 1, b"\x17\1\0\0\0xxxxxx")), "video keyframe"),
            (said(Side.SERVER, Message(1, 0, 0, b"\0\0\1\0")), "set chunk size"),
            (Unreadable(Side.SERVER, 0.0, 0, b"", 1, "why"), "bytes that can't be read"),
            (Ending(Side.SERVER, 0.0, 0, "FIN"), "the end"),
        ):
            shown = shownOf([entry])
            self.assertEqual(shown.title(shown.comparison.told[0].steps[Side.SERVER][0]), title)


class HeadlineTests(SynchronousTestCase):
    def test_presence(self) -> None:
        entry = answers("onBWDone", 0.0, None)
        self.assertEqual(headlines([entry]), ["the server: onBWDone: only A has it"])
        self.assertEqual(headlines([], [entry]), ["the server: onBWDone: only B has it"])

    def test_fields(self) -> None:
        one, other = (answers("_result", id, {}) for id in (1.0, 5.0))
        self.assertEqual(
            headlines([one], [other])[0],
            "the server: the answer to connect: _result.transactionId: 1 (number, connect's) | 5 (number, publish's)",
        )
        self.assertEqual(
            headlines([answers("_result", 1.0, {"mode": 1.0})], [answers("_result", 1.0, {})]),
            ["the server: the answer to connect: _result[0].mode: 1 (number) | -"],
        )
        one, other = (said(Side.SERVER, Message(18, 0, 1, amf0.encode("onX", value))) for value in (1.0, "a"))
        self.assertEqual(headlines([one], [other]), ['the server: data onX: onX[0]: 1 (number) | "a"'])

    def test_order(self) -> None:
        one, other = answers("_result", 1.0, {}), answers("onBWDone", 0.0, None)
        self.assertEqual(
            headlines([one, other], [other, one]),
            ["the server: onBWDone: in A it comes behind the answer to connect, in B before it"],
        )
        self.assertEqual(
            headlines([other, one], [one, other]),
            ["the server: onBWDone: in A it comes before the answer to connect, in B behind it"],
        )

    def test_secrets(self) -> None:
        """A server's words, and a command that is called as the stream is, without the stream's name."""
        entries = [
            status("NetStream.Publish.Start", "SecretKey1 is on"),
            answers("on-SecretKey1", 0.0, {"SecretKey1": 1.0}),
        ]
        shown = shownOf(entries, [])
        text = "\n".join(headlines(entries))
        self.assertNotIn("SecretKey1", text)
        self.assertIn("on-<key#1>", text)
        steps = shown.comparison.told[0].steps[Side.SERVER]
        self.assertEqual(shown.fields(steps[0], 0)["[1].description"].text, '"<key#1> is on"')
        self.assertIn("[0].<key#1>", shown.fields(steps[1], 0))
        self.assertEqual(shown.remark("for SecretKey1\n"), "for <key#1>\\n")
        self.assertIn("on-SecretKey1", "\n".join(headlines(entries, [], True)))
        open_ = shownOf(entries, [], True)
        self.assertEqual((open_.remark("SecretKey1"), open_.about("SecretKey1")), ("SecretKey1", "SecretKey1"))

    def test_wrongOnly(self) -> None:
        """If all fields are the same, and one is wrong nevertheless, the title is all that there is."""
        one, other = answers("onFCPublish", 0.0, None), answers("onFCPublish", 0.0, None)
        cause = Cause("a-cause", "title", Severity.STOPS, "mend", "3.6")
        other.violations.append(Violation(cause, "words", 0))
        self.assertEqual(headlines([one], [other]), ["the server: onFCPublish"])

    def test_folded(self) -> None:
        shown = Shown(compareConversations(told("ffmpeg5-publish"), told("ffmpeg9-publish")))
        self.assertEqual(shown.comparison.differences, ())
        self.assertTrue(shown.folded().startswith("clients' versions (1), cuts of chunks (2)"))
        self.assertEqual(shownOf([]).folded(), "nothing")


class TextTests(SynchronousTestCase):
    def test_describe(self) -> None:
        for field, text in (
            (Field("x", "1", "number", "connect's"), "1 (number, connect's)"),
            (Field("x", '"a"', "string"), '"a"'),
            (Field("x", "", "null"), "null"),
            (Field("x", "5"), "5"),
            (Field("x", ""), "nothing"),
            (None, "-"),
        ):
            self.assertEqual(describe(field), text)

    def test_excerpt(self) -> None:
        """What is too long begins where it is another than the other."""
        self.assertEqual(excerpt("short", "other", 20), "short")
        self.assertEqual(excerpt("a" * 30, "b", 20), "a" * 17 + "...")
        one, other = (f"{'x' * 50}{end}{'y' * 50}" for end in "12")
        self.assertEqual(excerpt(one, other, 20), "...xxxxx1yyyyyyyy...")
        self.assertEqual(excerpt(other, one, 20), "...xxxxx2yyyyyyyy...")
        self.assertEqual(excerpt(f"{'x' * 50}1", f"{'x' * 50}2", 20), "...xxxxx1")
        self.assertEqual(excerpt("x" * 50, "x" * 50, 20), "x" * 17 + "...")

    def test_printable(self) -> None:
        self.assertEqual(shownOf([], [], True).about("t\u00e9\n"), "t\\xe9\\n")
