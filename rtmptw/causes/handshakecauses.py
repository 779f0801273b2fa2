# -*- test-case-name: tests.causes.test_causes -*-
"""
Causes in the handshake (RTMP 1.0, section 5.2; wire facts 1).
"""

from __future__ import annotations

from rtmptw.causes.cause import Cause, Severity

__all__ = ["HANDSHAKE_CAUSES"]

HANDSHAKE_CAUSES: tuple[Cause, ...] = (
    Cause(
        name="not-rtmp",
        title="The first byte is not RTMP's: one side speaks another protocol",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It does not look at the first byte: it waits until 3,073 bytes have come or the server closes. "
            'An HTTP or TLS answer is shorter than that. Then it says "Cannot read RTMP handshake response".',
            "librtmp": 'It only warns, as "Type mismatch: client sent 3, server answered 60" (60 is the "<" of an HTML '
            "page), and waits for as many bytes.",
            "MediaMTX": "It takes no S0 but 3, and closes (from its source, not run).",
            "SRS": "As a client it takes no S0 but 3, and closes (from its source, not run).",
        },
        mend="Look at the port and at the URL. RTMP begins with the byte 0x03 on both sides. Behind a TLS port the "
        "URL is rtmps://; RTMPT is HTTP, and RTMPE begins with 0x06, 0x08 or 0x09: whoever can't speak those closes.",
        source="wire facts 1.1, 10.7; RTMP 1.0, section 5.2.2",
    ),
    Cause(
        name="no-answer",
        title="There is no answer, or none that can be found in what came",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It waits for ever: it has no time-out unless it is given one.",
            "librtmp": "It waits for 30 s, then fails.",
            "GStreamer": "It waits for 5 s for the handshake, then fails; for the answer to connect rtmp2sink waits "
            "on.",
        },
        mend="Send S0, S1 and S2 in one write as soon as C0 and C1 are complete (1,537 bytes). Then read on: connect "
        "comes right behind C2, often in the same segment, and wants its _result. Read all that comes as one stream "
        "of bytes: no read is a message, no message is a read. If you have answered: a length in a chunk header that "
        "is off by one, or a wrong chunk stream, and nobody can find the answer.",
        source="wire facts 1.1, 1.4, 3.6 row 5, 10.1, 10.2",
    ),
    Cause(
        name="s2-waits-for-c2",
        title="S2 is held back until C2 has come",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It reads S0, S1 and S2 before it writes C2, so both sides wait. Its last line is "
            '"Handshaking...".',
            "FFmpeg player": "The same as when it publishes: it waits before C2.",
            "librtmp": "It writes C2 when S1 has come, so nothing shows the fault with it.",
            "GStreamer": "It waits for all 3,073 bytes before it writes C2; then its time-out comes.",
            "MediaMTX": "It reads S0, S1 and S2 before it writes C2 (from its source, not run).",
        },
        unharmed=frozenset({"librtmp"}),
        mend="Send S2 together with S0 and S1. S2 is a copy of C1: nothing in it depends on C2. The specification "
        "lets a client wait for S2 (and a server too, which is how the two stand still).",
        source="wire facts 0.4, 1.4, 3.6 row 5, 10.1; RTMP 1.0, section 5.2.1",
    ),
    Cause(
        name="c2-tail-dropped",
        title="Bytes behind C2 are thrown away",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It writes connect right behind C2 without waiting; if both come in one segment and the rest "
            "behind C2 is dropped, its connect is lost, and it waits for the answer for ever.",
            "librtmp": "The same: connect follows C2 at once.",
            "GStreamer": "The same: connect follows C2 at once.",
        },
        mend="Take exactly 1,536 bytes as C2, from one read or from several, and give all that stands behind them to "
        "the chunk reader. The handshake ends inside a segment as often as at its end.",
        source="wire facts 1.1, 1.4, 3.6 row 5, 10.2",
    ),
    Cause(
        name="s1-version-without-digest",
        title="S1 names a version of 3 or more, but the digest or the signature that belongs to it is missing",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "When it publishes it does not look at either.",
            "FFmpeg player": "Where the fifth byte of S1 is 3 or more, it wants a valid digest in S1 and a valid "
            'signature in S2. Else it fails with "Server response validating failed" or "Signature mismatch", and '
            "Input/output error.",
        },
        unharmed=frozenset({"FFmpeg"}),
        mend="Write 0 into bytes 4 to 7 of S1: then nobody looks for a digest, and S2 = C1 is enough. (The other way: "
        "the digest handshake, with S1's HMAC at its computed place and S2 signed; only Flash may need it.)",
        source="wire facts 1.2, 1.3, 3.6 row 6, 10.4",
    ),
    Cause(
        name="s2-not-an-echo",
        title="S2 is neither a copy of C1 nor signed",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg": "When it publishes it does not look at S2.",
            "librtmp": "It warns, and goes on; with swfVfy it fails.",
            "GStreamer": "It warns, and goes on.",
        },
        unharmed=frozenset({"FFmpeg", "GStreamer"}),
        mend="Copy the 1,536 bytes of C1 into S2; bytes 4 to 7 may hold the time at which C1 was read. Do not copy C0.",
        source="wire facts 1.1, 1.3, 10.6; RTMP 1.0, section 5.2.4",
    ),
)
