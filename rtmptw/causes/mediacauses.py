# -*- test-case-name: tests.causes.test_causes -*-
"""
Causes in the media: what is lost on its way from the publisher, and what players are sent (wire facts 2.8, 5, 6, 9).

Loss is silent: the clients end with exit code 0, and only counting shows it (wire facts 11).
"""

from __future__ import annotations

from rtmptw.causes.cause import Cause, Severity

__all__ = ["MEDIA_CAUSES"]

MEDIA_CAUSES: tuple[Cause, ...] = (
    Cause(
        name="waits-for-metadata",
        title="The server drops all media until onMetaData has come",
        severity=Severity.LOSES,
        clients={
            "FFmpeg": "With -flvflags no_metadata it sends none, and all is lost, with exit code 0.",
            "librtmp": "It sends what the FLV holds; there may be no onMetaData in it.",
            "nginx-rtmp": "Its relay sends onMetaData without @setDataFrame, as an object; who looks for "
            "@setDataFrame waits for ever.",
        },
        mend="Take audio and video from Publish.Start on. Metadata may come late, often, with or without "
        "@setDataFrame, as object or ECMA array, or never.",
        source="wire facts 3.1, 3.6 row 15, 5, 10.74",
    ),
    Cause(
        name="waits-for-keyframe",
        title="The server drops all media until a key frame has come",
        severity=Severity.LOSES,
        clients={
            "FFmpeg": "The audio and all frames before its first key frame are lost; exit code 0. A stream of audio "
            "alone is lost whole.",
            "librtmp": "The same.",
            "GStreamer": "The same.",
        },
        mend="Store what comes. Wait for a key frame only where a player joins, for video only, and never with "
        "sequence headers. Of an enhanced tag the frame type is (byte 0 >> 4) & 7.",
        source="wire facts 3.6 row 15, 7.1, 10.83, 11",
    ),
    Cause(
        name="unasked-acks",
        title="The server sends acknowledgements to a publisher that did not ask for them",
        severity=Severity.LOSES,
        clients={
            "FFmpeg": "It reads one message for 10 that it sends; what it has not read when it closes makes its "
            "kernel reset the connection, and the end of the stream is thrown away. Measured: 10 % of a publish "
            "arrived with acknowledgements, all of it without; exit code 0 both times.",
            "librtmp": "While it publishes it reads nothing at all, so its end is lost in the same way.",
            "OBS": "It reads one message for each that it sends, and loses its end in the same way (from its source, "
            "not run).",
            "GStreamer": "It asks for acknowledgements itself, after the server has sent Set Peer Bandwidth; and at "
            "full speed it loses its end by them all the same. In real time they do no harm.",
        },
        mend="Send Acknowledgement (type 3) only to who has sent Window Acknowledgement Size (type 5). No client that "
        "was run misses them.",
        source="wire facts 0.2, 2.8, 3.6 row 16, 10.37, 11",
    ),
    Cause(
        name="writes-to-publisher",
        title="The server writes to a publisher while it publishes",
        severity=Severity.LOSES,
        clients={
            "FFmpeg": "It hardly reads while it publishes. What it has not read when it closes makes its kernel reset "
            "the connection, and the end of the stream is thrown away. Measured with pings: 344 of 433 messages "
            "arrived; exit code 0.",
            "librtmp": "It does not read while it publishes. Measured with pings: 252 of 433 messages arrived.",
            "OBS": "It reads one message for each that it sends, and blocks while one is half there (from its source, "
            "not run).",
            "GStreamer": "At full speed it loses its end in the same way.",
        },
        mend="Send nothing between Publish.Start and the end: no pings while media comes, no status, no Set Chunk "
        "Size, no answer to FCUnpublish or deleteStream before all media has been read.",
        source="wire facts 0.2, 2.8, 3.6 row 16, 9, 10.40, 10.94, 11",
    ),
    Cause(
        name="tail-dropped",
        title="What was still unread when the publisher went is thrown away",
        severity=Severity.LOSES,
        clients={
            "FFmpeg": "It sends FCUnpublish and deleteStream behind its last media and closes at once. Whoever takes "
            "the first word, or a failed write, for the end has not read all; exit code 0.",
            "librtmp": "The same.",
            "OBS": "The same (from its source, not run).",
            "GStreamer": "The same; FIN is its last word.",
            "nginx-rtmp": "Its relay says nothing, and closes behind its last media.",
        },
        mend="Read until the end of the connection (read gives 0 bytes, or fails), hand on every whole message, and "
        "only then announce the end. A write that fails says nothing of what is still to be read: do not close for it.",
        source="wire facts 3.6 row 21, 9, 10.93, 10.94, 10.97",
    ),
    Cause(
        name="media-before-start",
        title="A player is sent media before NetStream.Play.Start",
        severity=Severity.LOSES,
        clients={
            "FFmpeg player": "It takes the first audio or video message for the start, and loses that message. If it "
            "is a sequence header, nothing behind it can be decoded.",
            "librtmp": "It drops what comes before Play.Start.",
            "GStreamer": "rtmp2src loses what comes before Play.Start.",
        },
        mend="Send StreamBegin, then NetStream.Play.Start, then onMetaData, the sequence headers, a key frame.",
        source="wire facts 3.3, 6, 10.76; RTMP 1.0, section 7.2.2.1",
    ),
    Cause(
        name="metadata-undefined",
        title="onMetaData holds what FFmpeg can't skip: undefined, an unknown type, a long name, no end",
        severity=Severity.STOPS,
        clients={
            "FFmpeg player": "It goes through an ECMA onMetaData member by member, and fails at a value whose type it "
            "does not know (undefined is one), at a name of 128 bytes and more, and where the end marker is missing. "
            'It plays nothing: "Invalid data found when processing input".',
        },
        mend="Check the metadata that you hand on to players; write it anew without what is undefined, and end it "
        "with 00 00 09.",
        source="wire facts 3.3, 5, 10.75",
    ),
    Cause(
        name="data-without-name",
        title="A player is sent a data message that does not begin with a short string",
        severity=Severity.STOPS,
        clients={
            "FFmpeg player": "It fails at a data message (type 18) whose first value is not a string, or is one of "
            'more than 63 bytes: "Invalid data found when processing input".',
            "librtmp": "It stores what comes, and goes on.",
            "GStreamer": "It plays on.",
        },
        unharmed=frozenset({"librtmp", "GStreamer"}),
        mend="Hand on data messages to players only if they begin with a string of 1 to 63 bytes, as onMetaData.",
        source="wire facts 3.3, 3.6 row 18, 10.70",
    ),
    Cause(
        name="type15-to-player",
        title="A player that did not ask for AMF3 is sent data as message type 15",
        severity=Severity.LOSES,
        clients={
            "FFmpeg player": "It passes over type 15: the metadata is lost.",
            "librtmp": "What it stores lacks that data.",
            "GStreamer": "What it plays lacks that data.",
            "MediaMTX": "It fails at type 15 (from its source, not run).",
        },
        mend="Write data for players as type 18, in AMF0: also what a publisher has sent as type 15.",
        source="wire facts 3.2, 3.3, 5, 10.75; RTMP 1.0, section 7.1.2",
    ),
    Cause(
        name="end-without-unpublishnotify",
        title="At the end players are told StreamEOF alone, and the connection stays open",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg player": "It passes over StreamEOF, and hangs until somebody ends it. nginx-rtmp, as it is set by "
            "default, leaves it so.",
            "librtmp": "It passes over StreamEOF too, and hangs.",
            "GStreamer": "StreamEOF is what it ends at.",
        },
        unharmed=frozenset({"GStreamer"}),
        mend="Send onStatus NetStream.Play.UnpublishNotify and StreamEOF, both, then FIN (or wait for the next "
        "publisher).",
        source="wire facts 3.3, 6, 10.79, 11",
    ),
    Cause(
        name="end-without-streameof",
        title="At the end players are told UnpublishNotify alone, and the connection stays open",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg player": "UnpublishNotify is what it ends at.",
            "GStreamer": "rtmp2src passes over UnpublishNotify and Play.Stop; it ends at StreamEOF for stream 1 or at "
            "FIN, and hangs without.",
        },
        unharmed=frozenset({"FFmpeg player"}),
        mend="Send onStatus NetStream.Play.UnpublishNotify and StreamEOF, both, then FIN (or wait for the next "
        "publisher). Some milliseconds between the last tag and StreamEOF keep rtmp2src from losing that tag.",
        source="wire facts 3.3, 6, 10.79; RTMP 1.0, section 7.1.7",
    ),
    Cause(
        name="media-lost",
        title="Not everything that is published comes out",
        severity=Severity.LOSES,
        clients={
            "FFmpeg": "It does not notice: it ends with the exit status 0, whatever became of what it has sent.",
            "FFmpeg player": "It shows what it gets; it waits for more, or ends early, and says nothing.",
        },
        mend="Look at what is missing. At the start: what is thrown away until something else has come. At the end: "
        "what was not read yet when the publisher left. All of it: whether media is taken on the message stream that "
        "createStream gave, on any chunk stream, and without metadata in front.",
        source="wire facts 3.6 row 15, 3.6 row 16, 3.6 row 21, 10.82, 10.93",
    ),
    Cause(
        name="media-damaged",
        title="What is played is not what was published",
        severity=Severity.LOSES,
        clients={
            "FFmpeg player": "It decodes what it gets; damage shows as errors of the decoder, if at all.",
        },
        mend="Hand on the payload of audio and video messages byte for byte, whatever the codec. If bytes are missing "
        "or too many at multiples of the chunk size, the cutting is wrong; if 4 bytes are, the extended timestamp.",
        source="wire facts 2.4, 2.5, 10.82",
    ),
    Cause(
        name="media-lost-in-the-middle",
        title="Messages from the middle of the stream do not arrive at the player",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg player": "It decodes what it gets; where frames are missing the picture breaks until a key frame.",
        },
        mend="If the player was slow, that is how it should be: whole groups of pictures are dropped, for it alone, "
        "never headers. If it was not, look for a queue that is too short, or for messages that are dropped by their "
        "type.",
        source="wire facts 6, 10.80, 10.82",
    ),
)
