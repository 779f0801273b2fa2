# -*- test-case-name: tests.wire.test_media -*-
"""
The header of an Enhanced RTMP audio or video message (Enhanced RTMP v2; wire facts 7.1).

Byte 0 says that a message is enhanced: bit 7 in video, the high nibble 9 in audio. Its low nibble is a packet type::

    enhanced = *ModEx (FourCC body / multitrack / command)
    ModEx = size-1 (8 bits; if the size is then 256: size-1 in 16 more bits), data,
            ModEx type (4 bits), next packet type (4 bits)
    multitrack = type (4 bits), packet type (4 bits), then
        0: FourCC, track ID (8 bits), body
        1: FourCC, *(track ID (8 bits), size (24 bits), body)
        2: *(FourCC, track ID (8 bits), size (24 bits), body)
    command = 8 bits; instead of all else in video with frame type 5, unless the packet type is Metadata

A body of packet type CodedFrames in AVC, HEVC or VVC begins with a composition time (24 bits, signed).

    >>> readEnhanced(b"\\x96\\x00hvc1\\x01 the configuration", isVideo=True).tracks
    (Track(id=1, codec='hvc1', start=7, end=25, compositionTime=0),)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from rtmptw.errors import LimitExceeded, RemoteProtocolError

__all__ = [
    "FOURCCS",
    "MAX_MOD_EX",
    "MAX_TRACKS",
    "AudioPacketType",
    "EnhancedHeader",
    "FrameType",
    "Multitrack",
    "Track",
    "VideoPacketType",
    "readEnhanced",
]

#: How many ModEx steps one message may chain before it counts as malformed.
MAX_MOD_EX = 64

#: How many tracks one message may hold: a track ID is one byte.
MAX_TRACKS = 256

#: The codecs that Enhanced RTMP v2 names; others are carried as well.
FOURCCS = frozenset(["vp08", "vp09", "av01", "avc1", "hvc1", "vvc1", "ac-3", "ec-3", "Opus", ".mp3", "fLaC", "mp4a"])

_COMPOSITION_TIME_FOURCCS = frozenset(("avc1", "hvc1", "vvc1"))
_TIMESTAMP_OFFSET_NANO = 0
_MAX_NANOSECONDS = 999_999


class FrameType(IntEnum):
    """Video frame types. A generated keyframe starts a picture like any keyframe; a disposable one is an interframe."""

    KEY = 1
    INTER = 2
    DISPOSABLE_INTER = 3
    GENERATED_KEY = 4
    COMMAND = 5


class VideoPacketType(IntEnum):
    """Enhanced video packet types. The first three are AVC's and HEVC's in the old form too."""

    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    CODED_FRAMES_X = 3
    METADATA = 4
    MPEG2TS_SEQUENCE_START = 5
    MULTITRACK = 6
    MOD_EX = 7


class AudioPacketType(IntEnum):
    """Enhanced audio packet types. The first two are AAC's in the old form too."""

    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    MULTICHANNEL_CONFIG = 4
    MULTITRACK = 5
    MOD_EX = 7


class Multitrack(IntEnum):
    """How a multitrack message holds its tracks."""

    ONE_TRACK = 0
    MANY_TRACKS = 1
    MANY_TRACKS_MANY_CODECS = 2


class Track(NamedTuple):
    """
    One track's part of a message.

    @ivar id: the track ID, 0-255; 0 if the message is not multitrack.
    @ivar codec: a FourCC (C{"0x00000001"} if it is no text), or the name of an old codec.
    @ivar start: where in the payload the codec's own bytes begin (behind the composition time, if there is one).
    @ivar end: the offset just behind them.
    @ivar compositionTime: ms, signed: presentation time minus timestamp.
    """

    id: int
    codec: str
    start: int
    end: int
    compositionTime: int = 0


@dataclass(slots=True)
class EnhancedHeader:
    """
    What the header says.

    @ivar frameType: 0-7, see L{FrameType}; C{None} for audio.
    @ivar packetType: a L{VideoPacketType} or L{AudioPacketType} number, the one behind ModEx and multitrack.
    @ivar nanoseconds: 0 to 999999, to be added to the timestamp for presentation.
    @ivar multitrack: how the tracks are held; C{None} if the message is not multitrack.
    @ivar tracks: at least one, but none for a command.
    """

    frameType: int | None
    packetType: int
    nanoseconds: int
    multitrack: Multitrack | None
    tracks: tuple[Track, ...]


