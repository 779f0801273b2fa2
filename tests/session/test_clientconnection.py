# -*- test-case-name: tests.session.test_clientconnection -*-
"""
Tests for L{rtmptw.session.clientconnection}: what a client says, and what it makes of the answers.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import CallError, CallTimedOut, ConnectionClosed, LocalProtocolError
from rtmptw.limits import Limits
from rtmptw.live.busy import LOOK_SECONDS
from rtmptw.session import status
from rtmptw.session.clientconnection import ANSWER_SECONDS
from rtmptw.session.connect import OUR_CHUNK_SIZE
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue, ECMAArray
from rtmptw.wire.command import Command
from rtmptw.wire.control import (
    UserControl,
    UserControlType,
    setChunkSize,
    setPeerBandwidth,
    windowAcknowledgementSize,
)
from rtmptw.wire.message import Message, MessageType
from tests.session.dialects import Stage, audio, command, data, video
from tests.session.servers import Facing, Listener, Script


class ConnectTests(SynchronousTestCase):
    def test_conformance9_order(self) -> None:
        """C0 and C1 at once; connect only behind S2, with transaction ID 1, and nothing else until it is answered."""
        server = Script(self)
        self.assertEqual(len(server.transport.value()), 1537)
        server.shakeHands()
        [connect] = [Command.decode(message) for message in server.heard + server.take()]
        self.assertEqual((connect.name, connect.transactionId), ("connect", 1.0))
        parameters = connect.commandObject
        assert isinstance(parameters, dict)
        self.assertEqual(
            [parameters[name] for name in ("app", "tcUrl", "type")],
            ["live", "rtmp://server.test/live", "nonprivate"],
        )
        self.assertNoResult(server.connection.whenConnected())

    def test_accepted(self) -> None:
        """What the server says about itself is kept, in whatever form."""
        properties: AMFValue = {"fmsVer": "FMS/3,5"}
        information: AMFValue = ECMAArray({"code": status.CONNECT_SUCCESS, "data": ECMAArray({"version": "1"})})
        for values, expected in (
            ((properties, information), (properties, information)),
            ((None, information), ({}, information)),
            ((properties,), (properties, {})),
            ((UNDEFINED, "text"), ({}, {})),
        ):
            server = Script(self)
            server.shakeHands()
            server.say(Command("_result", 1.0, values[0], tuple(values[1:])).encode())
            self.successResultOf(server.connection.whenConnected())
            self.assertEqual((server.connection.properties, server.connection.information), expected)
            self.assertTrue(server.connection.connected)

    def test_refused(self) -> None:
        server = Script(self)
        server.shakeHands()
        server.say(status.callError(1.0, status.CONNECT_REJECTED, "not today"))
        failure = self.failureResultOf(server.connection.whenConnected(), CallError)
        self.assertEqual(
            (failure.value.command, failure.value.code, failure.value.description),
            ("connect", status.CONNECT_REJECTED, "not today"),
        )

    def test_lostInHandshake(self) -> None:
        """Whoever waits for the connect is told, also before it was said; and what silence most likely means."""
        rows = [
            (b"", ConnectionDone(), "the peer closed the connection without a word; does it want TLS (rtmps)?"),
            (b"", ConnectionLost(), "the peer closed the connection without a word; does it want TLS (rtmps)?"),
            (b"", ValueError("bad luck"), "bad luck"),
            (b"\3", ConnectionDone(), "the peer closed the connection"),
        ]
        for first, error, words in rows:
            server = Script(self)
            server.protocol.dataReceived(first)
            server.lose(error)
            failure = self.failureResultOf(server.connection.whenConnected(), ConnectionClosed)
            self.assertEqual(str(failure.value), f"connect failed: {words}")

    def test_notRTMP(self) -> None:
        """D18: an HTTP answer, and TLS."""
        for answer, word in ((b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"), (b"\x15\3\1\0\2\2\n", "TLS")):
            server = Script(self)
            server.protocol.dataReceived(answer)
            failure = self.failureResultOf(server.connection.whenConnected(), ConnectionClosed)
            self.assertIn(word, str(failure.value))
            self.assertTrue(server.transport.disconnecting)
            server.lose()

    def test_conformance63_manners(self) -> None:
        """What servers say around their answer, and commands that we do not know, change nothing."""
        server = Script(self)
        server.shakeHands()
        server.say(
            windowAcknowledgementSize(2_500_000),
            setPeerBandwidth(2_500_000),
            UserControl(UserControlType.STREAM_BEGIN, 0).encode(),
            setChunkSize(60_000),
            command("onBWDone", 0),
            command("onBWDone", 0, None, 8192),
            command("onFCPublish", None),
            Message(MessageType.COMMAND, 0, 0, b"", 3),
            command("_result", 9, None, None),
        )
        server.say(Command("_result", 1.0, {}, ({"code": status.CONNECT_SUCCESS},)).encode())
        self.successResultOf(server.connection.whenConnected())
        self.assertEqual(server.told(), [])


class ControlTests(SynchronousTestCase):
    def test_conformance64_ping(self) -> None:
        server = Script(self).connected()
        server.say(UserControl(UserControlType.PING_REQUEST, 77).encode())
        self.assertEqual(server.told(), ["PING_RESPONSE 77"])

    def test_conformance41_acknowledgements(self) -> None:
        """By the server's window, whether we play or publish: we read all the time. We never ask for any."""
        server = Script(self).connected()
        listener = Listener()
        server.playing(listener)
        server.say(windowAcknowledgementSize(40_000))
        self.assertEqual(server.told(), [])
        server.say(*[video(i, bytes(4000)) for i in range(10)])
        [told] = server.told()
        self.assertEqual(told, f"ACKNOWLEDGEMENT {server.protocol.received}")
        self.assertFalse([m for m in server.heard if m.type == MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE])


