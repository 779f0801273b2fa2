# -*- test-case-name: tests.session.test_streampath -*-
"""
Tests for L{rtmptw.session.streampath}: the table of wire facts 8, and names that are refused.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import StatusError
from rtmptw.session.streampath import MAX_APP, MAX_NAME, checkText, joinQueries, partQuery, streamPath


class StreamPathTests(SynchronousTestCase):
    def test_paths(self) -> None:
        rows = [
            ("live", "test", "live/test"),
            ("live/inst", "test", "live/inst/test"),
            ("live/a", "b/test", "live/a/b/test"),
            ("live/a/b", "test", "live/a/b/test"),
            ("live/test", "", "live/test"),
            ("", "live/test", "live/test"),
            ("test", "", "test"),
            ("//live//", "//test//", "live/test"),
            ("live/_definst_", "test", "live/test"),
            ("live/_defInst_", "test", "live/test"),
            ("live/_definst_/x", "test", "live/_definst_/x/test"),
            ("live", "mp4:test", "live/test"),
            ("live", "flv:test.flv", "live/test"),
            ("live", "mp4:flv:test", "live/flv:test"),
            ("live", "test.mp4", "live/test.mp4"),
            ("live", "a b+c=d&e%20", "live/a b+c=d&e%20"),
            ("live", "\u540d\u524d", "live/\u540d\u524d"),
            ("live", "...", "live/..."),
            ("l" * MAX_APP, "n" * MAX_NAME, "l" * MAX_APP + "/" + "n" * MAX_NAME),
        ]
        for app, name, path in rows:
            self.assertEqual(streamPath(app, name), path)

    def test_D6_refused(self) -> None:
        rows = [
            ("", ""),
            ("/", "//"),
            ("_definst_", ""),
            ("", ".flv"),
            ("", "mp4:"),
            ("live", ".."),
            ("live", "../a"),
            ("..", "a"),
            ("live", "a/./b"),
            ("live/.", "a"),
            ("live", "mp4:.."),
            ("live", "...flv"),
            ("l" * (MAX_APP + 1), "a"),
            ("live", "n" * (MAX_NAME + 1)),
        ]
        for app, name in rows:
            self.assertRaises(StatusError, streamPath, app, name)

    def test_C8_characters(self) -> None:
        """What can't be seen, turns the text around, ends a line, or was no UTF-8."""
        for character in "\0\t\n\r\x1b\x7f\x85\xad\u200b\u202e\u2028\u2029\u2066\ufeff\udc80\U000e0001":
            for app, name in (("live", f"a{character}b"), (f"a{character}", "b")):
                error = self.assertRaises(StatusError, streamPath, app, name)
                self.assertNotIn(character, error.description)

    def test_checkText(self) -> None:
        checkText("thing", "x" * 5, 5)
        error = self.assertRaises(StatusError, checkText, "thing", "x" * 6, 5)
        self.assertEqual(error.description, "the thing has 6 characters; 5 are allowed")

    def test_queries(self) -> None:
        for text, parts in (("a?b", ("a", "b")), ("a", ("a", "")), ("?b", ("", "b")), ("a?b?c/d", ("a", "b?c/d"))):
            self.assertEqual(partQuery(text), parts)
        # FFmpeg's second question mark.
        self.assertEqual(partQuery("live?k=v?authmod=adobe&user=me"), ("live", "k=v&authmod=adobe&user=me"))
        for queries, joined in (
            (("a=1", "", "b=2"), "a=1&b=2"),
            (("a=1", "a=1"), "a=1"),
            ((), ""),
            (("b", "a", "b"), "b&a"),
        ):
            self.assertEqual(joinQueries(*queries), joined)

    @settings(deadline=None, max_examples=200)
    @given(st.text(max_size=20), st.text(max_size=20))
    def test_always(self, app: str, name: str) -> None:
        """A path has no empty, current or parent part, and no end of a line."""
        try:
            path = streamPath(app, name)
        except StatusError:
            return
        self.assertEqual({"", ".", ".."} & set(path.split("/")), set())
        self.assertEqual(len(path.splitlines()), 1)
