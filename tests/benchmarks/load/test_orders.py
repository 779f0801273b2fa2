# -*- test-case-name: tests.benchmarks.load.test_orders -*-
"""
Tests for L{benchmarks.load.orders}.
"""

from __future__ import annotations

import json
import os
import resource

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.orders import Answer, Orders, raiseFileLimit


class OrdersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.source, self.giver = os.pipe()
        self.reader, self.sink = os.pipe()
        self.open = [self.source, self.giver, self.reader, self.sink]
        self.got: list[Answer] = []
        self.orders = Orders({"add": self.add, "wait": self.got.append}, self.source, self.sink)
        self.addCleanup(lambda: [os.close(fd) for fd in self.open])

    def add(self, order: Answer) -> Answer:
        return {"sum": order["a"] + order["b"]}

    def answers(self) -> list[Answer]:
        return [json.loads(line) for line in os.read(self.reader, 1 << 16).splitlines()]

    def test_answers(self) -> None:
        """Each order is carried out and answered, in order; half of one is waited for."""
        self.assertEqual(self.orders.fileno(), self.source)
        os.write(self.giver, b'{"do": "add", "a": 1, "b": 2}\n{"do": "add", "a": 5, "b"')
        self.orders.read()
        os.write(self.giver, b": 6}\n")
        self.orders.read()
        self.assertEqual(self.answers(), [{"sum": 3}, {"sum": 11}])

    def test_later(self) -> None:
        """What takes time is answered when it is done."""
        os.write(self.giver, b'{"do": "wait"}\n')
        self.orders.read()
        self.assertEqual(self.got, [{"do": "wait"}])
        self.orders.answer({"done": True})
        self.assertEqual(self.answers(), [{"done": True}])

    def test_end(self) -> None:
        """It is over when there are no more orders."""
        self.assertFalse(self.orders.isOver)
        os.close(self.giver)
        self.open.remove(self.giver)
        self.orders.read()
        self.assertTrue(self.orders.isOver)

    def test_fileLimit(self) -> None:
        """As many files as may be."""
        limit = raiseFileLimit()
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (limit, limit))
