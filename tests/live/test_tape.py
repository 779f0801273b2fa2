"""Tests for L{rtmptw.live.tape} and L{rtmptw.live.image}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LocalProtocolError
from rtmptw.live.image import address, decodeImages, encodeImage
from rtmptw.live.tape import MAX_BYTES, MAX_MESSAGES, CacheLimits, Tape
from rtmptw.session.connect import OUR_CHUNK_SIZE
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType
from tests.live.doubles import content, inter, key, metadata, sound


def fill(tape: Tape, *images: bytes, keyframe: int | None = None) -> None:
    """Append images; the one with the index C{keyframe} is one."""
    for index, image in enumerate(images):
        tape.append(image, MessageType.VIDEO, index, float(index), index == keyframe)


class TapeTests(SynchronousTestCase):
    """Positions, bounds and keyframes."""

    def test_empty(self) -> None:
        """A new tape has nothing on it."""
        tape = Tape()
        self.assertEqual((tape.first, tape.end, tape.held, tape.bytes, tape.keyframe), (0, 0, 0, 0, None))
        self.assertEqual(tape.entries(0, 0), [])
        self.assertEqual(tape.block(0, 1000), (b"", 0))
        self.assertEqual(tape.images(0), [])
        self.assertEqual(tape.behind(0), 0)
        self.assertRaises(IndexError, tape.entry, 0)

    def test_entry(self) -> None:
        """An entry has what was appended, and how many bytes came before it."""
        tape = Tape()
        tape.append(b"one", MessageType.AUDIO, 40, 1.5, False)
        tape.append(b"three", MessageType.VIDEO, 80, 2.5, True)
        entry = tape.entry(1)
        self.assertEqual(
            (entry.image, entry.type, entry.timestamp, entry.written, entry.offset),
            (b"three", MessageType.VIDEO, 80, 2.5, 3),
        )
        self.assertEqual((tape.keyframe, tape.bytes, tape.held), (1, 8, 8))

    def test_hasKeyframes(self) -> None:
        """That there has been a keyframe is known when it is forgotten; sound to start at is none."""
        tape = Tape()
        tape.append(b"sound", MessageType.AUDIO, 0, 0.0, True)
        tape.append(b"frame", MessageType.VIDEO, 0, 0.0, False)
        self.assertFalse(tape.hasKeyframes)
        tape.append(b"keyframe", MessageType.VIDEO, 0, 0.0, True)
        tape.append(b"frame", MessageType.VIDEO, 0, 0.0, False)
        tape.forget(3)
        self.assertEqual((tape.keyframe, tape.hasKeyframes), (None, True))

    def test_positionsStay(self) -> None:
        """A message keeps its position whatever is forgotten before it."""
        tape = Tape()
        fill(tape, *(bytes([index]) * (index + 1) for index in range(20)))
        for forgotten in (0, 1, 7, 7, 3, 19):
            tape.forget(forgotten)
            for position in range(tape.first, tape.end):
                self.assertEqual(tape.entry(position).image, bytes([position]) * (position + 1))
        self.assertEqual((tape.first, tape.end, tape.held), (19, 20, 20))
        self.assertRaises(IndexError, tape.entry, 18)
        self.assertRaises(IndexError, tape.entry, 20)

    def test_forgetAll(self) -> None:
        """No more is forgotten than there is, and then positions go on."""
        tape = Tape()
        fill(tape, b"a", b"b", keyframe=1)
        tape.forget(100)
        self.assertEqual((tape.first, tape.end, tape.held, tape.keyframe), (2, 2, 0, None))
        tape.append(b"c", MessageType.VIDEO, 0, 0.0, True)
        self.assertEqual((tape.keyframe, tape.entry(2).image, tape.entry(2).offset), (2, b"c", 2))

    def test_keyframeForgotten(self) -> None:
        """A keyframe that is forgotten is no place to start; the one that is kept is."""
        tape = Tape()
        fill(tape, b"a", b"b", b"c", keyframe=1)
        tape.forget(1)
        self.assertEqual(tape.keyframe, 1)
        tape.forget(2)
        self.assertIs(tape.keyframe, None)

    def test_maxMessages(self) -> None:
        """There are never more messages than allowed, and never much less."""
        tape = Tape(maxMessages=8)
        for count in range(1, 100):
            tape.append(b"x", MessageType.VIDEO, 0, 0.0, False)
            self.assertEqual(tape.end, count)
            self.assertLessEqual(tape.end - tape.first, 8)
            self.assertGreaterEqual(tape.end - tape.first, min(count, 5))

    def test_maxBytes(self) -> None:
        """There are never more bytes than allowed, also when one large message follows many small ones."""
        tape = Tape(maxBytes=1000)
        fill(tape, *[b"x"] * 400)
        self.assertEqual(tape.held, 400)
        tape.append(bytes(900), MessageType.VIDEO, 0, 0.0, True)
        self.assertLessEqual(tape.held, 1000)
        self.assertEqual(tape.keyframe, 400)
        tape.append(bytes(900), MessageType.VIDEO, 0, 0.0, False)
        self.assertEqual((tape.first, tape.end, tape.held, tape.keyframe), (401, 402, 900, None))

    def test_largerThanTheTape(self) -> None:
        """One message that is larger than the tape is kept all the same: viewers have still to be given it."""
        tape = Tape(maxBytes=100)
        tape.append(bytes(10), MessageType.VIDEO, 0, 0.0, False)
        tape.append(bytes(500), MessageType.VIDEO, 0, 0.0, True)
        self.assertEqual((tape.first, tape.end, tape.keyframe, tape.held), (1, 2, 1, 500))

    def test_hasRoom(self) -> None:
        """What has room is added, and nothing forgotten."""
        tape = Tape(maxBytes=10, maxMessages=3)
        self.assertTrue(tape.hasRoom(10))
        self.assertFalse(tape.hasRoom(11))
        fill(tape, b"1234")
        self.assertTrue(tape.hasRoom(6))
        self.assertFalse(tape.hasRoom(7))
        fill(tape, b"", b"")
        self.assertFalse(tape.hasRoom(0))
        self.assertEqual(tape.first, 0)

    def test_bounds(self) -> None:
        """The usual tape holds the largest message that a publisher may send, and more."""
        self.assertGreaterEqual(MAX_BYTES, 16 * 1024 * 1024)
        self.assertGreaterEqual(MAX_MESSAGES, 4096)

    def test_block(self) -> None:
        """A block is at least one message, and no more than fit; it has all that there is between two positions."""
        tape = Tape()
        images = [b"12345", b"12345", b"12345678901", b"1"]
        fill(tape, *images)
        for position, size, count in (
            (0, 10, 2),
            (0, 9, 1),
            (0, 1, 1),
            (0, 22, 4),
            (0, 21, 3),
            (2, 5, 1),
            (2, 12, 2),
            (3, 0, 1),
            (4, 100, 0),
        ):
            block, after = tape.block(position, size)
            found = f"{position}, {size}"
            self.assertEqual((block, after), (b"".join(images[position:after]), position + count), found)
            self.assertEqual(tape.reach(position, size), after, found)
            self.assertEqual(tape.entries(position, after), [tape.entry(at) for at in range(position, after)], found)

    def test_blockWithEmptyImages(self) -> None:
        """Messages without a byte take no room."""
        tape = Tape()
        fill(tape, b"", b"12", b"", b"34", b"")
        self.assertEqual([tape.reach(position, 2) for position in range(6)], [3, 3, 5, 5, 5, 5])

    def test_blocksAreShared(self) -> None:
        """Who is at the same position is given the same object, until there is more; few blocks are kept."""
        tape = Tape()
        fill(tape, *[bytes([index]) * 2 for index in range(40)])
        block, end = tape.block(7, 1000)
        self.assertIs(tape.block(7, 1000)[0], block)
        self.assertIsNot(tape.block(7, 6)[0], block)
        for position in range(40):
            self.assertEqual(tape.block(position, 1000), (b"".join(tape.images(position)), 40))
            self.assertLessEqual(len(tape._blocks), 16)
        tape.append(b"new", MessageType.VIDEO, 0, 0.0, False)
        self.assertEqual(tape.block(7, 1000), (block + b"new", end + 1))
        tape.forget(3)
        self.assertEqual(tape.block(7, 1000), (block + b"new", end + 1))

    def test_rest(self) -> None:
        """The rest of the message in which a block stopped, wherever it did, and the position behind that message."""
        tape = Tape()
        fill(tape, b"forgotten", b"12345", b"", b"678", b"9", b"", b"0")
        tape.forget(1)
        for position, taken, rest, after in (
            *((1, taken, b"12345"[taken:], 2) for taken in range(5)),
            *((1, 5 + taken, b"678"[taken:], 4) for taken in range(3)),
            *((2, taken, b"678"[taken:], 4) for taken in range(3)),
            (1, 8, b"9", 5),
            (4, 0, b"9", 5),
            (1, 9, b"0", 7),
            (5, 0, b"0", 7),
        ):
            self.assertEqual(tape.rest(position, taken, tape.images(position)), (rest, after), (position, taken))

    def test_restIsShared(self) -> None:
        """It is a view of the tape's own image, if that is the same from there on; and what was to be sent anyway."""
        tape = Tape()
        fill(tape, b"first", b"header body")
        own = [b"", b"HEADER! body"]
        for taken, isShared in ((0, False), (6, False), (7, False), (8, False)):
            rest, after = tape.rest(0, taken, own)
            self.assertEqual((rest, after), (own[1][taken:], 2), taken)
            self.assertIs(rest.obj is tape.entry(1).image, isShared, taken)
        own[1] = b"HEADER body"
        for taken, isShared in ((0, False), (5, False), (6, True), (10, True)):
            rest, after = tape.rest(0, taken, own)
            self.assertEqual((rest, after), (own[1][taken:], 2), taken)
            self.assertIs(rest.obj is (tape.entry(1).image if isShared else own[1]), True, taken)

    def test_images(self) -> None:
        """All images from a position on; from before the tape, all that there are."""
        tape = Tape()
        fill(tape, b"a", b"b", b"c")
        tape.forget(1)
        self.assertEqual(tape.images(0), [b"b", b"c"])
        self.assertEqual(tape.images(2), [b"c"])
        self.assertEqual(tape.images(3), [])

    def test_behind(self) -> None:
        """How many bytes a viewer has still to be sent."""
        tape = Tape()
        fill(tape, b"a", b"bcd", b"ef")
        tape.forget(1)
        self.assertEqual([tape.behind(position) for position in (1, 2, 3)], [5, 2, 0])
        # From before the tape, as many as it has.
        self.assertEqual(tape.behind(0), 5)
        tape.forget(3)
        self.assertEqual([tape.behind(position) for position in (0, 2, 3)], [0, 0, 0])

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.integers(0, 12)), max_size=60))
    def test_everyHistory(self, history: list[tuple[int, bool, int]]) -> None:
        """Whatever is appended and forgotten, a message is where it was, and the bounds hold."""
        tape = Tape(maxBytes=600, maxMessages=10)
        images: list[bytes] = []
        keyframe = None
        for size, isKeyframe, forget in history:
            image = bytes([len(images) % 256]) * size
            tape.append(image, MessageType.VIDEO, 0, 0.0, isKeyframe)
            keyframe = len(images) if isKeyframe else keyframe
            images.append(image)
            tape.forget(forget)
            kept = [tape.entry(position).image for position in range(tape.first, tape.end)]
            self.assertEqual(kept, images[tape.first :])
            self.assertEqual(tape.held, sum(len(image) for image in kept))
            self.assertLessEqual(len(kept), 10)
            self.assertLessEqual(tape.held, 600)
            expected = keyframe if keyframe is not None and keyframe >= tape.first else None
            self.assertEqual(tape.keyframe, expected)