class CallTests(SynchronousTestCase):
    def test_result(self) -> None:
        server = Script(self).connected()
        answer = server.connection.call("sum", 1.0, "two", streamId=5)
        [message] = server.take()
        call = Command.decode(message)
        self.assertEqual((call.name, call.commandObject, call.arguments), ("sum", None, (1.0, "two")))
        self.assertEqual((message.type, message.streamId), (MessageType.COMMAND, 5))
        server.answer(call.transactionId, {"total": 3.0})
        self.assertEqual(self.successResultOf(answer), {"total": 3.0})

    def test_await(self) -> None:
        """In a coroutine."""
        from twisted.internet.defer import Deferred

        server = Script(self).connected()

        async def run() -> object:
            first = await server.connection.call("one")
            try:
                await server.connection.call("two", first)
            except CallError as error:
                return first, error.description
            return None

        done = Deferred.fromCoroutine(run())
        server.answer(2.0, 5.0)
        server.say(status.callError(3.0, status.CALL_FAILED, "no such thing"))
        self.assertEqual(self.successResultOf(done), (5.0, "no such thing"))

    def test_noResult(self) -> None:
        """FFmpeg's server has results without a value."""
        server = Script(self).connected()
        answer = server.connection.call("any")
        server.answer(2.0)
        self.assertIsNone(self.successResultOf(answer))

    def test_timeout(self) -> None:
        server = Script(self).connected()
        answers = [server.connection.call("any"), server.connection.call("any", timeout=3)]
        patient = server.connection.call("any", timeout=None)
        server.clock.advance(3)
        self.failureResultOf(answers[1], CallTimedOut)
        server.clock.advance(ANSWER_SECONDS - 3)
        self.failureResultOf(answers[0], CallTimedOut)
        server.answer(4.0, "late is better than never")
        self.assertEqual(self.successResultOf(patient), "late is better than never")

    def test_cancel(self) -> None:
        server = Script(self).connected()
        answer = server.connection.call("any")
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        server.answer(2.0)
        self.assertTrue(server.connection.connected)

    def test_loss(self) -> None:
        """Each says which command it was, and what the server said last."""
        server = Script(self).connected()
        answers = [server.connection.call(name) for name in ("one", "two")]
        server.status("NetConnection.Connect.Closed", "error", 0, "shutting down")
        server.lose(ConnectionDone())
        for name, answer in zip(("one", "two"), answers, strict=True):
            failure = self.failureResultOf(answer, ConnectionClosed)
            self.assertEqual(
                str(failure.value),
                f"{name} failed: the peer closed the connection "
                "(the server said: NetConnection.Connect.Closed: shutting down)",
            )
        self.failureResultOf(server.connection.call("three"), ConnectionClosed)

    def test_whenClosed(self) -> None:
        """The same words, before the end and behind it; who loses what he has published is told them, too."""
        server = Script(self).connected()
        server.publishing()
        closed = server.connection.whenClosed()
        server.status("NetConnection.Connect.Closed", "error", 0, "shutting down")
        server.lose()
        words = "gone (the server said: NetConnection.Connect.Closed: shutting down)"
        for each in (closed, server.connection.whenClosed()):
            self.assertEqual(self.successResultOf(each), words)
        failure = self.failureResultOf(server.connection.close(), ConnectionClosed)
        self.assertEqual(str(failure.value), f"close failed: {words}; what was published last may be lost")

    def test_noReply(self) -> None:
        server = Script(self).connected()
        server.connection.callNoReply("hint", 1.0, streamId=2)
        [message] = server.take()
        call = Command.decode(message)
        self.assertEqual((call.name, call.transactionId, call.arguments, message.streamId), ("hint", 0.0, (1.0,), 2))
        server.lose()
        self.assertRaises(ConnectionClosed, server.connection.callNoReply, "hint")

    def test_unwritable(self) -> None:
        """A value that AMF has no form for: our own mistake, told at once, and no call is left behind."""
        server = Script(self).connected()
        self.assertRaises(LocalProtocolError, server.connection.call, "any", object())
        server.lose()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_beforeConnect(self) -> None:
        server = Script(self)
        self.assertRaises(ConnectionClosed, server.connection.callNoReply, "hint")
        self.failureResultOf(server.connection.publish("x"), ConnectionClosed)
        self.failureResultOf(server.connection.play("x", Listener()), ConnectionClosed)


