# -*- test-case-name: tests.dialects.test_visit -*-
"""
Tests for L{rtmptw.dialects.visit}: whole visits, in memory, to servers that do one thing or another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES, Severity
from rtmptw.dialects import contact as contactModule
from rtmptw.dialects.contact import OVERRUN
from rtmptw.dialects.finding import Step, StepState
from rtmptw.dialects.visit import PATIENCE, Visit
from rtmptw.trace.entry import ReadMessage
from rtmptw.trace.values import readValues
from rtmptw.url import RTMPURL
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType, setChunkSize
from rtmptw.wire.message import Message
from tests.brokenservers.bends import BENDS
from tests.brokenservers.plain import PlainFactory
from tests.dialects.doubles import DIALECTS, Meeting, ScriptedServer, readAll, said

Script = Callable[[ScriptedServer, Command], object]

PLAYERS = tuple(name for name, dialect in DIALECTS.items() if not dialect.publishes)


def but(**answers: Script) -> Script:
    """A server that answers as it should, but for some commands."""

    def answer(server: ScriptedServer, command: Command) -> None:
        (answers.get(command.name.lstrip("_")) or ScriptedServer.yes)(server, command)

    return answer


def silent(server: ScriptedServer, command: Command) -> None:
    """Say nothing."""


def closes(server: ScriptedServer, command: Command) -> None:
    """Go."""
    server.transport.loseConnection()


def result(*values: AMFValue, id: float | None = None, name: str = "_result") -> Script:
    """Answer so."""
    return lambda server, command: server.command(name, command.transactionId if id is None else id, *values)


class VisitTestCase(SynchronousTestCase):
    def open(self, dialect: str, script: Script = ScriptedServer.yes, patience: float = PATIENCE) -> Visit:
        """Visit a server."""
        self.meeting = Meeting()
        self.server = ScriptedServer(script)
        visit = self.meeting.visit(dialect, self.server, patience=patience)
        self.isOpen = self.meeting.run(visit.open())
        return visit

    def check(
        self, visit: Visit, steps: str, *causes: str, isOpen: bool = False, refusal: str = "", offset: bool = True
    ) -> None:
        """
        @param steps: the states of the first four steps, a word each.
        @param offset: whether each finding blames a byte, and it is one of the message that is shown.
        """
        states = [state.value for state in visit.progress.steps.values()][:4]
        self.assertEqual(" ".join(states), steps, [str(each) for each in visit.progress.findings])
        self.assertEqual([each.cause.name for each in visit.progress.findings], list(causes))
        self.assertEqual(self.isOpen, isOpen)
        self.assertEqual(visit.progress.refusal, refusal)
        for finding in visit.progress.findings if offset else ():
            (entry,) = finding.came
            assert isinstance(entry, ReadMessage) and finding.offset is not None
            self.assertTrue(entry.offset <= finding.offset <= entry.place(len(entry.message.payload)))

    def names(self) -> list[str]:
        return [readValues(each).name for each in self.server.heard if each.type in (17, 20)]


class WellTests(VisitTestCase):
    def test_all(self) -> None:
        """A server that does what it should; it is waited for as little as it needs."""
        for name in DIALECTS:
            visit = self.open(name)
            self.check(visit, "ok ok ok ok", isOpen=True)
            self.assertIs(visit.step, Step.MEDIA)
            self.assertEqual(visit.streamId, 1)
            self.assertEqual(self.meeting.clock.seconds(), 0.0)
            expected = 3 if visit.dialect.requirements.waitsForStart or not visit.dialect.publishes else 2
            self.assertEqual(visit.progress.delays, [0.0] * expected)

    def test_asked(self) -> None:
        """What was asked last is the request, though more was said behind it."""
        for name in DIALECTS:
            visit = self.open(name)
            assert isinstance(visit.sent, ReadMessage)
            self.assertEqual(readValues(visit.sent.message).name, visit.dialect.request.name)

    def test_inPieces(self) -> None:
        """Its bytes come one by one."""
        for name in ("ffmpeg-publish", "gstreamer-play"):
            self.meeting = Meeting(1)
            visit = self.meeting.visit(name, ScriptedServer(ScriptedServer.yes))
            self.isOpen = self.meeting.run(visit.open())
            self.check(visit, "ok ok ok ok", isOpen=True)

    def test_twice(self) -> None:
        """It says all things twice: nobody minds."""

        def answer(server: ScriptedServer, command: Command) -> None:
            server.yes(command)
            server.yes(command)

        for name in DIALECTS:
            self.check(self.open(name, answer), "ok ok ok ok", isOpen=True)

    def test_harmless(self) -> None:
        """What is known to do no harm to anybody (wire facts 11) is no finding."""

        def talkative(server: ScriptedServer, command: Command) -> None:
            server.say(UserControl(UserControlType.PING_REQUEST, 7).encode())
            server.command("onBWDone", 0.0, None, 8192.0)
            if command.name in ("releaseStream", "FCPublish", "_checkbw", "publish") and command.name != "publish":
                server.command("_result", command.transactionId, None, UNDEFINED)
            server.yes(command)

        for name in DIALECTS:
            self.check(self.open(name, talkative), "ok ok ok ok", isOpen=True)

    def test_slow(self) -> None:
        """Whoever answers late, but in time, answers; how long it took is kept."""

        def late(server: ScriptedServer, command: Command) -> None:
            self.meeting.clock.callLater(2, server.yes, command)

        visit = self.open("ffmpeg-publish", late)
        self.check(visit, "ok ok ok ok", isOpen=True)
        self.assertTrue(all(1.95 < delay < 2.1 for delay in visit.progress.delays))

    def test_wrongFirst(self) -> None:
        """An answer that is passed over does no harm if a good one follows."""

        def both(server: ScriptedServer, command: Command) -> None:
            server.command("_result", command.transactionId + 7, None, 3.0)
            server.yes(command)

        for name in ("ffmpeg-publish", "librtmp-play", "gstreamer-publish", "flash-play"):
            visit = self.open(name, both)
            self.check(visit, "ok ok ok ok", isOpen=True)
            self.assertEqual(visit.streamId, 1)


class StopTests(VisitTestCase):
    """Where the client would stop, that is noted, and the visit goes on by leniency."""

    def test_connect(self) -> None:
        visit = self.open("ffmpeg-publish", but(connect=result({}, {}, id=0.0)))
        self.check(visit, "ok STOPS (ok) (ok)", "connect-transaction-id", isOpen=True)
        (finding,) = visit.progress.findings
        self.assertEqual((finding.client, finding.dialect, finding.step), ("FFmpeg", "ffmpeg-publish", Step.CONNECT))
        assert isinstance(finding.sent, ReadMessage)
        self.assertEqual(readValues(finding.sent.message).name, "connect")
        # Behind S0, S1, S2 and a type 0 header comes the name, and then the marker of the number.
        self.assertEqual(finding.offset, 3073 + 12 + 10)
        self.assertLess(self.meeting.clock.seconds(), 1.2)

    def test_createStream(self) -> None:
        """The number that was meant is used."""
        visit = self.open("ffmpeg-publish", but(createStream=result(None, 4.0, id=9.0)))
        self.check(visit, "ok ok STOPS (ok)", "createstream-transaction-id", isOpen=True)
        self.assertEqual(visit.streamId, 4)
        visit = self.open("gstreamer-publish", but(createStream=result(None, "4")))
        self.check(visit, "ok ok STOPS (ok)", "createstream-id-not-number", isOpen=True)
        self.assertEqual(visit.streamId, 1)

    def test_fatalBystander(self) -> None:
        """A command that ends the client, though it answers nothing; the answer behind it is heard all the same."""

        def answer(server: ScriptedServer, command: Command) -> None:
            server.say(Message(20, 0, 0, amf0.encode("onFCPublish"), 3))
            server.yes(command)

        visit = self.open("mediamtx-publish", but(connect=answer))
        self.check(visit, "ok stops? ok ok", "short-command", isOpen=True)

    def test_twoMistakes(self) -> None:
        """Both are found."""
        script = but(connect=result({}, {}, id=3.0), publish=result(None))
        visit = self.open("ffmpeg-publish", script)
        self.check(visit, "ok STOPS (ok) STOPS", "connect-transaction-id", "publish-only-result", isOpen=True)

    def test_onlyResult(self) -> None:
        """gortmplib ends at it at once; if a status follows, it was one too much."""
        visit = self.open("mediamtx-publish", but(publish=result(None)))
        self.check(visit, "ok ok ok STOPS", "publish-only-result", isOpen=True)

        def both(server: ScriptedServer, command: Command) -> None:
            server.command("_result", command.transactionId, None)
            server.status("NetStream.Publish.Start")

        visit = self.open("mediamtx-publish", but(publish=both))
        self.check(visit, "ok ok ok stops?", "result-to-publish", isOpen=True)
        self.check(self.open("ffmpeg-publish", but(publish=both)), "ok ok ok ok", isOpen=True)

    def test_notChunked(self) -> None:
        """The best known one: 190 bytes in one piece. It is found by how the bytes were meant."""

        def whole(server: ScriptedServer, command: Command) -> None:
            information: AMFValue = {
                "level": "status",
                "code": "NetConnection.Connect.Success",
                "description": "d" * 80,
            }
            message = Command("_result", command.transactionId, {"fmsVer": "FMS/3,0,1,123"}, (information,)).encode()
            server.transport.write(encodeMessage(message, 65536))

        visit = self.open("ffmpeg-publish", but(connect=whole))
        self.check(visit, "ok STOPS (ok) (ok)", "reply-not-chunked", isOpen=True)
        self.assertEqual(visit.progress.findings[0].offset, 3073 + 12 + 128)

    def test_controlValue(self) -> None:
        """A chunk size of 0 ends FFmpeg."""

        def zero(server: ScriptedServer, command: Command) -> None:
            server.yes(command)
            server.transport.write(encodeMessage(Message(5, 0, 0, bytes(4), 2), 128))

        self.check(self.open("ffmpeg-publish", but(connect=zero)), "ok ok STOPS (ok)", "control-value", isOpen=True)
        self.check(self.open("obs-publish", but(connect=zero)), "ok ok ok ok", isOpen=True)


class SilenceTests(VisitTestCase):
    """There is no way to go on."""

    def ends(self, script: Script, steps: str, cause: str, words: str, name: str = "ffmpeg-publish") -> Visit:
        visit = self.open(name, script, 3.0)
        self.check(visit, steps, cause, offset=False)
        self.assertIn(words, visit.progress.findings[-1].words)
        self.assertIsNone(visit.progress.findings[-1].offset)
        return visit

    def test_never(self) -> None:
        self.ends(but(connect=silent), "ok STOPS - -", "no-answer", "nothing that answers connect came within 3 s")
        self.assertTrue(3.0 <= self.meeting.clock.seconds() < 3.2)
        self.ends(but(createStream=silent), "ok ok STOPS -", "no-answer", "createStream")
        self.ends(but(publish=silent), "ok ok ok STOPS", "no-answer", "publish")
        self.ends(but(play=silent), "ok ok ok STOPS", "no-answer", "play", "librtmp-play")

    def test_closes(self) -> None:
        """At each point; it is not waited any longer then."""
        words = "the server closed the connection behind "
        for command, steps in (
            ("connect", "ok STOPS - -"),
            ("createStream", "ok ok STOPS -"),
            ("publish", "ok ok ok STOPS"),
        ):
            self.ends(but(**{command: closes}), steps, "closed-without-reason", words + command)
            self.assertLess(self.meeting.clock.seconds(), 1.0)

    def test_half(self) -> None:
        """A message that has only begun."""

        def half(server: ScriptedServer, command: Command) -> None:
            data = encodeMessage(Command("_result", command.transactionId, None, (1.0,)).encode(), 128)
            server.transport.write(data[:20])

        self.ends(but(createStream=half), "ok ok STOPS -", "no-answer", "is not there whole: a message of type 20")

    def test_endless(self) -> None:
        """It says everything but the answer, without end: that is cut off."""
        self.patch(contactModule, "MOST_BYTES", 200_000)

        def pours(server: ScriptedServer, command: Command) -> None:
            for _ in range(100):
                server.say(Message(9, 0, 1, bytes(8192), 6))

        visit = self.ends(but(connect=pours), "ok STOPS - -", "no-answer", "is in all that came; the server has sent")
        self.assertEqual(visit.contact.closed, OVERRUN)
        self.assertLess(sum(len(each.message.payload) for each in visit.contact.received()), 270_000)


class RefusalTests(VisitTestCase):
    def no(self, code: str, close: bool, level: str = "error") -> Script:
        def answer(server: ScriptedServer, command: Command) -> None:
            server.status(code, level)
            if close:
                server.transport.loseConnection()

        return answer

    def test_understood(self) -> None:
        """It ends by itself: whether the server closes does not matter."""
        refusal = "the server refuses publish: NetStream.Publish.BadName: in words"
        for name in ("ffmpeg-publish", "obs-publish", "gstreamer-publish"):
            for close in (True, False):
                visit = self.open(name, but(publish=self.no("NetStream.Publish.BadName", close)))
                self.check(visit, "ok ok ok refused", refusal=refusal)
                self.assertFalse(visit.progress.isTested)
                self.assertLess(self.meeting.clock.seconds(), 1.0)

    def test_notUnderstood(self) -> None:
        """librtmp does not know the code, and hangs if the server does not close (wire facts 3.6, row 13)."""
        refusal = "the server refuses publish: NetStream.Publish.BadName: in words"
        visit = self.open("librtmp-publish", but(publish=self.no("NetStream.Publish.BadName", True)))
        self.check(visit, "ok ok ok refused", refusal=refusal)
        visit = self.open("librtmp-publish", but(publish=self.no("NetStream.Publish.BadName", False)))
        self.check(visit, "ok ok ok refused", "error-without-close", refusal=refusal, offset=False)
        self.assertGreaterEqual(self.meeting.clock.seconds(), PATIENCE)

    def test_error(self) -> None:
        """connect is refused by _error: FFmpeg ends, librtmp waits."""
        no = result(
            None, {"level": "error", "code": "NetConnection.Connect.Rejected", "description": "d"}, name="_error"
        )
        refusal = "the server refuses connect: NetConnection.Connect.Rejected: d"
        self.check(self.open("ffmpeg-publish", but(connect=no)), "ok refused - -", refusal=refusal)
        visit = self.open("librtmp-play", but(connect=no))
        self.check(visit, "ok refused - -", "error-without-close", refusal=refusal, offset=False)

    def test_behindRequest(self) -> None:
        """Who does not wait for publish's answer is told later."""
        visit = self.open("nginx-publish", but(publish=self.no("NetStream.Publish.BadName", True)))
        self.assertTrue(self.isOpen)
        visit.begin()
        self.meeting.pump()
        self.assertTrue(visit.contact.conversation.talk.refused)
        visit.refused()
        self.assertEqual(visit.progress.refusal, "the server refuses publish: NetStream.Publish.BadName: in words")
        self.assertIs(visit.progress.steps[Step.MEDIA], StepState.REFUSED)

    def test_withoutWords(self) -> None:
        visit = self.open("nginx-publish")
        visit.refused()
        self.assertEqual(visit.progress.refusal, "the server refuses publish: it does not say why")


