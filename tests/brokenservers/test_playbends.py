# -*- test-case-name: tests.brokenservers.test_playbends -*-
"""
Tests for L{tests.brokenservers.playbends}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED
from rtmptw.wire.message import Message
from tests.brokenservers.plain import PlainServer
from tests.brokenservers.playbends import (
    EARLY,
    EndWithoutStreamEOF,
    EndWithoutUnpublishNotify,
    MediaBeforeStart,
    MetadataUndefined,
    Type15ToPlayer,
)
from tests.brokenservers.talk import MEDIA, Server, differing
from tests.session.dialects import audio, command, data, told


def played(server: type[PlainServer], *media: Message, ends: bool = False) -> tuple[list[Message], bool]:
    """
    What a player gets, from its connect on, which joins behind the first half of the media.

    @return: and whether it was left.
    """
    stage = Server(server)
    publisher = stage.publisher()
    publisher.send(*media[: len(media) // 2])
    player = stage.connected()
    player.send(command("createStream", 2), command("play", 0, None, "test", id=1))
    publisher.send(*media[len(media) // 2 :])
    if ends:
        publisher.lose()
    return player.take(), player.isClosing


class PlayBendTests(SynchronousTestCase):
    def test_publishersSeeNothing(self) -> None:
        """To publishers all of them are sound."""
        for server in (MediaBeforeStart, MetadataUndefined, Type15ToPlayer, EndWithoutStreamEOF):
            self.assertEqual(differing(server), [], server)

    def test_mediaBeforeStart(self) -> None:
        """Play.Start is moved behind some media, once; all else is the same, in the same order."""
        media = [*MEDIA, *(audio(100 + number) for number in range(40))]
        sound, bent = played(PlainServer, *media)[0], played(MediaBeforeStart, *media)[0]
        starts = [position for position, message in enumerate(sound) if "Play.Start" in told(message)]
        late = [position for position, message in enumerate(bent) if "Play.Start" in told(message)]
        self.assertEqual((len(starts), len(late)), (1, 1))
        start = sound.pop(starts[0])
        self.assertEqual((bent.pop(late[0]), bent), (start, sound))
        joining = starts[0] + 3
        self.assertEqual(late, [joining + EARLY])

    def test_metadataUndefined(self) -> None:
        """Metadata have one value more, undefined, in an ECMA array; other data and media are as they were."""
        media = (*MEDIA, data("onTextData", {"text": "x"}), data("onMetaData"), data("onMetaData", 1.0), MEDIA[0])
        sound, bent = played(PlainServer, *media)[0], played(MetadataUndefined, *media)[0]
        pairs = [(one, other) for one, other in zip(sound, bent, strict=True) if one != other]
        self.assertEqual(len(pairs), 2)
        for one, other in pairs:
            self.assertEqual(amf0.decode(one.payload), ["onMetaData", {"width": 320.0}])
            self.assertEqual(amf0.decode(other.payload), ["onMetaData", {"audiodelay": UNDEFINED, "width": 320.0}])
            self.assertEqual(other.payload[len(amf0.encode("onMetaData"))], 8)

    def test_type15(self) -> None:
        """Data have another type, and a 0 in front."""
        sound, bent = played(PlainServer, *MEDIA)[0], played(Type15ToPlayer, *MEDIA)[0]
        pairs = [(one, other) for one, other in zip(sound, bent, strict=True) if one != other]
        self.assertEqual([one.type for one, _ in pairs], [18])
        self.assertEqual((pairs[0][1].type, pairs[0][1].payload), (15, b"\0" + pairs[0][0].payload))

    def test_ends(self) -> None:
        """Of two words for the end there is one, and the connection stays open."""
        sound, closed = played(PlainServer, *MEDIA, ends=True)
        self.assertTrue(closed)
        notify, streamEOF = sound[-2:]
        for server, last in ((EndWithoutUnpublishNotify, streamEOF), (EndWithoutStreamEOF, notify)):
            bent, closed = played(server, *MEDIA, ends=True)
            self.assertEqual((bent, closed), ([*sound[:-2], last], False))