class PublishTests(SynchronousTestCase):
    def test_conformance36_65_order(self) -> None:
        """Chunk size, releaseStream, FCPublish, createStream in one write; then publish on the stream that is given."""
        server = Script(self).connected()
        publish = server.connection.publish("test?key=x", "record")
        messages = server.take()
        self.assertEqual(messages[0], setChunkSize(OUR_CHUNK_SIZE))
        commands = [Command.decode(message) for message in messages[1:]]
        self.assertEqual(
            [(c.name, c.transactionId, c.arguments) for c in commands],
            [
                ("releaseStream", 2.0, ("test?key=x",)),
                ("FCPublish", 3.0, ("test?key=x",)),
                ("createStream", 4.0, ()),
            ],
        )
        server.answer(4.0, 7.0)
        [message] = server.take()
        call = Command.decode(message)
        self.assertEqual((call.name, call.transactionId, call.arguments), ("publish", 5.0, ("test?key=x", "record")))
        self.assertEqual(message.streamId, 7)
        self.assertNoResult(publish)
        server.status(status.PUBLISH_START, id=7)
        self.assertEqual(self.successResultOf(publish).id, 7)

    def test_conformance63_answers(self) -> None:
        """All the ways to say yes."""
        start = {"level": "status", "code": status.PUBLISH_START}
        rows = [
            status.onStatus(1, status.PUBLISH_START, ""),
            status.onStatus(0, status.PUBLISH_START, ""),
            status.onStatus(99, status.PUBLISH_START, ""),
            Command("onStatus", 5.0, None, (start,)).encode(1),
            Command("onStatus", 0.0, None, (ECMAArray(start),)).encode(1),
            Command("_result", 5.0, None, (UNDEFINED,)).encode(1),
            Command("_result", 5.0).encode(),
            command("onStatus", 0, UNDEFINED, start, type=17, id=1),
        ]
        for message in rows:
            server = Script(self).connected()
            publish = server.connection.publish("test")
            server.answer(4.0, 1.0)
            server.say(status.onStatus(1, "NetStream.Something.Else", ""), message)
            self.successResultOf(publish)
            # Nothing is left that would wait.
            server.clock.advance(ANSWER_SECONDS)

    def test_refused(self) -> None:
        """All the ways to say no; some servers do not say that it is an error."""
        bad = {"level": "error", "code": status.BAD_NAME, "description": "in use"}
        rows = [
            status.onStatus(1, status.BAD_NAME, "in use", "error"),
            status.onStatus(0, status.BAD_NAME, "in use", "status"),
            Command("_error", 5.0, None, (bad,)).encode(1),
            Command("onStatus", 5.0, None, (ECMAArray(bad),)).encode(1),
        ]
        for message in rows:
            server = Script(self).connected()
            publish = server.connection.publish("test")
            server.answer(4.0, 1.0)
            server.take()
            server.say(message)
            error = self.failureResultOf(publish, CallError).value
            self.assertEqual((error.command, error.code, error.description), ("publish", status.BAD_NAME, "in use"))
            # The message stream is given back.
            self.assertEqual([c.name for c in server.commands()], ["FCUnpublish", "deleteStream"])

    def test_conformance67_createStream(self) -> None:
        """Any number but 0 is a message stream; what is none is a refusal, and so is one that is in use."""
        for value in (0.0, -1.0, 1.5, None, "1", UNDEFINED):
            server = Script(self).connected()
            publish = server.connection.publish("test")
            server.answer(4.0, value)
            self.assertEqual(self.failureResultOf(publish, CallError).value.command, "createStream")
        server = Script(self).connected()
        server.publishing(3)
        publish = server.connection.publish("other")
        # The chunk size was said before.
        self.assertEqual([c.name for c in server.commands()], ["releaseStream", "FCPublish", "createStream"])
        server.answer(8.0, 3.0)
        self.failureResultOf(publish, CallError)

    def test_timeouts(self) -> None:
        """A server that says nothing more, at each step."""
        server = Script(self).connected()
        publish = server.connection.publish("test", timeout=4)
        server.clock.advance(4)
        self.assertEqual(self.failureResultOf(publish, CallTimedOut).value.command, "createStream")
        publish = server.connection.publish("test", timeout=4)
        server.answer(7.0, 1.0)
        server.take()
        server.clock.advance(4)
        self.assertEqual(self.failureResultOf(publish, CallTimedOut).value.command, "publish")
        self.assertEqual([c.name for c in server.commands()], ["FCUnpublish", "deleteStream"])

    def test_cancelled(self) -> None:
        for steps in (1, 2):
            server = Script(self).connected()
            publish = server.connection.publish("test")
            if steps == 2:
                server.answer(4.0, 1.0)
            server.take()
            publish.cancel()
            self.failureResultOf(publish, CancelledError)
            self.assertEqual(len(server.commands()), 2 if steps == 2 else 0)
            # What comes late is of no interest.
            server.answer(4.0, 1.0)
            server.status(status.PUBLISH_START)
            self.assertTrue(server.connection.connected)

    def test_lost(self) -> None:
        for steps in (1, 2):
            server = Script(self).connected()
            publish = server.connection.publish("test")
            if steps == 2:
                server.answer(4.0, 1.0)
            server.lose()
            failure = self.failureResultOf(publish, ConnectionClosed)
            self.assertEqual(failure.value.command, "createStream" if steps == 1 else "publish")

    def test_lostBetween(self) -> None:
        """The connection ends while the answer to createStream is passed on."""
        server = Script(self).connected()
        publish = server.connection.publish("test")
        server.connection.calls.begin("another")[1].addErrback(lambda _: None)
        server.connection.end("over")
        self.failureResultOf(publish, ConnectionClosed)

    def test_twoStreams(self) -> None:
        """Each has its own status; closing one leaves the other and the connection."""
        server = Script(self).connected()
        one, two = server.publishing(1), server.publishing(2)
        self.successResultOf(one.close())
        self.assertEqual([c.name for c in server.commands()], ["FCUnpublish", "deleteStream"])
        self.assertFalse(server.transport.disconnecting)
        server.status(status.BAD_NAME, "error", 2, "kicked")
        self.assertEqual(
            self.successResultOf(two.whenEnded()), f"the server said: publish refused: {status.BAD_NAME}: kicked"
        )
        self.assertEqual(self.successResultOf(one.whenEnded()), "we have ended it")