class DoubtTests(VisitTestCase):
    """undefined in createStream's answer: FFmpeg goes on with message stream 0 (wire facts 3.2, 11)."""

    undefined = staticmethod(result(UNDEFINED, 1.0))

    def test_well(self) -> None:
        """The server takes that: no finding."""
        visit = self.open("ffmpeg-publish", but(createStream=self.undefined))
        self.check(visit, "ok ok ok ok", isOpen=True)
        self.assertEqual(visit.streamId, 0)
        publish = next(each for each in self.server.heard if readValues(each).name == "publish")
        self.assertEqual(publish.streamId, 0)

    def test_badly(self) -> None:
        """It does not: that is why."""
        visit = self.open("ffmpeg-publish", but(createStream=self.undefined, publish=silent))
        self.check(visit, "ok ok ok STOPS", "createstream-undefined")
        (finding,) = visit.progress.findings
        self.assertEqual((finding.step, finding.isAdvice), (Step.CREATE_STREAM, False))

    def test_later(self) -> None:
        """Nor does it take media."""
        visit = self.open("ffmpeg-publish", but(createStream=self.undefined))
        self.assertTrue(visit.doubted())
        self.assertEqual([each.cause.name for each in visit.progress.findings], ["createstream-undefined"])
        self.assertFalse(self.open("ffmpeg-publish").doubted())

    def test_relay(self) -> None:
        """nginx-rtmp goes on with message stream 1, whatever it was given."""
        visit = self.open("nginx-publish", but(createStream=result(None, 5.0)))
        self.assertEqual(visit.streamId, 1)
        self.assertTrue(visit.doubted())
        self.assertEqual([each.cause.name for each in visit.progress.findings], ["createstream-id-not-1"])


