# -*- test-case-name: tests.session.test_verdict -*-
"""
Tests for L{rtmptw.session.verdict}.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import StatusError
from rtmptw.requests import ConnectRequest, Granted, PlayRequest, PublishRequest, StreamRequest
from rtmptw.session import status
from rtmptw.session.verdict import Verdict
from tests.session.dialects import Application

CONNECT = ConnectRequest("192.0.2.1:4000", "live")
REQUESTS: dict[str, ConnectRequest | StreamRequest] = {
    "connect": CONNECT,
    "publish": PublishRequest(CONNECT, "live/test"),
    "play": PlayRequest(CONNECT, "live/test"),
}
#: How long the application may take here.
SECONDS = 30

TOO_LATE = f"no decision within {SECONDS} s"


class VerdictTests(SynchronousTestCase):
    def ask(self, answer: object, command: str = "publish") -> tuple[Verdict, list[StatusError | None]]:
        """A question to an application with this answer, and what was decided."""
        application = Application(**{command: answer})
        verdict = Verdict(application, command, REQUESTS[command], float(SECONDS))
        decisions: list[StatusError | None] = []
        verdict.whenDecided(decisions.append)
        self.assertEqual(application.requests, [(command, REQUESTS[command])])
        return verdict, decisions

    def assertRefused(self, decisions: list[StatusError | None], description: str, code: str) -> None:
        """Decided once, so."""
        refusals = [(error.description, error.code) for error in decisions if error is not None]
        self.assertEqual((len(decisions), refusals), (1, [(description, code)]))

    def test_yes(self) -> None:
        """Any result but False, at once: also those that look like it."""
        for command in REQUESTS:
            for answer in (None, True, 0, "", [], "no"):
                self.assertEqual(self.ask(answer, command)[1], [None])
                self.assertEqual(self.ask(succeed(answer), command)[1], [None])

    def test_Granted(self) -> None:
        """A yes for another stream, whose path is made one; if it can't be, that is a no."""
        for command in ("publish", "play"):
            for says, path in (("live/public", "live/public"), ("/live//public/", "live/public"), ("x", "x")):
                for answer in (Granted(says), succeed(Granted(says))):
                    verdict, decisions = self.ask(answer, command)
                    self.assertEqual((decisions, verdict.request), ([None], replace(REQUESTS[command], path=path)))
            self.assertRefused(
                self.ask(Granted("live/.."), command)[1], "a stream name can't have . or .. between its slashes", ""
            )
        self.assertEqual(self.ask(None)[0].request, REQUESTS["publish"])
        # A connect is for no stream.
        self.assertEqual(self.ask(Granted("live/public"), "connect")[0].request, CONNECT)

    def test_principal(self) -> None:
        """A yes that says who has asked."""
        verdict, decisions = self.ask(Granted("live/test", "user alice"))
        expected = PublishRequest(CONNECT, "live/test", principal="user alice")
        self.assertEqual((decisions, verdict.request), ([None], expected))

    def test_then(self) -> None:
        """What is to be waited for behind a yes, and may be a no; behind a no, nothing is."""
        for end, refusal in ((None, None), (StatusError("busy", "code"), "code: busy")):
            asked: list[StreamRequest] = []
            free: Deferred[None] = Deferred()

            def then(
                request: StreamRequest, asked: list[StreamRequest] = asked, free: Deferred[None] = free
            ) -> Deferred[None]:
                asked.append(request)
                return free

            application = Application(publish=Granted("live/other"))
            verdict = Verdict(application, "publish", REQUESTS["publish"], float(SECONDS), then)
            decisions: list[StatusError | None] = []
            verdict.whenDecided(decisions.append)
            self.assertEqual(([request.path for request in asked], decisions), (["live/other"], []))
            free.callback(None) if end is None else free.errback(end)
            self.assertEqual([error and str(error) for error in decisions], [refusal])
        refused = Verdict(Application(publish=False), "publish", REQUESTS["publish"], float(SECONDS), self.fail)
        refused.whenDecided(decisions.append)
        self.assertEqual(str(decisions[-1]), "not allowed")

    def test_thenCancelled(self) -> None:
        """To wait no longer cancels what is waited for."""
        free: Deferred[None] = Deferred()
        application = Application(publish=None)
        verdict = Verdict(application, "publish", REQUESTS["publish"], float(SECONDS), lambda _: free)
        decisions: list[StatusError | None] = []
        verdict.whenDecided(decisions.append)
        verdict.cancel()
        self.assertEqual(str(decisions[0]), f"{status.FAILED}: {TOO_LATE}")
        self.assertTrue(free.called)

    def test_False(self) -> None:
        for command in REQUESTS:
            for answer in (False, succeed(False)):
                self.assertRefused(self.ask(answer, command)[1], "not allowed", "")

    def test_StatusError(self) -> None:
        """It is passed on as it is, and is no news for the log."""
        for command in REQUESTS:
            for code in ("", status.BAD_NAME):
                error = StatusError("go away", code)
                for answer in (error, fail(error)):
                    decisions = self.ask(answer, command)[1]
                    self.assertEqual(len(decisions), 1)
                    self.assertIs(decisions[0], error)

    def test_internalError(self) -> None:
        """It is logged, and its text is not given away."""
        for command, code in (("connect", ""), ("publish", status.FAILED), ("play", status.FAILED)):
            for answer in (ValueError("the password is 1234"), fail(ValueError("the password is 1234"))):
                log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
                self.assertRefused(self.ask(answer, command)[1], "internal error", code)
                self.assertEqual([str(failure.value) for failure in self.flushLoggedErrors()], ["the password is 1234"])
                self.assertEqual([(event["peer"], event["command"]) for event in log], [("192.0.2.1:4000", command)])

    def test_Deferred(self) -> None:
        """Nothing is decided before it has fired."""
        for result, refusals in ((None, []), (False, ["not allowed"])):
            answer: Deferred[object] = Deferred()
            decisions = self.ask(answer)[1]
            self.assertEqual(decisions, [])
            answer.callback(result)
            self.assertEqual([error.description for error in decisions if error], refusals)
            self.assertEqual(len(decisions), 1)

    def test_coroutine(self) -> None:
        """The same: yes, no, and a mistake."""

        def asking(question: Deferred[object]) -> Callable[[object], object]:
            async def ask(request: object) -> object:
                return await question

            return ask

        question: Deferred[object] = Deferred()
        decisions = self.ask(asking(question))[1]
        self.assertEqual(decisions, [])
        question.callback(None)
        self.assertEqual(decisions, [None])
        self.assertRefused(self.ask(asking(fail(StatusError("no"))))[1], "no", "")
        self.assertRefused(self.ask(asking(fail(ValueError("secret"))))[1], "internal error", status.FAILED)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_tooLate(self) -> None:
        """After the last second the Deferred is cancelled: once, and that is nobody's mistake."""
        for command, code in (("connect", ""), ("publish", status.FAILED), ("play", status.FAILED)):
            cancelled: list[object] = []
            answer: Deferred[object] = Deferred(cancelled.append)
            verdict, decisions = self.ask(answer, command)
            for _ in range(SECONDS - 1):
                verdict.second()
            self.assertEqual((cancelled, decisions), ([], []))
            verdict.second()
            self.assertEqual(cancelled, [answer])
            self.assertRefused(decisions, TOO_LATE, code)
            for _ in range(2 * SECONDS):
                verdict.second()
            self.assertEqual((len(cancelled), len(decisions)), (1, 1))

    def test_tooLateCoroutine(self) -> None:
        """What a coroutine waits for is cancelled."""
        cancelled: list[object] = []
        question: Deferred[object] = Deferred(cancelled.append)

        async def ask(request: object) -> object:
            return await question

        verdict, decisions = self.ask(ask)
        verdict.cancel()
        self.assertEqual(cancelled, [question])
        self.assertRefused(decisions, TOO_LATE, status.FAILED)

    def test_inTime(self) -> None:
        """An answer in the last second counts, and seconds after it do nothing."""
        answer: Deferred[object] = Deferred()
        verdict, decisions = self.ask(answer)
        for _ in range(SECONDS - 1):
            verdict.second()
        answer.callback(None)
        verdict.second()
        verdict.cancel()
        self.assertEqual(decisions, [None])

    def test_cancel(self) -> None:
        """A refusal, without a line in the log; a late answer changes nothing, and is no error."""
        late: tuple[Callable[[Deferred[object]], None], ...] = (
            lambda answer: answer.callback(None),
            lambda answer: answer.callback(False),
            lambda answer: answer.errback(ValueError("late")),
        )
        for answerLate in late:
            log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
            answer: Deferred[object] = Deferred()
            verdict, decisions = self.ask(answer)
            verdict.cancel()
            self.assertRefused(decisions, TOO_LATE, status.FAILED)
            answerLate(answer)
            verdict.cancel()
            self.assertEqual((len(decisions), list(log)), (1, []))

    def test_cancellerDecides(self) -> None:
        """The application may use its last chance."""
        verdict, decisions = self.ask(Deferred(lambda answer: answer.errback(StatusError("the database is away"))))
        verdict.cancel()
        self.assertRefused(decisions, "the database is away", "")
        verdict, decisions = self.ask(Deferred(lambda answer: answer.callback(None)))
        verdict.cancel()
        self.assertEqual(decisions, [None])

    def test_deafToCancel(self) -> None:
        """One that goes on after it was cancelled is not heard any more."""
        answer: Deferred[object] = Deferred()

        async def ask(request: object) -> object:
            with contextlib.suppress(CancelledError):
                await Deferred()
            return await answer

        verdict, decisions = self.ask(ask)
        for _ in range(SECONDS):
            self.assertEqual(decisions, [])
            verdict.second()
        self.assertRefused(decisions, TOO_LATE, status.FAILED)
        answer.callback(None)
        self.assertEqual(len(decisions), 1)

    def test_brokenByCancel(self) -> None:
        """A mistake of the application when it is cancelled is one."""
        verdict, decisions = self.ask(Deferred(lambda answer: answer.errback(ValueError("secret"))))
        verdict.cancel()
        self.assertRefused(decisions, "internal error", status.FAILED)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_CancelledError(self) -> None:
        """From the application itself, uncalled for: a mistake like any other."""
        for answer in (CancelledError("secret"), fail(CancelledError("secret"))):
            self.assertRefused(self.ask(answer)[1], "internal error", status.FAILED)
            self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1)
