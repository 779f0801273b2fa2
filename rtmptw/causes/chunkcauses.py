# -*- test-case-name: tests.causes.test_causes -*-
"""
Causes in the chunk stream: sizes, extended timestamps, control messages (RTMP 1.0, sections 5.3 and 5.4; wire facts 2).
"""

from __future__ import annotations

from rtmptw.causes.cause import Cause, Severity

__all__ = ["CHUNK_CAUSES"]

CHUNK_CAUSES: tuple[Cause, ...] = (
    Cause(
        name="reply-not-chunked",
        title="A message that is longer than a chunk is written in one piece",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It reads 128 bytes of the reply, takes the next byte for a chunk header, and waits for bytes "
            "that never come, or swallows the next reply as the rest of this one. It prints nothing. A connect answer "
            "of 190 bytes is the best known case.",
            "librtmp": "It waits for the rest of the reply in the same way.",
            "OBS": "It reads by the same rule, and does not get through.",
            "GStreamer": "It waits for the rest of the reply in the same way.",
            "nginx-rtmp": 'Its relay disconnects: "RTMP in chunk stream too big: 37 >= 32".',
        },
        mend="Cut every message that you write, replies too, at your own chunk size, which is 128 bytes until your "
        "own Set Chunk Size has gone out: behind each 128 bytes of payload write the one byte 0xC0 + chunk stream ID "
        "(0xC3 on chunk stream 3). Best have one writer that does it for all messages. Or send Set Chunk Size (4096, "
        "say) before connect's answer.",
        source="wire facts 0.1, 2.5, 3.6 row 2, 10.29; RTMP 1.0, section 5.3.1",
    ),
    Cause(
        name="announced-chunk-size-not-used",
        title="Messages are cut at another size than was announced",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It cuts what it reads at the announced size (128 if nothing was announced). Chunk headers in "
            "other places become part of a message, or payload becomes a header, and from there on it waits; with -v "
            'verbose it may say "Unknown packet type received".',
            "librtmp": "It reads the chunk headers as part of the answer to connect, finds no sense in it, and waits.",
            "GStreamer": "It gets lost in the same way, and waits.",
        },
        mend="Keep one number: the chunk size that your Set Chunk Size has announced, 128 before. Use it for every "
        "byte that you write behind that message, and for none before. The client's Set Chunk Size has no say in what "
        "you write.",
        source="wire facts 2.5, 3.6 row 3, 10.29, 10.30; RTMP 1.0, section 5.4.1",
    ),
    Cause(
        name="client-chunk-size-ignored",
        title="The server goes on reading at 128 bytes after the client has announced another chunk size",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It takes over the server's chunk size as its own, says so with a Set Chunk Size before "
            "releaseStream, and writes with it. Its first message of more than 128 bytes then makes nonsense of all "
            "the rest: often all is well until the metadata or the first key frame. When the server gives up it says "
            '"Broken pipe".',
            "OBS": "It announces 4096 before connect.",
            "GStreamer": "It announces 128 after publish, which changes nothing: with it the fault does not show.",
            "MediaMTX": "It announces 65536 before connect (from its source, not run).",
            "nginx-rtmp": "Its relay announces 4096 before connect.",
            "SRS": "It announces 60000 before publish (from its source, not run).",
        },
        unharmed=frozenset({"GStreamer"}),
        mend="Obey the client's Set Chunk Size (type 1, 4 bytes, big-endian): it holds for what you read, from the "
        "next chunk header on, also between two chunks of one message. It may come before connect, after publish, and "
        "several times. What you write is not touched by it.",
        source="wire facts 0.3, 2.5, 3.6 row 4, 10.20, 10.21; RTMP 1.0, section 5.4.1",
    ),
    Cause(
        name="extended-timestamp-not-repeated",
        title="The server does not repeat the extended timestamp in the chunks that go on with a message",
        severity=Severity.STOPS,
        clients={
            "FFmpeg player": 'It takes 4 bytes of media for the timestamp in each such chunk, and ends at once: "RTMP '
            'packet size mismatch", "Input/output error"; its exit code may be 0.',
            "librtmp": "It takes 4 bytes of media for the timestamp; what it stores ends there, or it waits for bytes "
            'that never come. rtmpdump says "Download complete".',
            "GStreamer": "It looks whether the 4 bytes are the timestamp, so it copes.",
            "MediaMTX": "It expects the repetition (from its source, not run).",
            "SRS": "It looks whether the 4 bytes are the timestamp, so it copes (from its source, not run).",
        },
        unharmed=frozenset({"GStreamer", "SRS"}),
        mend="Where a header holds 0xFFFFFF and so has an extended timestamp, write these 4 bytes also behind each "
        "type 3 header of the same message. It begins after 16,777 s (4 h 39 min) of stream time; at once if stamps "
        "come from a wall clock.",
        source="wire facts 2.4, 3.6 row 19, 10.33; RTMP 1.0, section 5.3.1.3",
    ),
    Cause(
        name="extended-timestamp-not-expected",
        title="The server does not expect the extended timestamp to be repeated",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It repeats the extended timestamp in each type 3 chunk, as the specification says. A server "
            "that does not take these 4 bytes away has them in the middle of the media, and loses the framing behind "
            'them; when it closes, FFmpeg says "Broken pipe".',
            "librtmp": "It repeats the extended timestamp in each type 3 chunk, as the specification says. A server "
            "that does not take these 4 bytes away has them in the middle of the media, and loses the framing behind "
            "them.",
            "OBS": "30.1 and later repeat it (from its source, not run); 30.0 and older do not.",
            "GStreamer": "It repeats the extended timestamp in each type 3 chunk, as the specification says. A server "
            "that does not take these 4 bytes away has them in the middle of the media, and loses the framing behind "
            "them.",
            "nginx-rtmp": "It repeats the extended timestamp in each type 3 chunk, as the specification says. A "
            "server that does not take these 4 bytes away has them in the middle of the media, and loses the framing "
            "behind them.",
        },
        mend="On a type 3 chunk whose chunk stream has an extended timestamp, look at the next 4 bytes. If they are "
        "that timestamp once more, take them away; if not, they are media. That is right with every client.",
        source="wire facts 2.4, 3.6 row 19, 10.18, 10.19; RTMP 1.0, section 5.3.1.3",
    ),
    Cause(
        name="extended-timestamp-always-expected",
        title="The server takes 4 bytes from each type 3 chunk, whether the timestamp is repeated there or not",
        severity=Severity.STOPS,
        clients={
            "OBS": "30.0 and older do not repeat the extended timestamp. A server that takes 4 bytes away all the "
            "same loses media, and the framing, after 4 h 39 min of stream time (from its source, not run).",
        },
        mend="On a type 3 chunk whose chunk stream has an extended timestamp, look at the next 4 bytes, and take them "
        "away only if they are that timestamp once more. Several small libraries and the draft of 2009 do not repeat "
        "it.",
        source="wire facts 2.4, 3.6 row 19, 10.18; RTMP 1.0, section 5.3.1.3",
    ),
    Cause(
        name="unusual-chunks",
        title="The server does not read chunks that are legal and uncommon",
        severity=Severity.ADVICE,
        clients={
            "Flash": "It writes chunks of two messages by turns, as Adobe's server does (from its source, not run).",
        },
        mend="Keep the state of every chunk stream by its ID, read the ID in one, two or three bytes (2 to 65599), and "
        "take each chunk as it comes, whichever message it goes on with.",
        source="wire facts 2.1, 2.7, 10.12, 10.22; RTMP 1.0, section 5.3.1",
    ),
    Cause(
        name="abort-sent",
        title="The server sends Abort",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It passes over Abort and keeps the half message; at the next header on that chunk stream it "
            'fails: "RTMP packet size mismatch 100 != 5000".',
            "librtmp": "It begins anew at the next header, so it copes.",
            "GStreamer": 'It does not implement Abort ("unimplemented: chunk abort, stream_id = 5"), and waits.',
            "nginx-rtmp": "It passes over Abort (from its source, not run).",
        },
        unharmed=frozenset({"librtmp"}),
        mend="Never begin a message that you can't finish: write each message whole, and do not send type 2. Do obey "
        "it when it comes.",
        source="wire facts 2.6, 10.24, 10.35; RTMP 1.0, section 5.4.2",
    ),
    Cause(
        name="control-value",
        title="A chunk size, window or bandwidth is zero, negative, or not there",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": 'It reads the number as signed, and stops at 0 and below: "Incorrect chunk size 0", "Incorrect '
            'window acknowledgement size 0", "Incorrect set peer bandwidth 0".',
            "FFmpeg player": "The same (from its source, not run).",
            "librtmp": "rtmpsink hangs at a chunk size of 0.",
            "GStreamer": "rtmp2sink minds none of them.",
        },
        unharmed=frozenset({"GStreamer"}),
        mend="Write 4 bytes, big-endian, from 1 to 0x7FFFFFFF. Chunk sizes from 4096 to 65536 suit everybody; SRS "
        "takes none below 128, nginx-rtmp and MediaMTX none above 10 MiB. Set Peer Bandwidth has a fifth byte, 0 to 2.",
        source="wire facts 2.5, 10.35; RTMP 1.0, sections 5.4.1, 5.4.4, 5.4.5",
    ),
)
