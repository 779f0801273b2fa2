# -*- test-case-name: tests.causes.test_causes -*-
"""
Causes in the answers to connect and createStream, and in what holds for every command (RTMP 1.0, section 7.2.1; wire
facts 3).
"""

from __future__ import annotations

from rtmptw.causes.cause import Cause, Severity

__all__ = ["COMMAND_CAUSES"]

COMMAND_CAUSES: tuple[Cause, ...] = (
    Cause(
        name="connect-transaction-id",
        title="The answer to connect has another transaction ID than connect had",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It ignores a _result whose transaction ID is not one that it has sent; it waits here for ever, "
            "and prints nothing more. If onBWDone came, a _checkbw with transaction ID 2 goes out, and nothing behind "
            "it.",
            "FFmpeg player": "The same: it never sends createStream (from its source, not run).",
            "librtmp": 'It finds no call with that number (its debug output says "received result id 2.000000 without '
            'matching request"), never sends createStream, and waits.',
            "OBS": "As librtmp: it does not get beyond connect.",
            "GStreamer": 'It passes over it, and waits; with GST_DEBUG it says: Server sent command "_result" with '
            "unused transaction ID.",
            "nginx-rtmp": "Its relay does not take it for its answer either, and waits.",
            "SRS": "It disconnects at a _result whose transaction ID it has not sent (from its source, not run).",
        },
        mend="Copy the transaction ID from the connect you answer: the 8 bytes behind its name and the marker 00 "
        "(bytes 11 to 18 of the payload, counted from 0), a big-endian double; usually 1, but not always.",
        source="wire facts 0.1, 3.2, 3.6 row 1, 10.44; RTMP 1.0, section 7.2.1.1",
    ),
    Cause(
        name="transaction-id-not-number",
        title="The transaction ID of an answer is not a number",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": 'It reads a number at that place; where there is none it stops: "Invalid data found when '
            'processing input".',
            "librtmp": "It takes what is no number for 0, finds no call that this answers, and waits.",
            "OBS": "It finds no call that this answers, and waits.",
            "GStreamer": "It passes over an answer without a number there, and waits.",
        },
        mend="Write the second value of _result and _error as an AMF0 number: the marker 00, then 8 bytes, a "
        "big-endian double. Not a string, not null, not left out: the bytes of the call's own transaction ID, copied, "
        "are right.",
        source="wire facts 3.2, 3.6 row 1, 10.44; RTMP 1.0, section 7.2.1.2",
    ),
    Cause(
        name="reply-as-amf3",
        title="A reply goes out as message type 17 (AMF3) to a client that did not ask for AMF3",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": 'It passes over the message, and waits for ever. With -v verbose it says "Unknown packet type '
            'received 0x11"; else nothing.',
            "librtmp": "It reads type 17 as well as type 20.",
            "GStreamer": "It reads commands of type 20 only, and waits.",
        },
        unharmed=frozenset({"librtmp"}),
        mend="Answer in message type 20, with AMF0 values, whatever the type of the request: nginx-rtmp and SRS do so "
        "even where the client asks for objectEncoding 3.",
        source="wire facts 3.2, 3.6 row 7, 10.45; RTMP 1.0, section 7.1.1",
    ),
    Cause(
        name="connect-without-code",
        title="The answer to connect does not say NetConnection.Connect.Success where it is looked for",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It looks at nothing but the transaction ID.",
            "GStreamer": "It looks for the code in the fourth value of the answer (the second behind the transaction "
            "ID), and fails without it. The third may be null.",
        },
        unharmed=frozenset({"FFmpeg"}),
        mend='Answer with: "_result", the transaction ID, an object (fmsVer, capabilities; or null), and an object '
        'with level "status", code "NetConnection.Connect.Success", description, objectEncoding.',
        source="wire facts 3.2, 3.5, 10.47; RTMP 1.0, section 7.2.1.1",
    ),
    Cause(
        name="createstream-transaction-id",
        title="The answer to createStream has another transaction ID than createStream had",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": 'It ignores the answer, and waits for ever. With -v debug its last line is "Creating stream...".',
            "librtmp": "It finds no call that this answers, and never publishes.",
            "OBS": "As librtmp, of which it has a copy.",
            "GStreamer": 'It passes over it, and waits; with GST_DEBUG it says: Server sent command "_result" with '
            "unused transaction ID.",
            "nginx-rtmp": "Its relay waits for ever.",
            "SRS": "It disconnects at a _result whose transaction ID it has not sent (from its source, not run).",
        },
        mend="Copy the transaction ID from the createStream that you answer. It is 2 with GStreamer and nginx-rtmp, 4 "
        "with FFmpeg and OBS: a fixed number is wrong with somebody.",
        source="wire facts 3.1, 3.2, 3.6 row 8, 10.48; RTMP 1.0, section 7.2.1.3",
    ),
    Cause(
        name="createstream-undefined",
        title="The answer to createStream has something else than null in its third value",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg": 'It says "Unexpected reply on connect()", finds no stream ID behind what is not null, and '
            "publishes on message stream 0. That is well if the server takes publish and media there. If it looks for "
            "media on the ID that it gave, everything is lost, with exit code 0; if for publish too, FFmpeg waits for "
            "ever.",
            "librtmp": "It takes null and undefined alike.",
        },
        unharmed=frozenset({"librtmp"}),
        mend="Write null (the one byte 05) between the transaction ID and the stream ID, not undefined (06), not an "
        "object. And take publish and media on message stream 0 too.",
        source="wire facts 3.2, 3.6 row 8, 10.48, 11; RTMP 1.0, section 7.2.1.3",
    ),
    Cause(
        name="createstream-id-not-number",
        title="The stream ID in the answer to createStream is no number above 0",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It finds no stream ID, and publishes on message stream 0: the server must take it there.",
            "librtmp": "With 0 it publishes, but never says at the end that it goes (no FCUnpublish, no deleteStream).",
            "GStreamer": "It wants a number other than 0, and fails at once.",
            "MediaMTX": "It wants exactly 1 (from its source, not run).",
        },
        unharmed=frozenset({"librtmp"}),
        mend="Write the fourth value as an AMF0 number: 1 for the first createStream of a connection, then 2, 3, ... "
        "Not a string, not a boolean, not left out; 0 is the connection itself.",
        source="wire facts 3.2, 3.6 row 8, 10.48; RTMP 1.0, section 7.2.1.3",
    ),
    Cause(
        name="createstream-id-not-1",
        title="The first stream ID is not 1",
        severity=Severity.ADVICE,
        clients={
            "GStreamer": "rtmp2src ends at StreamEOF for stream 1 only; with another ID it waits at the end.",
            "MediaMTX": "It wants exactly 1, and fails otherwise (from its source, not run).",
            "nginx-rtmp": "Its relay publishes on message stream 1, whatever the answer says.",
        },
        mend="Give 1 to the first createStream of each connection. Take publish on message stream 1 in any case.",
        source="wire facts 0.5, 3.2, 3.3, 10.48, 10.50",
    ),
    Cause(
        name="answers-transaction-0",
        title="An answer that nobody waits for: to a call with transaction ID 0, or to none at all",
        severity=Severity.ADVICE,
        clients={
            "GStreamer": "It warns, and goes on.",
            "SRS": "It disconnects at an answer whose transaction ID it does not know (from its source, not run).",
        },
        unharmed=frozenset({"GStreamer"}),
        mend="Transaction ID 0 says that no answer is wanted: give none. (publish, play, releaseStream and FCPublish "
        "often come with 0.)",
        source="wire facts 3.2, 3.6 row 12, 10.55; RTMP 1.0, section 7.2.1.2",
    ),
    Cause(
        name="short-command",
        title="A command has fewer than three values",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg": "It does not mind; its own server sends onFCPublish so.",
            "MediaMTX": "It fails at a command with fewer than three values (from its source, not run).",
        },
        unharmed=frozenset({"FFmpeg"}),
        mend="Write at least the name, the transaction ID (0 if it is no answer) and null in every command.",
        source="wire facts 3.2, 3.4, 10.56, 11; RTMP 1.0, section 7.1.1",
    ),
    Cause(
        name="unsupported-marker",
        title="A command holds a value of a type that clients can't read",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It can't skip such a value in onStatus, and so does not find what stands behind it (from its "
            "source, not run).",
            "librtmp": "It drops the whole command in which there is a reference (07), a movie clip (04) or a typed "
            "object (10), and waits for the answer that it has dropped.",
            "OBS": "As librtmp, of which it has a copy (from its source, not run).",
        },
        mend="Use in commands only number (00), boolean (01), string (02), object (03), null (05), strict array (0A). "
        "Write an object out where your encoder would refer to it, and typed objects as plain ones.",
        source="wire facts 3.2, 4, 10.69",
    ),
)
