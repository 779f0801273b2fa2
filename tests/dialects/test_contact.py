# -*- test-case-name: tests.dialects.test_contact -*-
"""
Tests for L{rtmptw.dialects.contact}.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects import contact as module
from rtmptw.dialects.contact import OVERRUN, Contact, ContactFactory
from rtmptw.trace.entry import Ending, Entry, ReadMessage
from rtmptw.trace.reading import SILENCE
from rtmptw.trace.segment import Side
from rtmptw.wire.chunkwriter import ChunkWriter, encodeMessage
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message
from tests.dialects.doubles import Meeting, ScriptedServer

S0S1S2 = b"\3" + bytes(3072)
MESSAGE = Command("onBWDone", 0.0, None).encode()


class ContactTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.meeting = Meeting()
        self.clock = self.meeting.clock
        self.clock.advance(1000)
        self.server = ScriptedServer()
        self.contact = self.meeting.connect(self.server)

    def wait(self, seconds: float, condition: object = None) -> list[object]:
        """Wait for something; what comes of it will be in the list."""
        done: list[object] = []
        until = self.contact.until(condition or (lambda: None), seconds)  # type: ignore[arg-type]
        Deferred.fromCoroutine(until).addBoth(done.append)
        return done

    def hear(self, *data: bytes) -> None:
        for each in data:
            self.contact.dataReceived(each)


class SayingTests(ContactTestCase):
    def test_noDelay(self) -> None:
        """As real clients do; what can't be told that need not be."""
        self.assertIs(self.contact.transport.noDelay, True)  # type: ignore[union-attr]
        contact = Contact(self.clock)
        contact.makeConnection(StringTransport())
        self.assertEqual(contact.say(b""), [])

    def test_oneWrite(self) -> None:
        """Messages leave together, and each is an entry of ours."""
        self.contact.say(S0S1S2)
        entries = self.contact.send(MESSAGE, MESSAGE)
        written = ChunkWriter()
        self.assertEqual(
            bytes(self.contact.transport.written),  # type: ignore[union-attr]
            S0S1S2 + written.write(MESSAGE) + written.write(MESSAGE),
        )
        self.assertEqual([entry.side for entry in entries], [Side.CLIENT] * 2)
        self.assertEqual(self.contact.entries[-2:], entries)

    def test_closed(self) -> None:
        """Nothing is said any more, and no harm is done."""
        self.contact.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.contact.send(MESSAGE), [])
        self.assertEqual(bytes(self.contact.transport.written), b"")  # type: ignore[union-attr]

    def test_withoutTransport(self) -> None:
        """Before there is a connection it can be left."""
        contact = Contact(self.clock)
        contact.close()
        contact.abort()
        self.assertEqual(contact.entries, [])


class HearingTests(ContactTestCase):
    def test_received(self) -> None:
        """The server's messages, from a place on; not its handshake, not ours."""
        self.contact.say(S0S1S2)
        self.contact.send(MESSAGE)
        self.hear(S0S1S2, encodeMessage(MESSAGE, 128))
        self.assertEqual([each.message.payload for each in self.contact.received()], [MESSAGE.payload])
        self.assertEqual(self.contact.received(len(self.contact.entries)), [])

    def test_time(self) -> None:
        """From the beginning of the connection."""
        self.assertEqual(self.contact.now, 0.0)
        self.clock.advance(2.5)
        self.hear(S0S1S2)
        self.assertEqual(self.contact.entries[-1].at, 2.5)

    def test_endings(self) -> None:
        for reason, how in ((ConnectionDone(), "closed"), (ConnectionLost(), "reset")):
            self.setUp()
            self.clock.advance(3)
            self.contact.connectionLost(Failure(reason))
            self.contact.connectionLost(Failure(ConnectionDone()))
            self.assertEqual((self.contact.closed, self.contact.closedAt), (how, 3.0))
            endings = [each for each in self.contact.entries if isinstance(each, Ending)]
            self.assertEqual([each.how for each in endings], [how])

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.binary(max_size=600), max_size=8), st.booleans())
    def test_anything(self, pieces: list[bytes], behindHandshake: bool) -> None:
        """Whatever comes, nothing raises, and every byte is counted."""
        self.setUp()
        if behindHandshake:
            self.hear(S0S1S2)
        self.hear(*pieces)
        self.clock.advance(SILENCE)
        self.meeting.run(self.contact.rest(2 * SILENCE))
        self.contact.connectionLost(Failure(ConnectionDone()))
        received = self.contact.conversation.readings[Side.SERVER].received
        self.assertEqual(received, sum(map(len, pieces)) + (len(S0S1S2) if behindHandshake else 0))


