# -*- test-case-name: tests.show.test_hexdump -*-
"""
Tests for L{rtmptw.show.hexdump}: rows, marks, and what is hidden.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.show.hexdump import hexdump


class HexdumpTests(SynchronousTestCase):
    def test_rows(self) -> None:
        """Sixteen bytes with their place in front, and their characters behind; the last row is as wide."""
        self.assertEqual(
            list(hexdump(bytes(range(0x58, 0x6C)), 3073)),
            [
                "          3073  58 59 5a 5b 5c 5d 5e 5f  60 61 62 63 64 65 66 67  |XYZ[\\]^_`abcdefg|",
                "          3089  68 69 6a 6b                                       |hijk|",
            ],
        )

    def test_characters(self) -> None:
        """Only printable ASCII is shown."""
        [row] = hexdump(b"\x1f \x7e\x7f\x80\xff")
        self.assertTrue(row.endswith("|. ~...|"))

    def test_marks(self) -> None:
        """In brackets, with carets below; also at the ends of a row, and side by side."""
        self.assertEqual(
            list(hexdump(bytes(16), 100, (100, 107, 108, 115))),
            [
                "           100 [00]00 00 00 00 00 00[00][00]00 00 00 00 00 00[00] |................|",
                "                ^^                   ^^  ^^                   ^^",
            ],
        )
        rows = list(hexdump(bytes(4), 0, {1, 2}))
        self.assertIn(" 00[00[00]00 ", rows[0])
        self.assertEqual(rows[1].split(), ["^^", "^^"])
        self.assertEqual(rows[0].index("[00["), rows[1].index("^^") - 1)

    def test_otherMarks(self) -> None:
        """Those in other rows, or nowhere."""
        rows = list(hexdump(bytes(33), 10, (26, 42, 9, 43, -1)))
        self.assertEqual(["[" in row for row in rows], [False, True, False, True, False])

    def test_hidden(self) -> None:
        """Neither their values nor their characters are seen; ranges may begin before, and end behind."""
        rows = list(hexdump(b"abcdefgh", 50, (52,), ((40, 51), (52, 54), (57, 99), (99, 100), (10, 20))))
        self.assertEqual(rows[0], "            50  ** 62[**]** 65 66 67 **                           |*b**efg*|")

    def test_empty(self) -> None:
        self.assertEqual(list(hexdump(b"", 5, (5,), ((5, 9),))), [])
