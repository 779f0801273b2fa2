# -*- test-case-name: tests.test_limits_reached -*-
"""
Each limit of a connection, at its value, one below and one above; and that it is counted, once for each occurrence.

A test is called after the field of L{Limits} that it is about. What other modules test stands in L{EXEMPT}; nothing is
in neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits
from rtmptw.wire import amf0
from rtmptw.wire.control import UserControl, UserControlType, acknowledgement, setChunkSize
from rtmptw.wire.message import Message
from tests.session.dialects import Application, Client, Stage, audio, command, data, takeTurns
from tests.session.servers import Listener, Script

#: The limits of more than one connection, of viewers and of recordings, and the modules that test them.
EXEMPT = {
    "connections": "tests.gate.test_admission",
    "strangers": "tests.gate.test_admission",
    "tlsStrangers": "tests.gate.test_admission",
    "addressConnections": "tests.gate.test_admission",
    "addressStrangers": "tests.gate.test_admission",
    "addressRate": "tests.gate.test_admission",
    "addressBurst": "tests.gate.test_admission",
    "memoryBytes": "tests.gate.test_memoryguard",
    "allPartialBytes": "tests.gate.test_memoryguard",
    "userTimeoutSeconds": "tests.test_keepalive",
    "behindBytes": "tests.live.test_viewer",
    "behindSeconds": "tests.live.test_viewer",
    "restSeconds": "tests.live.test_viewer",
    "allTapeBytes": "tests.hostile.test_limits",
    "recordings": "tests.record.test_recorder",
    "recordingQueueBytes": "tests.record.test_recording",
    "diskStallSeconds": "tests.record.test_recording",
    "diskFreeBytes": "tests.record.test_space",
    "diskFreePercent": "tests.record.test_space",
    "wrongProofs": "tests.auth.test_failures",
    "challenges": "tests.auth.test_challenges",
}

#: A message type that nobody knows: passed over, but read.
UNKNOWN = 99

#: What has a type, a chunk stream that nobody else has, and a first chunk of so many bytes.
CHUNK = 60_000


def unknown(size: int) -> Message:
    return Message(UNKNOWN, 0, 0, bytes(size), 9)


def begun(type: int, length: int, sent: int, chunkStream: int = 9) -> bytes:
    """The header of a message, and so many bytes of it."""
    return bytes((chunkStream, 0, 0, 0)) + length.to_bytes(3, "big") + bytes((type, 1, 0, 0, 0)) + bytes(sent)


class ReachedCase(SynchronousTestCase):
    """A server that keeps certain limits."""

    def serve(self, application: Application | None = None, **limits: float) -> Stage:
        return Stage(self, application, limits=Limits(**limits))  # type: ignore[arg-type]

    def assertReached(self, stage: Stage | Script, **counts: int) -> None:
        """What was counted: this, and nothing else."""
        self.assertEqual(dict(stage.factory.reached.counts), {name: count for name, count in counts.items() if count})


class TimeTests(ReachedCase):
    """How long anything may take: nothing happens before the time is over, and then once."""

    SECONDS = 5

    def assertTakes(
        self, limit: str, begin: Callable[[Stage], Client], word: str, meanwhile: Callable[[Client], None] | None = None
    ) -> Client:
        """
        @param begin: who is looked at; from then on the time runs.
        @param word: what the log says.
        @param meanwhile: what it does each second.
        """
        stage = self.serve(Application(), **{limit: self.SECONDS})
        client = begin(stage)
        for second in range(1, self.SECONDS + 2):
            if meanwhile is not None:
                meanwhile(client)
            stage.pass_(1)
            self.assertEqual(client.closing, second >= self.SECONDS, second)
            self.assertReached(stage, **{limit: int(second >= self.SECONDS)})
        client.lose()
        self.assertReached(stage, **{limit: 1})
        [line] = stage.lines()
        self.assertIn(word, line)
        return client

    def test_handshakeSeconds(self) -> None:
        self.assertTakes("handshakeSeconds", Stage.client, "no handshake within 5 s")

    def test_idleSeconds(self) -> None:
        self.assertTakes(
            "idleSeconds",
            Stage.connected,
            "neither published nor played for 5 s",
            lambda client: client.send(command("_checkbw")),
        )

    def test_verdictSeconds(self) -> None:
        def asking(stage: Stage) -> Client:
            stage.application.answers["publish"] = Deferred()
            client = stage.connected()
            client.send(command("publish", 3, None, "test", id=1))
            return client

        client = self.assertTakes("verdictSeconds", asking, "no decision within 5 s")
        self.assertEqual(client.told(), ["onStatus@1 NetStream.Failed"])

    def test_firstMediaSeconds(self) -> None:
        """Whatever else it says: what is no media is none."""
        client = self.assertTakes(
            "firstMediaSeconds",
            Stage.publisher,
            "the publisher sent no audio, video or data for 5 s",
            lambda client: client.send(acknowledgement(1), command("FCPublish", 9), Message(UNKNOWN, 0, 1, b"x")),
        )
        self.assertEqual(client.told(), ["onStatus@0 NetConnection.Connect.IdleTimeOut"])

    def test_firstMediaSecondsOfEach(self) -> None:
        """Audio, video and data are media, in an aggregate as well; so is what comes on another message stream."""
        part = b"\x08\0\0\1" + bytes(7) + b"x" + (12).to_bytes(4, "big")
        for message in (
            audio(1),
            Message(9, 1, 1, b"x"),
            data("onTextData", {}),
            Message(22, 0, 1, part),
            audio(1, id=7),
        ):
            stage = self.serve(firstMediaSeconds=self.SECONDS)
            client = stage.publisher()
            stage.pass_(self.SECONDS - 1)
            client.send(message)
            stage.pass_(9)
            self.assertFalse(client.closing, message)
            self.assertEqual(len(stage.published[0].messages), 1)
            client.send(command("closeStream", 0, id=1), command("publish", 3, None, "test", id=1))
            for second in range(self.SECONDS):
                self.assertFalse(client.closing, second)
                client.send(acknowledgement(1))
                stage.pass_(1)
            self.assertTrue(client.closing)
            self.assertReached(stage, firstMediaSeconds=1)

    def test_pingSeconds(self) -> None:
        """It is pinged once, and may go on."""
        stage = self.serve(pingSeconds=self.SECONDS)
        client = stage.publisher()
        client.send(audio(1))
        for second in range(1, self.SECONDS + 2):
            stage.pass_(1)
            self.assertEqual(len(client.told()), int(second == self.SECONDS), second)
            self.assertReached(stage, pingSeconds=int(second >= self.SECONDS))
        self.assertFalse(client.closing)

    def test_silenceSeconds(self) -> None:
        client = self.assertTakes("silenceSeconds", Stage.publisher, "the publisher was silent for 5 s")
        self.assertEqual(client.told(), ["onStatus@0 NetConnection.Connect.IdleTimeOut"])

    def test_messageSeconds(self) -> None:
        """However many bytes of it come."""

        def within(stage: Stage) -> Client:
            client = stage.publisher()
            client.send(audio(1))
            stage.pass_(1)
            client.receive(begun(9, 100, 10))
            return client

        client = self.assertTakes(
            "messageSeconds", within, "a message was not completed within 5 s", lambda client: client.receive(b"x")
        )
        self.assertEqual(client.told(), ["onStatus@0 NetConnection.Connect.Closed"])

    def test_stallSeconds(self) -> None:
        def full(stage: Stage) -> Client:
            client = stage.player()
            client.transport.producer.pauseProducing()
            return client

        client = self.assertTakes("stallSeconds", full, "took nothing for 5 s")
        self.assertTrue(client.transport.disconnected)

    def test_lingerSeconds(self) -> None:
        """Who does not close its side, and who does not take what is left either."""
        stage = self.serve(lingerSeconds=self.SECONDS, stallSeconds=7)
        client = stage.connected()
        client.protocol.close("enough")
        for second in range(1, self.SECONDS + 7 + 2):
            stage.pass_(1)
            late, stalled = second >= self.SECONDS, second >= self.SECONDS + 7
            self.assertEqual(client.transport.calls[-1] == "loseWriteConnection", not late, second)
            self.assertEqual(client.transport.disconnected, stalled, second)
            self.assertReached(stage, lingerSeconds=int(late), stallSeconds=int(stalled))

    def test_lingerSecondsInTime(self) -> None:
        stage = self.serve(lingerSeconds=self.SECONDS)
        client = stage.connected()
        client.protocol.close("enough")
        stage.pass_(self.SECONDS - 1)
        client.lose()
        stage.pass_(60)
        self.assertReached(stage)


class SizeTests(ReachedCase):
    """How much a peer may send: one more closes the connection."""

    SIZE = 2000

    def assertCloses(
        self, limit: str, most: int, attempt: Callable[[Stage, int], Client], word: str, **others: float
    ) -> None:
        """
        @param attempt: does it, so many times or so large.
        """
        for count in (most - 1, most, most + 1):
            stage = self.serve(Application(), **{limit: most}, **others)
            client = attempt(stage, count)
            self.assertEqual(client.closing, count > most, count)
            self.assertReached(stage, **{limit: int(count > most)})
            stage.pass_(1)
            client.lose()
            self.assertReached(stage, **{limit: int(count > most)})
            self.assertIn(word if count > most else "", stage.lines()[0])

    def sends(self, make: Callable[[int], Message], begin: Callable[[Stage], Client]) -> Callable[[Stage, int], Client]:
        def attempt(stage: Stage, size: int) -> Client:
            client = begin(stage)
            client.send(make(size))
            return client

        return attempt

    def begins(self, type: int, begin: Callable[[Stage], Client]) -> Callable[[Stage, int], Client]:
        def attempt(stage: Stage, size: int) -> Client:
            client = begin(stage)
            client.send(setChunkSize(CHUNK))
            client.receive(begun(type, 5 * self.SIZE, size), 999)
            return client

        return attempt

    def test_strangerMessageBytes(self) -> None:
        """Of any type."""
        for type in (8, 9, 18, UNKNOWN):
            attempt = self.sends(lambda size, type=type: Message(type, 0, 1, bytes(size), 9), Stage.connected)
            self.assertCloses("strangerMessageBytes", self.SIZE, attempt, "2000 are allowed")

    def test_strangerPartialBytes(self) -> None:
        self.assertCloses(
            "strangerPartialBytes", self.SIZE, self.begins(UNKNOWN, Stage.connected), "more than 2000 bytes"
        )

    def test_commandBytes(self) -> None:
        self.assertCloses("commandBytes", self.SIZE, self.sends(unknown, Stage.publisher), "2000 are allowed")

    def test_dataBytes(self) -> None:
        for type in (15, 18):
            attempt = self.sends(lambda size, type=type: Message(type, 0, 1, bytes(size), 9), Stage.publisher)
            self.assertCloses("dataBytes", self.SIZE, attempt, "2000 are allowed")

    def test_audioBytes(self) -> None:
        attempt = self.sends(lambda size: audio(1, bytes(size)), Stage.publisher)
        self.assertCloses("audioBytes", self.SIZE, attempt, "2000 are allowed")

    def test_videoBytes(self) -> None:
        attempt = self.sends(lambda size: Message(9, 1, 1, bytes(size), 9), Stage.publisher)
        self.assertCloses("videoBytes", self.SIZE, attempt, "2000 are allowed")

    def test_aggregateBytes(self) -> None:
        def aggregate(size: int) -> Message:
            body = bytes(size - 15)
            part = b"\x08" + len(body).to_bytes(3, "big") + bytes(7) + body + (size - 4).to_bytes(4, "big")
            return Message(22, 0, 1, part, 9)

        self.assertCloses("aggregateBytes", self.SIZE, self.sends(aggregate, Stage.publisher), "2000 are allowed")

    def test_partialBytes(self) -> None:
        self.assertCloses("partialBytes", self.SIZE, self.begins(9, Stage.publisher), "more than 2000 bytes")

    def test_partialMessages(self) -> None:
        def attempt(stage: Stage, count: int) -> Client:
            client = stage.connected()
            for number in range(count):
                client.receive(begun(UNKNOWN, 200, 128, 10 + number))
            return client

        self.assertCloses("partialMessages", 3, attempt, "more than 3 messages half sent")

    def test_chunkStreams(self) -> None:
        def attempt(stage: Stage, count: int) -> Client:
            client = stage.client()
            client.shakeHands()
            for number in range(count):
                client.receive(begun(UNKNOWN, 0, 0, 10 + number))
            return client

        self.assertCloses("chunkStreams", 9, attempt, "more than 9 chunk streams")

    def calls(self, limit: str, most: int, payload: Callable[[int], bytes], **others: float) -> None:
        """What a command may hold: of the server's clients, and of a client's server."""

        def attempt(stage: Stage, count: int) -> Client:
            client = stage.connected()
            client.send(Message(20, 0, 0, payload(count), 3))
            return client

        self.assertCloses(limit, most, attempt, "protocol error", **others)
        for count in (most - 1, most, most + 1):
            script = Script(self, limits=Limits(**{limit: most}, **others)).connected()  # type: ignore[arg-type]
            script.say(Message(20, 0, 0, payload(count), 3))
            self.assertEqual(script.transport.disconnecting, count > most)
            self.assertReached(script, **{limit: int(count > most)})

    def test_amfDepth(self) -> None:
        def payload(depth: int) -> bytes:
            value: Any = 1.0
            for _ in range(depth):
                value = [value]
            return amf0.encode("call", 0.0, value)

        self.calls("amfDepth", 6, payload)

    def test_amfRepeatedBytes(self) -> None:
        def payload(size: int) -> bytes:
            # The marker of the object is not repeated, nor is any other.
            value = amf0.encode({"a": "x" * (size - 9)})
            self.assertEqual(len(value) - 1, size)
            return amf0.encode("call", 0.0) + value + b"\x07\0\0"

        self.calls("amfRepeatedBytes", 1000, payload)

    def test_commandValues(self) -> None:
        self.calls("commandValues", 20, lambda count: amf0.encode("call", 0.0, *[None] * (count - 2)))

    def test_commandKeys(self) -> None:
        self.calls("commandKeys", 20, lambda count: amf0.encode("call", 0.0, {str(key): None for key in range(count)}))

    def test_commandStringBytes(self) -> None:
        """A name, a value, and a key."""
        self.calls("commandStringBytes", 300, lambda size: amf0.encode("x" * size, 0.0))
        self.calls("commandStringBytes", 300, lambda size: amf0.encode("call", 0.0, "x" * size))
        self.calls("commandStringBytes", 300, lambda size: amf0.encode("call", 0.0, {"x" * size: 1.0}))

    def messages(self, limit: str, most: int, payload: Callable[[int], bytes]) -> None:
        """What a data message of a publisher or a server may hold: one that holds more is passed over."""
        for count in (most - 1, most, most + 1):
            stage = self.serve(**{limit: most})
            client = stage.publisher()
            client.send(*[Message(18, 0, 1, payload(count), 4)] * 2)
            excess = 2 if count > most else 0
            self.assertEqual(len(stage.published[0].messages), 2 - excess)
            self.assertReached(stage, **{limit: excess})
            self.assertFalse(client.closing)
            script = Script(self, limits=Limits(**{limit: most})).connected()  # type: ignore[arg-type]
            listener = Listener()
            stream = script.playing(listener)
            for _ in range(2):
                script.say(Message(18, 0, 1, payload(count), 4))
            self.assertEqual((len(listener.messages), stream.unreadable), (2 - excess, excess))
            self.assertReached(script, **{limit: excess})
            self.assertFalse(script.transport.disconnecting)

    def test_dataValues(self) -> None:
        """Values, and members of an object."""
        self.messages("dataValues", 20, lambda count: amf0.encode("onTextData", *[None] * (count - 1)))
        keys = [str(key) for key in range(100)]
        self.messages("dataValues", 20, lambda count: amf0.encode("onTextData", dict.fromkeys(keys[: count - 2])))

    def test_dataStringBytes(self) -> None:
        self.messages("dataStringBytes", 300, lambda size: amf0.encode("onTextData", "x" * size))

    def test_unreadBytes(self) -> None:
        """Who asks and does not read is cut off. What counts is the bytes of so many answers."""
        call, most = command("_checkbw", 9), 50
        reader = Stage(self).connected()
        for _ in range(most):
            reader.send(call)
        size = len(reader.transport.value())
        for count in (most - 1, most, most + 1):
            stage = self.serve(unreadBytes=size)
            client = stage.connected()
            client.transport.producer.pauseProducing()
            for _ in range(count):
                client.send(call)
            self.assertEqual(client.transport.disconnected, count > most, count)
            self.assertReached(stage, unreadBytes=int(count > most))
            client.send(call)
            client.lose()
            self.assertEqual(stage.factory.reached.counts["unreadBytes"], int(count >= most))
            self.assertIn("does not read" if count >= most else "", stage.lines()[0])


class PaceTests(ReachedCase):
    """How much of something there may be in a second: then reading pauses, and it is counted once."""

    def assertPauses(self, limit: str, most: int, send: Callable[[Client, int], None]) -> None:
        for count in (most - 1, most, most + 1):
            stage = self.serve(**{limit: most})
            client = stage.connected()
            stage.pass_(1)
            for second in range(1, 3):
                send(client, count)
                held = count > most
                self.assertEqual(client.transport.producerState, "paused" if held else "producing", count)
                self.assertReached(stage, **{limit: second * held})
                if held:
                    # What TLS has decrypted already comes nevertheless.
                    send(client, 2)
                    self.assertReached(stage, **{limit: second})
                stage.pass_(1)
                self.assertEqual(client.transport.producerState, "producing")
            self.assertFalse(client.closing)

    def test_smallChunks(self) -> None:
        self.assertPauses("smallChunks", 20, lambda client, count: client.send(*[unknown(1)] * count))

    def test_emptyMessages(self) -> None:
        self.assertPauses("emptyMessages", 20, lambda client, count: client.send(*[unknown(0)] * count))

    def test_commands(self) -> None:
        self.assertPauses("commands", 5, lambda client, count: client.send(*[command("_checkbw", 0)] * count))

    def test_pings(self) -> None:
        """Each that is not answered counts."""
        for count in (2, 3, 4, 9):
            stage = self.serve(pings=3)
            client = stage.connected()
            for second in range(1, 3):
                client.send(*[UserControl(UserControlType.PING_REQUEST, n).encode() for n in range(count)])
                self.assertEqual(len(client.take()), min(3, count))
                self.assertReached(stage, pings=second * max(0, count - 3))
                stage.pass_(1)

    def test_heldBytes(self) -> None:
        """While the application decides. What comes then is read at once, however much it is."""
        for count in (1999, 2000, 2001):
            verdict: Deferred[None] = Deferred()
            stage = self.serve(Application(publish=verdict), heldBytes=2000)
            client = stage.connected()
            client.send(command("publish", 3, None, "test", id=1))
            client.receive(begun(9, 5000, count - 12), 700)
            self.assertEqual(client.transport.producerState, "paused" if count > 2000 else "producing")
            self.assertReached(stage, heldBytes=int(count > 2000))
            if count > 2000:
                client.receive(b"x")
                stage.pass_(1)
                self.assertEqual(client.transport.producerState, "paused")
                self.assertReached(stage, heldBytes=1)
            verdict.callback(None)
            takeTurns(client.protocol, stage.clock)
            self.assertEqual(client.transport.producerState, "producing")
            self.assertFalse(client.closing)


class RequestTests(ReachedCase):
    """How much a client may ask for: one more is refused."""

    def assertRefuses(
        self, limit: str, most: int, attempt: Callable[[Client, int], None], words: str, **others: float
    ) -> None:
        for count in (most - 1, most, most + 1):
            stage = self.serve(Application(), **{limit: most}, **others)
            client = stage.connected()
            for number in range(1, count + 1):
                self.assertFalse(client.closing, number)
                attempt(client, number)
            self.assertEqual(client.closing, count > most)
            self.assertReached(stage, **{limit: int(count > most)})
            client.lose()
            self.assertIn(words if count > most else "", stage.lines()[0])

    def test_streams(self) -> None:
        """Whether they were created, or just used."""
        self.assertRefuses(
            "streams",
            3,
            lambda client, number: client.send(command("createStream", number)),
            "'createStream' refused: too many message streams",
        )
        self.assertRefuses(
            "streams",
            3,
            lambda client, number: client.send(command("play", number, None, "test", id=number)),
            "play refused: NetStream.Play.Failed: too many message streams",
        )

    def test_createdStreams(self) -> None:
        """Also if there is one at a time."""
        self.assertRefuses(
            "createdStreams",
            4,
            lambda client, number: client.send(
                command("createStream", number), command("deleteStream", 0, None, float(number))
            ),
            "'createStream' refused: too many message streams",
        )

    def test_requestsAtOnce(self) -> None:
        """Publishes and plays, in one second."""
        self.assertRefuses(
            "requestsAtOnce",
            3,
            lambda client, number: client.send(
                command("publish" if number % 2 else "play", 9, None, "test", id=1), command("closeStream", 0, id=1)
            ),
            "too many requests",
        )

    def test_requestsPerMinute(self) -> None:
        """Six in a minute are one in ten seconds, when those at once are used up; who waits has them all again."""
        for seconds, refused in ((9, True), (10, False), (11, False), (20, False)):
            stage = self.serve(requestsAtOnce=2, requestsPerMinute=6)
            client = stage.connected()

            def ask(client: Client = client) -> None:
                client.send(command("closeStream", 0, id=1), command("publish", 9, None, "test", id=1), audio(1))

            def wait(seconds: int, client: Client = client) -> None:
                for _ in range(seconds):
                    client.stage.pass_(1)
                    client.send(audio(1))

            ask()
            ask()
            wait(10)
            ask()
            self.assertReached(stage)
            wait(seconds)
            ask()
            self.assertEqual(client.closing, refused, seconds)
            self.assertReached(stage, requestsPerMinute=int(refused))
            if not refused:
                wait(20)
                ask()
                ask()
                self.assertFalse(client.closing)
                ask()
                self.assertTrue(client.closing)
                self.assertReached(stage, requestsAtOnce=1)


class CompleteTests(SynchronousTestCase):
    def test_everyLimit(self) -> None:
        """Every limit has a test here or elsewhere."""
        here = {
            name.removeprefix("test_")
            for case in (TimeTests, SizeTests, PaceTests, RequestTests)
            for name in dir(case)
            if name.startswith("test_")
        }
        names = {field.name for field in fields(Limits)}
        self.assertEqual(names - here - set(EXEMPT), set())
        self.assertEqual(set(EXEMPT) - names, set())
        self.assertEqual(here & set(EXEMPT), set())

    def test_elsewhere(self) -> None:
        """And those elsewhere are about it."""
        for name, module in EXEMPT.items():
            path = Path(__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py")
            self.assertIn(name, path.read_text(), f"{name} in {module}")
