"""
Tests for L{rtmptw.doctor.witness}: what comes out of a server, and what does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from rtmptw.dialects.visit import Visit
from rtmptw.doctor.target import Target
from rtmptw.doctor.witness import STREAM_EOF, UNPUBLISH, Witness, arrived, endSigns
from rtmptw.trace.entry import Entry, ReadMessage
from rtmptw.trace.segment import Side
from rtmptw.wire.message import Message, MessageType
from tests.brokenservers.plain import PlainServer
from tests.doctor.network import Network, NetworkTestCase
from tests.doctor.servers import Garbles, KeepsPublisher, Remuxes, Silent


def show(network: Network, target: Target, publish: Callable[[Visit], object]) -> tuple[Witness, Visit]:
    """Publish something to a witness, who leaves when no more comes."""

    async def run() -> tuple[Witness, Visit]:
        witness, publisher = await target.witness(), await target.publisher()
        assert witness is not None and publisher is not None
        publisher.begin()
        await target.attend(publisher, witness)
        publish(publisher)
        await witness.sees(9, 1.0)
        await target.part(publisher, witness)
        return witness, publisher

    return network.run(run())


def without(messages: Iterable[Message], *places: int) -> list[Message]:
    """All but some of them."""
    return [message for place, message in enumerate(messages) if place not in places]


class WitnessTests(NetworkTestCase):
    def show(self, publish: Callable[[Visit], object], kind: type[PlainServer] = PlainServer) -> tuple[Witness, Visit]:
        network = self.network(kind)
        return show(network, network.target(), publish)

    def test_all(self) -> None:
        witness, publisher = self.show(lambda publisher: publisher.send(publisher.footage.frames(10)))
        self.assertEqual(witness.seen, list(range(10)))
        self.assertEqual(witness.missing(10), [])
        self.assertEqual(witness.damaged(publisher, 10), [])

    def test_missing(self) -> None:
        witness, _ = self.show(lambda publisher: publisher.send(without(publisher.footage.frames(10), 3, 4, 8)))
        self.assertEqual(witness.missing(12), [3, 4, 8, 10, 11])

    def test_others(self) -> None:
        """What somebody else has published does not count."""

        def publish(publisher: Visit) -> None:
            publisher.send(replace(publisher.footage, take=publisher.take + 1).frames(10))

        witness, _ = self.show(publish)
        self.assertEqual(witness.seen, [])

    def test_damaged(self) -> None:
        """One byte is enough; what was never sent is damage as well."""
        witness, publisher = self.show(lambda publisher: publisher.send(publisher.footage.frames(10)), Garbles)
        self.assertEqual(witness.damaged(publisher, 10), [1, 3, 5, 7, 9])
        self.assertEqual(witness.damaged(publisher, 8), [1, 3, 5, 7, 8, 9])

    def test_more(self) -> None:
        """A server may put something into a message, as parameter sets."""
        witness, publisher = self.show(lambda publisher: publisher.send(publisher.footage.frames(10)), Remuxes)
        self.assertEqual(witness.seen, list(range(10)))
        self.assertEqual(witness.damaged(publisher, 10), [])

    def test_aggregate(self) -> None:
        """Many in one message count, and are not looked at more closely."""

        def publish(publisher: Visit) -> None:
            frames = list(publisher.footage.frames(10))
            publisher.send(frames[:2])
            body = b"".join(message.payload for message in frames[2:])
            publisher.send([replace(frames[0], type=MessageType.AUDIO, payload=body)])

        witness, publisher = self.show(publish)
        self.assertEqual(witness.seen, list(range(10)))
        self.assertEqual(witness.damaged(publisher, 10), [])
        entries = [
            replace(entry, message=replace(entry.message, type=MessageType.AGGREGATE))
            for entry in witness.visit.contact.received()
            if entry.message.type == MessageType.VIDEO
        ]
        self.assertEqual(arrived(entries, publisher.take), [0])
        witness.visit.contact.entries[:] = entries
        self.assertEqual(witness.damaged(publisher, 10), [])


class WaitTests(NetworkTestCase):
    def test_patience(self) -> None:
        """The first one may take as long as an answer; what follows it, not."""
        network = self.network()
        target = network.target()

        async def run() -> tuple[bool, float, bool, float]:
            witness, publisher = await target.witness(), await target.publisher()
            assert witness is not None and publisher is not None
            publisher.begin()
            await target.attend(publisher, witness)
            network.clock.callLater(4.0, publisher.send, publisher.footage.frames(5))
            began = network.clock.seconds()
            first = await witness.sees(4, 1.0), network.clock.seconds() - began
            network.clock.callLater(4.0, publisher.send, publisher.footage.frames(5, 5))
            began = network.clock.seconds()
            second = await witness.sees(9, 1.0), network.clock.seconds() - began
            await publisher.contact.rest(4.0)
            await target.part(publisher, witness)
            return *first, *second

        sees, took, seesLater, tookLater = network.run(run())
        self.assertEqual((sees, seesLater), (True, False))
        self.assertNear(took, 4.0, 0.1)
        self.assertNear(tookLater, 1.0, 0.1)

    def test_asLongAsOthersCome(self) -> None:
        network = self.network()
        target = network.target()

        async def run() -> bool:
            witness, publisher = await target.witness(), await target.publisher()
            assert witness is not None and publisher is not None
            await target.attend(publisher, witness)
            for number in range(10):
                network.clock.callLater(0.8 * number, publisher.send, publisher.footage.frames(1, number))
            sees = await witness.sees(9, 1.0)
            await target.part(publisher, witness)
            return sees

        self.assertTrue(network.run(run()))

    def test_closed(self) -> None:
        """There is nothing to wait for."""
        network = self.network()
        witness = network.run(network.target().witness())
        assert witness is not None
        witness.visit.contact.abort()
        self.assertTrue(witness.isOver)
        self.assertFalse(network.run(witness.sees(0, 1.0), 0.1))

    def test_silent(self) -> None:
        network = self.network(Silent)
        target = network.target()
        self.assertIsNone(network.run(target.witness()))


class EndTests(NetworkTestCase):
    def ends(self, server: type[PlainServer] | str) -> tuple[bool, set[str], list[Entry]]:
        network = self.network(server)
        target = network.target()

        async def run() -> tuple[bool, set[str], list[Entry]]:
            witness, publisher = await target.witness(), await target.publisher()
            assert witness is not None and publisher is not None
            publisher.leave()
            hears = await witness.hearsEnd(1.0)
            contact = witness.visit.contact
            await target.part(publisher, witness)
            return hears, endSigns(contact.received()), contact.entries

        return network.run(run())

    def test_signs(self) -> None:
        rows: list[tuple[type[PlainServer] | str, bool, set[str]]] = [
            (PlainServer, True, {UNPUBLISH, STREAM_EOF}),
            ("end-without-streameof", True, {UNPUBLISH}),
            ("end-without-unpublishnotify", True, {STREAM_EOF}),
            (KeepsPublisher, False, set()),
        ]
        for server, expectedHears, expected in rows:
            hears, signs, _ = self.ends(server)
            self.assertEqual((hears, signs), (expectedHears, expected), server)

    def test_unreadable(self) -> None:
        """What is too short, or has no code, says nothing."""
        _, _, entries = self.ends(PlainServer)
        messages = [entry for entry in entries if isinstance(entry, ReadMessage) and entry.side is Side.SERVER]
        control = next(each for each in messages if each.message.type == MessageType.USER_CONTROL)
        command = next(each for each in messages if each.message.type == MessageType.COMMAND)
        for entry in (control, command):
            for payload in (b"", b"\0", b"\2\0\1x\0"):
                self.assertEqual(endSigns([replace(entry, message=replace(entry.message, payload=payload))]), set())
