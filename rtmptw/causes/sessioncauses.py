# -*- test-case-name: tests.causes.test_causes -*-
"""
Causes in the course of a connection: who waits for whom, who closes, and how (wire facts 3.6).
"""

from __future__ import annotations

from rtmptw.causes.cause import Cause, Severity

__all__ = ["SESSION_CAUSES"]

SESSION_CAUSES: tuple[Cause, ...] = (
    Cause(
        name="waits-for-fcpublish",
        title="The server answers createStream only when FCPublish or releaseStream has come",
        severity=Severity.STOPS,
        clients={
            "FFmpeg player": "It has nothing to publish, so it never sends FCPublish: its createStream is not "
            "answered, and it waits for ever.",
            "librtmp": "The same when it plays.",
            "GStreamer": "The same when it plays (rtmp2src).",
            "nginx-rtmp": "Its relay sends neither: createStream follows connect, and it waits for the answer.",
            "SRS": "Its client may leave out both (from its source, not run).",
            "Flash": "It may leave out FCPublish (from its source, not run).",
        },
        mend="Answer each command by itself when it comes. releaseStream and FCPublish ask for nothing that "
        "createStream or publish needs; take publish without them.",
        source="wire facts 3.1, 3.6 row 10, 10.49",
    ),
    Cause(
        name="waits-for-createstream-first",
        title="The server does not answer createStream when other commands have come before it",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It sends releaseStream, FCPublish and createStream in one go, in this order, and waits for the "
            "answer to the last for ever.",
            "librtmp": "It sends them in the same order.",
            "OBS": "It sends them in the same order.",
            "GStreamer": "It sends them in the same order; the first two with transaction ID 0.",
        },
        mend="Answer each command by itself when it comes. Pass over what you do not know or want: for releaseStream "
        "and FCPublish no answer is as good as one.",
        source="wire facts 3.1, 3.4, 3.6 row 10, 10.49",
    ),
    Cause(
        name="waits-for-checkbw",
        title="The server goes on only when _checkbw has come",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It sends _checkbw when onBWDone has come; so it gets through.",
            "librtmp": "It sends _checkbw when onBWDone has come; so it gets through.",
            "GStreamer": "It never sends _checkbw, and waits.",
            "nginx-rtmp": "Its relay never sends _checkbw, and waits.",
        },
        unharmed=frozenset({"FFmpeg", "librtmp"}),
        mend="Wait for nothing that a client need not say. onBWDone itself is not needed by anybody; leave it out.",
        source="wire facts 3.1, 3.5, 3.6 row 11, 10.49",
    ),
    Cause(
        name="waits-for-pong",
        title="The server goes on only when its ping has been answered",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg": "Before Publish.Start it answers at once; while it publishes it reads one message for 10 that "
            "it sends.",
            "librtmp": "Before Publish.Start it answers; while it publishes it does not read.",
            "OBS": "Before Publish.Start it answers. While it publishes it does not (from its source, not run): a "
            "server that waits for it then drops a publisher that is well.",
        },
        unharmed=frozenset({"FFmpeg"}),
        mend="Take any byte that comes as a sign of life. Ping a publisher only after silence, and do not close while "
        "data comes.",
        source="wire facts 2.8, 3.6 row 11, 9, 10.43, 11",
    ),
    Cause(
        name="error-without-close",
        title="The server refuses, and leaves the connection open",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It stops by itself at a status of level error.",
            "librtmp": "It passes over codes that it does not know, such as NetStream.Publish.BadName, and over "
            "_error when it plays: it waits for 30 s, until its time-out.",
            "OBS": "It knows NetStream.Publish.Rejected, Publish.Denied and Publish.BadName; at other codes it waits "
            "(from its source, not run).",
        },
        unharmed=frozenset({"FFmpeg"}),
        mend="Close the connection behind a refusal: write the status out (all of it, then FIN). Do not reset: what "
        "is in the way would be lost.",
        source="wire facts 3.2, 3.5, 3.6 row 13, 10.57",
    ),
    Cause(
        name="error-status-unknown-code",
        title="A refusal has a code that clients do not know",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg": "It goes by the level, and prints the description.",
            "librtmp": "It ends at codes that it knows (NetConnection.Connect.InvalidApp, NetStream.Failed, "
            "NetStream.Play.Failed, NetStream.Play.StreamNotFound), and at others only when the connection ends.",
            "OBS": "It ends also at NetStream.Publish.Rejected, Publish.Denied and Publish.BadName, and tells its "
            "user of them (from its source, not run).",
            "GStreamer": "It goes by the code that it waits for, and prints the description of any other.",
        },
        unharmed=frozenset({"FFmpeg", "GStreamer"}),
        mend="Refuse a publish with NetStream.Publish.BadName (the name is in use) or NetStream.Publish.Denied, a "
        "play with NetStream.Play.StreamNotFound, a connect with NetConnection.Connect.Rejected or "
        "NetConnection.Connect.InvalidApp; put what you have to say into the description. And close.",
        source="wire facts 3.2, 3.5, 3.6 row 13, 10.57",
    ),
    Cause(
        name="refusal-without-status",
        title="The server refuses by closing, and says nothing",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": 'It ends with "Input/output error"; whoever runs it does not learn why.',
            "OBS": "It learns of a refusal only from a status; a closed connection may be anything to it (from its "
            "source, not run).",
            "GStreamer": "It fails, and can't say why.",
        },
        mend="Before you close, say why. connect: _error with its transaction ID, null, and an object with level "
        '"error", code "NetConnection.Connect.Rejected", description. publish: onStatus of level "error", code '
        '"NetStream.Publish.BadName" or "NetStream.Publish.Denied". play: "NetStream.Play.StreamNotFound".',
        source="wire facts 3.5, 10.57, 10.62",
    ),
    Cause(
        name="closed-without-reason",
        title="The server closes in the middle, and says nothing",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "Its next write fails, and what it had not sent is lost.",
        },
        mend="Never close because of something that you do not know: log it and pass over it. Where you must close, "
        "log the byte offset, the message type and the last command, and send onStatus of level error first.",
        source="wire facts 3.6 row 18, 9, 10.25, 10.98",
    ),
    Cause(
        name="slow-replies",
        title="Each reply takes tens of milliseconds",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg": "It writes header and payload apart and waits for each answer; with Nagle's algorithm against "
            "delayed acknowledgements each step takes about 44 ms. It needs no pause between replies.",
            "librtmp": "It waits for each answer as well.",
            "GStreamer": "It waits for each answer as well.",
        },
        mend="Set TCP_NODELAY, and write the answers to what came together in one write, at once.",
        source="wire facts 1.4, 3.6 row 14, 10.10",
    ),
    Cause(
        name="stops-reading",
        title="The server does not read for seconds",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg": "Its write blocks; it falls behind real time, and says nothing of it. If the server reads on, "
            "all arrives.",
            "OBS": "It drops frames when its send buffer stays full (from its source, not run); reading that is only "
            "slow did it no harm.",
        },
        mend="Do nothing in the reading path that can wait: no file, no database, no lock that a slow player holds. "
        "Give each player a queue of its own with a limit.",
        source="wire facts 3.6 row 17, 10.42, 10.80, 11",
    ),
    Cause(
        name="closes-on-unknown-type",
        title="The server closes at a message type or event that it does not know",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "It may send audio, video or data messages of length 0, at the end for instance.",
            "Flash": "It sends AMF3 messages (types 15 to 17) and shared objects (16, 19) (from its source, not run).",
        },
        mend="Read a message by its length whatever its type is, and pass over types, user control events and "
        "commands that you do not know. Pass over control messages that are too short.",
        source="wire facts 2.6, 3.6 row 18, 10.25, 10.27",
    ),
    Cause(
        name="closes-on-junk-data",
        title="The server closes at a data message that makes no sense",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "With -map 0 and a time code track in the source it sends data messages (type 18) of 4 bytes "
            'that begin with 00 and are no AMF (srs issue 3803). Where the server closes at them, it says "Broken '
            'pipe", with exit code 0 in version 5.1.',
        },
        mend="Log a data message that does not begin with a string, pass over it, and go on. Do not send it to "
        "players.",
        source="wire facts 3.6 row 18, 10.70",
    ),
    Cause(
        name="closes-on-extra-argument",
        title="The server closes at a connect with more in it than it knows",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": "With -rtmp_enhanced_codecs its connect has a strict array (0A), fourCcList, and with -rtmp_conn "
            'arguments behind its object. Where the server closes at it, it says "Input/output error".',
            "Flash": "It may send arguments of any type behind connect's object (from srs issue 186, not run).",
        },
        mend="Decode all AMF0 types, take from connect what you need (app, tcUrl), and pass over the rest: unknown "
        "members of any type, null in the place of the object, and arguments behind it.",
        source="wire facts 3.1, 3.6 row 18, 4, 10.60",
    ),
    Cause(
        name="name-stays-taken",
        title="A stream's name stays taken when its publisher has gone",
        severity=Severity.STOPS,
        clients={
            "FFmpeg": 'A status of level error ends it: "Server error:" and the description.',
            "librtmp": "It is refused, and fails when the server closes.",
            "OBS": "It comes back after a broken connection, is told NetStream.Publish.BadName, and stops (from its "
            "source, not run).",
            "GStreamer": "It fails.",
        },
        mend="Free the name at FCUnpublish, deleteStream, closeStream, publish(false), FIN and reset, whichever comes "
        "first. A holder that has sent nothing for some seconds loses it to a newcomer with the same right.",
        source="wire facts 3.6 row 20, 9, 10.62, 10.99",
    ),
)
