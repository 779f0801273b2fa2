# -*- test-case-name: tests.dialects.test_requirements -*-
"""
What each client's reader really requires of a server's answers: less than the specification says in most places, and
more in some (wire facts 1.3, 3.2 and 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rtmptw.trace.markers import DROPPED, UNSKIPPABLE
from rtmptw.wire.message import MessageType

__all__ = [
    "FFMPEG",
    "FFMPEG_PLAYER",
    "FLASH",
    "GSTREAMER",
    "HAIVISION",
    "LENIENT",
    "LIBRTMP",
    "MEDIAMTX",
    "NGINX",
    "OBS",
    "SRS",
    "Early",
    "Errors",
    "Information",
    "Requirements",
    "StreamID",
]

_COMMAND, _COMMAND_AMF3 = int(MessageType.COMMAND), int(MessageType.COMMAND_AMF3)


class StreamID(Enum):
    """
    How a client reads createStream's answer.

    @cvar FIXED_PLACES: FFmpeg: null at byte 19 and a number at byte 20, else it goes on with message stream 0.
    @cvar FOURTH: librtmp: the fourth value as a number, whatever the third is; what is no number is 0.
    @cvar NOT_ZERO: GStreamer: the fourth value, a number other than 0.
    @cvar EXACTLY_1: gortmplib: the fourth value, the number 1.
    @cvar NULL_AND_NUMBER: SRS: null, and a number.
    @cvar IGNORED: nginx-rtmp's relay: message stream 1, whatever the answer says.
    """

    FIXED_PLACES = "fixed places"
    FOURTH = "fourth value"
    NOT_ZERO = "not zero"
    EXACTLY_1 = "exactly 1"
    NULL_AND_NUMBER = "null and number"
    IGNORED = "ignored"


class Information(Enum):
    """
    Where a client looks for what an onStatus says.

    @cvar ANYWHERE: in the first object or array that there is.
    @cvar FOURTH: in the fourth value, an object or an array.
    @cvar FOURTH_OBJECT: librtmp: in the fourth value, an object.
    @cvar NEXT_OBJECT: FFmpeg: it skips two values, and then all up to the first object; what it can't skip
        (L{Requirements.unreadable}) ends that, also among the members in front of the code.
    """

    ANYWHERE = "anywhere"
    FOURTH = "fourth value"
    FOURTH_OBJECT = "fourth value, an object"
    NEXT_OBJECT = "the next object"


class Errors(Enum):
    """
    What a client does at an C{_error} that answers its call.

    @cvar END: it ends.
    @cvar DESCRIBED: FFmpeg: it ends if there is an object with a description, else it goes on waiting.
    @cvar PASSED_OVER: it goes on waiting.
    """

    END = "end"
    DESCRIBED = "described"
    PASSED_OVER = "passed over"


class Early(Enum):
    """
    What a player does with media in front of Play.Start.

    @cvar TAKEN: it plays them.
    @cvar START: FFmpeg: the first message counts as the start, and is lost.
    @cvar DROPPED: they are lost.
    """

    TAKEN = "taken"
    START = "start"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Requirements:
    """
    One client's reader.

    @ivar client: its name, as the causes have it (L{rtmptw.causes.causes.Cause.clients}).
    @ivar commandTypes: the message types in which it reads commands.
    @ivar fatalTypes: the message types that end it.
    @ivar leastValues: how many values each command must have, the second of them a number; else it ends. 0: that is
        not looked at.
    @ivar unreadable: the AMF0 types, by their markers, that it can't read.
    @ivar dropsUnreadable: whether it passes over each command that has one of these in it.
    @ivar endsAtUnreadable: whether such a command ends it.
    @ivar numberOrFail: whether an answer whose transaction ID is not a number ends it; else that is passed over.
    @ivar wholeIds: whether it compares transaction IDs as whole numbers, without their fractions.
    @ivar zeroAnswers: whether it takes an answer with transaction ID 0 for that to its call.
    @ivar unknownAnswerFails: whether an answer to no call of its own ends it.
    @ivar connectCode: whether connect's answer must have the code C{NetConnection.Connect.Success}.
    @ivar connectObject: whether connect's answer must have an object as its fourth value.
    @ivar streamId: how it reads createStream's answer.
    @ivar errors: what it does at C{_error}.
    @ivar waitsForStart: whether it waits for publish's status before it sends media.
    @ivar information: where it looks for what a status says.
    @ivar statusOnStream: whether a status must come on the message stream.
    @ivar playStarts: the codes that count as the start of play.
    @ivar firstDecides: whether it ends if the first status is not the start.
    @ivar anyStatusStarts: whether any status of level "status" counts as the start.
    @ivar resultStarts: whether a C{_result} to publish or play counts as its status.
    @ivar resultFails: whether a C{_result} to publish or play ends it.
    @ivar statusFails: the codes of errors that end it; L{None} if every status of level "error" does.
    @ivar early: what it does with media in front of Play.Start.
    @ivar positiveControl: whether it ends at a chunk size, a window or a bandwidth that is not from 1 to 2^31-1.
    @ivar digest: whether an S1 with a version of 3 or more must have a digest.
    @ivar minds: the causes that a trace shows, and that hurt it; all the others that a trace shows do not.
    """

    client: str
    commandTypes: frozenset[int] = frozenset((_COMMAND,))
    fatalTypes: frozenset[int] = frozenset()
    leastValues: int = 0
    unreadable: frozenset[int] = frozenset()
    dropsUnreadable: bool = False
    endsAtUnreadable: bool = False
    numberOrFail: bool = False
    wholeIds: bool = False
    zeroAnswers: bool = False
    unknownAnswerFails: bool = False
    connectCode: bool = False
    connectObject: bool = False
    streamId: StreamID = StreamID.FOURTH
    errors: Errors = Errors.END
    waitsForStart: bool = True
    information: Information = Information.FOURTH
    statusOnStream: bool = False
    playStarts: frozenset[str] = frozenset(("NetStream.Play.Start",))
    firstDecides: bool = False
    anyStatusStarts: bool = False
    resultStarts: bool = False
    resultFails: bool = False
    statusFails: frozenset[str] | None = None
    early: Early = Early.TAKEN
    positiveControl: bool = False
    digest: bool = False
    minds: frozenset[str] = frozenset()


_BOTH = frozenset((_COMMAND, _COMMAND_AMF3))
_NO_CODES: frozenset[str] = frozenset()

#: What FFmpeg's commands can't have in front of what it looks for: dates as well (libavformat/rtmppkt.c).
_DATE, _LONG_STRING = 0x0B, 0x0C
_UNSKIPPABLE = UNSKIPPABLE | {_DATE}

#: What no reader gets over, and what every publisher that hardly reads loses its tail by (wire facts 0.2, 2.8).
_FRAMING = frozenset(("reply-not-chunked", "announced-chunk-size-not-used"))
_WRITES = frozenset(("unasked-acks", "writes-to-publisher"))

FFMPEG = Requirements(
    "FFmpeg",
    numberOrFail=True,
    streamId=StreamID.FIXED_PLACES,
    errors=Errors.DESCRIBED,
    information=Information.NEXT_OBJECT,
    unreadable=_UNSKIPPABLE,
    positiveControl=True,
    minds=_FRAMING | _WRITES | {"abort-sent"},
)
FFMPEG_PLAYER = Requirements(
    "FFmpeg player",
    numberOrFail=True,
    streamId=StreamID.FIXED_PLACES,
    errors=Errors.DESCRIBED,
    information=Information.NEXT_OBJECT,
    unreadable=_UNSKIPPABLE,
    early=Early.START,
    positiveControl=True,
    digest=True,
    minds=_FRAMING
    | {
        "abort-sent",
        "extended-timestamp-not-repeated",
        "metadata-undefined",
        "data-without-name",
        "type15-to-player",
    },
)

_LIBRTMP_FAILS = frozenset(
    ("NetConnection.Connect.InvalidApp", "NetStream.Failed", "NetStream.Play.Failed", "NetStream.Play.StreamNotFound")
)
LIBRTMP = Requirements(
    "librtmp",
    commandTypes=_BOTH,
    unreadable=DROPPED,
    dropsUnreadable=True,
    wholeIds=True,
    errors=Errors.PASSED_OVER,
    information=Information.FOURTH_OBJECT,
    playStarts=frozenset(("NetStream.Play.Start", "NetStream.Play.PublishNotify")),
    resultStarts=True,
    statusFails=_LIBRTMP_FAILS,
    early=Early.DROPPED,
    minds=_FRAMING | _WRITES | {"extended-timestamp-not-repeated", "type15-to-player"},
)
OBS = Requirements(
    "OBS",
    commandTypes=_BOTH,
    unreadable=DROPPED,
    dropsUnreadable=True,
    wholeIds=True,
    errors=Errors.PASSED_OVER,
    information=Information.FOURTH_OBJECT,
    resultStarts=True,
    statusFails=_LIBRTMP_FAILS
    | {"NetStream.Publish.Rejected", "NetStream.Publish.Denied", "NetStream.Publish.BadName"},
    minds=_FRAMING | _WRITES,
)
GSTREAMER = Requirements(
    "GStreamer",
    connectCode=True,
    streamId=StreamID.NOT_ZERO,
    statusOnStream=True,
    playStarts=frozenset(("NetStream.Play.Start", "NetStream.Play.PublishNotify", "NetStream.Play.Reset")),
    firstDecides=True,
    early=Early.DROPPED,
    minds=_FRAMING | {"abort-sent", "type15-to-player"},
)
MEDIAMTX = Requirements(
    "MediaMTX",
    fatalTypes=frozenset((_COMMAND_AMF3, int(MessageType.DATA_AMF3))),
    leastValues=3,
    unreadable=UNSKIPPABLE - {0x06} | {_DATE, _LONG_STRING},
    endsAtUnreadable=True,
    wholeIds=True,
    zeroAnswers=True,
    streamId=StreamID.EXACTLY_1,
    firstDecides=True,
    anyStatusStarts=True,
    resultFails=True,
    minds=_FRAMING | {"extended-timestamp-not-repeated"},
)
#: Its relay says nothing of a refusal, and waits.
NGINX = Requirements(
    "nginx-rtmp",
    commandTypes=_BOTH,
    wholeIds=True,
    streamId=StreamID.IGNORED,
    errors=Errors.PASSED_OVER,
    waitsForStart=False,
    statusFails=_NO_CODES,
    minds=_FRAMING | {"abort-sent"},
)
SRS = Requirements(
    "SRS",
    commandTypes=_BOTH,
    leastValues=3,
    unknownAnswerFails=True,
    connectObject=True,
    streamId=StreamID.NULL_AND_NUMBER,
    waitsForStart=False,
    statusFails=_NO_CODES,
    minds=_FRAMING,
)
FLASH = Requirements("Flash", commandTypes=_BOTH, minds=_FRAMING)

#: Nobody's: content with anything that can be understood, and patient.
LENIENT = Requirements(
    "",
    commandTypes=_BOTH,
    errors=Errors.PASSED_OVER,
    information=Information.ANYWHERE,
    anyStatusStarts=True,
    resultStarts=True,
    statusFails=_NO_CODES,
)

#: How these read is not known.
HAIVISION = LENIENT
