# -*- test-case-name: tests.dialects.test_publishers -*-
"""
Those who publish (wire facts 3.1).

What FFmpeg, librtmp, GStreamer and nginx-rtmp say was compared with what they said to a real server; OBS, MediaMTX and
SRS are known from their sources, Flash and Haivision from what others tell of them.
"""

from __future__ import annotations

from rtmptw.dialects.dialect import C2, Dialect, Given, Line, splitAtLast, splitAtSecond
from rtmptw.dialects.requirements import FFMPEG, FLASH, GSTREAMER, HAIVISION, LIBRTMP, MEDIAMTX, NGINX, OBS, SRS
from rtmptw.wire.control import UserControl, UserControlType, setChunkSize, setPeerBandwidth, windowAcknowledgementSize

__all__ = ["PUBLISHERS"]

_NAME, _STREAM_ID, _APP, _TC_URL = Given.NAME, Given.STREAM_ID, Given.APP, Given.TC_URL

#: What FFmpeg and all that descend from Adobe's encoder ask before they publish, in one go.
_ENCODER_CALLS = (Line("releaseStream", (_NAME,)), Line("FCPublish", (_NAME,)), Line("createStream"))
_ENCODER_ENDING = (Line("FCUnpublish", (_NAME,)), Line("deleteStream", (_STREAM_ID,)))


def _publish(chunkStreamId: int, kind: str | Given = "live", transactionId: float | None = None) -> Line:
    return Line("publish", (_NAME, kind), transactionId, chunkStreamId, onStream=True)


PUBLISHERS: tuple[Dialect, ...] = (
    Dialect(
        "ffmpeg-publish",
        "FFmpeg",
        True,
        FFMPEG,
        {
            "app": _APP,
            "type": "nonprivate",
            "flashVer": "FMLE/3.0 (compatible; Lavf60.16.100)",
            "tcUrl": _TC_URL,
        },
        _publish(8),
        _ENCODER_CALLS,
        digest=True,
        mirrorsChunkSize=True,
        answersBandwidthDone=True,
        chunkStreams={8: 4, 9: 6, 18: 4},
        ending=_ENCODER_ENDING,
    ),
    Dialect(
        "obs-publish",
        "OBS",
        True,
        OBS,
        {
            "app": _APP,
            "type": "nonprivate",
            "flashVer": "FMLE/3.0 (compatible; FMSc/1.0)",
            "swfUrl": _TC_URL,
            "tcUrl": _TC_URL,
        },
        _publish(4),
        _ENCODER_CALLS,
        c2BehindS1=True,
        prelude=(setChunkSize(4096),),
        answersBandwidthDone=True,
        soundFirst=True,
        ending=_ENCODER_ENDING,
    ),
    Dialect(
        "librtmp-publish",
        "librtmp: GStreamer's rtmpsink, older encoders",
        True,
        LIBRTMP,
        {"app": _APP, "type": "nonprivate", "tcUrl": _TC_URL},
        _publish(4),
        _ENCODER_CALLS,
        c2BehindS1=True,
        answersBandwidthDone=True,
        ending=_ENCODER_ENDING,
        split=splitAtLast,
    ),
    Dialect(
        "gstreamer-publish",
        "GStreamer's rtmp2sink",
        True,
        GSTREAMER,
        {"app": _APP, "type": "nonprivate", "flashVer": "LNX 10,0,32,18", "tcUrl": _TC_URL},
        _publish(3, transactionId=0),
        (
            Line("releaseStream", (_NAME,), transactionId=0),
            Line("FCPublish", (_NAME,), transactionId=0),
            Line("createStream"),
        ),
        c2=C2.TIMED,
        mirrorsBandwidth=True,
        chunkStreams={8: 5, 9: 6, 18: 4},
        chunkSizeBehindStart=128,
        ending=(Line("FCUnpublish", (_NAME,), transactionId=0), Line("deleteStream", (_NAME,), transactionId=0)),
        split=splitAtLast,
    ),
    Dialect(
        "mediamtx-publish",
        "MediaMTX (gortmplib)",
        True,
        MEDIAMTX,
        {"app": _APP, "flashVer": "LNX 9,0,124,2", "tcUrl": _TC_URL, "objectEncoding": 0.0},
        _publish(4, _APP),
        _ENCODER_CALLS,
        prelude=(windowAcknowledgementSize(2500000), setPeerBandwidth(2500000), setChunkSize(65536)),
        chunkStreams={8: 4, 9: 6, 18: 4},
        split=splitAtSecond,
    ),
    Dialect(
        "nginx-publish",
        "nginx-rtmp, which pushes",
        True,
        NGINX,
        {
            "app": _APP,
            "tcUrl": _TC_URL,
            "pageUrl": "",
            "swfUrl": "",
            "flashVer": "LNX.11,1,102,55",
            "audioCodecs": 3575.0,
            "videoCodecs": 252.0,
        },
        _publish(5, transactionId=0),
        (Line("createStream"),),
        digest=True,
        version=bytes.fromhex("0c000d0e"),
        c2=C2.SIGNED,
        prelude=(setChunkSize(4096), windowAcknowledgementSize(5000000)),
        streamId=1,
        behindRequest=(UserControl(UserControlType.STREAM_BEGIN, 1).encode(),),
        chunkStreams={8: 6, 9: 7, 18: 5},
        dataFramePrefix=False,
        soundFirst=True,
    ),
    Dialect(
        "flash-publish",
        "a Flash program, in AMF3",
        True,
        FLASH,
        {
            "app": _APP,
            "flashVer": "WIN 32,0,0,171",
            "swfUrl": "http://localhost/publisher.swf",
            "tcUrl": _TC_URL,
            "fpad": False,
            "capabilities": 239.0,
            "audioCodecs": 3575.0,
            "videoCodecs": 252.0,
            "videoFunction": 1.0,
            "pageUrl": None,
            "objectEncoding": 3.0,
        },
        _publish(8, transactionId=0),
        (Line("createStream"),),
        connectArguments=("user", 7.0, None),
        amf3=True,
        ending=(Line("publish", (False,), 0, 8, onStream=True), Line("closeStream", (), 0, 8, onStream=True)),
    ),
    Dialect(
        "srs-publish",
        "SRS, which forwards",
        True,
        SRS,
        {
            "app": _APP,
            "flashVer": "WIN 15,0,0,239",
            "swfUrl": "",
            "tcUrl": _TC_URL,
            "fpad": False,
            "capabilities": 239.0,
            "audioCodecs": 3575.0,
            "videoCodecs": 252.0,
            "videoFunction": 1.0,
            "pageUrl": "",
            "objectEncoding": 0.0,
        },
        _publish(5, transactionId=0),
        (Line("createStream"),),
        digest=True,
        version=bytes.fromhex("80000702"),
        c2=C2.SIGNED,
        besideConnect=(windowAcknowledgementSize(2500000),),
        behindCreateStream=(setChunkSize(60000),),
        chunkStreams={8: 7, 9: 6, 18: 4},
    ),
    Dialect(
        "haivision-publish",
        "Haivision's encoders, which create the stream first",
        True,
        HAIVISION,
        {"app": _APP, "tcUrl": _TC_URL},
        _publish(4),
        (
            Line("createStream"),
            Line("releaseStream", (_NAME,)),
            Line("FCPublish", (_NAME,)),
            Line("_checkbw"),
        ),
        ending=_ENCODER_ENDING,
    ),
)
