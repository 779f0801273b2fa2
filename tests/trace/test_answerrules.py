# -*- test-case-name: tests.trace.test_answerrules -*-
"""
Tests for L{rtmptw.trace.answerrules}.
"""

from __future__ import annotations

from struct import pack

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.segment import Side
from rtmptw.wire.amf import UNDEFINED, AMFValue, ECMAArray
from rtmptw.wire.message import MessageType
from tests.trace.dialogue import SUCCESS, Dialogue, command, status

REJECTED: dict[str, AMFValue] = {"level": "error", "code": "NetConnection.Connect.Rejected"}


def asked(*calls: tuple[AMFValue, ...]) -> Dialogue:
    """Such calls were made, and are not answered."""
    dialogue = Dialogue()
    dialogue.shakeHands()
    for call in calls:
        dialogue.client(command(*call))
    return dialogue


class ConnectTransactionIdTests(SynchronousTestCase):
    def test_another(self) -> None:
        for sent, answered in ((1.0, 2.0), (1.0, 0.0), (2.0, 1.0), (1.0, float("nan")), (0.0, 1.0)):
            dialogue = asked(("connect", sent, {"app": "live"}))
            dialogue.server(command("_result", answered, None, SUCCESS))
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["connect-transaction-id"], answered)
            self.assertEqual(violation.offset, dialogue.place(b"\x02\0\x07_result") + 10)

    def test_words(self) -> None:
        dialogue = asked(("connect", 1.0, {"app": "live"}))
        dialogue.server(command("_result", 2.0, None, SUCCESS))
        self.assertEqual(
            dialogue.found[0].words,
            "the answer to connect (transaction ID 1) has transaction ID 2: the client does not take it for its answer",
        )

    def test_theSame(self) -> None:
        for id in (1.0, 2.0, 0.0, -7.5, 1e300):
            dialogue = asked(("connect", id, {"app": "live"}))
            dialogue.server(command("_result", id, None, SUCCESS))
            self.assertEqual(dialogue.found, [])

    def test_littleEndian(self) -> None:
        """Row 1: a double packed the wrong way."""
        dialogue = asked(("connect", 1.0, {"app": "live"}))
        wrong = command("_result", 1.0, None, SUCCESS)
        wrong.payload = wrong.payload.replace(pack(">d", 1.0), pack("<d", 1.0))
        dialogue.server(wrong)
        self.assertEqual(dialogue.causes, ["connect-transaction-id"])

    def test_theNumberOfAnotherCall(self) -> None:
        """_checkbw came, and took 2."""
        dialogue = asked(("connect", 1.0, {"app": "live"}), ("_checkbw", 2.0, None))
        dialogue.server(command("_result", 2.0, None, SUCCESS))
        self.assertEqual(dialogue.causes, ["connect-transaction-id"])

    def test_error(self) -> None:
        dialogue = asked(("connect", 1.0, {"app": "live"}))
        dialogue.server(command("_error", 5.0, None, REJECTED))
        self.assertEqual(dialogue.causes, ["connect-transaction-id"])

    def test_errorAsItShouldBe(self) -> None:
        dialogue = asked(("connect", 1.0, {"app": "live"}))
        dialogue.server(command("_error", 1.0, None, REJECTED))
        self.assertEqual(dialogue.found, [])

    def test_whatWasSaidFirstCounts(self) -> None:
        """connect has its answer; this is one to nothing."""
        dialogue = asked(("connect", 1.0, {"app": "live"}))
        dialogue.server(command("_result", 1.0, None, SUCCESS), command("_result", 9.0, None, SUCCESS))
        self.assertEqual(dialogue.causes, ["answers-transaction-0"])

    def test_theServerAlone(self) -> None:
        """What the client has said is not known."""
        dialogue = Dialogue()
        dialogue.feed(Side.SERVER, b"\x03" + bytes(3072))
        dialogue.server(command("_result", 7.0, None, SUCCESS), command("_result", 0.0, None, 1.0))
        self.assertEqual(dialogue.found, [])

    def test_theClientCouldNotBeRead(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.feed(Side.CLIENT, b"\xc9" * 64)
        dialogue.server(command("_result", 7.0, None, 1.0))
        self.assertEqual(dialogue.found, [])


class NotNumberTests(SynchronousTestCase):
    def test_string(self) -> None:
        dialogue = asked(("connect", 1.0, {"app": "live"}))
        dialogue.server(command("_result", "1", None, SUCCESS))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["transaction-id-not-number"])
        self.assertEqual(violation.offset, dialogue.place(b"\x02\0\x011"))
        self.assertEqual(
            violation.words, "the answer to connect has a string (02) for its transaction ID, and not a number"
        )

    def test_others(self) -> None:
        for value in (None, UNDEFINED, True, SUCCESS):
            dialogue = asked(("connect", 1.0, {"app": "live"}))
            dialogue.server(command("_result", value, None, SUCCESS))
            self.assertEqual(dialogue.causes, ["transaction-id-not-number"], value)

    def test_none(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.server(command("_error"))
        violation = next(v for v in dialogue.found if v.cause.name == "transaction-id-not-number")
        self.assertEqual(violation.offset, len(dialogue.sent[Side.SERVER]))
        self.assertEqual(violation.words, "the answer has no transaction ID, and not a number")

    def test_onlyAnswers(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.server(command("onFCPublish", None, None))
        self.assertEqual(dialogue.found, [])


class ConnectCodeTests(SynchronousTestCase):
    def answered(self, *values: AMFValue) -> Dialogue:
        dialogue = asked(("connect", 1.0, {"app": "live"}))
        dialogue.server(command("_result", 1.0, *values))
        return dialogue

    def test_missing(self) -> None:
        for values in ((None,), (SUCCESS,), (None, None), (None, {"level": "status"}), (None, {"code": 1.0})):
            dialogue = self.answered(*values)
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["connect-without-code"], values)
            self.assertIn("the code there is none", violation.words)

    def test_place(self) -> None:
        dialogue = self.answered(None, {"level": "x"})
        self.assertEqual(dialogue.found[0].offset, dialogue.place(b"\x03\0\x05level"))
        dialogue = self.answered(None)
        self.assertEqual(dialogue.found[0].offset, len(dialogue.sent[Side.SERVER]))

    def test_another(self) -> None:
        dialogue = self.answered(None, {"code": "NetConnection.Connect.Closed"})
        self.assertIn("the code there is NetConnection.Connect.Closed", dialogue.found[0].words)

    def test_noTextOfTheWire(self) -> None:
        dialogue = self.answered(None, {"code": "live/secret?token=1"})
        self.assertNotIn("secret", dialogue.found[0].words)

    def test_there(self) -> None:
        """An ECMA array is well for rtmp2, and FFmpeg does not look."""
        well: list[tuple[AMFValue, ...]] = [
            (None, SUCCESS),
            ({}, ECMAArray(SUCCESS)),
            (UNDEFINED, SUCCESS),
            (None, SUCCESS, 1.0),
        ]
        for values in well:
            self.assertEqual(self.answered(*values).found, [])


class CreateStreamTests(SynchronousTestCase):
    def answered(
        self, *values: AMFValue, id: float = 4.0, type: int = MessageType.COMMAND, **parameters: float
    ) -> Dialogue:
        """connect went well, three calls were made, this is the first answer."""
        dialogue = Dialogue()
        dialogue.connect(**parameters)
        dialogue.client(command("releaseStream", 2.0, None, "key"), command("FCPublish", 3.0, None, "key"))
        dialogue.client(command("createStream", 4.0, None))
        dialogue.server(command("_result", id, *values, type=type))
        return dialogue

    def test_well(self) -> None:
        self.assertEqual(self.answered(None, 1.0).found, [])

    def test_anUnknownTransactionId(self) -> None:
        for id in (5.0, 0.0, 1.0):
            for third in (None, UNDEFINED):
                dialogue = self.answered(third, 1.0, id=id)
                (violation,) = dialogue.found
                self.assertEqual(violation.cause, CAUSES["createstream-transaction-id"], id)
                self.assertEqual(violation.offset, dialogue.place(b"\x02\0\x07_result") + 10)
                self.assertIn(f"createStream (transaction ID 4) has transaction ID {id:g}", violation.words)

    def test_theTransactionIdOfAnother(self) -> None:
        """It may be the answer to releaseStream: that shows at the end."""
        dialogue = self.answered(None, 1.0, id=2.0)
        self.assertEqual(dialogue.found, [])
        place = dialogue.place(b"\x02\0\x07_result") + 10
        dialogue.end(Side.CLIENT)
        dialogue.end(Side.SERVER)
        (violation,) = dialogue.found
        self.assertEqual((violation.cause, violation.offset), (CAUSES["createstream-transaction-id"], place))

    def test_itWasTheAnswerToAnother(self) -> None:
        dialogue = self.answered(None, 1.0, id=2.0)
        dialogue.server(command("_result", 4.0, None, 1.0))
        dialogue.end(Side.CLIENT)
        dialogue.end(Side.SERVER)
        self.assertEqual(dialogue.found, [])

    def test_aNumberThatWasAskedFor(self) -> None:
        dialogue = self.answered(None, 1.0)
        dialogue.client(command("createStream", 5.0, None), command("getStreamLength", 6.0, None, "key"))
        dialogue.server(command("_result", 6.0, None, 0.0))
        dialogue.end(Side.CLIENT)
        dialogue.end(Side.SERVER)
        self.assertEqual(dialogue.found, [])

    def test_whatHoldsNoStreamIdIsNotMeantForIt(self) -> None:
        dialogue = self.answered(None, None, id=2.0)
        dialogue.server(command("_result", 3.0, None, UNDEFINED))
        dialogue.end(Side.CLIENT)
        dialogue.end(Side.SERVER)
        self.assertEqual(dialogue.found, [])

    def test_undefined(self) -> None:
        dialogue = self.answered(UNDEFINED, 1.0)
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["createstream-undefined"])
        self.assertEqual(violation.offset, dialogue.place(b"\x06\0\x3f\xf0"))

    def test_noNumber(self) -> None:
        for value, marker in (("1", b"\x02\0\x011"), (True, b"\x01\x01"), (None, b"\x05")):
            dialogue = self.answered(None, value)
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["createstream-id-not-number"], value)
            self.assertEqual(violation.offset, dialogue.place(marker))

    def test_noStreamId(self) -> None:
        dialogue = self.answered(None)
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["createstream-id-not-number"])
        self.assertEqual(violation.offset, len(dialogue.sent[Side.SERVER]))

    def test_noUsefulNumber(self) -> None:
        for value in (0.0, -1.0, 1.5, float("nan"), float("inf")):
            dialogue = self.answered(None, value)
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["createstream-id-not-number"], value)
            self.assertEqual(violation.offset, dialogue.place(b"\0" + pack(">d", value)))

    def test_not1(self) -> None:
        dialogue = self.answered(None, 5.0)
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["createstream-id-not-1"])
        self.assertEqual(violation.offset, dialogue.place(b"\0" + pack(">d", 5.0)))

    def test_theSecondIsAnother(self) -> None:
        dialogue = self.answered(None, 1.0)
        dialogue.client(command("createStream", 5.0, None))
        dialogue.server(command("_result", 5.0, None, 3.0))
        self.assertEqual(dialogue.found, [])

    def test_amf3Integer(self) -> None:
        """Behind 11: well for who has asked for AMF3."""
        for encoding, causes in ((3.0, []), (0.0, ["createstream-id-not-number"])):
            dialogue = self.answered(None, objectEncoding=encoding, id=2.0)
            message = command("_result", 4.0, None, tail=b"\x11\x04\x01")
            dialogue.server(message)
            self.assertEqual([c for c in dialogue.causes if c != "unsupported-marker"], causes)

    def test_error(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("createStream", 4.0, None))
        dialogue.server(command("_error", 4.0, None, {"level": "error"}))
        self.assertEqual(dialogue.found, [])


