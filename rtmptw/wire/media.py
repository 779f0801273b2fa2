# -*- test-case-name: tests.wire.test_media -*-
"""
What an audio or video message is: a header to remember, a keyframe to start at, or something to pass on.

A server never decodes media and never changes its bytes. It only has to know which messages a late joiner needs first.
The payload of a type 8 or 9 message is the body of an FLV tag, in the old form (FLV file format, annex E.4) or in the
enhanced one (wire facts 7.1), which is read in L{rtmptw.wire.enhanced}::

    video:  byte 0 from 0x80:  enhanced: 1, frame type (3 bits), packet type (4 bits), ...
            byte 0 below 0x80: frame type (4 bits), codec ID (4 bits), then the body; or
                for AVC (7) and HEVC (12): packet type (8 bits), composition time (24 bits, signed), body
    audio:  byte 0, high nibble 9: enhanced: 9 (4 bits), packet type (4 bits), ...
            byte 0, any other: format (4 bits), rate, size and channels (4 bits), then the body; or
                for AAC (10): packet type (8 bits), body

The packet type is asked before the frame type: colour metadata comes with frame type 5 from FFmpeg (0xd4) and with
frame type 0 from OBS (0x84), and is no command and no frame.

    >>> classify(9, bytes.fromhex("17 01 00 00 00 00 00 00 02 65 88"))
    <MediaKind.KEYFRAME: 'keyframe'>
    >>> describe(9, b"\\x91hvc1\\x00\\x00\\x28 and the frame").compositionTime
    40

Nothing here raises, whatever the payload: what cannot be understood is L{MediaKind.UNKNOWN}, and is carried on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from rtmptw.errors import RemoteProtocolError
from rtmptw.wire.enhanced import (
    FOURCCS,
    AudioPacketType,
    FrameType,
    Multitrack,
    Track,
    VideoPacketType,
    readEnhanced,
)
from rtmptw.wire.message import MessageType

__all__ = [
    "AudioPacketType",
    "FrameType",
    "HeaderKey",
    "MediaKind",
    "MediaTag",
    "Multitrack",
    "Track",
    "VideoPacketType",
    "classify",
    "describe",
    "headerKeys",
]

_ENHANCED_VIDEO = 0x80  # bit 7 of byte 0
_ENHANCED_AUDIO = 9  # high nibble of byte 0
_AVC, _HEVC = 7, 12
_AAC = 10

# The longest header whose kind the first two bytes tell: byte 0, multitrack byte, FourCC, track ID, composition time.
# A payload of this many bytes cannot be cut inside of it.
_LONGEST_DIRECT = 1 + 1 + 4 + 1 + 3

_VIDEO_CODECS = {
    1: "JPEG",
    2: "H.263",
    3: "Screen",
    4: "VP6",
    5: "VP6 alpha",
    6: "Screen 2",
    _AVC: "avc1",
    _HEVC: "hvc1",
}
_AUDIO_FORMATS = {
    0: "PCM",
    1: "ADPCM",
    2: ".mp3",
    3: "PCM little endian",
    4: "Nellymoser 16 kHz",
    5: "Nellymoser 8 kHz",
    6: "Nellymoser",
    7: "G.711 A-law",
    8: "G.711 mu-law",
    _AAC: "mp4a",
    11: "speex",
    14: ".mp3",
    15: "device specific",
}


class MediaKind(Enum):
    """
    What a message means to those who store and forward it.

    @ivar isHeader: a late joiner needs the last one of it; see L{headerKeys}.
    @ivar isKeyframe: a decoder can start here, of the tracks that the message holds.
    @ivar isFrame: it is a moment of the media itself.
    """

    SEQUENCE_HEADER = "sequence header"  #: A decoder's configuration.
    CONFIGURATION = "configuration"  #: Audio MultichannelConfig.
    COLOR_INFO = "color info"  #: Video Metadata (HDR).
    KEYFRAME = "keyframe"
    INTERFRAME = "interframe"
    AUDIO = "audio"
    END = "end"  #: End of sequence. Its timestamp may be 0 and must not reset a clock (wire facts 7.2).
    COMMAND = "command"  #: Frame type 5: a seek command instead of a frame.
    EMPTY = "empty"
    UNKNOWN = "unknown"  #: Malformed, cut, or newer than we are.

    isHeader: bool
    isKeyframe: bool
    isFrame: bool

    def __init__(self, word: str) -> None:
        # Plain attributes: a property would cost a call for every message.
        self.isHeader = word in ("sequence header", "configuration", "color info")
        self.isKeyframe = word == "keyframe"
        self.isFrame = word in ("keyframe", "interframe", "audio")


@dataclass(slots=True)
class MediaTag:
    """
    All that the header of an audio or video message tells.

    @ivar kind: what it is.
    @ivar isEnhanced: in the form of Enhanced RTMP.
    @ivar codec: a FourCC such as C{"hvc1"}. AVC, HEVC, AAC and MP3 in the old form have the FourCC that they would have
        in the new one; other old codecs have names. The first track's, if there are many.
    @ivar packetType: a L{VideoPacketType} or L{AudioPacketType} number, behind ModEx and multitrack; C{None} if there
        is no such field.
    @ivar frameType: see L{FrameType}; C{None} for audio.
    @ivar compositionTime: ms, signed 24 bits: presentation time minus timestamp. The first track's.
    @ivar nanoseconds: 0 to 999999, to be added to the timestamp for presentation (ModEx TimestampOffsetNano).
    @ivar multitrack: how the tracks are held; C{None} if the message is not multitrack.
    @ivar tracks: where each track's bytes are; none for L{MediaKind.EMPTY}, C{COMMAND} and C{UNKNOWN}.
    @ivar error: for C{UNKNOWN}: what is wrong, and at which byte.
    """

    kind: MediaKind = MediaKind.UNKNOWN
    isEnhanced: bool = False
    codec: str = ""
    packetType: int | None = None
    frameType: int | None = None
    compositionTime: int = 0
    nanoseconds: int = 0
    multitrack: Multitrack | None = None
    tracks: tuple[Track, ...] = ()
    error: str = ""


class HeaderKey(NamedTuple):
    """
    What a remembered header is for; a newer message with an equal key takes its place.

    @ivar codec: the FourCC of colour metadata, C{"other"} if it is none of L{FOURCCS}: a publisher that invents FourCCs
        cannot fill a cache. C{""} for the other kinds.
    """

    messageType: int
    kind: MediaKind
    track: int
    codec: str


_FRAME_KINDS: dict[int, MediaKind] = {
    FrameType.KEY: MediaKind.KEYFRAME,
    FrameType.INTER: MediaKind.INTERFRAME,
    FrameType.DISPOSABLE_INTER: MediaKind.INTERFRAME,
    FrameType.GENERATED_KEY: MediaKind.KEYFRAME,
}
_VIDEO_KINDS: dict[int, MediaKind] = {
    VideoPacketType.SEQUENCE_START: MediaKind.SEQUENCE_HEADER,
    VideoPacketType.SEQUENCE_END: MediaKind.END,
    VideoPacketType.METADATA: MediaKind.COLOR_INFO,
    VideoPacketType.MPEG2TS_SEQUENCE_START: MediaKind.SEQUENCE_HEADER,
}
_AUDIO_KINDS: dict[int, MediaKind] = {
    AudioPacketType.SEQUENCE_START: MediaKind.SEQUENCE_HEADER,
    AudioPacketType.CODED_FRAMES: MediaKind.AUDIO,
    AudioPacketType.SEQUENCE_END: MediaKind.END,
    AudioPacketType.MULTICHANNEL_CONFIG: MediaKind.CONFIGURATION,
}


def _enhancedKind(frameType: int | None, packetType: int) -> MediaKind:
    """The kind of an enhanced message; C{frameType} is C{None} for audio."""
    if frameType is None:
        return _AUDIO_KINDS.get(packetType, MediaKind.UNKNOWN)
    if frameType == FrameType.COMMAND and packetType != VideoPacketType.METADATA:
        return MediaKind.COMMAND
    if packetType in (VideoPacketType.CODED_FRAMES, VideoPacketType.CODED_FRAMES_X):
        return _FRAME_KINDS.get(frameType, MediaKind.UNKNOWN)
    return _VIDEO_KINDS.get(packetType, MediaKind.UNKNOWN)


def _oldVideoKind(first: int, packetType: int) -> MediaKind:
    """The kind of a video message in the old form; C{packetType} matters for AVC and HEVC only."""
    if first >> 4 == FrameType.COMMAND:
        return MediaKind.COMMAND
    if first & 0x0F in (_AVC, _HEVC) and packetType != VideoPacketType.CODED_FRAMES:
        return _VIDEO_KINDS[packetType] if packetType in (0, 2) else MediaKind.UNKNOWN
    return _FRAME_KINDS.get(first >> 4, MediaKind.UNKNOWN)


def _oldAudioKind(first: int, packetType: int) -> MediaKind:
    """The kind of an audio message in the old form; C{packetType} matters for AAC only."""
    if first >> 4 != _AAC:
        return MediaKind.AUDIO
    return _AUDIO_KINDS[packetType] if packetType in (0, 1) else MediaKind.UNKNOWN


# The hot path is two look-ups, by byte 0 and by byte 1.

_Row = tuple[MediaKind | None, ...]


def _row(isVideo: bool, first: int) -> _Row:
    """The kinds of messages that begin with C{first}, by their second byte; C{None} where more bytes must be read."""
    if isVideo and first < _ENHANCED_VIDEO:
        return tuple(_oldVideoKind(first, second) for second in range(256))
    if not isVideo and first >> 4 != _ENHANCED_AUDIO:
        return tuple(_oldAudioKind(first, second) for second in range(256))
    frameType = first >> 4 & 7 if isVideo else None
    packetType = first & 0x0F
    if packetType == VideoPacketType.MOD_EX:
        return (None,) * 256
    if packetType == (VideoPacketType.MULTITRACK if isVideo else AudioPacketType.MULTITRACK):
        oneTrack = tuple(_enhancedKind(frameType, second) for second in range(16))
        return oneTrack + (None,) * 240
    return (_enhancedKind(frameType, packetType),) * 256


_VIDEO_ROWS = tuple(_row(True, first) for first in range(256))
_AUDIO_ROWS = tuple(_row(False, first) for first in range(256))


def classify(messageType: int, payload: bytes) -> MediaKind:
    """
    Tell what an audio or video message is, as fast as can be: this runs for every message.

    @param messageType: 8 or 9; for every other type the answer is L{MediaKind.UNKNOWN}.
    @return: always the same as C{describe(messageType, payload).kind}.
    """
    if len(payload) >= _LONGEST_DIRECT:
        # Literal numbers, as a look-up in an IntEnum costs more than all the rest.
        if messageType == 9:
            kind = _VIDEO_ROWS[payload[0]][payload[1]]
        elif messageType == 8:
            kind = _AUDIO_ROWS[payload[0]][payload[1]]
        else:
            return MediaKind.UNKNOWN
        if kind is not None:
            return kind
    return describe(messageType, payload).kind


def describe(messageType: int, payload: bytes) -> MediaTag:
    """
    Read all that the header of an audio or video message tells. Costs microseconds; see L{classify} for every message.

    @param messageType: 8 or 9.
    """
    tag = MediaTag()
    isVideo = messageType == MessageType.VIDEO
    if not isVideo and messageType != MessageType.AUDIO:
        tag.error = f"message type {messageType} is neither audio nor video"
    elif not payload:
        tag.kind = MediaKind.EMPTY
    else:
        tag.isEnhanced = payload[0] >= _ENHANCED_VIDEO if isVideo else payload[0] >> 4 == _ENHANCED_AUDIO
        try:
            if tag.isEnhanced:
                _describeEnhanced(tag, payload, isVideo)
            elif isVideo:
                _describeOldVideo(tag, payload)
            else:
                _describeOldAudio(tag, payload)
        except RemoteProtocolError as error:
            tag.error = str(error)
    return tag


def _describeEnhanced(tag: MediaTag, payload: bytes, isVideo: bool) -> None:
    header = readEnhanced(payload, isVideo)
    tag.frameType = header.frameType
    tag.packetType = header.packetType
    tag.nanoseconds = header.nanoseconds
    tag.multitrack = header.multitrack
    if header.tracks:
        tag.codec = header.tracks[0].codec
        tag.compositionTime = header.tracks[0].compositionTime
    tag.kind = _enhancedKind(header.frameType, header.packetType)
    if tag.kind is MediaKind.UNKNOWN:
        raise RemoteProtocolError(f"reserved frame type {header.frameType}", offset=0)
    tag.tracks = header.tracks


def _describeOldVideo(tag: MediaTag, payload: bytes) -> None:
    first = payload[0]
    codecId = first & 0x0F
    tag.frameType = first >> 4
    tag.codec = _VIDEO_CODECS.get(codecId, f"video codec {codecId}")
    start, packetType = 1, 0
    if tag.frameType == FrameType.COMMAND:
        if len(payload) < 2:
            raise RemoteProtocolError("cut in the video command", offset=1)
    elif codecId in (_AVC, _HEVC):
        if len(payload) < 2:
            raise RemoteProtocolError("cut in the packet type", offset=1)
        tag.packetType = packetType = payload[1]
        if packetType > VideoPacketType.SEQUENCE_END:
            raise RemoteProtocolError(f"unknown packet type {packetType}", offset=1)
        start = min(5, len(payload))
        if start == 5:
            tag.compositionTime = int.from_bytes(payload[2:5], signed=True)
        elif packetType != VideoPacketType.SEQUENCE_END:  # which means the same without its composition time
            raise RemoteProtocolError("cut in the composition time", offset=2)
    tag.kind = _oldVideoKind(first, packetType)
    if tag.kind is MediaKind.UNKNOWN:
        raise RemoteProtocolError(f"reserved frame type {tag.frameType}", offset=0)
    if tag.kind is not MediaKind.COMMAND:
        tag.tracks = (Track(0, tag.codec, start, len(payload), tag.compositionTime),)


def _describeOldAudio(tag: MediaTag, payload: bytes) -> None:
    first = payload[0]
    audioFormat = first >> 4
    tag.codec = _AUDIO_FORMATS.get(audioFormat, f"audio format {audioFormat}")
    start = 1
    if audioFormat == _AAC:
        if len(payload) < 2:
            raise RemoteProtocolError("cut in the packet type", offset=1)
        tag.packetType = payload[1]
        start = 2
    tag.kind = _oldAudioKind(first, tag.packetType or 0)
    if tag.kind is MediaKind.UNKNOWN:
        raise RemoteProtocolError(f"unknown packet type {tag.packetType}", offset=1)
    tag.tracks = (Track(0, tag.codec, start, len(payload)),)


def headerKeys(messageType: int, payload: bytes) -> tuple[HeaderKey, ...]:
    """
    Under which keys a live server must remember a message for late joiners (wire facts 7.2, conformance 77).

    A message with several tracks has a key for each of them. Keep the dict in order of arrival, so that a message which
    holds an old header beside a good one goes out before the message that replaced the old one::

        for key in headerKeys(message.type, message.payload):
            cache.pop(key, None)
            cache[key] = message

    and send each message once, in the order of the dict. An end of sequence has no key and removes nothing.

    @return: the keys; none if the message is not a header.
    """
    if not classify(messageType, payload).isHeader:
        return ()
    tag = describe(messageType, payload)
    keys = (HeaderKey(int(messageType), tag.kind, track.id, _keyCodec(tag.kind, track)) for track in tag.tracks)
    return tuple(dict.fromkeys(keys))


def _keyCodec(kind: MediaKind, track: Track) -> str:
    """FFmpeg 9 sends every track's colour metadata as if it were track 0's: there the FourCC must tell them apart."""
    if kind is not MediaKind.COLOR_INFO:
        return ""
    return track.codec if track.codec in FOURCCS else "other"
