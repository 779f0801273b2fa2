# -*- test-case-name: tests.test_deadlines -*-
"""
Tests for L{rtmptw.deadlines}. How they end a connection: L{tests.test_protocol} and L{tests.test_limits_reached}.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.deadlines import Deadlines, Overdue
from rtmptw.limits import Limits
from rtmptw.session import status
from rtmptw.session.netconnection import NetConnection

#: All different.
LIMITS = Limits(
    handshakeSeconds=3, idleSeconds=5, firstMediaSeconds=7, pingSeconds=2, silenceSeconds=4, messageSeconds=6
)


class Session:
    """What a session says of itself."""

    def __init__(self, active: bool = False, publishing: bool = False, awaitsMedia: bool = False) -> None:
        self.active = active
        self.publishing = publishing
        self.awaitsMedia = awaitsMedia


class DeadlinesTests(SynchronousTestCase):
    """It is second 100 when each of them begins."""

    def setUp(self) -> None:
        self.deadlines = Deadlines(LIMITS, 100.0)

    def ofUse(self, now: float, **state: bool) -> str:
        overdue = self.deadlines.ofUse(now, cast(Any, Session(**state)))
        return overdue.limit if overdue else ""

    def whileRead(self, now: float, withinMessage: bool = False, taken: int = 0, **state: bool) -> str:
        overdue = self.deadlines.whileRead(now, cast(Any, Session(**state)), withinMessage, taken)
        return overdue.limit if overdue else ""

    def test_inHandshake(self) -> None:
        """Whatever comes meanwhile."""
        self.deadlines.heard = 102.0
        self.assertIsNone(self.deadlines.inHandshake(102.9))
        self.assertEqual(self.deadlines.inHandshake(103.0), Overdue("handshakeSeconds", "no handshake within 3 s"))

    def test_ofUse(self) -> None:
        """From the accept, the last use, or the last decision, whichever is later."""
        self.assertEqual(self.ofUse(104.9), "")
        self.assertEqual(self.ofUse(105.0), "idleSeconds")
        self.assertEqual(
            [self.ofUse(105.0, active=True), self.ofUse(109.9), self.ofUse(110.0)], ["", "", "idleSeconds"]
        )
        self.deadlines.decided(112.0)
        self.assertEqual([self.ofUse(116.9), self.ofUse(117.0)], ["", "idleSeconds"])

    def test_silence(self) -> None:
        """Only a publisher's, and until any byte comes."""
        self.assertEqual([self.whileRead(104.0), self.whileRead(103.9, publishing=True)], ["", ""])
        self.assertEqual(self.whileRead(104.0, publishing=True), "silenceSeconds")
        self.deadlines.heard = 104.0
        self.assertEqual([self.whileRead(now, publishing=True) for now in (107.9, 108.0)], ["", "silenceSeconds"])

    def test_firstMedia(self) -> None:
        """From the time that a publish began, or was granted; a message that has begun may be it."""
        self.assertEqual([self.whileRead(106.9, awaitsMedia=True), self.whileRead(107.0)], ["", ""])
        self.assertEqual(self.whileRead(113.9, awaitsMedia=True), "")
        self.assertEqual(self.whileRead(114.0, True, 1, awaitsMedia=True), "")
        self.assertEqual(self.whileRead(114.0, False, 1, awaitsMedia=True), "firstMediaSeconds")
        self.deadlines.decided(120.0)
        self.assertEqual([self.whileRead(now, awaitsMedia=True) for now in (126.9, 127.0)], ["", "firstMediaSeconds"])

    def test_message(self) -> None:
        """Another message is as good as the end of this one."""
        self.assertEqual([self.whileRead(now, True) for now in (105.9, 106.0)], ["", "messageSeconds"])
        self.assertEqual([self.whileRead(now, True, 1) for now in (106.0, 111.9, 112.0)], ["", "", "messageSeconds"])
        self.assertEqual(
            [self.whileRead(112.0), self.whileRead(117.9, True), self.whileRead(118, True)][1:], ["", "messageSeconds"]
        )

    def test_onlyOne(self) -> None:
        """However many have passed."""
        self.assertEqual(self.whileRead(200.0, True, 0, publishing=True, awaitsMedia=True), "silenceSeconds")

    def test_wantsPing(self) -> None:
        """Once for each silence."""
        self.assertEqual([self.deadlines.wantsPing(now) for now in (101.9, 102.0, 103.0)], [False, True, False])
        self.deadlines.heard = 103.0
        self.assertEqual([self.deadlines.wantsPing(now) for now in (104.0, 105.0, 106.0)], [False, True, False])

    def test_clockStopped(self) -> None:
        """Every deadline moves by so much."""
        self.deadlines.clockStopped(50.0)
        self.assertIsNone(self.deadlines.inHandshake(152.9))
        self.assertIsNotNone(self.deadlines.inHandshake(153.0))
        self.assertEqual([self.ofUse(154.9), self.ofUse(155.0)], ["", "idleSeconds"])
        self.assertEqual(
            [self.whileRead(153.9, publishing=True), self.whileRead(154.0, publishing=True)][1:], ["silenceSeconds"]
        )
        self.deadlines = Deadlines(LIMITS, 100.0)
        self.deadlines.clockStopped(50.0)
        self.assertEqual([self.whileRead(now, True) for now in (155.9, 156.0)], ["", "messageSeconds"])
        self.deadlines = Deadlines(LIMITS, 100.0)
        self.deadlines.clockStopped(50.0)
        self.assertEqual([self.whileRead(now, awaitsMedia=True) for now in (156.9, 157.0)], ["", "firstMediaSeconds"])
        self.assertEqual([self.deadlines.wantsPing(now) for now in (151.9, 152.0)], [False, True])

    def test_readAgain(self) -> None:
        """What could not be heard is owed from then on; the handshake and the use are not its business."""
        self.deadlines.readAgain(150.0)
        self.assertEqual(
            [self.whileRead(153.9, publishing=True), self.whileRead(154.0, publishing=True)], ["", "silenceSeconds"]
        )
        self.deadlines.readAgain(200.0)
        self.assertEqual(
            [self.whileRead(now, True, awaitsMedia=True) for now in (205.9, 206.0)], ["", "messageSeconds"]
        )
        self.deadlines.readAgain(300.0)
        self.assertEqual([self.whileRead(now, awaitsMedia=True) for now in (306.9, 307.0)], ["", "firstMediaSeconds"])
        self.assertIsNotNone(self.deadlines.inHandshake(300.0))
        self.assertEqual(self.ofUse(300.0), "idleSeconds")

    def test_words(self) -> None:
        """The log names the time; a peer that can understand it is told a status."""
        late = cast(NetConnection, Session(publishing=True))
        self.assertEqual(
            [
                self.deadlines.ofUse(200.0, cast(NetConnection, Session())),
                self.deadlines.whileRead(200.0, late, False, 0),
                self.deadlines.whileRead(200.0, cast(NetConnection, Session(awaitsMedia=True)), False, 0),
                self.deadlines.whileRead(206.0, cast(NetConnection, Session()), True, 0),
            ],
            [
                Overdue("idleSeconds", "neither published nor played for 5 s", status.IDLE_TIME_OUT),
                Overdue("silenceSeconds", "the publisher was silent for 4 s", status.IDLE_TIME_OUT),
                Overdue(
                    "firstMediaSeconds", "the publisher sent no audio, video or data for 7 s", status.IDLE_TIME_OUT
                ),
                Overdue("messageSeconds", "a message was not completed within 6 s", status.CLOSED),
            ],
        )