class EarlyMediaTests(VisitTestCase):
    """Media in front of Play.Start."""

    def test_lost(self) -> None:
        def early(server: ScriptedServer, command: Command) -> None:
            server.say(Message(8, 0, 1, b"\xaf\1x", 4), Message(9, 0, 1, b"\x27\1x", 6))
            server.yes(command)

        for name in PLAYERS:
            visit = self.open(name, but(play=early))
            loses = name in ("ffmpeg-play", "librtmp-play", "gstreamer-play")
            self.check(visit, "ok ok ok ok", *["media-before-start"] * loses, isOpen=True)
            expected = StepState.LOSES if loses else StepState.UNTESTED
            self.assertIs(visit.progress.steps[Step.MEDIA], expected)

    def test_onlyMedia(self) -> None:
        """FFmpeg takes it for the start; the others wait, as long as if nothing had come: what is lost is not why."""
        media = lambda server, command: server.say(Message(9, 0, 1, b"\x27\1x", 6))  # noqa: E731
        visit = self.open("ffmpeg-play", but(play=media))
        self.check(visit, "ok ok ok ok", "media-before-start", isOpen=True)
        visit = self.open("librtmp-play", but(play=media))
        self.check(visit, "ok ok ok STOPS", "no-answer", offset=False)
        self.assertGreaterEqual(visit.contact.now - visit.asked, visit.patience)