class PlayTests(SynchronousTestCase):
    def test_order(self) -> None:
        """createStream, then play with its name and start, then the length of our buffer."""
        server = Script(self).connected()
        play = server.connection.play("test?key=x", Listener(), start=-1)
        [create] = server.commands()
        self.assertEqual((create.name, create.transactionId), ("createStream", 2.0))
        server.answer(2.0, 5.0)
        message, buffer = server.take()
        call = Command.decode(message)
        self.assertEqual((call.name, call.arguments, message.streamId), ("play", ("test?key=x", -1.0), 5))
        self.assertEqual(UserControl.decode(buffer.payload), UserControl(UserControlType.SET_BUFFER_LENGTH, 5, 3000))
        server.status(status.PLAY_START, id=5)
        self.assertEqual(self.successResultOf(play).id, 5)

    def test_conformance66_anyOrder(self) -> None:
        """Media, metadata and statuses come in any order and on any message stream: everything is given, once."""
        begin = UserControl(UserControlType.STREAM_BEGIN, 1).encode()
        recorded = UserControl(UserControlType.STREAM_IS_RECORDED, 1).encode()
        reset = status.onStatus(1, status.PLAY_RESET, "")
        start = status.onStatus(1, status.PLAY_START, "")
        media = [audio(0), video(3), audio(5)]
        meta = data("onMetaData", {"a": 1.0})
        rows = [
            [begin, reset, start, meta, *media],
            [meta, media[0], start, *media[1:]],
            [*media[:2], recorded, begin, meta, media[2], reset],
            [start, meta, *[Message(m.type, m.timestamp, 9, m.payload, m.chunkStreamId) for m in media]],
        ]
        for row in rows:
            server = Script(self).connected()
            listener = Listener()
            play = server.connection.play("test", listener)
            server.answer(2.0, 1.0)
            server.say(*row)
            self.successResultOf(play)
            expected = [
                (int(m.type), m.timestamp, m.payload)
                for m in row
                if m.type in (MessageType.AUDIO, MessageType.VIDEO, MessageType.DATA)
            ]
            self.assertEqual(listener.content, expected)
            self.assertEqual(listener.reasons, [])

    def test_data(self) -> None:
        """As for a subscriber of the server: without prefix, in AMF0; the server's own words and junk left out."""
        server = Script(self).connected()
        listener = Listener()
        stream = server.playing(listener)
        server.say(
            data("|RtmpSampleAccess", True, True),
            data("onStatus", {"code": "NetStream.Data.Start"}),
            data("@setDataFrame", "onMetaData", {"a": 1.0}),
            data("onTextData", "hi", timestamp=5),
            data("@clearDataFrame", "onMetaData"),
            Message(MessageType.DATA, 0, 1, b"\0\0\0\0", 4),
            Message(MessageType.DATA, 0, 1, b"\xff", 4),
            Message(MessageType.DATA_AMF3, 0, 1, b"\0" + amf0.encode("onCuePoint"), 4),
        )
        self.assertEqual(
            listener.content,
            [
                (18, 0, amf0.encode("onMetaData", {"a": 1.0})),
                (18, 5, amf0.encode("onTextData", "hi")),
                (18, 0, amf0.encode("onCuePoint")),
            ],
        )
        self.assertEqual(stream.unreadable, 2)
        self.assertEqual(len([line for line in server.lines() if "passed over" in line]), 1)

    def test_ends(self) -> None:
        """All the ways to say that it is over."""
        eof = UserControl(UserControlType.STREAM_EOF, 1).encode()
        rows = [
            (status.onStatus(1, status.UNPUBLISH_NOTIFY, ""), status.UNPUBLISH_NOTIFY),
            (status.onStatus(0, "NetStream.Play.Stop", ""), "NetStream.Play.Stop"),
            (status.onStatus(1, "NetStream.Play.Complete", ""), "NetStream.Play.Complete"),
            (status.onStatus(1, status.FAILED, "no disk", "error"), "no disk"),
            (eof, "end of the stream"),
        ]
        for message, words in rows:
            server = Script(self).connected()
            listener = Listener()
            stream = server.playing(listener)
            server.say(audio(1), message, eof, audio(2))
            [reason] = listener.reasons
            self.assertIn(words, reason)
            self.assertEqual(self.successResultOf(stream.whenEnded()), reason)
            self.assertEqual(len(listener.messages), 1)

    def test_refused(self) -> None:
        server = Script(self).connected()
        listener = Listener()
        play = server.connection.play("test", listener)
        server.answer(2.0, 1.0)
        server.status("NetStream.Play.StreamNotFound", "error", 1, "no such stream")
        self.assertEqual(self.failureResultOf(play, CallError).value.description, "no such stream")
        [reason] = listener.reasons
        self.assertIn("no such stream", reason)

    def test_lost(self) -> None:
        """Everything that came is given before the end is told."""
        server = Script(self).connected()
        listener = Listener()
        stream = server.playing(listener)
        server.say(*[video(i) for i in range(5)])
        server.lose(ConnectionDone())
        self.assertEqual(len(listener.messages), 5)
        self.assertEqual(listener.reasons, ["the peer closed the connection"])
        self.assertEqual(self.successResultOf(stream.whenEnded()), "the peer closed the connection")

    def test_conformance28_aggregate(self) -> None:
        """Servers send several messages as one (RTMP 1.0, section 7.1.6)."""
        server = Script(self).connected()
        listener = Listener()
        server.playing(listener)
        tags = b""
        for type, timestamp, payload in (
            (8, 1000, b"\xaf\1a"),
            (9, 1010, b"\x27\1\0\0\0v"),
            (18, 1020, amf0.encode("onX")),
        ):
            tag = bytes((type,)) + len(payload).to_bytes(3) + timestamp.to_bytes(3) + bytes(4) + payload
            tags += tag + len(tag).to_bytes(4)
        server.say(Message(MessageType.AGGREGATE, 5000, 1, tags, 6))
        self.assertEqual([(m.type, m.timestamp) for m in listener.messages], [(8, 5000), (9, 5010), (18, 5020)])

    def test_strayMedia(self) -> None:
        """Media that nobody has asked for, or with two streams to choose from, is passed over."""
        server = Script(self).connected()
        server.say(audio(0), data("onMetaData", {}), UserControl(UserControlType.STREAM_EOF, 1).encode())
        one, two = Listener(), Listener()
        server.playing(one, 1)
        server.playing(two, 2)
        server.say(audio(0, id=1), audio(1, id=2), audio(2, id=3))
        self.assertEqual(([m.timestamp for m in one.messages], [m.timestamp for m in two.messages]), ([0], [1]))


