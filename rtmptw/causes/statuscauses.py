# -*- test-case-name: tests.causes.test_causes -*-
"""
Causes in the answers to publish and play (RTMP 1.0, section 7.2.2; wire facts 3.2, 3.3).
"""

from __future__ import annotations

from rtmptw.causes.cause import Cause, Severity

__all__ = ["STATUS_CAUSES"]

STATUS_CAUSES: tuple[Cause, ...] = (
    Cause(
        name="onstatus-ecma",
        title="The information in onStatus is not an AMF0 object",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It reads level and code only from an object (03). From an ECMA array (08) it reads nothing, "
            "and waits for ever.",
            "librtmp": "It takes an object only; an ECMA array makes it wait.",
            "OBS": "As librtmp: it does not start to publish.",
            "GStreamer": "It reads an object and an ECMA array alike.",
        },
        unharmed=frozenset({"GStreamer"}),
        mend="Write the fourth value of onStatus as an object: the marker 03, the members, 00 00 09. The ECMA array "
        "(08, with a count in front) belongs into onMetaData only.",
        source="wire facts 3.2, 3.6 row 9, 10.51, 11",
    ),
    Cause(
        name="onstatus-undefined",
        title="onStatus has an undefined value in front of what it says",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It skips the values in front of the code by their type; undefined (06) it can't skip, so it "
            "does not find the code, and waits for ever. It prints nothing.",
            "librtmp": "It looks at the fourth value, whatever the third is, so it copes.",
            "GStreamer": "It copes as well.",
        },
        unharmed=frozenset({"librtmp", "GStreamer"}),
        mend="Write null (05) as the third value of onStatus, and no undefined among the members of its object.",
        source="wire facts 3.2, 3.6 row 9, 10.51, 10.56",
    ),
    Cause(
        name="publish-only-result",
        title="publish or play is answered by _result alone",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It waits for onStatus with NetStream.Publish.Start; a _result to publish is none. It waits for "
            "ever.",
            "librtmp": "It takes the _result for a start.",
            "GStreamer": "It waits for onStatus.",
            "MediaMTX": "It fails at a _result to publish (from its source, not run).",
        },
        unharmed=frozenset({"librtmp"}),
        mend="Answer publish with onStatus (type 20, transaction ID 0, null, object with level, code "
        '"NetStream.Publish.Start" and description) on the message stream of the publish; play with '
        '"NetStream.Play.Start". And send no _result.',
        source="wire facts 3.2, 3.5, 3.6 row 9, 10.51, 10.54; RTMP 1.0, section 7.2.2.6",
    ),
    Cause(
        name="result-to-publish",
        title="publish or play gets a _result",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg": "It passes over it, and waits for onStatus.",
            "MediaMTX": "It fails at a _result to publish or play (from its source, not run).",
        },
        unharmed=frozenset({"FFmpeg"}),
        mend="Answer publish and play with onStatus only.",
        source="wire facts 3.2, 3.3, 10.54",
    ),
    Cause(
        name="onstatus-on-stream-0",
        title="onStatus comes on another message stream than the publish or play that it answers",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It does not look at the message stream.",
            "GStreamer": "It waits for onStatus on the message stream that createStream has given; one on stream 0 it "
            "does not take, and waits on.",
        },
        unharmed=frozenset({"FFmpeg"}),
        mend="Send onStatus with the message stream ID that publish or play came with: the last 4 bytes of the type 0 "
        "chunk header, little-endian, mostly 01 00 00 00.",
        source="wire facts 2.1, 3.2, 3.6 row 9, 10.52; RTMP 1.0, section 5.3.1.2.1",
    ),
    Cause(
        name="first-status-not-start",
        title="The first onStatus on the stream is not the start",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It passes over codes that it does not know.",
            "GStreamer": "It takes the first onStatus for the answer, and fails unless its code is "
            "NetStream.Publish.Start, or for play NetStream.Play.Start, Play.Reset or Play.PublishNotify.",
        },
        unharmed=frozenset({"FFmpeg"}),
        mend="Let NetStream.Publish.Start be the first status behind publish; behind play NetStream.Play.Reset (if "
        "you send it) and NetStream.Play.Start. Whatever else you like to say, say it behind.",
        source="wire facts 3.2, 3.4, 10.53",
    ),
)