class SpeakingTests(VisitTestCase):
    def test_bandwidthDone(self) -> None:
        """_checkbw takes the next ID: 2 if connect's answer was not accepted, 5 if it was (wire facts 0.1)."""

        def answer(order: int) -> Script:
            def connect(server: ScriptedServer, command: Command) -> None:
                if order:
                    server.yes(command)
                server.command("onBWDone", 0.0, None)
                if not order:
                    server.yes(command)

            return connect

        for order, id in ((0, 2.0), (1, 5.0)):
            self.open("ffmpeg-publish", but(connect=answer(order)))
            checks = [each for each in self.server.heard if readValues(each).name == "_checkbw"]
            self.assertEqual([readValues(each).transactionId for each in checks], [id])

    def test_pause(self) -> None:
        """C2 and connect in two segments."""
        self.meeting, self.server = Meeting(), ScriptedServer(ScriptedServer.yes)
        visit = self.meeting.visit("ffmpeg-publish", self.server)
        visit.pauseBehindC2 = 0.5
        self.isOpen = self.meeting.run(visit.open())
        self.check(visit, "ok ok ok ok", isOpen=True)
        connect, *_ = said(visit.contact)
        self.assertGreaterEqual(connect.at, 0.5)

    def test_media(self) -> None:
        """Metadata, headers, frames, on the message stream that was given; then the last commands, and FIN."""
        visit = self.open("ffmpeg-publish", but(createStream=result(None, 3.0)))
        visit.begin()
        self.assertIs(visit.transport, visit.contact.transport)
        visit.send(visit.footage.frames(5))
        for _ in range(2):
            visit.leave()
        self.meeting.pump()
        media = [each for each in self.server.heard if each.type in (8, 9, 18)]
        self.assertEqual({each.streamId for each in media}, {3})
        self.assertEqual(len(media), 8)
        self.assertEqual(self.names()[-2:], ["FCUnpublish", "deleteStream"])
        self.assertEqual(Command.decode(self.server.heard[-1]).arguments, (3.0,))
        self.assertTrue(self.server.transport.isLost)

    def test_chunkSizes(self) -> None:
        """Each announces what it announces in time, and writes with it."""
        for name, sizes in (
            ("ffmpeg-publish", [4096]),
            ("obs-publish", [4096]),
            ("librtmp-publish", []),
            ("gstreamer-publish", [128]),
            ("srs-publish", [60000]),
            ("mediamtx-play", [65536]),
        ):

            def answer(server: ScriptedServer, command: Command) -> None:
                if command.name == "connect":
                    server.say(setChunkSize(4096))
                server.yes(command)

            visit = self.open(name, answer)
            visit.begin()
            visit.send(visit.footage.frames(4) if visit.dialect.publishes else ())
            messages = readAll(bytes(visit.transport.written))
            found = [int.from_bytes(each.payload, "big") for each in messages if each.type == 1]
            self.assertEqual(found, sizes, name)

    def test_whereTo(self) -> None:
        """Each takes the URL apart as it does."""
        url = RTMPURL.parse("rtmp://h:99/live/a/b/cam?key=x")
        for name, app, stream in (
            ("ffmpeg-publish", "live/a", "b/cam?key=x"),
            ("librtmp-publish", "live/a/b", "cam?key=x"),
            ("mediamtx-publish", "live/a", "b/cam?key=x"),
        ):
            meeting, server = Meeting(), ScriptedServer(ScriptedServer.yes)
            visit = meeting.visit(name, server, url)
            meeting.run(visit.open())
            connect, publish = (
                next(Command.decode(each) for each in server.heard if readValues(each).name == command)
                for command in ("connect", "publish")
            )
            assert isinstance(connect.commandObject, dict)
            self.assertEqual(connect.commandObject["app"], app)
            self.assertEqual(connect.commandObject["tcUrl"], f"rtmp://h:99/{app}")
            self.assertEqual(publish.arguments[0], stream)


