# -*- test-case-name: tests.benchmarks.load.test_audience -*-
"""
Tests for L{benchmarks.load.audience}.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.audience import Audience
from benchmarks.load.orders import Answer

JOINED = {"joined": 0, "failed": 0, "keyframes": 0, "reasons": [], "joinP50": None, "joinWorst": None, "allMs": 1.0}
SEEN = {
    "seconds": 2.0,
    "cpu": 0.5,
    "bytes": 100,
    "slowest": None,
    "closed": 0,
    "reasons": [],
    "messages": 0,
    "lost": 0,
    "reordered": 0,
    "duplicated": 0,
    "damaged": 0,
    "p50": None,
    "p99": None,
    "worst": None,
}


class FakeLoad:
    """
    Answers as it is told.

    @ivar orders: what it was told.
    @ivar answers: what it says.
    """

    def __init__(self, *answers: Answer) -> None:
        self.orders: list[tuple[str, dict[str, Any]]] = []
        self.answers = list(answers)
        self.isOpen = False

    def tell(self, do: str, **order: object) -> None:
        self.orders.append((do, order))

    def hear(self) -> Answer:
        return self.answers.pop(0)

    def ask(self, do: str, **order: object) -> Answer:
        self.tell(do, **order)
        return self.hear()

    def __enter__(self) -> Self:
        self.isOpen = True
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.isOpen = False


class AudienceTests(SynchronousTestCase):
    def test_join(self) -> None:
        """Those who check come spread evenly over the time in which all come."""
        crowd = FakeLoad({**JOINED, "joined": 990, "joinP50": 5.0, "joinWorst": 50.0, "allMs": 1000.0})
        checking = FakeLoad({**JOINED, "joined": 9, "failed": 1, "keyframes": 9, "reasons": ["x"], "joinWorst": 70.0})
        answer = Audience(crowd, checking).join(1000, 10, 500.0)
        self.assertEqual(crowd.orders, [("join", {"count": 990, "ramp": 500.0})])
        self.assertEqual(checking.orders, [("join", {"count": 10, "ramp": 5.0})])
        self.assertEqual((answer["joined"], answer["failed"], answer["keyframes"]), (999, 1, 9))
        self.assertEqual((answer["joinP50"], answer["joinWorst"], answer["allMs"]), (5.0, 70.0, 1000.0))
        self.assertEqual(answer["reasons"], ["x"])

    def test_fewViewers(self) -> None:
        """Where there are no more than check, all do."""
        crowd, checking = FakeLoad(JOINED), FakeLoad({**JOINED, "joined": 3, "joinP50": 7.0})
        answer = Audience(crowd, checking).join(3, 10, 500.0)
        self.assertEqual((crowd.orders[0][1]["count"], checking.orders[0][1]["count"]), (0, 3))
        self.assertEqual((answer["joinP50"], answer["joinWorst"]), (7.0, None))

    def test_seen(self) -> None:
        """Bytes and CPU of both; what was lost is what those have seen who check."""
        crowd = FakeLoad({}, {**SEEN, "slowest": 40.0, "closed": 1, "reasons": ["y"]})
        checking = FakeLoad({}, {**SEEN, "slowest": 30.0, "lost": 7, "p50": 1.5, "messages": 10})
        audience = Audience(crowd, checking)
        self.assertEqual(audience.ask("begin"), {})
        seen = audience.ask("end")
        self.assertEqual((seen["bytes"], seen["cpu"], seen["closed"], seen["slowest"]), (200, 1.0, 1, 30.0))
        self.assertEqual((seen["lost"], seen["p50"], seen["messages"], seen["seconds"]), (7, 1.5, 10, 2.0))
        self.assertEqual([do for do, _ in crowd.orders], ["begin", "end"])

    def test_with(self) -> None:
        """Both end."""
        crowd, checking = FakeLoad(), FakeLoad()
        with Audience(crowd, checking):
            self.assertTrue(crowd.isOpen and checking.isOpen)
        self.assertFalse(crowd.isOpen or checking.isOpen)