class UnaskedTests(SynchronousTestCase):
    def test_transactionId0(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("releaseStream", 0.0, None, "key"), command("createStream", 2.0, None))
        dialogue.server(command("_result", 0.0, None, UNDEFINED), command("_result", 2.0, None, 1.0))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["answers-transaction-0"])
        self.assertEqual(violation.offset, dialogue.place(bytes(9) + b"\x05\x06"))

    def test_toNothing(self) -> None:
        dialogue = Dialogue()
        dialogue.createStream()
        dialogue.server(command("_result", 77.0, None, None))
        self.assertEqual(dialogue.causes, ["answers-transaction-0"])

    def test_createStreamWith0(self) -> None:
        """Whatever its number: the client needs the answer."""
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("createStream", 0.0, None), command("releaseStream", 0.0, None, "key"))
        dialogue.server(command("_result", 0.0, None, 1.0))
        self.assertNotIn("answers-transaction-0", dialogue.causes)


class PublishResultTests(SynchronousTestCase):
    def published(self, id: float = 5.0, name: str = "publish") -> Dialogue:
        dialogue = Dialogue()
        dialogue.createStream()
        dialogue.client(command(name, id, None, "key", streamId=1))
        return dialogue

    def test_only(self) -> None:
        for name in ("publish", "play"):
            dialogue = self.published(name=name)
            dialogue.server(command("_result", 5.0, None, None))
            place = dialogue.place(b"\x02\0\x07_result")
            self.assertEqual([(v.cause.name, v.offset) for v in dialogue.found], [("result-to-publish", place)])
            dialogue.end(Side.CLIENT)
            dialogue.end(Side.SERVER)
            self.assertEqual(dialogue.causes, ["result-to-publish", "publish-only-result"])
            self.assertEqual(dialogue.found[-1].offset, place)
            self.assertIn(f"{name} is answered", dialogue.found[-1].words)

    def test_theStatusComesLater(self) -> None:
        dialogue = self.published()
        dialogue.server(command("_result", 5.0, None, None), status("NetStream.Publish.Start"))
        dialogue.end(Side.CLIENT)
        dialogue.end(Side.SERVER)
        self.assertEqual(dialogue.causes, ["result-to-publish"])

    def test_theStatusCameBefore(self) -> None:
        dialogue = self.published()
        dialogue.server(status("NetStream.Publish.Start"), command("_result", 5.0, None, None))
        dialogue.end(Side.CLIENT)
        dialogue.end(Side.SERVER)
        self.assertEqual(dialogue.causes, ["result-to-publish"])

    def test_refused(self) -> None:
        dialogue = self.published()
        dialogue.server(command("_result", 5.0, None, None), status("NetStream.Publish.BadName", "error"))
        dialogue.end(Side.SERVER)
        self.assertEqual(dialogue.causes, ["result-to-publish"])

    def test_whichOfThoseWith0(self) -> None:
        """An answer to 0 is another fault; which call it is for can't be told."""
        dialogue = self.published(0.0)
        dialogue.server(command("_result", 0.0, None, None))
        self.assertEqual(dialogue.causes, ["answers-transaction-0"])

    def test_fcPublish(self) -> None:
        dialogue = self.published()
        dialogue.server(command("_result", 3.0, None, None))
        self.assertEqual(dialogue.found, [])