class HostileTests(VisitTestCase):
    @settings(max_examples=60, deadline=None)
    @given(
        st.sampled_from(sorted(DIALECTS)),
        st.sampled_from(["connect", "createStream", "publish", "play"]),
        st.lists(st.binary(max_size=200), max_size=3),
        st.booleans(),
    )
    def test_anyBytes(self, name: str, command: str, pieces: list[bytes], close: bool) -> None:
        """Whatever a server says instead of an answer: the visit ends, and with a word for it."""

        def junk(server: ScriptedServer, command: Command) -> None:
            for piece in pieces:
                server.transport.write(piece)
            if close:
                server.transport.loseConnection()

        visit = self.open(name, but(**{command: junk}), 1.0)
        if not self.isOpen:
            self.assertTrue(visit.progress.findings or visit.progress.refusal)
            ended = (StepState.STOPS, StepState.REFUSED)
            self.assertTrue(any(state in ended for state in visit.progress.steps.values()))
        visit.leave()

    @settings(max_examples=60, deadline=None)
    @given(
        st.sampled_from(sorted(DIALECTS)),
        st.lists(
            st.tuples(
                st.sampled_from(["_result", "_error", "onStatus", "onBWDone", "onFCPublish"]),
                st.one_of(st.integers(0, 6).map(float), st.none(), st.text(max_size=2)),
                st.lists(
                    st.one_of(
                        st.none(),
                        st.just(UNDEFINED),
                        st.integers(-1, 3).map(float),
                        st.text(max_size=3),
                        st.fixed_dictionaries(
                            {
                                "level": st.sampled_from(["status", "error", "x"]),
                                "code": st.sampled_from(
                                    ["NetStream.Publish.Start", "NetStream.Play.Start", "NetStream.Failed"]
                                ),
                            }
                        ),
                    ),
                    max_size=3,
                ),
            ),
            max_size=4,
        ),
    )
    def test_anyCommands(self, name: str, commands: list[tuple[str, AMFValue, list[AMFValue]]]) -> None:
        """The same with commands that look like answers."""

        def answer(server: ScriptedServer, command: Command) -> None:
            # Who answers each _checkbw with onBWDone goes round in circles.
            for reply, id, values in commands if command.name != "_checkbw" else ():
                server.say(Message(20, 0, 1, amf0.encode(reply, id, *values), 3))

        visit = self.open(name, answer, 1.0)
        if not self.isOpen:
            self.assertTrue(visit.progress.findings or visit.progress.refusal)


