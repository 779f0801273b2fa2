# -*- test-case-name: tests.compare.test_alignment -*-
"""
Tests for L{rtmptw.compare.alignment}.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.compare.alignment import WINDOW, Pair, align
from rtmptw.compare.step import Key, Step
from rtmptw.trace.entry import Ending
from rtmptw.trace.segment import Side

#: How steps are written here: family and detail.
_WORDS = {
    "W": ("control", "window"),
    "B": ("control", "bandwidth"),
    "R": ("answer", "connect"),
    "C": ("answer", "createStream"),
    "?": ("answer", ""),
    "S": ("status", "NetStream.Publish.Start"),
    "N": ("status", "NetStream.Publish.BadName"),
    "U": ("status", "NetStream.Unpublish.Success"),
    "0": ("status", ""),
    "o": ("command", "onBWDone"),
    "f": ("command", "onFCPublish"),
}


def steps(words: str) -> list[Step]:
    return [Step(Ending(Side.SERVER, 0.0, 0, ""), Key(*_WORDS[word]), index) for index, word in enumerate(words)]


def written(pairs: Sequence[Pair]) -> str:
    names = {key: word for word, key in _WORDS.items()}
    return " ".join("".join("-" if step is None else names[step.key] for step in pair) for pair in pairs)


def aligned(one: str, other: str) -> str:
    return written(list(align(steps(one), steps(other)).pairs))


class AlignTests(SynchronousTestCase):
    def test_same(self) -> None:
        self.assertEqual(aligned("WBRCS", "WBRCS"), "WW BB RR CC SS")
        self.assertEqual(aligned("", ""), "")

    def test_oneMore(self) -> None:
        """What follows a message more stays beside what it was beside."""
        self.assertEqual(aligned("WBRCS", "WBRoCS"), "WW BB RR -o CC SS")
        self.assertEqual(aligned("WBoRCS", "WBRCS"), "WW BB o- RR CC SS")
        self.assertEqual(aligned("R", ""), "R-")
        self.assertEqual(aligned("", "R"), "-R")
        self.assertEqual(aligned("WRCC", "WRC"), "WW RR CC C-")

    def test_whatHolds(self) -> None:
        """Of two that have changed places, the answer stays, and the other has moved."""
        self.assertEqual(aligned("RW", "WR"), "-W RR W-")
        self.assertEqual(aligned("oR", "Ro"), "o- RR -o")

    def test_inThePlaceOf(self) -> None:
        """A status in the place of another stands beside it; and an answer beside one to nothing."""
        self.assertEqual(aligned("RS", "RN"), "RR SN")
        self.assertEqual(aligned("RS", "R0"), "RR S0")
        self.assertEqual(aligned("SU", "U"), "S- UU")
        self.assertEqual(aligned("S", "U"), "S- -U")
        self.assertEqual(aligned("RC", "R?"), "RR C?")
        self.assertEqual(aligned("RC", "Ro"), "RR C- -o")
        self.assertEqual(aligned("R", "C"), "R- -C")
        self.assertEqual(aligned("o", "f"), "o- -f")

    @given(st.text("WBRC?SNU0of", max_size=30), st.text("WBRC?SNU0of", max_size=30))
    def test_nothingIsLost(self, one: str, other: str) -> None:
        """Every step of both is there once, in its order, and nothing stands beside what it can't be."""
        first, second = steps(one), steps(other)
        alignment = align(first, second)
        pairs = list(alignment.pairs)
        self.assertEqual([pair[0] for pair in pairs if pair[0] is not None], first)
        self.assertEqual([pair[1] for pair in pairs if pair[1] is not None], second)
        self.assertEqual(alignment.left, (0, 0))
        for left, right in pairs:
            if left is not None and right is not None:
                self.assertEqual(left.key.family, right.key.family)

    def test_bounded(self) -> None:
        """What is too much is not compared, and that is said; what both begin and end with is found at any length."""
        started = time.process_time()
        alignment = align(steps("W" * 50_000 + "R" * 100_000 + "S"), steps("W" * 50_000 + "C" * 90_000 + "S"))
        self.assertEqual(len(alignment.before), 50_000)
        self.assertEqual(len(alignment.after), 1)
        self.assertEqual(len(alignment.between), 2 * WINDOW)
        self.assertEqual(alignment.left, (100_000 - WINDOW, 90_000 - WINDOW))
        self.assertLess(time.process_time() - started, 20)