class CloseTests(SynchronousTestCase):
    def test_conformance96_farewell(self) -> None:
        """FCUnpublish, deleteStream, then our side is closed, and what comes is read until the server closes too."""
        server = Script(self).connected()
        stream = server.publishing()
        stream.send(video(10))
        server.take()
        server.transport.calls.clear()
        closed = stream.close()
        commands = server.commands()
        self.assertEqual(
            [(c.name, c.arguments) for c in commands], [("FCUnpublish", ("test?key=x",)), ("deleteStream", (1.0,))]
        )
        self.assertEqual([c.transactionId for c in commands], [6.0, 7.0])
        self.assertEqual(server.transport.calls, ["write", "loseWriteConnection"])
        server.status("NetStream.Unpublish.Success")
        server.say(command("onFCUnpublish", 0))
        self.assertNoResult(closed)
        server.finish()
        self.assertIsNone(self.successResultOf(closed))
        self.assertEqual(self.successResultOf(stream.whenEnded()), "we have closed it")

    def test_unclean(self) -> None:
        """A reset, and a server that closes before it has everything, may have lost the end: that is a failure."""
        for error in (ConnectionResetError("reset"), ConnectionDone()):
            server = Script(self).connected()
            closed = server.publishing().close()
            server.lose(error)
            failure = self.failureResultOf(closed, ConnectionClosed)
            self.assertIn("may be lost", str(failure.value))

    def test_neverCloses(self) -> None:
        """A server that does not close its side is waited for, and then left."""
        server = Script(self).connected()
        closed = server.publishing().close()
        server.clock.pump([1.0] * 29)
        self.assertNotIn("loseConnection", server.transport.calls)
        server.clock.pump([1.0] * 17)
        self.assertEqual(server.transport.calls[-2:], ["loseConnection", "abortConnection"])
        server.lose()
        self.failureResultOf(closed, ConnectionClosed)

    def test_nothingPublished(self) -> None:
        """Whoever has only played has nothing to lose."""
        server = Script(self).connected()
        server.playing(Listener())
        closed = server.connection.close()
        self.assertEqual([c.name for c in server.commands()], ["deleteStream"])
        server.lose()
        self.assertIsNone(self.successResultOf(closed))

    def test_closedAlready(self) -> None:
        server = Script(self).connected()
        server.publishing()
        server.lose()
        self.failureResultOf(server.connection.close(), ConnectionClosed)
        self.assertEqual(self.successResultOf(server.connection.whenClosed()), "gone")

    def test_nothingLeft(self) -> None:
        """A stream that was over before is not what a lost connection can have cost."""
        server = Script(self).connected()
        published = server.publishing(1)
        server.playing(Listener(), 2)
        self.successResultOf(published.close())
        server.lose()
        self.assertIsNone(self.successResultOf(server.connection.close()))

    def test_abort(self) -> None:
        server = Script(self).connected()
        stream = server.publishing()
        server.connection.abort("enough")
        self.assertEqual(server.transport.calls[-1], "abortConnection")
        server.lose()
        self.assertEqual(self.successResultOf(stream.whenEnded()), "enough")

    def test_line(self) -> None:
        """Conformance 98: the end has its line in the log, without the name, which may be a secret."""
        server = Script(self).connected()
        server.publishing().close().addErrback(lambda _: None)
        server.lose(ConnectionDone())
        [line] = [line for line in server.lines() if ": closed: " in line]
        self.assertRegex(line, r"^192.168.1.1:54321: closed: we have closed it; we had published \(0\.0 s; byte ")
        self.assertEqual([line for line in server.lines() if "key=x" in line or "test" in line], [])


