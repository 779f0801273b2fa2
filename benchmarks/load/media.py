# -*- test-case-name: tests.benchmarks.load.test_media -*-
"""
The stream that is sent: H.264 and AAC as far as any server looks at them, in the sizes and at the pace of a real one.

A group of pictures is the same messages again and again: a keyframe eight times as large as the pictures that follow
it, and a sound every 1/43 s. The L{stamp <benchmarks.load.stamp>} is, in a picture, an SEI message of unregistered
user data (H.264, D.1.7), and in a sound a data stream element (ISO/IEC 14496-3, table 4.10): the stream stays
well-formed around it. The coded picture itself is random, and decodes to nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.load.stamp import STAMP_SIZE, Kind
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.message import MEDIA_CHUNK_STREAMS, Message, MessageType

__all__ = ["AUDIO_STAMP", "VIDEO_STAMP", "Format", "Frame", "groupOfPictures", "streamHeaders"]

#: Where the stamp begins in the payload of a picture and of a sound.
VIDEO_STAMP, AUDIO_STAMP = 12, 4

#: How many times as large as another picture a keyframe is.
KEYFRAME_SIZE = 8

#: AVCDecoderConfigurationRecord behind its tag header: baseline profile, level 3.1, 1280x720; one SPS and one PPS.
AVC_HEADER = bytes.fromhex("17 00 000000 01 42c01f ff e1 0009 6742c01fda014016e4 01 0004 68ce3c80")

#: AudioSpecificConfig behind its tag header: AAC-LC, 44100 Hz, stereo.
AAC_HEADER = bytes.fromhex("af 00 1210")

#: The tag header of a picture (the second byte says that it is one), its composition time, and, behind the stamp, the
#: end of the SEI message and, behind the length of the slice, the kind of its NAL unit.
_PICTURE_HEADS = {Kind.KEYFRAME: (b"\x17\x01\0\0\0", b"\x65"), Kind.PICTURE: (b"\x27\x01\0\0\0", b"\x41")}


@dataclass(frozen=True)
class Format:
    """
    What a stream is like.

    @ivar bitrate: of the pictures, bit/s.
    @ivar rate: pictures per second.
    @ivar gop: from keyframe to keyframe, s.
    @ivar soundBitrate: bit/s.
    @ivar soundRate: sounds per second.
    """

    bitrate: float = 4e6
    rate: float = 30.0
    gop: float = 2.0
    soundBitrate: float = 128e3
    soundRate: float = 43.0

    @property
    def byteRate(self) -> float:
        """Bytes per second, without any headers."""
        return (self.bitrate + self.soundBitrate) / 8

    @property
    def gopSize(self) -> float:
        """Bytes from one keyframe to the next."""
        return self.byteRate * self.gop


@dataclass(frozen=True)
class Frame:
    """
    One message of a group of pictures.

    @ivar due: when it is sent, s from the begin of the group.
    @ivar stampAt: where in the message's payload the stamp goes.
    """

    due: float
    kind: Kind
    message: Message
    stampAt: int


def _noise(size: int, seed: int) -> bytes:
    """Random bytes without a zero, which could begin a start code."""
    return random.Random(seed).randbytes(size).replace(b"\0", b"\1")


def _picturePayload(kind: Kind, size: int, seed: int) -> bytes:
    head, nal = _PICTURE_HEADS[kind]
    # Length of the SEI NAL unit; NAL unit type 6; payload type 5, user data unregistered; its size; the stamp; the end.
    sei = (STAMP_SIZE + 4).to_bytes(4, "big") + bytes((6, 5, STAMP_SIZE)) + bytes(STAMP_SIZE) + b"\x80"
    slice = nal + _noise(max(size - len(head) - len(sei) - 5, 1), seed)
    return head + sei + len(slice).to_bytes(4, "big") + slice


def _soundPayload(size: int, seed: int) -> bytes:
    # Data stream element 0, aligned; how many bytes; the stamp; the end of the raw data block; and what fills it up.
    head = b"\xaf\x01\x81" + bytes((STAMP_SIZE,)) + bytes(STAMP_SIZE) + b"\xe0"
    return head + _noise(max(size - len(head), 1), seed)


def _message(type: int, time: float, streamId: int, payload: bytes) -> Message:
    return Message(type, int(time * 1000), streamId, payload, MEDIA_CHUNK_STREAMS[type])


def groupOfPictures(format: Format, streamId: int, begin: float = 0.0) -> list[Frame]:
    """
    All messages from one keyframe to the next, in the order in which they are sent.

    @param streamId: their message stream ID.
    @param begin: the time of the first, s.
    """
    pictures = round(format.rate * format.gop)
    size = int(format.bitrate / 8 * format.gop / (pictures + KEYFRAME_SIZE - 1))
    frames = []
    for number in range(pictures):
        kind = Kind.PICTURE if number else Kind.KEYFRAME
        payload = _picturePayload(kind, size if number else size * KEYFRAME_SIZE, number)
        due = number / format.rate
        message = _message(MessageType.VIDEO, begin + due, streamId, payload)
        frames.append(Frame(due, kind, message, VIDEO_STAMP))
    for number in range(round(format.soundRate * format.gop)):
        payload = _soundPayload(int(format.soundBitrate / 8 / format.soundRate), number)
        due = number / format.soundRate
        message = _message(MessageType.AUDIO, begin + due, streamId, payload)
        frames.append(Frame(due, Kind.SOUND, message, AUDIO_STAMP))
    return sorted(frames, key=lambda frame: frame.due)


def streamHeaders(format: Format, streamId: int) -> list[Message]:
    """What a publisher sends first: metadata and the headers of both codecs."""
    metadata: dict[str, AMFValue] = {
        "width": 1280.0,
        "height": 720.0,
        "framerate": format.rate,
        "videocodecid": 7.0,
        "videodatarate": format.bitrate / 1000,
        "audiocodecid": 10.0,
        "audiosamplerate": 44100.0,
        "audiodatarate": format.soundBitrate / 1000,
    }
    return [
        _message(MessageType.DATA, 0, streamId, amf0.encode("@setDataFrame", "onMetaData", metadata)),
        _message(MessageType.VIDEO, 0, streamId, AVC_HEADER),
        _message(MessageType.AUDIO, 0, streamId, AAC_HEADER),
    ]
