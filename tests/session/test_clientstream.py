# -*- test-case-name: tests.session.test_clientstream -*-
"""
Tests for L{rtmptw.session.clientstream}: backpressure in both directions, and subscribers that fail.
"""

from __future__ import annotations

from twisted.internet.interfaces import IConsumer, IPullProducer, IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from rtmptw.errors import ConnectionClosed, LocalProtocolError
from rtmptw.interfaces import ISubscription
from rtmptw.session import status
from rtmptw.session.clientstream import PublishedStream
from rtmptw.wire import amf0
from rtmptw.wire.amf import ECMAArray
from rtmptw.wire.message import Message, MessageType
from tests.session.dialects import audio, data, video
from tests.session.servers import Listener, Script


@implementer(IPushProducer, IPullProducer)
class Producer:
    """
    Sends a message when it is resumed, if there are any.

    @ivar calls: what it was told.
    """

    def __init__(self, stream: PublishedStream | None = None, messages: int = 0) -> None:
        self.calls: list[str] = []
        self.stream = stream
        self.messages = messages

    def resumeProducing(self) -> None:
        self.calls.append("resume")
        if self.messages and self.stream is not None:
            self.messages -= 1
            self.stream.write(audio(self.messages))
            if not self.messages:
                self.stream.unregisterProducer()

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class SendTests(SynchronousTestCase):
    def test_interface(self) -> None:
        self.assertTrue(verifyObject(IConsumer, Script(self).connected().publishing()))

    def test_messages(self) -> None:
        """On the stream's own message stream, each type on its chunk stream, whatever the message says."""
        server = Script(self).connected()
        stream = server.publishing(3)
        for message in (video(5, id=9, csid=40), audio(6, id=0, csid=3), data("onTextData", "x", timestamp=7, id=0)):
            stream.send(message)
        self.assertEqual(
            [(m.type, m.timestamp, m.streamId, m.chunkStreamId) for m in server.take()],
            [(9, 5, 3, 6), (8, 6, 3, 4), (18, 7, 3, 7)],
        )

    def test_metadata(self) -> None:
        """Behind @setDataFrame, once; other data as it is."""
        server = Script(self).connected()
        stream = server.publishing()
        values = ("onMetaData", ECMAArray({"a": 1.0}))
        stream.send(data(*values))
        stream.send(data("@setDataFrame", *values))
        stream.send(data("onCuePoint", {"a": 1.0}))
        self.assertEqual(
            [m.payload for m in server.take()],
            [amf0.encode("@setDataFrame", *values)] * 2 + [amf0.encode("onCuePoint", {"a": 1.0})],
        )

    def test_mistakes(self) -> None:
        server = Script(self).connected()
        stream = server.publishing()
        self.assertRaises(LocalProtocolError, stream.send, Message(MessageType.COMMAND, 0, 1, b""))
        self.assertRaises(LocalProtocolError, stream.send, Message(MessageType.AUDIO, -1, 1, b""))
        stream.send(audio(1))
        server.lose()
        error = self.assertRaises(ConnectionClosed, stream.send, audio(2))
        self.assertEqual(str(error), "sending to test failed: gone")

    def test_media(self) -> None:
        """Media that a server sends to its publisher are passed over."""
        server = Script(self).connected()
        stream = server.publishing()
        server.say(audio(1), data("onMetaData", {}))
        self.assertEqual(stream.whenEnded().called, False)

    def test_verbose(self) -> None:
        """A line for each message, if that is wanted."""
        server = Script(self).connected()
        server.factory.verbose = True
        server.publishing().send(audio(7))
        self.assertTrue([line for line in server.lines() if " < audio mp4a, 4 bytes, 7 ms" in line], server.lines())

    def test_much(self) -> None:
        """Who does not look is not cut off: what is sent is kept, and the farewell comes behind it."""
        server = Script(self).connected()
        stream = server.publishing()
        server.protocol.outlet.pauseProducing()
        for i in range(100):
            stream.send(video(i, bytes(10_000)))
        stream.close()
        self.assertNotIn("abortConnection", server.transport.calls)
        server.protocol.outlet.resumeProducing()
        told = server.told()
        self.assertEqual((len(told), told[-2:]), (102, ["FCUnpublish 6", "deleteStream 7"]))