class ImageTests(SynchronousTestCase):
    """Messages as all viewers share them."""

    def test_there(self) -> None:
        """An image is the message, for message stream 1, whatever stream it came on."""
        stamps = (0, 40, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF)
        messages = [make(stamp) for stamp in stamps for make in (key, inter, sound, metadata)]
        messages += [Message(9, 7, 5, bytes(size), 99) for size in (0, 1, OUR_CHUNK_SIZE, OUR_CHUNK_SIZE + 1, 1 << 20)]
        decoded = decodeImages([encodeImage(message) for message in messages])
        self.assertEqual(content(decoded), content(messages))
        self.assertEqual({message.streamId for message in decoded}, {1})

    def test_chunkStreams(self) -> None:
        """Audio, video and data have their own chunk streams, within 2 to 8 (wire facts 10.34), none of a status's."""
        images = [encodeImage(make()) for make in (sound, key, metadata)]
        self.assertEqual([image[0] for image in images], [4, 6, 7])

    def test_largest(self) -> None:
        """Our own limits for peers do not concern what is on the tape."""
        message = Message(MessageType.VIDEO, 0, 1, bytes(MAX_MESSAGE_SIZE), 6)
        self.assertEqual(content(decodeImages([encodeImage(message)])), content([message]))

    def test_address(self) -> None:
        """Only the message stream ID differs, also behind an extended timestamp."""
        for stamp in (0, 0x1000000):
            image = encodeImage(key(stamp, bytes(100_000)))
            self.assertIs(address(image, b"\1\0\0\0"), image)
            (message,) = decodeImages([address(image, b"\x04\x03\x02\x01")])
            self.assertEqual(message.streamId, 0x01020304)
            self.assertEqual(content([message]), content(decodeImages([image])))

    def test_notForStreams(self) -> None:
        """What is neither audio nor video nor data, or has no place on the wire, is refused."""
        for message in (
            Message(20, 0, 1, b""),
            Message(15, 0, 1, b""),
            Message(9, -1, 1, b""),
            Message(9, 1 << 32, 1, b""),
        ):
            self.assertRaises(LocalProtocolError, encodeImage, message)


class CacheLimitsTests(SynchronousTestCase):
    """What is no limit."""

    def test_values(self) -> None:
        """Nobody can be given less than one message, or the future."""
        for limits in ({"frames": 0}, {"bytes": 0}, {"seconds": -1}, {"seconds": float("nan")}):
            with self.assertRaises(ValueError, msg=limits):
                CacheLimits(**limits)
        CacheLimits(frames=1, bytes=1, seconds=0)
