# -*- test-case-name: tests.compare.test_difference -*-
"""
Tests for L{rtmptw.compare.difference}.
"""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import Cause, Severity
from rtmptw.compare.aspects import Field
from rtmptw.compare.difference import Difference, FieldDifference, How, Wrong, compareFields, line
from rtmptw.compare.noise import FIELDS, PRESENCE, Row, Weight, judge
from rtmptw.compare.step import Key, Step
from rtmptw.trace.entry import Ending, Violation
from rtmptw.trace.segment import Side

CONNECT = Key("answer", "connect")


def fields(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


def compare(one: dict[str, Field], other: dict[str, Field], key: Key = CONNECT) -> tuple[list[str], dict[str, int]]:
    folded: Counter[str] = Counter()
    found = compareFields(Side.SERVER, key, one, other, folded)
    return [f"{field.name} {field.row.weight.name}" for field in found], dict(folded)


def violation(severity: Severity) -> Violation:
    return Violation(Cause("a-cause", "title", severity, "mend", "3.6"), "words", 3)


class CompareFieldsTests(SynchronousTestCase):
    def test_same(self) -> None:
        """Only the place may be another."""
        one = fields(Field("transactionId", "1", "number", "connect's", 7))
        other = fields(Field("transactionId", "1", "number", "connect's", 99))
        self.assertEqual(compare(one, other), ([], {}))

    def test_sameMeaning(self) -> None:
        """Two numbers that both are connect's are the same; that they are not the same number is counted."""
        one = fields(Field("transactionId", "1", "number", "connect's"))
        other = fields(Field("transactionId", "2", "number", "connect's"))
        self.assertEqual(compare(one, other), ([], {"transaction IDs": 1}))

    def test_otherMeaning(self) -> None:
        """The same number is not the same if it was another call's in the other conversation."""
        one = fields(Field("transactionId", "2", "number", "connect's"))
        other = fields(Field("transactionId", "2", "number", "releaseStream's"))
        self.assertEqual(compare(one, other), (["transactionId MATTERS"], {}))

    def test_type(self) -> None:
        one, other = fields(Field("[1]", "", "object")), fields(Field("[1]", "", "ECMA array"))
        self.assertEqual(compare(one, other), (["[1] LITTLE"], {}))
        self.assertEqual(compare(one, other, Key("status", "x")), (["[1] MATTERS"], {}))

    def test_absent(self) -> None:
        one, other = fields(Field("[1].code", "x", "string")), fields(Field("[0].fmsVer", "x", "string"))
        self.assertEqual(compare(one, other), (["[1].code MATTERS"], {"servers' versions": 1}))

    def test_noise(self) -> None:
        one = fields(Field("[1].description", "x", "string"), Field("fmt", "0"), Field("unheard", "1", "", "same"))
        other = fields(Field("[1].description", "y", "string"), Field("fmt", "1"), Field("unheard", "2", "", "same"))
        folded = {"descriptions": 1, "types of chunk headers": 1, "unheard": 1}
        self.assertEqual(compare(one, other), ([], folded))


class LineTests(SynchronousTestCase):
    def test_line(self) -> None:
        self.assertEqual(line(Side.SERVER, CONNECT), "server answer connect")
        self.assertEqual(line(Side.SERVER, CONNECT, "value", "[0].x"), "server answer connect/value [0].x")

    def test_peersText(self) -> None:
        """What a peer has called a command can't be taken for what we write."""
        text = line(Side.CLIENT, Key("command", "x/value [1] | server answer connect"), "absent", "y" * 1000)
        self.assertEqual(text, f"client command x_value [1] _ server answer connect/absent {'y' * 100}")
        self.assertEqual(line(Side.SERVER, Key("data", "|RtmpSampleAccess")), "server data |RtmpSampleAccess")


class DifferenceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.step = Step(Ending(Side.SERVER, 0.0, 0, ""), CONNECT, 0)

    def difference(
        self, fieldNames: str = "", severities: tuple[Severity, ...] = (), row: Row | None = None
    ) -> Difference:
        rows = {name: judge(FIELDS, line(Side.SERVER, CONNECT, "value", name)) for name in fieldNames.split()}
        return Difference(
            How.FIELDS,
            Side.SERVER,
            (None, self.step),
            0.0,
            tuple(FieldDifference(name, row) for name, row in rows.items()),
            tuple(Wrong(1, violation(severity)) for severity in severities),
            row,
        )

    def test_weight(self) -> None:
        """The worst counts."""
        missing = judge(PRESENCE, "server answer connect")
        for difference, weight, matters in (
            (self.difference(), Weight.LITTLE, False),
            (self.difference("[0].mode"), Weight.LITTLE, False),
            (self.difference("[0].mode [1].code"), Weight.MATTERS, True),
            (self.difference("[0].mode", (Severity.ADVICE,)), Weight.ADVICE, True),
            (self.difference("[1].code", (Severity.ADVICE, Severity.LOSES)), Weight.LOSES, True),
            (self.difference("[1].code", (Severity.STOPS,)), Weight.STOPS, True),
            (self.difference(row=missing), Weight.STOPS, True),
        ):
            self.assertEqual((difference.weight, difference.matters), (weight, matters))

    def test_notMinded(self) -> None:
        """What the client that was there does not mind is worth less than what it may mind."""
        for severity, weight in (
            (Severity.STOPS, Weight.MATTERS),
            (Severity.LOSES, Weight.MATTERS),
            (Severity.ADVICE, Weight.ADVICE),
        ):
            self.assertEqual(Wrong(1, violation(severity), isMinded=False).weight, weight)

    def test_why(self) -> None:
        """The reason is that of what is worth most; a violation speaks for itself."""
        code = judge(FIELDS, "server answer connect/value [1].code")
        self.assertIs(self.difference("[0].mode [1].code").why, code)
        self.assertIsNone(self.difference("[1].code", (Severity.STOPS,)).why)
        missing = judge(PRESENCE, "server answer connect")
        self.assertIs(self.difference("[0].mode", row=missing).why, missing)

    def test_step(self) -> None:
        self.assertIs(self.difference().step, self.step)