class FacingTests(SynchronousTestCase):
    """Our client and our server."""

    def test_publish(self) -> None:
        """Everything arrives, and both sides end in order."""
        facing = Facing(self)
        facing.pump()
        publish = facing.connection.publish("test")
        facing.pump()
        stream = self.successResultOf(publish)
        messages = [video(i * 40, b"\x27\1\0\0\0" + bytes(i * 500)) for i in range(100)]
        stream.send(Message(MessageType.DATA, 0, 0, amf0.encode("onMetaData", {"width": 5.0})))
        for message in messages:
            stream.send(message)
        closed = stream.close()
        facing.pump()
        self.assertIsNone(self.successResultOf(closed))
        [published] = facing.stage.published
        self.assertEqual(published.path, "live/test")
        self.assertEqual(published.media(), [(m.type, m.timestamp, m.payload) for m in messages])
        self.assertEqual(published.messages[0].payload, amf0.encode("onMetaData", {"width": 5.0}))
        self.assertEqual(published.ends, ["the peer has ended the stream (FCUnpublish)"])

    def test_idle(self) -> None:
        """Whoever does nothing learns why it is over."""
        facing = Facing(self, Stage(self, limits=Limits(idleSeconds=2)))
        facing.pump()
        closed = facing.connection.whenClosed()
        self.assertNoResult(closed)
        facing.stage.pass_(3)
        facing.pump()
        facing.client.connectionLost(Failure(ConnectionDone()))
        words = (
            "the peer closed the connection "
            "(the server said: NetConnection.Connect.IdleTimeOut: neither published nor played for 2 s)"
        )
        self.assertEqual(self.successResultOf(closed), words)
        failure = self.failureResultOf(facing.connection.call("any"), ConnectionClosed)
        self.assertEqual(failure.value.reason, words)

    def test_play(self) -> None:
        """From the server's publisher to our subscriber."""
        facing = Facing(self)
        publisher = facing.stage.publisher()
        facing.pump()
        listener = Listener()
        play = facing.connection.play("test", listener)
        facing.pump()
        self.successResultOf(play)
        publisher.send(data("@setDataFrame", "onMetaData", {"a": 1.0}), audio(0), video(0), audio(20))
        publisher.lose()
        facing.pump()
        facing.stage.pass_(1)
        facing.pump()
        self.assertEqual(
            listener.content,
            [
                (int(m.type), m.timestamp, m.payload)
                for m in (data("onMetaData", {"a": 1.0}), audio(0), video(0), audio(20))
            ],
        )
        self.assertEqual(listener.reasons, [f"the server said: {status.UNPUBLISH_NOTIFY}"])

    def test_refused(self) -> None:
        """A name in use: the server's reason reaches the caller, and then the connection is over."""
        facing = Facing(self)
        holder = facing.stage.publisher()
        facing.pump()
        publish = facing.connection.publish("test")
        facing.pump()
        facing.stage.clock.advance(LOOK_SECONDS / 2)
        holder.send(audio(0))
        facing.stage.clock.advance(LOOK_SECONDS / 2)
        facing.pump()
        error = self.failureResultOf(publish, CallError).value
        self.assertEqual((error.code, error.description), (status.BAD_NAME, "live/test is published already"))


