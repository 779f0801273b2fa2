# -*- test-case-name: tests.session.test_call -*-
"""
Tests for L{rtmptw.session.call}: every call ends once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import CallError, CallTimedOut, ConnectionClosed, StatusError
from rtmptw.session.call import MAX_STRAY_LINES, MAX_TEXT, Calls, refusal
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.command import Command


def result(id: float, *values: AMFValue) -> Command:
    return Command("_result", id, None, values)


def error(id: float, *values: AMFValue) -> Command:
    return Command("_error", id, None, values)


class CallsTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.calls = Calls(self.clock, "192.0.2.1:1935")
        self.events = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)


class OnceTests(CallsTestCase):
    """In whatever order things happen: what is first, counts."""

    def events_(self, id: float, answer: Deferred[Command]) -> dict[str, tuple[Callable[[], object], object]]:
        """What may happen to a call, and what it then is."""
        return {
            "reply": (lambda: self.calls.answered(result(id, 7.0)), Command),
            "error": (lambda: self.calls.answered(error(id)), CallError),
            "status": (lambda: self.calls.refused(id, StatusError("no")), StatusError),
            "timeout": (lambda: self.clock.advance(5), CallTimedOut),
            "cancel": (answer.cancel, CancelledError),
            "loss": (lambda: self.calls.close("lost"), ConnectionClosed),
        }

    def test_allOrders(self) -> None:
        names = ("reply", "error", "status", "timeout", "cancel", "loss")
        for order in permutations(names):
            self.setUp()
            ends: list[object] = []
            id, answer = self.calls.begin("any", 5)
            answer.addBoth(ends.append)
            events = self.events_(id, answer)
            for name in order:
                events[name][0]()
            self.assertEqual(len(ends), 1, order)
            end = ends[0].value if isinstance(ends[0], Failure) else ends[0]
            self.assertIs(type(end), events[order[0]][1], order)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_twoCalls(self) -> None:
        """Two at a time do not touch each other."""
        for first, second in product(("reply", "error", "timeout", "cancel", "loss"), repeat=2):
            self.setUp()
            ends: list[tuple[int, object]] = []
            tables = []
            for index, seconds in ((1, 5), (2, 5)):
                id, answer = self.calls.begin("any", seconds)
                answer.addBoth(lambda end, index=index, ends=ends: ends.append((index, end)))
                tables.append((self.events_(id, answer), answer))
            tables[1][0][second][0]()
            tables[0][0][first][0]()
            self.assertEqual(sorted(index for index, _ in ends), [1, 2], (first, second))

    def test_callbacksThatCall(self) -> None:
        """At the loss, a callback may cancel another call, or begin a new one."""
        ends: list[object] = []
        _, one = self.calls.begin("one")
        _, two = self.calls.begin("two")

        def fromWithin(end: object) -> None:
            ends.append(end)
            two.cancel()
            ends.append(self.failureResultOf(self.calls.begin("three")[1], ConnectionClosed).value)

        one.addBoth(fromWithin)
        two.addBoth(ends.append)
        self.calls.close("lost")
        self.assertEqual(len(ends), 3)
        self.assertEqual(str(ends[-1]), "three failed: lost")
        self.assertEqual([str(end.value) for end in ends if isinstance(end, Failure)], ["one failed: lost", ""])

    def test_answeredFromWithin(self) -> None:
        """The table is in order when a callback runs."""
        ends: list[Command] = []
        id, answer = self.calls.begin("any")
        answer.addCallback(lambda end: [ends.append(end), self.calls.answered(result(id))])
        self.calls.answered(result(id, 1.0))
        self.assertEqual(len(ends), 1)


class CallTests(CallsTestCase):
    def test_conformance65_numbers(self) -> None:
        """Transaction IDs begin at 1, and grow; those that are only announced have a number too."""
        ids = [self.calls.begin("connect")[0], self.calls.announce(), self.calls.begin("createStream")[0]]
        self.assertEqual(ids, [1.0, 2.0, 3.0])

    def test_conformance63_matching(self) -> None:
        """Answers come in any order."""
        one, two = self.calls.begin("one"), self.calls.begin("two")
        self.calls.answered(result(two[0], "2"))
        self.calls.answered(result(one[0], "1"))
        self.assertEqual(self.successResultOf(one[1]).argument(0), "1")
        self.assertEqual(self.successResultOf(two[1]).argument(0), "2")

    def test_unknown(self) -> None:
        """An answer to nothing is an ordinary event."""
        for command in (result(5), error(-1), result(1.5)):
            self.calls.answered(command)
        lines = [event["log_format"].format(**event) for event in self.events]
        self.assertEqual(len(lines), 3)
        self.assertIn("192.0.2.1:1935: _result with transaction ID 5, which waits for none", lines)

    def test_D18_manyUnknown(self) -> None:
        """A server that never stops has ten lines in the log, and is counted."""
        for id in range(1000, 6000):
            self.calls.answered(result(id))
        lines = [event["log_format"].format(**event) for event in self.events]
        self.assertEqual((len(lines), self.calls.stray), (MAX_STRAY_LINES, 5000))
        self.assertIn("no more of them are logged", lines[-1])
        self.assertNotIn("no more", lines[-2])

    def test_announced(self) -> None:
        """Whatever is said to a call that nobody waits for, once."""
        for command in (result, error):
            self.calls.answered(command(self.calls.announce()))
        self.assertEqual(list(self.events), [])
        self.calls.answered(result(1))
        self.assertEqual(len(list(self.events)), 1)

    def test_timeout(self) -> None:
        """The call is named; the others go on."""
        _, answer = self.calls.begin("slow", 2)
        patient = self.calls.begin("patient")[1]
        self.clock.advance(1.9)
        self.assertNoResult(answer)
        self.clock.advance(0.1)
        failure = self.failureResultOf(answer, CallTimedOut)
        self.assertEqual(str(failure.value), "no answer to slow within 2 s")
        self.assertEqual(failure.value.command, "slow")
        self.clock.advance(1e6)
        self.assertNoResult(patient)

    def test_closed(self) -> None:
        """Every waiting call names itself and the reason; later ones fail at once; the first reason stays."""
        answers = [self.calls.begin(name)[1] for name in ("one", "two")]
        self.calls.close("the wire was cut")
        self.calls.close("again")
        answers.append(self.calls.begin("three")[1])
        for name, answer in zip(("one", "two", "three"), answers, strict=True):
            failure = self.failureResultOf(answer, ConnectionClosed)
            self.assertEqual(str(failure.value), f"{name} failed: the wire was cut")
            self.assertEqual((failure.value.command, failure.value.reason), (name, "the wire was cut"))


class RefusalTests(SynchronousTestCase):
    """What an _error says."""

    def test_rows(self) -> None:
        information: AMFValue = {"level": "error", "code": "X.Y", "description": "because"}
        rows: list[tuple[Command, str, str]] = [
            (Command("_error", 1.0, None, (information,)), "because", "X.Y"),
            (Command("_error", 1.0, information), "because", "X.Y"),
            (Command("_error", 1.0, None, (None, information)), "because", "X.Y"),
            (Command("_error", 1.0, None, ({"code": "X.Y"},)), "no reason given", "X.Y"),
            (Command("_error", 1.0, None, ({"code": 5.0, "description": None},)), "no reason given", ""),
            (Command("_error", 1.0, None, ("just words",)), "just words", ""),
            (Command("_error"), "no reason given", ""),
            (Command("_error", 1.0, None, ({"description": "x" * 9999},)), "x" * MAX_TEXT, ""),
        ]
        for command, description, code in rows:
            found = refusal("publish", command)
            self.assertEqual((found.description, found.code, found.command), (description, code, "publish"))

    def test_words(self) -> None:
        found = refusal("publish", Command("_error", 1.0, None, ({"code": "X.Y", "description": "no", "a": 1.0},)))
        self.assertEqual(str(found), "publish refused: X.Y: no")
        self.assertEqual(found.information, {"code": "X.Y", "description": "no", "a": 1.0})
