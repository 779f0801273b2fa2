# -*- test-case-name: tests.dialects.test_players -*-
"""
Those who play (wire facts 3.3).

What FFmpeg, librtmp and GStreamer say was compared with what they said to a real server; the others are known from
their sources, and Flash from what others tell of it.
"""

from __future__ import annotations

from rtmptw.dialects.dialect import C2, Dialect, Given, Line, Window, splitAtLast, splitAtSecond
from rtmptw.dialects.requirements import FFMPEG_PLAYER, FLASH, GSTREAMER, LIBRTMP, MEDIAMTX
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.control import UserControl, UserControlType, setChunkSize, setPeerBandwidth, windowAcknowledgementSize

__all__ = ["PLAYERS"]

_NAME = Given.NAME

#: What players send in connect behind the URLs since Flash did (RTMP 1.0, section 7.2.1.1).
_PLAYER: dict[str, AMFValue | Given] = {
    "fpad": False,
    "capabilities": 15.0,
    "audioCodecs": 4071.0,
    "videoCodecs": 252.0,
    "videoFunction": 1.0,
}

_DELETE = (Line("deleteStream", (Given.STREAM_ID,)),)


def _properties(flashVer: str) -> dict[str, AMFValue | Given]:
    return {"app": Given.APP, "flashVer": flashVer, "tcUrl": Given.TC_URL, **_PLAYER}


def _buffer(milliseconds: int) -> tuple[UserControl, ...]:
    """Set Buffer Length for message stream 0, which comes in front of createStream's answer (wire facts 6)."""
    return (UserControl(UserControlType.SET_BUFFER_LENGTH, 0, milliseconds),)


def _play(chunkStreamId: int, *arguments: AMFValue, transactionId: float | None = None) -> Line:
    return Line("play", (_NAME, *arguments), transactionId, chunkStreamId, onStream=True)


PLAYERS: tuple[Dialect, ...] = (
    Dialect(
        "ffmpeg-play",
        "FFmpeg and ffplay",
        False,
        FFMPEG_PLAYER,
        _properties("LNX 9,0,124,2"),
        _play(8, -2000.0),
        (Line("createStream"),),
        digest=True,
        c2=C2.SIGNED,
        window=Window.BANDWIDTH,
        behindCreateStream=(Line("getStreamLength", (_NAME,), None, 8),),
        bufferMilliseconds=3000,
        answersBandwidthDone=True,
        ending=_DELETE,
    ),
    Dialect(
        "librtmp-play",
        "librtmp: rtmpdump, GStreamer's rtmpsrc",
        False,
        LIBRTMP,
        {**_properties("LNX 10,0,32,18"), "audioCodecs": 3191.0},
        _play(8, -1000.0),
        (Line("createStream"), Line("FCSubscribe", (_NAME,))),
        c2BehindS1=True,
        window=Window.SERVERS,
        behindConnect=tuple(each.encode() for each in _buffer(300)),
        bufferMilliseconds=36000000,
        answersBandwidthDone=True,
        ending=_DELETE,
        split=splitAtLast,
    ),
    Dialect(
        "gstreamer-play",
        "GStreamer's rtmp2src",
        False,
        GSTREAMER,
        _properties("LNX 10,0,32,18"),
        _play(3, -2.0, transactionId=0),
        (Line("createStream"),),
        c2=C2.TIMED,
        mirrorsBandwidth=True,
        window=Window.DEFAULT,
        behindConnect=tuple(each.encode() for each in _buffer(300)),
        bufferMilliseconds=30000,
        split=splitAtLast,
    ),
    Dialect(
        "mediamtx-play",
        "MediaMTX (gortmplib)",
        False,
        MEDIAMTX,
        {
            "app": Given.APP,
            "flashVer": "LNX 9,0,124,2",
            "tcUrl": Given.TC_URL,
            "objectEncoding": 0.0,
            "fpad": False,
            "capabilities": 15.0,
            "audioCodecs": 1413.0,
            "videoCodecs": 128.0,
            "videoFunction": 0.0,
            "fourCcList": ["av01", "vp09", "hvc1", "avc1", "Opus", "ac-3", "mp4a", ".mp3"],
        },
        _play(4),
        (Line("createStream"),),
        prelude=(windowAcknowledgementSize(2500000), setPeerBandwidth(2500000), setChunkSize(65536)),
        behindCreateStream=tuple(each.encode() for each in _buffer(100)),
        split=splitAtSecond,
    ),
    Dialect(
        "flash-play",
        "a Flash program, in AMF3",
        False,
        FLASH,
        {**_properties("WIN 32,0,0,171"), "pageUrl": None, "objectEncoding": 3.0},
        _play(8, -1000.0, transactionId=0),
        (Line("createStream"),),
        connectArguments=("user", 7.0, None),
        amf3=True,
        bufferMilliseconds=100,
    ),
)