class PushTests(SynchronousTestCase):
    """A push producer is paused while the connection has enough."""

    def setUp(self) -> None:
        self.server = Script(self).connected()
        self.stream = self.server.publishing()
        self.outlet = self.server.protocol.outlet
        self.producer = Producer()

    def test_pausedAndResumed(self) -> None:
        self.stream.registerProducer(self.producer, True)
        self.stream.send(audio(1))
        self.assertEqual(self.producer.calls, [])
        self.outlet.pauseProducing()
        self.stream.send(audio(2))
        self.stream.send(audio(3))
        self.assertEqual(self.producer.calls, ["pause"])
        self.outlet.resumeProducing()
        self.outlet.pauseProducing()
        self.outlet.resumeProducing()
        self.assertEqual(self.producer.calls, ["pause", "resume"])

    def test_full(self) -> None:
        """Registered with a connection that has enough already."""
        self.outlet.pauseProducing()
        self.stream.registerProducer(self.producer, True)
        self.assertEqual(self.producer.calls, ["pause"])
        self.outlet.resumeProducing()
        self.assertEqual(self.producer.calls, ["pause", "resume"])

    def test_unregistered(self) -> None:
        self.stream.registerProducer(self.producer, True)
        self.stream.unregisterProducer()
        self.stream.unregisterProducer()
        self.outlet.pauseProducing()
        self.stream.send(audio(1))
        self.outlet.resumeProducing()
        self.server.lose()
        self.assertEqual(self.producer.calls, [])

    def test_two(self) -> None:
        self.stream.registerProducer(self.producer, True)
        self.assertRaises(LocalProtocolError, self.stream.registerProducer, Producer(), True)

    def test_stopped(self) -> None:
        """At the end of the stream, whoever ends it."""
        self.stream.registerProducer(self.producer, True)
        self.server.status(status.FAILED, "error", 1, "no disk")
        self.assertEqual(self.producer.calls, ["stop"])
        late = Producer()
        self.stream.registerProducer(late, True)
        self.assertEqual(late.calls, ["stop"])

    def test_failingProducer(self) -> None:
        """One that can't be stopped is logged; the connection ends all the same."""

        class Failing(Producer):
            def stopProducing(self) -> None:
                raise ValueError("no")

        self.stream.registerProducer(Failing(), True)
        self.server.lose()
        self.assertEqual(self.successResultOf(self.server.connection.whenClosed()), "gone")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_fair(self) -> None:
        """Two that share a connection take turns, though each fills it."""
        server = self.server
        turns = []

        class Filling(Producer):
            def __init__(self, name: str) -> None:
                super().__init__()
                self.name = name

            def resumeProducing(self) -> None:
                turns.append(self.name)
                server.protocol.outlet.pauseProducing()

        for stream, name in ((self.stream, "one"), (server.publishing(2), "two")):
            producer = Filling(name)
            server.protocol.outlet.pauseProducing()
            stream.registerProducer(producer, True)
        for _ in range(4):
            server.protocol.outlet.resumeProducing()
            for stream in server.connection._streams.values():
                stream.send(audio(0))  # type: ignore[attr-defined]
        self.assertEqual(turns, ["one", "two", "one", "two"])


class PullTests(SynchronousTestCase):
    """A pull producer is asked for one message at a time, and others have their turn between."""

    def test_asked(self) -> None:
        server = Script(self).connected()
        stream = server.publishing()
        producer = Producer(stream, 3)
        stream.registerProducer(producer, False)
        self.assertEqual(producer.calls, ["resume"])
        for _ in range(5):
            server.clock.advance(0)
        self.assertEqual(producer.calls, ["resume"] * 3)
        self.assertEqual(len(server.take()), 3)

    def test_full(self) -> None:
        """Not asked while the connection has enough."""
        server = Script(self).connected()
        stream = server.publishing()
        producer = Producer()
        server.protocol.outlet.pauseProducing()
        stream.registerProducer(producer, False)
        server.clock.advance(0)
        self.assertEqual(producer.calls, [])
        server.protocol.outlet.resumeProducing()
        self.assertEqual(producer.calls, ["resume"])
        server.protocol.outlet.pauseProducing()
        server.clock.advance(0)
        self.assertEqual(producer.calls, ["resume"])


class PlayedTests(SynchronousTestCase):
    def test_interface(self) -> None:
        stream = Script(self).connected().playing(Listener())
        self.assertTrue(verifyObject(ISubscription, stream))
        self.assertTrue(verifyObject(IPushProducer, stream))

    def test_paused(self) -> None:
        """The connection is not read meanwhile; when it ends, it is not held any more."""
        server = Script(self).connected()
        stream = server.playing(Listener())
        stream.pauseProducing()
        self.assertEqual(server.transport.producerState, "paused")
        stream.resumeProducing()
        stream.resumeProducing()
        self.assertEqual(server.transport.producerState, "producing")
        stream.pauseProducing()
        stream.stopProducing()
        self.assertEqual(server.transport.producerState, "producing")
        stream.pauseProducing()
        self.assertEqual(server.transport.producerState, "producing")

    def test_stopped(self) -> None:
        server = Script(self).connected()
        listener = Listener()
        server.playing(listener).stopProducing()
        self.assertEqual([c.name for c in server.commands()], ["deleteStream"])
        self.assertTrue(server.transport.disconnecting)
        self.assertEqual(listener.reasons, ["we have closed it"])

    def test_failingSubscriber(self) -> None:
        """It is logged, and has had its last message; nothing escapes."""

        class Failing(Listener):
            def messageReceived(self, message: Message) -> None:
                super().messageReceived(message)
                raise ValueError("no")

            def streamEnded(self, reason: str) -> None:
                super().streamEnded(reason)
                raise KeyError("no")

        server = Script(self).connected()
        listener = Failing()
        server.playing(listener)
        server.say(audio(1), audio(2))
        self.assertEqual((len(listener.messages), len(listener.reasons)), (1, 1))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.assertTrue(server.transport.disconnecting)
