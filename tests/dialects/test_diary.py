# -*- test-case-name: tests.dialects.test_diary -*-
"""
Tests for L{rtmptw.dialects.diary}.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.diary import Diary
from rtmptw.dialects.finding import Step, StepState
from rtmptw.trace.entry import Violation
from rtmptw.trace.segment import Side
from tests.dialects.answers import command
from tests.dialects.doubles import DIALECTS, Meeting, ScriptedServer


def violation(cause: str = "connect-transaction-id") -> Violation:
    return Violation(CAUSES[cause], "words", 77)


class DiaryTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.contact = Meeting().connect(ScriptedServer())
        self.diary = Diary(DIALECTS["ffmpeg-publish"], self.contact)

    def hears(self, *causes: str, side: Side = Side.SERVER) -> None:
        entry = command("onBWDone", 0.0, None)
        entry.side = side
        entry.violations.extend(map(violation, causes))
        self.contact.entries.append(entry)

    @property
    def found(self) -> list[tuple[str, Step, str, int | None]]:
        return [(each.cause.name, each.step, each.words, each.offset) for each in self.diary.progress.findings]

    @property
    def states(self) -> dict[Step, StepState]:
        steps = self.diary.progress.steps
        return {step: state for step, state in steps.items() if state is not StepState.UNTESTED}


class StepTests(DiaryTestCase):
    def test_passed(self) -> None:
        """The first word on a step holds."""
        self.diary.passed(Step.HANDSHAKE)
        self.diary.passed(Step.HANDSHAKE, StepState.STOPS)
        self.assertEqual(self.states, {Step.HANDSHAKE: StepState.OK})

    def test_stops(self) -> None:
        """Behind it, what goes well does so by leniency alone."""
        self.diary.enter(Step.CONNECT)
        self.diary.stops(violation(), ())
        self.diary.passed(Step.CONNECT)
        self.diary.enter(Step.CREATE_STREAM)
        self.diary.passed(Step.CREATE_STREAM)
        self.diary.passed(Step.REQUEST, StepState.REFUSED)
        self.assertEqual(
            self.states,
            {Step.CONNECT: StepState.STOPS, Step.CREATE_STREAM: StepState.LENIENT, Step.REQUEST: StepState.REFUSED},
        )
        self.assertEqual(self.found, [("connect-transaction-id", Step.CONNECT, "words", 77)])

    def test_blame(self) -> None:
        """No byte is to blame."""
        self.diary.blame("no-answer", "nothing came")
        self.assertEqual(self.found, [("no-answer", Step.HANDSHAKE, "nothing came", None)])
        self.assertEqual(self.states, {Step.HANDSHAKE: StepState.STOPS})

    def test_advise(self) -> None:
        self.diary.enter(Step.END)
        self.diary.advise("end-without-streameof", "why")
        self.assertEqual(self.states, {Step.END: StepState.OK})
        self.assertEqual(self.found, [("end-without-streameof", Step.END, "why", None)])

    def test_losses(self) -> None:
        """What it sends, or what it was sent: it goes on."""
        for lose in (
            lambda: self.diary.loses("tail-dropped", "words"),
            lambda: self.diary.drops(violation("media-before-start")),
        ):
            self.setUp()
            self.diary.enter(Step.REQUEST)
            lose()
            self.assertEqual(self.states, {Step.MEDIA: StepState.LOSES})
            self.assertEqual([step for _, step, _, _ in self.found], [Step.MEDIA])
            self.diary.passed(Step.END)
            self.assertIs(self.states[Step.END], StepState.OK)


class WitnessTests(DiaryTestCase):
    def test_since(self) -> None:
        """What the server has said since it was asked, if nothing else is named."""
        self.hears()
        self.diary.asks()
        self.hears()
        self.hears(side=Side.CLIENT)
        self.assertEqual(self.diary.since(), (self.contact.entries[1],))
        self.diary.note(violation())
        self.diary.note(violation("no-answer"), ())
        self.assertEqual([len(each.came) for each in self.diary.progress.findings], [1, 0])

    def test_whose(self) -> None:
        """A finding says whose it is, and what was asked."""
        self.diary.sent = command("connect", 1.0)
        finding = self.diary.finding(violation())
        self.assertEqual((finding.client, finding.dialect), ("FFmpeg", "ffmpeg-publish"))
        self.assertIs(finding.sent, self.diary.sent)

    def test_look(self) -> None:
        """What a trace shows: advice to everybody; else what this client minds, and not what hurts players only."""
        self.hears("answers-transaction-0", "extended-timestamp-not-repeated", "unasked-acks")
        self.hears("unasked-acks", "writes-to-publisher", side=Side.CLIENT)
        self.diary.look()
        self.assertEqual([cause for cause, *_ in self.found], ["answers-transaction-0", "unasked-acks"])
        self.assertEqual(self.states, {})


class DoubtTests(DiaryTestCase):
    """What does no harm if the server goes on as the client expects."""

    def setUp(self) -> None:
        super().setUp()
        self.diary.enter(Step.CREATE_STREAM)
        self.diary.doubt = self.diary.finding(violation("createstream-undefined"), ())

    def test_none(self) -> None:
        self.diary.doubt = None
        self.assertFalse(self.diary.doubted())
        self.assertEqual((self.found, self.states), ([], {}))

    def test_stops(self) -> None:
        """Proven by what happens, it is no advice any more; it is told in the step in which it came."""
        self.diary.enter(Step.REQUEST)
        self.assertTrue(self.diary.doubted())
        (finding,) = self.diary.progress.findings
        self.assertEqual((finding.step, finding.isAdvice), (Step.CREATE_STREAM, False))
        self.assertEqual(self.states, {Step.REQUEST: StepState.STOPS})

    def test_media(self) -> None:
        """While media is sent, whoever counts says whether it is lost; a closed connection says it itself."""
        self.diary.enter(Step.MEDIA)
        self.assertTrue(self.diary.doubted())
        self.assertEqual(self.states, {})
        self.contact.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(self.diary.doubted())
        self.assertEqual(self.states, {Step.MEDIA: StepState.STOPS})
