"""
Tests for L{tests.fuzz.script} and L{tests.fuzz.pieces}: whatever the bytes, there is something to do.
"""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.pieces import cut, takeCuts
from tests.fuzz.script import MAX_STEPS, Field, Language, Step

LANGUAGE = Language({"say": (Field.BYTE, Field.LONG, Field.BLOB), "go": ()}, 3)


def scramble(data: bytes, most: int) -> bytes:
    return (data[::-1] + b"\1")[:most]


class LanguageTests(SynchronousTestCase):
    def test_format(self) -> None:
        steps = [Step("say", 2, (7, 0x01020304), b"ab"), Step("go", 1)]
        data = LANGUAGE.write(steps)
        self.assertEqual(data, bytes.fromhex("40 07 01020304 0002 6162 21"))
        self.assertEqual(LANGUAGE.read(data), steps)

    def test_missing(self) -> None:
        """What is not there is 0 or empty."""
        self.assertEqual(LANGUAGE.read(b"\x40"), [Step("say", 2, (0, 0))])
        self.assertEqual(LANGUAGE.read(bytes.fromhex("00 07 00000000 ffff 61")), [Step("say", 0, (7, 0), b"a")])
        self.assertEqual(LANGUAGE.write([Step("say")]), bytes(8))

    @given(st.binary())
    def test_anyBytes(self, data: bytes) -> None:
        """Any bytes are a script; written and read it is the same."""
        steps = LANGUAGE.read(data)
        self.assertLessEqual(len(steps), MAX_STEPS)
        self.assertEqual(LANGUAGE.read(LANGUAGE.write(steps)), steps)

    @given(st.binary(max_size=300), st.integers(0, 1 << 30))
    def test_mutate(self, data: bytes, seed: int) -> None:
        """The same chance bends in the same way, and not beyond what there is room for."""
        changed = LANGUAGE.mutate(data, 200, Random(seed), scramble)
        self.assertEqual(LANGUAGE.mutate(data, 200, Random(seed), scramble), changed)
        self.assertTrue(0 < len(changed) <= 200)

    def test_mutateAll(self) -> None:
        """Steps are added, dropped, moved and changed."""
        data = LANGUAGE.write([Step("say", 0, (1, 2), b"abc"), Step("go"), Step("say", 1, (3, 4), b"d")])
        found = [LANGUAGE.read(LANGUAGE.mutate(data, 500, Random(seed), scramble)) for seed in range(300)]
        counts = {len(steps) for steps in found}
        self.assertTrue({2, 3, 4, 5} <= counts, counts)
        self.assertTrue({step.blob for steps in found for step in steps} >= {b"abc", b"d", b"cba\1", b"d\1"})


class PiecesTests(SynchronousTestCase):
    def test_takeCuts(self) -> None:
        self.assertEqual(takeCuts(b""), ([], b""))
        self.assertEqual(takeCuts(b"\x12\1\xc0rest"), ([1, 61], b"rest"))

    def test_cut(self) -> None:
        self.assertEqual(list(cut(b"abcdef", [1, 3])), [b"a", b"bcd", b"e", b"f"])
        self.assertEqual(list(cut(b"abcdef", [1, 3], again=False)), [b"a", b"bcd", b"ef"])
        self.assertEqual(list(cut(b"abc", [])), [b"a", b"b", b"c"])

    @given(st.binary(max_size=100), st.lists(st.integers(0, 20), max_size=5), st.booleans())
    def test_nothingIsLost(self, data: bytes, sizes: list[int], again: bool) -> None:
        self.assertEqual(b"".join(cut(data, sizes, again)), data)