def readEnhanced(payload: bytes, isVideo: bool) -> EnhancedHeader:
    """
    Read the header of a message whose byte 0 says that it is enhanced.

    @raise RemoteProtocolError: it is cut short or says something unknown; C{offset} counts from the payload's start.
    """
    types: type[VideoPacketType] | type[AudioPacketType] = VideoPacketType if isVideo else AudioPacketType
    frameType = payload[0] >> 4 & 7 if isVideo else None
    packetType, offset, nanoseconds = _skipModEx(payload, types.MOD_EX)
    if frameType == FrameType.COMMAND and not _isMetadata(payload, packetType, offset):
        _need(payload, offset, 1, "video command")
        return EnhancedHeader(frameType, packetType, nanoseconds, None, ())
    multitrack = None
    if packetType == types.MULTITRACK:
        _need(payload, offset, 1, "multitrack byte")
        multitrackType, packetType = payload[offset] >> 4, payload[offset] & 0x0F
        if multitrackType > Multitrack.MANY_TRACKS_MANY_CODECS:
            raise RemoteProtocolError(f"unknown multitrack type {multitrackType}", offset=offset)
        multitrack = Multitrack(multitrackType)
        if packetType in (types.MULTITRACK, types.MOD_EX):
            raise RemoteProtocolError(f"{types(packetType).name} inside of multitrack", offset=offset)
        offset += 1
    if packetType not in list(types):
        raise RemoteProtocolError(f"unknown packet type {packetType}", offset=offset - 1)
    hasCompositionTime = isVideo and packetType == VideoPacketType.CODED_FRAMES
    tracks = _readTracks(payload, offset, multitrack, hasCompositionTime)
    return EnhancedHeader(frameType, packetType, nanoseconds, multitrack, tracks)


def _need(payload: bytes, offset: int, size: int, what: str, end: int | None = None) -> None:
    """Make sure that C{size} bytes lie before C{end}."""
    if offset + size > (len(payload) if end is None else end):
        raise RemoteProtocolError(f"cut in the {what}", offset=offset)


def _isMetadata(payload: bytes, packetType: int, offset: int) -> bool:
    """
    Whether a message of frame type 5 holds metadata after all, bare or wrapped in multitrack.

    The letter of Enhanced RTMP v2 asks for the frame type before it looks into multitrack. But no video command has a
    number that ends in 4, so a wrapped one is no command.
    """
    if packetType == VideoPacketType.MULTITRACK and offset < len(payload):
        packetType = payload[offset] & 0x0F
    return packetType == VideoPacketType.METADATA


def _skipModEx(payload: bytes, modEx: int) -> tuple[int, int, int]:
    """Walk the chain of ModEx; give the packet type behind it, the offset behind that, and the nanoseconds."""
    packetType, offset, nanoseconds = payload[0] & 0x0F, 1, 0
    steps = 0
    while packetType == modEx:
        steps += 1
        if steps > MAX_MOD_EX:
            raise LimitExceeded(f"more than {MAX_MOD_EX} ModEx in a chain", offset=offset)
        _need(payload, offset, 1, "ModEx size")
        size = payload[offset] + 1
        offset += 1
        if size == 256:
            _need(payload, offset, 2, "ModEx size")
            size = int.from_bytes(payload[offset : offset + 2]) + 1
            offset += 2
        _need(payload, offset, size + 1, "ModEx data")
        data = offset
        offset += size
        packetType = payload[offset] & 0x0F
        if payload[offset] >> 4 == _TIMESTAMP_OFFSET_NANO and size >= 3:
            value = int.from_bytes(payload[data : data + 3])
            nanoseconds = value if value <= _MAX_NANOSECONDS else 0
        offset += 1
    return packetType, offset, nanoseconds


def _readTracks(
    payload: bytes, offset: int, multitrack: Multitrack | None, hasCompositionTime: bool
) -> tuple[Track, ...]:
    """Find the tracks; C{offset} is where the first FourCC is."""
    tracks: list[Track] = []
    codec, trackId = "", 0
    while not tracks or offset < len(payload):
        if len(tracks) == MAX_TRACKS:
            raise LimitExceeded(f"more than {MAX_TRACKS} tracks", offset=offset)
        if not tracks or multitrack == Multitrack.MANY_TRACKS_MANY_CODECS:
            _need(payload, offset, 4, "FourCC")
            codec = _fourCC(payload[offset : offset + 4])
            offset += 4
        if multitrack is not None:
            _need(payload, offset, 1, "track ID")
            trackId = payload[offset]
            offset += 1
        end = len(payload)
        if multitrack is not None and multitrack != Multitrack.ONE_TRACK:
            _need(payload, offset, 3, "track size")
            size = int.from_bytes(payload[offset : offset + 3])
            offset += 3
            _need(payload, offset, size, f"body of track {trackId}")
            end = offset + size
        compositionTime = 0
        if hasCompositionTime and codec in _COMPOSITION_TIME_FOURCCS:
            _need(payload, offset, 3, "composition time", end)
            compositionTime = int.from_bytes(payload[offset : offset + 3], signed=True)
            offset += 3
        tracks.append(Track(trackId, codec, offset, end, compositionTime))
        offset = end
    return tuple(tracks)


def _fourCC(code: bytes) -> str:
    """A FourCC as text that is safe to log."""
    text = code.decode("latin-1")
    return text if text.isascii() and text.isprintable() else "0x" + code.hex()
