# -*- test-case-name: tests.dialects.test_footage -*-
"""
Tests for L{rtmptw.dialects.footage}. That decoders take it is shown in L{tests.interop.test_footage}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.footage import FRAME_MILLISECONDS, GOP_FRAMES, KEYFRAME_TIMES, Footage, numbers
from rtmptw.trace.values import readValues
from rtmptw.wire.media import classify, describe
from rtmptw.wire.message import MessageType

FOOTAGE = Footage(3, {8: 4, 9: 6, 18: 5})


class FramesTests(SynchronousTestCase):
    def test_byTurns(self) -> None:
        """A picture and a bit of sound, each with its number, its time and its streams."""
        frames = list(FOOTAGE.frames(6, 100))
        self.assertEqual([each.type for each in frames], [9, 8] * 3)
        self.assertEqual([each.chunkStreamId for each in frames], [6, 4] * 3)
        self.assertEqual({each.streamId for each in frames}, {3})
        self.assertEqual([each.timestamp for each in frames], [2000, 2000, 2040, 2040, 2080, 2080])
        self.assertEqual([numbers(each.payload) for each in frames], [[n] for n in range(100, 106)])

    def test_takes(self) -> None:
        """Streams of the same kind are told apart."""
        first, second = (Footage(1, {8: 4, 9: 6, 18: 4}, take) for take in (0, 7))
        payload = b"".join(each.payload for each in [*first.frames(3), *second.frames(2, 8)])
        self.assertEqual((numbers(payload), numbers(payload, 7), numbers(payload, 5)), ([0, 1, 2], [8, 9], []))

    def test_pieces(self) -> None:
        """In pieces it is the same."""
        whole = list(FOOTAGE.frames(130))
        pieces = [each for first in range(0, 130, 13) for each in FOOTAGE.frames(13, first)]
        self.assertEqual(whole, pieces)

    def test_keyframes(self) -> None:
        """The first of all, if wanted, and then one for each group."""
        for keyframeFirst in (True, False):
            frames = list(FOOTAGE.frames(4 * GOP_FRAMES, keyframeFirst=keyframeFirst))
            keys = [each.timestamp for each in frames if each.type == 9 and classify(9, each.payload).isKeyframe]
            groups = [0, GOP_FRAMES * FRAME_MILLISECONDS]
            self.assertEqual(keys, groups if keyframeFirst else groups[1:])

    def test_sizes(self) -> None:
        """As large as wanted, but for a few bytes; the number is in it at any size."""
        for size in (0, 100, 900, 5000, 20_000):
            footage = Footage(1, {8: 4, 9: 6, 18: 4}, pictureSize=size)
            key, other = [each for each in footage.frames(4) if each.type == 9]
            for message, wanted in ((key, KEYFRAME_TIMES * size), (other, size)):
                self.assertEqual(len(numbers(message.payload)), 1)
                self.assertLessEqual(abs(len(message.payload) - max(wanted, 68)), 3, (size, len(message.payload)))

    def test_units(self) -> None:
        """A picture is user data and a slice, each with its length (ISO 14496-15, 5.3.4.2)."""
        for message in FOOTAGE.frames(2 * GOP_FRAMES):
            if message.type == 8:
                self.assertEqual(message.payload[:3], b"\xaf\x01\x81")
                continue
            units, position = [], 5
            while position < len(message.payload):
                size = int.from_bytes(message.payload[position : position + 4], "big")
                units.append(message.payload[position + 4 : position + 4 + size])
                position += 4 + size
            self.assertEqual(position, len(message.payload))
            isKey = classify(9, message.payload).isKeyframe
            self.assertEqual([unit[0] & 31 for unit in units], [6, 5 if isKey else 1])
            # Nothing in them looks like a start code.
            self.assertFalse(any(bytes((0, 0, n)) in unit for unit in units for n in range(4)))


class HeaderTests(SynchronousTestCase):
    def test_order(self) -> None:
        for soundFirst, types in ((False, [9, 8]), (True, [8, 9])):
            headers = FOOTAGE.headers(soundFirst)
            self.assertEqual([each.type for each in headers], types)
            self.assertEqual({each.timestamp for each in headers}, {0})
            self.assertEqual(
                [describe(each.type, each.payload).kind.value for each in headers], ["sequence header"] * 2
            )

    def test_metadata(self) -> None:
        """An array behind @setDataFrame; an object without it, as nginx-rtmp sends."""
        prefixed, bare = (readValues(FOOTAGE.metadata(prefix)) for prefix in (True, False))
        self.assertEqual([each.marker for each in prefixed.placed], [2, 2, 8])
        self.assertEqual([each.marker for each in bare.placed], [2, 3])
        self.assertEqual(prefixed.get(2), bare.get(1))
        self.assertEqual(FOOTAGE.metadata().type, MessageType.DATA)

    def test_numbers(self) -> None:
        """None in a header, many in many."""
        self.assertEqual(numbers(FOOTAGE.headers()[0].payload), [])
        self.assertEqual(numbers(b"".join(each.payload for each in FOOTAGE.frames(3))), [0, 1, 2])