class PartnerTests(SynchronousTestCase):
    """
    Each dialect at a real server, L{tests.brokenservers}: at one that is well, and at those with one mistake that shows
    before media is sent. What each of them does there is what the wire facts say of the program.
    """

    #: By mistake: who stops; everybody else gets through.
    STOPPING = {
        "connect-transaction-id": "all but mediamtx",
        "connect-transaction-id:other": "all",
        "reply-not-chunked": "all",
        "announced-chunk-size-not-used": "all",
        "reply-as-amf3": "ffmpeg gstreamer mediamtx",
        "createstream-transaction-id": "all",
        "onstatus-ecma": "ffmpeg librtmp obs",
        "onstatus-undefined": "ffmpeg",
        "onstatus-on-stream-0": "gstreamer",
        "publish-only-result": "ffmpeg-publish gstreamer-publish mediamtx-publish flash-publish",
        "createstream-id-not-number": "gstreamer mediamtx srs",
        "createstream-id-not-1": "mediamtx",
        "createstream-undefined": "srs",
        "short-command": "mediamtx-publish",
        "s1-version-without-digest": "ffmpeg-play",
        "s2-waits-for-c2": "all but obs librtmp",
        "answers-transaction-0": "",
        "waits-for-pong": "",
    }

    #: By mistake: what is good to know beside that, and where it shows, whether that client minds or not.
    ADVISED = {
        "createstream-id-not-1": {"createstream-id-not-1": "all"},
        "createstream-undefined": {"createstream-undefined": "all"},
        "short-command": {"short-command": "-publish"},
        "answers-transaction-0": {"answers-transaction-0": "gstreamer-publish"},
        # Some of them give publish the number 0, so a _result is more than they have asked for.
        "publish-only-result": {
            "result-to-publish": "ffmpeg-publish obs-publish librtmp-publish mediamtx-publish haivision",
            "answers-transaction-0": "gstreamer-publish nginx flash-publish srs-publish",
        },
    }

    def visit(self, name: str, factory: PlainFactory, meeting: Meeting) -> tuple[Visit, bool]:
        server: Protocol = factory.buildProtocol(None)
        visit = meeting.visit(name, server, patience=2.0)
        return visit, meeting.run(visit.open())

    def concerned(self, row: str) -> set[str]:
        who, _, but = row.partition("all but ")
        if row.startswith("all"):
            excepted = but.split()
            return {name for name in DIALECTS if not any(each in name for each in excepted)}
        return {name for name in DIALECTS if any(each in name for each in who.split())}

    def test_well(self) -> None:
        """No finding; what is published is stored, and ends once."""
        for name, dialect in DIALECTS.items():
            meeting = Meeting()
            factory = PlainFactory(meeting.clock)
            visit, isOpen = self.visit(name, factory, meeting)
            self.assertTrue(isOpen)
            if dialect.publishes:
                visit.begin()
                visit.send(visit.footage.frames(20))
            visit.leave()
            meeting.pump()
            visit.look()
            self.assertEqual([str(each) for each in visit.progress.findings], [], name)
            (connection,) = factory.connections
            self.assertEqual(connection.problem, "")
            if dialect.publishes:
                (stream,) = factory.streams.values()
                self.assertEqual((len(stream.stored), stream.ends), (23, 1), name)

    def test_mistakes(self) -> None:
        """By its finding each is known, and who is not concerned has none but advice."""
        for mistake, row in self.STOPPING.items():
            concerned = self.concerned(row)
            for name in DIALECTS:
                meeting = Meeting()
                visit, isOpen = self.visit(name, BENDS[mistake].server(meeting.clock), meeting)
                visit.look()
                found = [each.cause.name for each in visit.progress.findings]
                advice = [cause for cause, who in self.ADVISED.get(mistake, {}).items() if name in self.concerned(who)]
                expected = [BENDS[mistake].cause, *advice] if name in concerned else advice
                self.assertEqual(found, list(dict.fromkeys(expected)), (mistake, name))
                isProven = CAUSES[BENDS[mistake].cause].severity is not Severity.ADVICE
                state = StepState.STOPS if isProven else StepState.UNPROVEN
                self.assertEqual(state in visit.progress.steps.values(), name in concerned, (mistake, name))
                self.assertTrue(isOpen, (mistake, name))

    def test_doubts(self) -> None:
        """What is no finding as long as the server goes on."""
        for mistake, who in (("createstream-undefined", "ffmpeg"), ("createstream-id-not-1", "nginx")):
            for name in DIALECTS:
                meeting = Meeting()
                visit, _ = self.visit(name, BENDS[mistake].server(meeting.clock), meeting)
                self.assertEqual(visit.doubt is not None, name.startswith(who), (mistake, name))

    def test_played(self) -> None:
        """Mistakes that players meet, with a publisher beside."""
        for mistake, who in (
            ("media-before-start", "ffmpeg-play librtmp gstreamer"),
            ("metadata-undefined", "ffmpeg-play"),
            ("type15-to-player", "ffmpeg-play librtmp gstreamer"),
        ):
            for name in PLAYERS:
                meeting = Meeting()
                factory = BENDS[mistake].server(meeting.clock)
                publisher, _ = self.visit("obs-publish", factory, meeting)
                publisher.begin()
                meeting.clock.callLater(0.5, lambda to=publisher: to.send(to.footage.frames(40)))
                visit, isOpen = self.visit(name, factory, meeting)
                self.assertTrue(isOpen, (mistake, name))
                meeting.pump()
                visit.look()
                found = [each.cause.name for each in visit.progress.findings]
                expected = [mistake] if name in self.concerned(who) else []
                self.assertEqual(found, expected, (mistake, name))

    def test_refused(self) -> None:
        """A name that is taken: who understands that ends; who does not, hangs where the connection stays open."""
        for mistake, hanging in (("error-without-close", "librtmp haivision"), ("", "")):
            for name, dialect in DIALECTS.items():
                if not dialect.publishes or not dialect.requirements.waitsForStart:
                    continue
                meeting = Meeting()
                factory = BENDS[mistake].server(meeting.clock) if mistake else PlainFactory(meeting.clock)
                _, isFirst = self.visit("obs-publish", factory, meeting)
                visit, isOpen = self.visit(name, factory, meeting)
                self.assertEqual((isFirst, isOpen), (True, False))
                self.assertIn("NetStream.Publish.BadName", visit.progress.refusal)
                self.assertIs(visit.progress.steps[Step.REQUEST], StepState.REFUSED)
                found = [each.cause.name for each in visit.progress.findings]
                self.assertEqual(found, [mistake] if name in self.concerned(hanging) else [], (mistake, name))

    def test_variant(self) -> None:
        """A dialect is data: whoever changes one gets another client."""
        meeting = Meeting()
        dialect = replace(DIALECTS["ffmpeg-publish"], name="plain", digest=False, answersPings=False)
        visit = meeting.visit(dialect, PlainFactory(meeting.clock).buildProtocol(None))
        self.assertTrue(meeting.run(visit.open()))
        self.assertEqual(visit.progress.dialect, "plain")
        self.assertEqual(bytes(visit.transport.written[5:9]), bytes(4))
