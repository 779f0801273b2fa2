# -*- test-case-name: tests.dialects.test_footage -*-
"""
What is published to a server under examination: a small black picture and silence, every message with a number in it by
which it is known again.

All of it is real, so that a server that looks into it is content, and a player shows it: the pictures are those of an
encoder (H.264 baseline, 16 by 16), each behind a unit of user data that holds the number (SEI; ISO 14496-10, D.1.7);
the sound (AAC-LC, 44.1 kHz, stereo) has it in a data element (ISO 14496-3, table 4.10).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue, ECMAArray
from rtmptw.wire.message import Message, MessageType

__all__ = ["FRAME_MILLISECONDS", "GOP_FRAMES", "KEYFRAME_TIMES", "Footage", "numbers"]

#: Between two pictures, ms; and how many follow each other from one keyframe to the next.
FRAME_MILLISECONDS = 40
GOP_FRAMES = 25

#: How many times larger keyframes are: so large that a server has to cut them for its players, whatever customary
#: chunk size it has (wire facts 2.5).
KEYFRAME_TIMES = 80

#: What stands in front of a number.
_MARK = b"rtmptw-footage-"
_NUMBERED = re.compile(re.escape(_MARK) + rb"([0-9]{4})-([0-9]{8})")

#: AVCDecoderConfigurationRecord (ISO 14496-15, 5.2.4.1): baseline, level 1.0, with its SPS and PPS.
_AVC_HEADER = bytes.fromhex("17000000000142c00affe100156742c00ada7b011000000300100000030320f1226a01000568ce0f2c80")
#: The one macroblock of a keyframe, black.
_IDR_SLICE = bytes.fromhex("6588840cf2628000b0be")
#: A slice that changes nothing, but for 4 bits: frame_num, which counts the pictures behind the keyframe.
_P_SLICE, _P_HEADER, _P_REST = b"\x41", 0x9A00, b"\x33\xd4"
_FRAME_NUMBER_SHIFT, _FRAME_NUMBERS = 5, 16

#: User data, unregistered: the NAL unit's type, the payload's type, and whose data it is (a UUID).
_SEI, _USER_DATA, _OWNER = b"\x06", b"\x05", b"rtmptw's footage"

#: AudioSpecificConfig (ISO 14496-3, 1.6.2.1).
_AAC_HEADER = bytes.fromhex("af00121056e500")
#: A data element begins (tag 0, byte-aligned), and behind it comes silence, a pair of channels.
_DATA_ELEMENT, _SILENCE = b"\x81", bytes.fromhex("211004608c1c")

_METADATA: dict[str, AMFValue] = {
    "duration": 0.0,
    "width": 16.0,
    "height": 16.0,
    "framerate": 25.0,
    "videocodecid": 7.0,
    "audiocodecid": 10.0,
    "audiosamplerate": 44100.0,
    "audiosamplesize": 16.0,
    "stereo": True,
    "encoder": "rtmptw",
}


@dataclass(frozen=True)
class Footage:
    """
    A stream of messages.

    @ivar streamId: the message stream that they go to.
    @ivar chunkStreams: by message type, the chunk streams that they use (wire facts 2.2).
    @ivar take: what tells this stream from others of the same kind, 0 to 9999.
    @ivar pictureSize: of each picture, bytes; a keyframe has L{KEYFRAME_TIMES} as many.
    """

    streamId: int
    chunkStreams: dict[int, int]
    take: int = 0
    pictureSize: int = 900

    def metadata(self, prefix: bool = True) -> Message:
        """
        What is sent first.

        @param prefix: whether C{@setDataFrame} stands in front. Who leaves that out sends an object (wire facts 3.1).
        """
        values: tuple[AMFValue, ...] = ("onMetaData", _METADATA)
        if prefix:
            values = ("@setDataFrame", "onMetaData", ECMAArray(_METADATA))
        return self._message(MessageType.DATA, 0, amf0.encode(*values))

    def headers(self, soundFirst: bool = False) -> tuple[Message, ...]:
        """
        The sequence headers.

        @param soundFirst: whether that of the sound is first.
        """
        picture = self._message(MessageType.VIDEO, 0, _AVC_HEADER)
        sound = self._message(MessageType.AUDIO, 0, _AAC_HEADER)
        return (sound, picture) if soundFirst else (picture, sound)

    def frames(self, count: int, first: int = 0, keyframeFirst: bool = True) -> Iterator[Message]:
        """
        Pictures, and a bit of sound behind each: two messages a picture.

        @param count: how many messages.
        @param first: the number of the first one; its time follows from it.
        @param keyframeFirst: whether the first picture of all is a keyframe.
        """
        for number in range(first, first + count):
            picture, isSound = divmod(number, 2)
            time = picture * FRAME_MILLISECONDS
            mark = _MARK + b"%04d-%08d" % (self.take, number)
            if isSound:
                body = b"\xaf\x01" + _DATA_ELEMENT + bytes((len(mark),)) + mark + _SILENCE
                yield self._message(MessageType.AUDIO, time, body)
                continue
            behind = picture % GOP_FRAMES
            isKey = behind == 0 and (keyframeFirst or picture > 0)
            body = _picture(mark, isKey, behind, self.pictureSize * (KEYFRAME_TIMES if isKey else 1))
            yield self._message(MessageType.VIDEO, time, body)

    def _message(self, type: int, time: int, payload: bytes) -> Message:
        return Message(type, time, self.streamId, payload, self.chunkStreams[type])


def _picture(mark: bytes, isKey: bool, behind: int, size: int) -> bytes:
    """
    One picture.

    @param behind: how many pictures have come since the keyframe.
    @param size: how large it is to be, bytes; it may be a little larger.
    """
    frameNumber = behind % _FRAME_NUMBERS << _FRAME_NUMBER_SHIFT
    unit = _IDR_SLICE if isKey else _P_SLICE + (_P_HEADER | frameNumber).to_bytes(2, "big") + _P_REST
    data = _OWNER + mark
    # In front of the data there are 5 bytes of the tag's and 4 of each unit's; the size has a byte for each 255.
    data += b"x" * ((size - len(unit) - len(data) - 17) * 255 // 256)
    sei = _SEI + _USER_DATA + b"\xff" * (len(data) // 255) + bytes((len(data) % 255,)) + data + b"\x80"
    head = (b"\x17" if isKey else b"\x27") + b"\1\0\0\0"
    return head + b"".join(len(part).to_bytes(4, "big") + part for part in (sei, unit))


def numbers(payload: bytes, take: int = 0) -> list[int]:
    """
    The numbers of the messages whose bytes are in a payload, in order: none for a header, many for an aggregate.

    @param take: only those of this stream count.
    """
    return [int(number) for which, number in _NUMBERED.findall(payload) if int(which) == take]
