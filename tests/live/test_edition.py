"""Tests for L{rtmptw.live.edition}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.edition import PLAIN
from rtmptw.live.image import decodeImages, encodeImage
from rtmptw.wire.data import DataMessage
from rtmptw.wire.message import MessageType
from tests.live.doubles import content, key, metadata, sound


class EditionTests(SynchronousTestCase):
    """What is sent, and how."""

    def test_plain(self) -> None:
        """All of it, and the very same bytes."""
        for message in (key(0), sound(23), metadata(5, width=640.0)):
            image = encodeImage(message)
            self.assertTrue(PLAIN.has(message.type))
            self.assertIs(PLAIN.image(message.type, image), image)

    def test_changedBack(self) -> None:
        """However it came to be, what is the same as the plain one is it."""
        edition = PLAIN.changed(soundOnly=True, refused=frozenset({MessageType.AUDIO}))
        self.assertIsNot(edition, PLAIN)
        self.assertIs(edition.changed(soundOnly=False, refused=frozenset()), PLAIN)

    def test_has(self) -> None:
        """What is refused is not in it, nor is video while it is withheld."""
        types = (MessageType.AUDIO, MessageType.VIDEO, MessageType.DATA)
        for changes, has in (
            ({"refused": frozenset({MessageType.AUDIO})}, [False, True, True]),
            ({"refused": frozenset({MessageType.VIDEO})}, [True, False, True]),
            ({"soundOnly": True}, [True, False, True]),
            ({"soundOnly": True, "refused": frozenset({MessageType.AUDIO})}, [False, False, True]),
        ):
            edition = PLAIN.changed(**changes)
            self.assertEqual([edition.has(type) for type in types], has, changes)

    def test_otherStream(self) -> None:
        """On another message stream it differs in that ID only."""
        for id in (0, 2, 0x01020304, 0xFFFFFFFF):
            [message] = decodeImages([PLAIN.changed(streamId=id).image(MessageType.VIDEO, encodeImage(key(40)))])
            self.assertEqual((content([message]), message.streamId), (content([key(40)]), id))

    def test_publishes(self) -> None:
        """A server is told to keep the metadata for others; media are as they are."""
        edition = PLAIN.changed(publishes=True)
        image = encodeImage(metadata(5, width=640.0))
        [message] = decodeImages([edition.image(MessageType.DATA, image)])
        data = DataMessage.decode(message)
        self.assertEqual((data.name, data.payload), ("onMetaData", metadata(5, width=640.0).payload))
        self.assertNotEqual(message.payload, metadata(5, width=640.0).payload)
        image = encodeImage(key(0))
        self.assertIs(edition.image(MessageType.VIDEO, image), image)
