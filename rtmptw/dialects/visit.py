# -*- test-case-name: tests.dialects.test_visit -*-
"""
A visit: one client's dialect, spoken to a server from the handshake to the request, as far as the server lets it.

Where the real client would stop, that is noted, and then the visit goes on as if it had not, if there is any way: a
server has seldom one mistake only. It ends when the server closes, refuses, or says nothing.

::

    visit = Visit(dialect, url, contact)
    if await visit.open():
        visit.send(frames)
        ...
        visit.leave()
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from rtmptw.causes.causes import CAUSES, Severity
from rtmptw.dialects.contact import OVERRUN, Contact
from rtmptw.dialects.dialect import Dialect, Given, Line, connectMessage
from rtmptw.dialects.diary import UNREADABLE, Diary
from rtmptw.dialects.finding import Step, StepState
from rtmptw.dialects.footage import Footage
from rtmptw.dialects.judge import Awaited, Expectation, Judgement, Verdict, judge
from rtmptw.dialects.reflexes import Reflexes
from rtmptw.dialects.requirements import LENIENT, StreamID
from rtmptw.dialects.shake import shakeHands
from rtmptw.trace.entry import ReadMessage, Unreadable
from rtmptw.trace.segment import Side
from rtmptw.url import RTMPURL
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.control import UserControl, UserControlType, setChunkSize
from rtmptw.wire.message import Message

__all__ = ["PATIENCE", "Over", "Visit"]

#: How long an answer may take, seconds.
PATIENCE = 5.0

#: How long another answer is waited for when one was passed over, seconds.
SECOND_CHANCE = 1.0

_T = TypeVar("_T")


class Over(Exception):
    """There is no way to go on."""


class Visit(Diary):
    """
    One client, at one server.

    @ivar patience: how long an answer may take, seconds.
    @ivar earlyC2: whether to send C2 as soon as S1 is there, because the server is known to wait for it.
    @ivar pauseBehindC2: how long to wait between C2 and connect, seconds. Without, both go out in one segment.
    @ivar take: what tells its media from that of others, 0 to 9999.
    @ivar streamId: the message stream that the client uses.
    """

    def __init__(self, dialect: Dialect, url: RTMPURL, contact: Contact, patience: float = PATIENCE) -> None:
        """
        @param url: of the stream.
        @param contact: a connection that has just been made.
        @param patience: how long an answer may take, seconds.
        """
        super().__init__(dialect, contact)
        self.patience = patience
        self.earlyC2 = False
        self.pauseBehindC2 = 0.0
        self.take = 0
        self.streamId = 0
        self._app, self._name = dialect.split(url)
        self._tcUrl = replace(url, app=self._app).tcUrl
        self._next = 1.0
        self._known: set[float] = set()
        self._read = 0
        self._left = False
        self._reflexes = Reflexes(dialect, contact, self._say)

    @property
    def footage(self) -> Footage:
        """What it publishes, if it does."""
        return Footage(self.streamId, dict(self.dialect.chunkStreams), self.take)

    @property
    def transport(self) -> Any:
        """What carries the bytes: a transport that is a producer and a consumer, as all are that have a connection."""
        return self.contact.transport

    @property
    def _given(self) -> dict[Given, AMFValue]:
        return {Given.NAME: self._name, Given.APP: self._app, Given.STREAM_ID: self.streamId}

    async def open(self) -> bool:
        """
        Everything up to Publish.Start or Play.Start.

        @return: whether it came that far, be it only by leniency.
        """
        try:
            await self._begin(Step.HANDSHAKE, shakeHands(self))
            await self._begin(Step.CONNECT, self._connect())
            await self._begin(Step.CREATE_STREAM, self._createStream())
            await self._begin(Step.REQUEST, self._request())
        except Over:
            self.look()
            return False
        self.enter(Step.MEDIA)
        return True

    def send(self, messages: Iterable[Message]) -> None:
        """Publish."""
        self.contact.send(*messages)

    def begin(self) -> None:
        """Send what this client sends in front of its first frame."""
        if self.dialect.chunkSizeBehindStart:
            self.contact.send(setChunkSize(self.dialect.chunkSizeBehindStart))
        footage = self.footage
        self.contact.send(
            footage.metadata(self.dialect.dataFramePrefix), *footage.headers(soundFirst=self.dialect.soundFirst)
        )

    def leave(self) -> None:
        """
        End as this client ends: its last commands and close() in one breath, whatever may still come. Once is enough.
        """
        if self._left:
            return
        self._left = True
        # librtmp has nothing to say of message stream 0.
        if self.streamId or self.dialect.requirements.streamId is not StreamID.FOURTH:
            self.contact.send(*map(self._message, self.dialect.ending))
        self.contact.close()

    def handshakeFails(self, foreign: str) -> NoReturn:
        """
        There is no handshake.

        @param foreign: what the server speaks instead, if that is known.
        @raise Over: always.
        """
        blocks = self.contact.conversation.talk.blocks
        came = "S0 and S1 came, S2 did not" if "S1" in blocks else "nothing came"
        heard = self._unfinished or came
        if foreign:
            self.blame("not-rtmp", f"the server's first byte: {foreign}")
        elif self.contact.closed:
            self.blame("closed-without-reason", f"the server closed the connection in the handshake; {heard}")
        else:
            self.blame("no-answer", f"the handshake is not complete after {self.patience:g} s; {heard}")
        raise Over

    def refused(self) -> None:
        """The server has said behind the request that it does not want it, and the client did not wait for that."""
        awaited = Awaited(Expectation.PUBLISH if self.dialect.publishes else Expectation.PLAY, 0.0, self.streamId)
        judgements = (judge(LENIENT, awaited, entry) for entry in self.contact.received(self._asked))
        reasons = [each.value for each in judgements if each is not None and each.verdict is Verdict.UNHEARD]
        reason = reasons[-1] if reasons else "it does not say why"
        self.progress.refusal = f"the server refuses {awaited.call}: {reason!s}"
        self.passed(self.step, StepState.REFUSED)

    @property
    def _unfinished(self) -> str:
        """What the server has half said, in words."""
        return self.contact.conversation.readings[Side.SERVER].unfinished

    @property
    def _unreadable(self) -> Unreadable | None:
        """What the server has said that can't be read."""
        entries = self.contact.entries
        return next((each for each in entries if isinstance(each, Unreadable) and each.side is Side.SERVER), None)

    async def _begin(self, step: Step, work: Awaitable[None]) -> None:
        self.enter(step)
        self.asks()
        await work
        self.passed(step)

    async def _connect(self) -> None:
        if self.pauseBehindC2:
            await self.contact.rest(self.pauseBehindC2)
        connect = connectMessage(self.dialect, self._app, self._tcUrl)
        self._ask(self.dialect.prelude, connect, self.dialect.besideConnect)
        self._known.add(self._next)
        self._next += 1
        await self._answer(Awaited(Expectation.CONNECT, self._next - 1, 0, frozenset(self._known)))

    async def _createStream(self) -> None:
        self._reflexes.announceWindow()
        awaited, place, messages = 0.0, 0, []
        for number, line in enumerate(self.dialect.calls):
            if line.name == "createStream":
                awaited, place = self._next, number
            messages.append(self._message(line))
        self._ask([*self.dialect.behindConnect, *messages[:place]], messages[place], messages[place + 1 :])
        judgement = await self._answer(Awaited(Expectation.CREATE_STREAM, awaited, 0, frozenset(self._known)))
        self.streamId = self.dialect.streamId or (judgement.value if isinstance(judgement.value, int) else 1)

    async def _request(self) -> None:
        dialect, line = self.dialect, self.dialect.request
        before = [each if isinstance(each, Message) else self._message(each) for each in dialect.behindCreateStream]
        request = self._message(line)
        transactionId = self._next - 1 if line.transactionId is None else line.transactionId
        behind = list(dialect.behindRequest)
        if dialect.bufferMilliseconds:
            buffer = UserControl(UserControlType.SET_BUFFER_LENGTH, self.streamId, dialect.bufferMilliseconds)
            behind.append(buffer.encode())
        self._ask(before, request, behind)
        if not dialect.requirements.waitsForStart and dialect.publishes:
            return
        expectation = Expectation.PUBLISH if dialect.publishes else Expectation.PLAY
        await self._answer(Awaited(expectation, transactionId, self.streamId, frozenset(self._known)))

    def _message(self, line: Line) -> Message:
        transactionId = line.transactionId
        if transactionId is None:
            transactionId, self._next = self._next, self._next + 1
        self._known.add(transactionId)
        return line.message(transactionId, self._given, self.dialect.amf3)

    def _say(self, line: Line) -> None:
        self.contact.send(self._message(line))

    def _ask(self, before: Iterable[Message], message: Message, behind: Iterable[Message]) -> None:
        """
        Send something that wants an answer, in one write.

        @param before: what is sent in front of it.
        @param behind: what is sent behind it.
        """
        self.asked = self.contact.now
        entries = self.contact.send(*before, message, *behind)
        said = (each for each in entries if isinstance(each, ReadMessage) and each.message.payload == message.payload)
        self.sent = next(said, None)

    async def _answer(self, awaited: Awaited) -> Judgement:
        """
        Wait for an answer, as the client does.

        @return: what is to be gone on with.
        @raise Over: if nothing is.
        """
        faulty: list[tuple[ReadMessage, Judgement]] = []
        found = await self._soon(lambda: self._look(awaited, faulty), faulty)
        if found is None:
            return self._unanswered(awaited, faulty)
        entry, judgement = found
        self.progress.delays.append(max(0.0, entry.at - self.asked))
        for each, fault in faulty:
            # What was wrong with those that are passed over did no harm, since a good one came behind them.
            if fault.verdict is Verdict.FATAL and fault.violation is not None:
                both = "result-to-publish" if awaited.isRequest and fault.violation.cause.name == _ONLY_RESULT else ""
                violation = replace(fault.violation, cause=CAUSES[both]) if both else fault.violation
                self.stops(violation, (each,))
            elif fault.verdict is Verdict.LOST and fault.violation is not None:
                self.drops(fault.violation, (each,))
        if judgement.verdict is not Verdict.TAKEN:
            await self._refused(awaited, judgement)
        if judgement.violation is not None:
            if judgement.violation.cause.severity is Severity.LOSES:
                self.drops(judgement.violation, (entry,))
            else:
                self.doubt = self.finding(judgement.violation, (entry,))
        return judgement

    def _look(
        self, awaited: Awaited, faulty: list[tuple[ReadMessage, Judgement]]
    ) -> tuple[ReadMessage, Judgement] | None:
        """
        Read on, up to an answer that lets the client go on, or sends it away.

        @param faulty: what is none goes here.
        """
        for entry in self._news():
            judgement = judge(self.dialect.requirements, awaited, entry)
            if judgement is None:
                continue
            if judgement.verdict is Verdict.FATAL and not judgement.isAnswer and judgement.violation is not None:
                self.stops(judgement.violation, (entry,))
            elif judgement.verdict in (Verdict.PASSED_OVER, Verdict.FATAL, Verdict.LOST):
                faulty.append((entry, judgement))
            else:
                return entry, judgement
        return None

    async def _soon(self, look: Callable[[], _T | None], faulty: list[tuple[ReadMessage, Judgement]]) -> _T | None:
        """Wait for what C{look} finds; not as long, when an answer has come that is none and will not come again."""
        found: _T | None = None

        def anything() -> bool | None:
            nonlocal found
            found = look()
            isWrong = any(_isWrong(judgement) for _, judgement in faulty)
            return True if found is not None or isWrong else None

        if await self.contact.until(anything, self.patience) and found is None:
            chance = 0.0 if self.dialect.requirements is LENIENT else SECOND_CHANCE
            return await self.contact.until(look, min(chance, self.patience))
        return found

    def _unanswered(self, awaited: Awaited, faulty: list[tuple[ReadMessage, Judgement]]) -> Judgement:
        command = awaited.call
        for entry, judgement in faulty:
            if _isWrong(judgement) and judgement.violation is not None:
                self.stops(judgement.violation, (entry,))
                return judgement
        if self.doubted():
            pass
        elif self.contact.closed == OVERRUN:
            self.blame("no-answer", f"nothing that answers {command} is in all that came; {self.contact.overrun}")
        elif self.contact.closed:
            self.blame("closed-without-reason", f"the server closed the connection behind {command}, without an answer")
        elif (lost := self._unreadable) is not None:
            where = f"from byte {lost.offset} on the server says what can't be read as RTMP"
            self.blame("no-answer", f"nothing that answers {command} can be found: {where}: {lost.reason}")
        elif self._unfinished:
            self.blame("no-answer", f"the answer to {command} is not there whole: {self._unfinished}")
        else:
            self.blame("no-answer", f"nothing that answers {command} came within {self.patience:g} s")
        raise Over

    async def _refused(self, awaited: Awaited, judgement: Judgement) -> NoReturn:
        """
        The server does not want it. Who does not understand that waits until the server closes.

        @raise Over: always.
        """
        self.progress.refusal = f"the server refuses {awaited.call}: {judgement.value!s}"
        self.passed(self.step, StepState.REFUSED)
        if judgement.verdict is Verdict.UNHEARD:
            await self.contact.rest(self.patience)
            if not self.contact.closed:
                words = "the server has refused, in a way that this client does not look at, and keeps the connection"
                self.blame("error-without-close", f"{words} open")
        raise Over

    def _news(self) -> Iterable[ReadMessage]:
        """What has come since it was asked last, one after the other; the client does at once what it does at once."""
        entries = self.contact.entries
        while self._read < len(entries):
            entry = entries[self._read]
            self._read += 1
            if not isinstance(entry, ReadMessage) or entry.side is not Side.SERVER:
                continue
            for violation in entry.violations:
                if violation.cause.name in UNREADABLE:
                    self.stops(violation, (entry,))
            self._reflexes.react(entry.message)
            yield entry


_ONLY_RESULT = "publish-only-result"


def _isWrong(judgement: Judgement) -> bool:
    """Whether it is an answer that will not come again as it should be."""
    return judgement.violation is not None and judgement.verdict is not Verdict.LOST