class SeveralStreamsTests(SynchronousTestCase):
    """What concerns one stream of a connection does not concern the others."""

    def test_lateWords(self) -> None:
        """What a server still says and sends about a stream that is over is not for the one that there is."""
        server = Script(self).connected()
        one, two = Listener(), Listener()
        first = server.playing(one, 1)
        server.playing(two, 2)
        self.successResultOf(first.close())
        server.say(
            audio(1, id=1),
            data("onMetaData", {}, id=1),
            status.onStatus(1, status.UNPUBLISH_NOTIFY, ""),
            UserControl(UserControlType.STREAM_EOF, 1).encode(),
            audio(2, id=2),
        )
        self.assertEqual(([m.timestamp for m in two.messages], two.reasons), ([2], []))

    def test_sameNumberAgain(self) -> None:
        """A number that the server gives again is a stream again."""
        server = Script(self).connected()
        one, two = Listener(), Listener()
        self.playBeside(server, one)
        server.playing(two, 1)
        server.say(audio(7, id=1))
        self.assertEqual([m.timestamp for m in two.messages], [7])

    def test_numberGivenTwice(self) -> None:
        """
        A number that the server gives again when the first stream is over, but its play not answered yet: the answer to
        that does not take the second stream away, which still hears what comes, and of the end.
        """
        server = Script(self).connected()
        one, two = Listener(), Listener()
        first = server.connection.play("one", one)
        server.answer(server.commands()[-1].transactionId, 1.0)
        asked = server.commands()[-1].transactionId
        server.say(UserControl(UserControlType.STREAM_EOF, 1).encode())
        server.playing(two, 1)
        server.say(status.callError(asked, status.PLAY_FAILED, "too late"))
        self.failureResultOf(first, CallError)
        server.say(audio(7, id=1))
        self.assertNotIn("deleteStream", [command.name for command in server.commands()])
        server.lose()
        self.assertEqual(([m.timestamp for m in two.messages], len(one.reasons), len(two.reasons)), ([7], 1, 1))

    def playBeside(self, server: Script, listener: Listener) -> None:
        """Play stream 1 beside another one, and close it."""
        stream = server.playing(listener, 1)
        server.playing(Listener(), 2)
        self.successResultOf(stream.close())

    def test_closedTwice(self) -> None:
        """Closing what is over closes nothing else."""
        server = Script(self).connected()
        first = server.playing(Listener(), 1)
        other = Listener()
        server.playing(other, 2)
        for _ in range(2):
            self.successResultOf(first.close())
        self.assertEqual(other.reasons, [])
        self.assertFalse(server.transport.disconnecting)

    def test_closedWhileAnotherComes(self) -> None:
        """The last stream that is open is not the last one, if another is on its way."""
        server = Script(self).connected()
        first = server.playing(Listener(), 1)
        play = server.connection.play("other", Listener())
        self.successResultOf(first.close())
        self.assertFalse(server.transport.disconnecting)
        server.answer(4.0, 2.0)
        server.status(status.PLAY_START, id=2)
        self.successResultOf(play)

    def test_unwritableName(self) -> None:
        """Told at once, and nothing waits for an answer that can't come."""
        server = Script(self).connected()
        publish = server.connection.publish("x", object())  # type: ignore[arg-type]
        server.answer(4.0, 1.0)
        self.failureResultOf(publish, LocalProtocolError)
        server.clock.advance(ANSWER_SECONDS)
        self.assertEqual(self.flushLoggedErrors(), [])


