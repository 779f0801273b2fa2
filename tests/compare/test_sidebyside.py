# -*- test-case-name: tests.compare.test_sidebyside -*-
"""
Tests for L{rtmptw.compare.sidebyside}.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.compare.comparison import compareConversations
from rtmptw.compare.sidebyside import WIDTH, sideBySide
from rtmptw.trace.entry import Entry
from rtmptw.wire.amf import AMFValue
from tests.compare.bending import capture, change, command, conversation, isCommand, rewrite, told
from tests.compare.test_comparison import CONNECTED, PROPERTIES, STARTED
from tests.compare.test_step import answers, asks


def lines(one: Sequence[Entry], other: Sequence[Entry], showSecrets: bool = False, outline: bool = False) -> list[str]:
    return list(sideBySide(compareConversations(one, other, ("nginx-rtmp", "mine")), showSecrets, outline))


class SideBySideTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.client, server = capture("ffmpeg5-publish")
        self.server = rewrite(server)
        self.good = conversation(self.client, self.server)

    def bent(self, name: str, code: str, *values: AMFValue) -> list[Entry]:
        bent = rewrite(self.server, lambda m: [change(m, *values)] if isCommand(m, name, code) else [m])
        return conversation(self.client, bent)

    def test_nothing(self) -> None:
        self.assertEqual(
            lines(self.good, self.good)[:7],
            [
                "A: nginx-rtmp",
                "B: mine",
                "The client of both: FFmpeg (Lavf59.27.100); it publishes.",
                "",
                "There is no difference that matters.",
                "",
                "Folded away: nothing.",
            ],
        )

    def test_transactionId(self) -> None:
        """The answer to connect, both decoded to the field, and what it does to the client that was there."""
        found = lines(self.good, self.bent("_result", "Connect", "_result", 2.0, PROPERTIES, CONNECTED))
        text = "\n".join(found)
        self.assertIn(
            "The first difference that matters: the server: the answer to connect: _result.transactionId: 1 (number,",
            text,
        )
        rows = [line for line in found if line.startswith(("type ", "_result.", "_result["))]
        self.assertEqual(len(rows), 10)
        self.assertEqual(
            [" ".join(row.split()) for row in rows[:2]],
            [
                "type 20 command (AMF0) @3114 20 command (AMF0) @3114",
                "_result.transactionId 1 (number, connect's) @3136 | 2 (number, releaseStream's) @3136",
            ],
        )
        bars = {row.index(" | ") for row in rows if " | " in row}
        self.assertEqual(bars, {72})
        self.assertIn("In B: connect-transaction-id: ", text)
        self.assertIn("At byte 3136: ", text)
        clients = [line.split(":")[0].strip() for line in found if line.startswith("  ") and ": " in line[:16]]
        self.assertEqual(clients[:2], ["At byte 3136", "FFmpeg"])
        self.assertIn("  What to do: ", text)
        self.assertNotIn("Why it matters", text)

    def test_missing(self) -> None:
        """What only one has stands alone, and the reason is told."""
        bent = rewrite(self.server, lambda m: [] if isCommand(m, "onStatus", "Publish.Start") else [m])
        found = lines(self.good, conversation(self.client, bent))
        text = "\n".join(found)
        self.assertIn("onStatus NetStream.Publish.Start: only A has it", text)
        self.assertTrue(any(line.split() == ["A", "B:", "nothing"] for line in found))
        self.assertTrue(any(line.startswith("onStatus[1].code") and line.endswith(" <") for line in found))
        self.assertIn("Why it matters: every client waits for this status", text)
        found = lines(conversation(self.client, bent), self.good)
        self.assertTrue(any(line.split() == ["A:", "nothing", "B"] for line in found))
        self.assertTrue(any(line.startswith("onStatus[1].code") and " > " in line for line in found))

    def test_marks(self) -> None:
        """What does not matter has another mark than what does; what one field has not, neither."""
        assert isinstance(CONNECTED, dict)
        information: AMFValue = {"level": "error", "code": CONNECTED["code"], "description": "no", "new": None}
        found = lines(self.good, self.bent("_result", "Connect", "_result", 1.0, PROPERTIES, information))
        marks = {line.split()[0]: line[73] for line in found if line.startswith("_result") and len(line) > 73}
        self.assertEqual(
            {name: mark for name, mark in marks.items() if mark != " "},
            {
                "_result[1].level": "|",
                "_result[1].description": ":",
                "_result[1].objectEncoding": "<",
                "_result[1].new": ">",
            },
        )

    def test_others(self) -> None:
        """A line for each of the others, with what is wrong in it; if they are many, the rest is counted."""
        bent = rewrite(
            self.server,
            lambda m: (
                [change(m, "_result", 2.0, PROPERTIES, CONNECTED), *(command("onBWDone", 0.0, None) for _ in range(30))]
                if isCommand(m, "_result", "Connect")
                else [change(m, streamId=0)]
                if isCommand(m, "onStatus", "Publish.Start")
                else [m]
            ),
        )
        found = lines(self.good, conversation(self.client, bent))
        title = next(index for index, line in enumerate(found) if line.startswith("Others that matter ("))
        self.assertIn("Publish.Start: message stream: 1 (as createStream's answer gave) | 0", found[title + 1])
        self.assertEqual(found.count("  the server: onBWDone: only B has it"), 20)
        self.assertIn("  and 10 more", found)
        self.assertIn("What matters little (30):", found)

    def test_secrets(self) -> None:
        description: AMFValue = {**STARTED, "description": "live/SecretKey1 is published"}
        client = rewrite(
            self.client, lambda m: [change(m, "publish", 5.0, None, "SecretKey1")] if isCommand(m, "publish") else [m]
        )
        bent = rewrite(
            self.server,
            lambda m: (
                [change(m, "onStatus", 0.0, None, description, streamId=0)]
                if isCommand(m, "onStatus", "Start")
                else [m]
            ),
        )
        one, other = conversation(client, self.server), conversation(client, bent)
        self.assertNotIn("SecretKey1", "\n".join(lines(one, other, outline=True)))
        self.assertIn("live/<key#", "\n".join(lines(one, other)))
        self.assertIn("live/SecretKey1 is published", "\n".join(lines(one, other, showSecrets=True)))

    def test_clients(self) -> None:
        """If the clients are not the same, that is told first; if one did not get far, what it did."""
        found = " ".join(lines(told("ffmpeg5-publish"), told("gst122-rtmp2sink-publish")))
        self.assertIn("A's client is FFmpeg (Lavf59.27.100), which publishes; B's is GStreamer (LNX 10,0,32,18)", found)
        self.assertIn("other questions", found)
        found = " ".join(" ".join(lines(self.good, conversation(self.client[:3242], self.server[:3073]))).split())
        self.assertIn("with B, where it does neither publish nor play.", found)

    def test_outline(self) -> None:
        """All steps beside each other, with a mark where they differ."""
        bent = rewrite(
            self.server,
            lambda m: (
                [change(m, "_result", 2.0, PROPERTIES, CONNECTED), command("onBWDone", 0.0, None)]
                if isCommand(m, "_result", "Connect")
                else []
                if m.type in (1, 6)
                else [change(m, chunkStreamId=3)]
                if isCommand(m, "onStatus")
                else [m]
            ),
        )
        found = lines(self.good, conversation(self.client, bent), outline=True)
        rows = [line for line in found if line.startswith(("client ", "server "))]
        self.assertEqual(len(rows), 31)
        marks = {line[73]: " ".join(line.split()) for line in reversed(rows) if len(line) > 73}
        self.assertEqual(marks["|"], "server the answer to connect @3114 | the answer to connect @3089")
        self.assertIn("onStatus NetStream.Publish.Start", marks[":"])
        self.assertEqual(marks["<"][:30], "server set peer bandwidth @308")
        self.assertEqual(marks[">"][:18], "server > onBWDone ")
        self.assertEqual(found[found.index(rows[0]) - 1], "")

    def test_notes(self) -> None:
        comparison = compareConversations([asks(f"a{each}", 1.0) for each in range(600)], [asks("b", 1.0)])
        found = " ".join(sideBySide(comparison))
        self.assertIn("Note: the last 88 and 0 steps of the client's side", found)

    def test_manyFields(self) -> None:
        """Of fields that are the same in both, so many are shown, and the rest is counted."""
        values: list[AMFValue] = [float(each) for each in range(40)]
        one, other = (answers("_result", 1.0, {}, {"code": code}, *values) for code in ("a", "b"))
        call = asks("connect", 1.0, {})
        found = lines([call, one], [call, other])
        self.assertIn("(26 more fields, the same in both)", found)
        self.assertEqual(len([line for line in found if line.startswith("_result[1].code")]), 1)

    def test_width(self) -> None:
        names = ("ffmpeg5-publish", "ffmpeg5-publish-to-ffmpeg9-listen", "ffmpeg5-play", "gst122-rtmp2sink-publish")
        for one in names:
            for other in names:
                for line in lines(told(one), told(other), outline=True):
                    self.assertLessEqual(len(line), WIDTH)
                    self.assertEqual(line, line.rstrip())
