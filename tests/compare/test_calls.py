# -*- test-case-name: tests.compare.test_calls -*-
"""
Tests for L{rtmptw.compare.calls}: which call an answer is meant for.
"""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.compare.calls import Calls
from rtmptw.wire.amf import UNDEFINED, AMFValue

INFORMATION: AMFValue = {"code": "NetConnection.Connect.Success"}


class CallsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.calls = Calls()
        for index, (name, id) in enumerate(
            (("connect", 1.0), ("releaseStream", 2.0), ("FCPublish", 3.0), ("createStream", 4.0), ("publish", 5.0))
        ):
            self.calls.made(name, id, index)

    def answered(self, *values: AMFValue) -> str:
        id = values[1]
        called = self.calls.answered(values, id if isinstance(id, float) else None)
        return "" if called is None else called.name

    def test_byTransactionId(self) -> None:
        self.assertEqual(self.answered("_result", 2.0, None, UNDEFINED), "releaseStream")
        self.assertEqual(self.answered("_result", 1.0, {}, INFORMATION), "connect")
        self.assertEqual(self.answered("_result", 4.0, None, 1.0), "createStream")
        self.assertEqual(self.answered("_result", 5.0, None), "publish")
        self.assertEqual(self.answered("_result", 77.0, None), "")

    def test_connectByItsShape(self) -> None:
        """An object is the answer to connect as long as that waits, whatever the number, or if there is none."""
        for id in (0.0, 2.0, 4.0, 99.0, float("nan"), "1", None):
            self.setUp()
            self.assertEqual(self.answered("_result", id, {}, INFORMATION), "connect")
        self.assertEqual(self.answered("_error", 4.0, None, {"code": "x"}), "createStream")

    def test_createStreamByItsShape(self) -> None:
        """A number is the answer to createStream; but getStreamLength has one, too."""
        self.assertEqual(self.answered("_result", 3.0, None, 1.0), "createStream")
        self.calls.made("getStreamLength", 6.0, 5)
        self.assertEqual(self.answered("_result", 6.0, None, 0.0), "getStreamLength")
        self.assertEqual(self.answered("_result", 2.0, None, 1.0), "releaseStream", "createStream has its answer")
        self.assertEqual(self.answered("_result", 5.0, None, True), "publish", "a boolean is no number")

    def test_sameNumber(self) -> None:
        """GStreamer uses 0 for all that it wants no answer to: such an answer goes to the newest that has none."""
        self.calls.made("deleteStream", 0.0, 5)
        self.calls.made("play", 0.0, 6)
        self.assertEqual(self.answered("_result", 0.0, None), "play")
        self.assertEqual(self.answered("_result", 0.0, None), "deleteStream")
        self.assertEqual(self.answered("_result", 0.0, None), "play")
        self.assertEqual(self.calls.holders(0.0), ["deleteStream", "play"])
        self.assertEqual(self.calls.holders(None), [])

    def test_status(self) -> None:
        for code, name in (
            ("NetStream.Publish.Start", "publish"),
            ("NetStream.Publish.BadName", "publish"),
            ("NetStream.Unpublish.Success", "deleteStream"),
            ("", "publish"),
            ("NetConnection.Connect.ReconnectRequest", None),
            ("NetStream.Play.Start", None),
        ):
            self.calls.made("deleteStream", 6.0, 5)
            called = self.calls.status(code)
            self.assertEqual(None if called is None else called.name, name, code)

    def test_has(self) -> None:
        self.assertTrue(self.calls.has("publish"))
        self.assertFalse(self.calls.has("play"))

    def test_manyWithOneNumber(self) -> None:
        """A hundred thousand calls with one number do not make each answer to them a search."""
        started = time.process_time()
        for index in range(100_000):
            self.calls.made("any", 9.0, index)
        for _ in range(100_000):
            self.answered("_result", 9.0, None)
        self.assertLess(time.process_time() - started, 10)
        self.assertLess(len(self.calls.holders(9.0)), 100)