class ManyCallsTests(SynchronousTestCase):
    def test_unread(self) -> None:
        """Our own calls are no answers that a server has asked for: it may be slow to read them."""
        server = Script(self).connected()
        server.publishing()
        server.protocol.outlet.pauseProducing()
        for _ in range(3000):
            server.connection.callNoReply("hint", "x" * 50)
            server.connection.call("any", timeout=None).addErrback(lambda _: None)
        self.assertNotIn("abortConnection", server.transport.calls)

    def test_answered(self) -> None:
        """Answers that were asked for are read at any rate; a second does not stop them."""
        server = Script(self).connected()
        answers = [server.connection.call("any") for _ in range(500)]
        for number, answer in enumerate(answers):
            server.answer(2.0 + number)
            self.successResultOf(answer)
        self.assertEqual(server.transport.producerState, "producing")

    def test_early(self) -> None:
        """Before the connect is accepted nothing may be said."""
        server = Script(self)
        before = server.transport.value()
        self.failureResultOf(server.connection.call("any"), ConnectionClosed)
        self.assertEqual(server.transport.value(), before)

    def test_nobodyWaits(self) -> None:
        """A connection that is lost before its connect is a failure only for those who have asked."""
        Script(self).lose()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_yesTwice(self) -> None:
        """A status and a result for the same play: one of them is enough, and neither is out of place."""
        server = Script(self).connected()
        play = server.connection.play("test", Listener())
        server.answer(2.0, 1.0)
        server.answer(3.0)
        server.status(status.PLAY_START)
        self.successResultOf(play)
        self.assertEqual(server.connection.calls.stray, 0)

    def test_hungUp(self) -> None:
        """A server that has not closed its side in time may not have everything, however the connection then ends."""
        server = Script(self).connected()
        closed = server.publishing().close()
        half = IHalfCloseableProtocol(server.protocol)
        half.writeConnectionLost()
        server.clock.pump([1.0] * 31)
        self.assertIn("loseConnection", server.transport.calls)
        server.lose(ConnectionDone())
        self.failureResultOf(closed, ConnectionClosed)