class OverrunTests(ContactTestCase):
    """A server that does not stop."""

    def test_bytes(self) -> None:
        """There is an end, and nothing is kept behind it."""
        self.patch(module, "MOST_BYTES", 100_000)
        self.hear(S0S1S2)
        junk = encodeMessage(Message(9, 0, 1, bytes(4096)), 128)
        for _ in range(1000):
            self.hear(junk)
        self.assertEqual(self.contact.closed, OVERRUN)
        self.assertIn("the server has sent", self.contact.overrun)
        kept = sum(len(each.message.payload) for each in self.contact.received())
        self.assertLess(kept, 110_000)
        self.assertTrue(self.contact.transport.isLost)  # type: ignore[union-attr]
        self.assertLess(self.contact.conversation.readings[Side.SERVER].received, 110_000)

    def test_entries(self) -> None:
        """Messages of a byte each are no less."""
        self.patch(module, "MOST_ENTRIES", 50)
        self.hear(S0S1S2)
        empty = encodeMessage(Message(9, 0, 1, b""), 128)
        self.hear(empty + b"\xc3" * 10_000)
        self.assertEqual(self.contact.closed, OVERRUN)
        self.assertLessEqual(len(self.contact.entries), 51)
        self.assertIsInstance(self.contact.entries[-1], Ending)

    def test_unreadable(self) -> None:
        """What nobody can read counts as well."""
        self.patch(module, "MOST_BYTES", 1000)
        for _ in range(100):
            self.hear(b"HTTP/1.1 400 Bad Request\r\n")
        self.assertEqual(self.contact.closed, OVERRUN)
        self.assertLess(self.contact.conversation.readings[Side.SERVER].received, 1100)

    def test_waiting(self) -> None:
        """Whoever waits goes on."""
        self.patch(module, "MOST_ENTRIES", 3)
        done = self.wait(60)
        self.hear(S0S1S2, *[encodeMessage(MESSAGE, 128)] * 9)
        self.assertEqual(done, [None])


class WaitingTests(ContactTestCase):
    def test_now(self) -> None:
        """What is there already."""
        self.assertEqual(self.wait(5, lambda: "x"), ["x"])

    def test_later(self) -> None:
        done = self.wait(5, lambda: self.contact.received() or None)
        self.hear(S0S1S2)
        self.assertEqual(done, [])
        self.clock.advance(0.1)
        self.hear(encodeMessage(MESSAGE, 128))
        self.assertEqual(len(done), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_never(self) -> None:
        """The time is over."""
        done = self.wait(5)
        self.clock.pump([0.5] * 9)
        self.assertEqual(done, [])
        self.clock.pump([0.5] * 2)
        self.assertEqual(done, [None])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closed(self) -> None:
        """The end of the connection is the end of waiting."""
        done = self.wait(5, lambda: self.contact.closed == "never" or None)
        self.contact.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(done, [None])
        self.assertEqual(self.wait(5), [None])

    def test_silence(self) -> None:
        """What is half there is looked at again when it is silent, not before, and each time that it is."""
        looked: list[float] = []
        settle = self.contact.conversation.settle

        def note(at: float) -> list[Entry]:
            looked.append(round(at, 3))
            return settle(at)

        self.patch(self.contact.conversation, "settle", note)
        self.hear(S0S1S2)
        done = self.wait(4)
        self.clock.pump([0.5, 0.4])
        self.assertEqual(looked, [])
        self.clock.advance(0.1)
        self.assertEqual(looked, [1.0])
        self.clock.advance(1)
        self.hear(encodeMessage(MESSAGE, 128))
        self.clock.pump([0.1] * 21)
        self.assertEqual((done, list(dict.fromkeys(looked))), ([None], [1.0, 3.0, 4.0]))

    def test_silenceAgain(self) -> None:
        """Bytes that come one by one put it off, and do not make it spin."""
        done = self.wait(3)
        for byte in S0S1S2[:20]:
            self.hear(bytes((byte,)))
            self.clock.advance(0.1)
        self.assertEqual(done, [])
        self.assertLessEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.pump([0.25] * 8)
        self.assertEqual(done, [None])

    def test_roundedClock(self) -> None:
        """Instants that a clock can't tell apart."""
        self.clock.advance(0.1 + 0.2)
        self.hear(S0S1S2)
        done = self.wait(SILENCE * 3)
        self.clock.pump([0.7, 0.1, 0.1, 0.1, 0.1, 0.1] * 4)
        self.assertEqual(done, [None])

    def test_ended(self) -> None:
        """By itself, or it is cut."""
        self.assertFalse(self.meeting.run(self.contact.ended(2)))
        self.assertEqual(self.contact.closed, "reset")
        self.setUp()
        self.server.transport.loseConnection()
        self.assertTrue(self.meeting.run(self.contact.ended(2)))
        self.assertEqual(self.contact.closed, "closed")

    def test_close(self) -> None:
        """What was said still arrives."""
        self.contact.say(S0S1S2)
        self.contact.close()
        self.meeting.pump()
        self.assertEqual(self.contact.closed, "closed")
        self.assertEqual(len(self.server.transport.written), 3073)


class FactoryTests(SynchronousTestCase):
    def test_contacts(self) -> None:
        """Each has its own beginning."""
        clock = Meeting().clock
        factory = ContactFactory(clock)
        clock.advance(7)
        contact = factory.buildProtocol(None)
        self.assertIsInstance(contact, Protocol)
        self.assertEqual(contact.now, 0.0)
        self.assertFalse(factory.noisy)
        self.assertIsNot(factory.buildProtocol(None), contact)


class ReadMessageTests(ContactTestCase):
    def test_ownBytes(self) -> None:
        """What we say is read by the same rules: a message cut in two is one entry."""
        self.contact.say(S0S1S2)
        data = encodeMessage(MESSAGE, 128)
        self.assertEqual(self.contact.say(data[:5]), [])
        (entry,) = self.contact.say(data[5:])
        assert isinstance(entry, ReadMessage)
        self.assertEqual(entry.message.payload, MESSAGE.payload)
