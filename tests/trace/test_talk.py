"""
Tests for L{rtmptw.trace.talk}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.entry import Chunk, Ending, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.segment import Side
from rtmptw.trace.talk import Role, Talk
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue
from rtmptw.wire.control import windowAcknowledgementSize
from rtmptw.wire.message import Message, MessageType

ODD: tuple[AMFValue, ...] = (
    float("nan"),
    float("inf"),
    -float("inf"),
    -1.0,
    1e308,
    0.5,
    "1",
    "",
    None,
    UNDEFINED,
    True,
    {},
    [1.0],
    {"level": {}, "code": []},
)


class TalkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.talk = Talk()
        self.now = 0.0

    def hear(self, side: Side, message: Message) -> None:
        self.now += 1
        chunks = (Chunk(0, 0, message.chunkStreamId, bytes(12), len(message.payload)),)
        self.talk.heard(ReadMessage(side, self.now, 0, message, chunks, 128))

    def client(self, *values: AMFValue, type: int = MessageType.COMMAND, head: bytes = b"") -> None:
        self.hear(Side.CLIENT, Message(type, 0, 1, head + amf0.encode(*values)))

    def server(self, *values: AMFValue) -> None:
        self.hear(Side.SERVER, Message(MessageType.COMMAND, 0, 0, amf0.encode(*values)))

    def test_handshake(self) -> None:
        self.talk.heard(HandshakeBlock(Side.CLIENT, 0.0, 0, "C0", b"\x03"))
        self.talk.heard(HandshakeBlock(Side.SERVER, 0.0, 0, "S0", b"\x03"))
        self.assertEqual(self.talk.blocks, {"C0": b"\x03", "S0": b"\x03"})

    def test_calls(self) -> None:
        """A call waits until it is answered; the oldest first, whatever order the answers have."""
        self.assertIsNone(self.talk.waiting())
        self.client("connect", 1.0, {})
        self.client("createStream", 2.0, None)
        self.assertEqual([call.name for call in self.talk.calls], ["connect", "createStream"])
        waiting = self.talk.waiting()
        assert waiting is not None
        self.assertEqual((waiting.name, waiting.transactionId, waiting.streamId, waiting.at), ("connect", 1.0, 1, 1.0))
        self.server("_result", 2.0, None, 1.0)
        self.assertIsNone(self.talk.waiting("createStream"))
        self.assertIs(self.talk.waiting(), waiting)
        self.server("_result", 1.0, {}, {})
        self.assertIsNone(self.talk.waiting())
        self.assertEqual([call.answered for call in self.talk.calls], [4.0, 3.0])
        self.assertEqual(self.talk.streamIds, [1])

    def test_answeredOnce(self) -> None:
        """A second answer changes nothing; one to nobody neither."""
        self.client("connect", 1.0, {})
        for id in (1.0, 1.0, 7.0):
            self.server("_result", id, {}, {})
        self.assertEqual(self.talk.calls[0].answered, 2.0)
        self.assertIsNone(self.talk.asked(7.0))

    def test_sameTransaction(self) -> None:
        """Of calls with the same transaction ID the newest is meant."""
        self.client("releaseStream", 0.0, None, "x")
        self.client("publish", 0.0, None, "x", "live")
        asked = self.talk.asked(0.0)
        assert asked is not None
        self.assertEqual(asked.name, "publish")

    def test_streams(self) -> None:
        """Several; what is no stream ID is left out, and other answers are no streams."""
        self.client("connect", 1.0, {})
        self.server("_result", 1.0, None, 9.0)
        for id in (2.0, 3.0, 4.0, 5.0):
            self.client("createStream", id, None)
        self.server("_result", 2.0, None, 1.0)
        self.server("_result", 3.0, None, 5.0)
        self.server("_result", 4.0, None, 0.0)
        self.server("_result", 5.0, None, "2")
        self.assertEqual(self.talk.streamIds, [1, 5, 0])

    def test_roles(self) -> None:
        self.assertEqual(self.talk.role, Role.UNKNOWN)
        self.client("play", 0.0, None, "x")
        self.assertEqual(self.talk.role, Role.PLAYER)
        self.client("publish", 0.0, None, "x", type=MessageType.COMMAND_AMF3, head=b"\0")
        self.assertEqual((self.talk.role, self.talk.leaving), (Role.PUBLISHER, False))

    def test_leaving(self) -> None:
        """publish(false) ends a stream, as the other three do; another publish begins one."""
        for name in ("FCUnpublish", "deleteStream", "closeStream"):
            talk = self.talk = Talk()
            self.client(name, 0.0, None, "x")
            self.assertTrue(talk.leaving)
        self.client("publish", 0.0, None, "x")
        self.assertFalse(self.talk.leaving)
        self.client("publish", 0.0, None, False)
        self.assertTrue(self.talk.leaving)

    def test_statuses(self) -> None:
        for code in ("NetStream.Publish.Start", "NetStream.Play.Start"):
            self.talk = Talk()
            self.server("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Play.Reset"})
            self.assertFalse(self.talk.started)
            self.server("onStatus", 0.0, None, {"level": "status", "code": code})
            self.assertEqual((self.talk.started, self.talk.refused), (True, False))

    def test_refusals(self) -> None:
        self.server("onStatus", 0.0, None, {"level": "error", "code": "NetStream.Publish.BadName"})
        self.assertEqual((self.talk.started, self.talk.refused), (False, True))
        self.talk = Talk()
        self.client("connect", 1.0, {})
        self.server("_error", 1.0, None, {"level": "error"})
        self.assertTrue(self.talk.refused)
        self.assertIsNone(self.talk.waiting())

    def test_clientDoesNotAnswer(self) -> None:
        """What a client calls an answer is no call, and its statuses are none of the server's."""
        self.client("_result", 1.0, None)
        self.client("onStatus", 0.0, None, {"code": "NetStream.Publish.Start"})
        self.assertEqual([call.name for call in self.talk.calls], ["onStatus"])
        self.assertFalse(self.talk.started)

    def test_media(self) -> None:
        for type in (MessageType.AUDIO, MessageType.VIDEO, MessageType.DATA):
            self.hear(Side.CLIENT, Message(type, 0, 1, b""))
        self.assertEqual(self.talk.media, {Side.CLIENT: 2, Side.SERVER: 0})

    def test_acknowledgements(self) -> None:
        """Who sends a window asks for acknowledgements; a window of nothing is none."""
        self.hear(Side.SERVER, windowAcknowledgementSize(2500000))
        self.hear(Side.CLIENT, Message(MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, 0, 0, bytes(4), 2))
        self.hear(Side.CLIENT, Message(MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, 0, 0, b"\1", 2))
        self.assertEqual(self.talk.asksForAcknowledgements, {Side.SERVER: True, Side.CLIENT: False})

    def test_forgets(self) -> None:
        """It does not remember without end."""
        for number in range(1, 3000):
            self.client("createStream", float(number), None)
            self.server("_result", float(number), None, float(number))
        self.assertEqual((len(self.talk.calls), len(self.talk.streamIds)), (1024, 1024))
        self.assertEqual(self.talk.streamIds[-1], 2999)
        self.assertIsNone(self.talk.asked(1.0))

    def test_oddValues(self) -> None:
        """Whatever stands where a number, a name or an object should be."""
        for first in ODD:
            for second in ODD:
                for name in ("connect", "createStream", "publish", "play", first):
                    self.client(name, first, second, second)
                for name in ("_result", "_error", "onStatus"):
                    self.server(name, first, second, second)
                    self.server(name, first)
                    self.server(name)
        self.server()
        self.client()
        self.assertEqual({call.answered is None for call in self.talk.calls}, {True, False})

    def test_others(self) -> None:
        """Ends and bytes that can't be read say nothing of what was said."""
        self.talk.heard(Ending(Side.CLIENT, 0.0, 0, "FIN"))
        self.talk.heard(Unreadable(Side.CLIENT, 0.0, 0, b"x", 1, "why"))
        self.assertEqual(self.talk, Talk())

    @given(st.binary(max_size=80), st.integers(0, 22), st.sampled_from(list(Side)))
    def test_anyPayload(self, payload: bytes, type: int, side: Side) -> None:
        talk = Talk()
        talk.heard(
            ReadMessage(side, 0.0, 0, Message(type, 0, 0, payload), (Chunk(0, 0, 3, bytes(12), len(payload)),), 128)
        )
        self.assertTrue(len(talk.calls) <= 1)
