# -*- test-case-name: tests.compare.test_noise -*-
"""
What a difference is worth: most of what is not the same in two conversations does not matter to anybody.

Three tables say so, each row with its reason and where that is written: L{FIELDS} for two fields that are not the same,
L{PRESENCE} for a step that only one conversation has, L{ORDER} for two steps that have changed places. The first row
that fits holds; the last row of each fits always. What is looked for is a line: the side, the key of the step, and for
fields, how they are not the same, and their name::

    server answer connect/value [1].code
    server answer connect/absent [1].description        only one of them has it
    server status NetStream.Publish.Start/type [1]: object, ECMA array
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from rtmptw.causes.causes import Severity

__all__ = ["FIELDS", "ORDER", "PRESENCE", "SEVERITIES", "Row", "Weight", "judge"]


class Weight(IntEnum):
    """What a difference is worth; what is worth more is less."""

    STOPS = 0  #: Something is wrong in one of them, or missing, and clients stop at it.
    LOSES = 1  #: Something is wrong in one of them, and media is lost by it.
    MATTERS = 2  #: Clients look at this.
    ADVICE = 3  #: Something is not as it should be in one of them, and few clients mind.
    LITTLE = 4  #: No client is known that minds.
    NOISE = 5  #: It is not the same in any two conversations.


#: What a violation is worth.
SEVERITIES = {Severity.STOPS: Weight.STOPS, Severity.LOSES: Weight.LOSES, Severity.ADVICE: Weight.ADVICE}


@dataclass(frozen=True, slots=True)
class Row:
    """
    One row.

    @ivar pattern: what the whole line is to match, a regular expression.
    @ivar weight: what such a difference is worth.
    @ivar name: for noise: what is counted.
    @ivar reason: why, in a sentence without its dot.
    @ivar source: where that is written: a section of the wire facts, or of RTMP 1.0 if it says so.
    """

    pattern: re.Pattern[str]
    weight: Weight
    reason: str
    source: str
    name: str = ""

    @property
    def section(self) -> str:
        """Where the reason is written, in full."""
        return self.source if self.source.startswith("RTMP") else f"wire facts {self.source}"


def _row(pattern: str, weight: Weight, reason: str, source: str, name: str = "") -> Row:
    return Row(re.compile(pattern, re.DOTALL), weight, reason, source, name)


def judge(table: tuple[Row, ...], line: str) -> Row:
    """The first row that fits."""
    return next(row for row in table if row.pattern.fullmatch(line))


_NOISE, _LITTLE, _MATTERS = Weight.NOISE, Weight.LITTLE, Weight.MATTERS

#: The calls whose answers nobody needs (wire facts 3.4).
_UNNEEDED = r"(releaseStream|FCPublish|FCUnpublish|FCSubscribe|_checkbw|getStreamLength|deleteStream|closeStream)"

#: What servers call that nobody needs.
_HARMLESS = r"(onBWDone|onBWCheck|onFCPublish|onFCUnpublish|onFCSubscribe|onFCUnsubscribe)"

_OWN_BUSINESS = "a client's own business: servers take it as it comes"

FIELDS = (
    # The handshake.
    _row(r"\w+ handshake ../value time", _NOISE, "each side has its own clock", "1.1", "times in the handshake"),
    _row(r"\w+ handshake ../value random", _NOISE, "it is random", "1.1", "random bytes"),
    _row(
        r"\w+ handshake .1/value (version|digest)",
        _LITTLE,
        "only FFmpeg's player looks, and only if S1's version is 3 or more: then it wants a digest",
        "1.3",
    ),
    _row(r"\w+ handshake .2/value is", _LITTLE, "C2 is not to be looked at, and S2 only brings warnings", "1.3"),
    # The header of a message.
    _row(r"[^/]*/value fmt", _NOISE, "any type that fits says the same", "RTMP 1.0, 5.3.1.2", "types of chunk headers"),
    _row(r"[^/]*/value chunk stream", _LITTLE, "no client cares on which chunk stream a message comes", "2.2"),
    _row(r"[^/]*/value timestamp", _LITTLE, "one is 0, or extended, and the other is not", "2.4", "timestamps"),
    _row(r"[^/]*/\w+ extended timestamp", _LITTLE, "one is extended, or not repeated, and the other is", "2.4"),
    _row(r"[^/]*/value chunks", _LITTLE, "it is not cut at the chunk size that was announced", "2.5", "cuts of chunks"),
    _row(r"\w+ (control|repeated) [^/]*/value message stream", _LITTLE, "control messages are on stream 0", "2.6"),
    # What a client asks.
    _row(r"client \w+ [^/]*/\w+ transactionId.*", _NOISE, "the client chooses the numbers", "0.5", "transaction IDs"),
    _row(
        r"client command connect/\w+ \[0\]\.(app|tcUrl|swfUrl|pageUrl)",
        _NOISE,
        "it says where the client wants to go",
        "3.1",
        "applications and addresses",
    ),
    _row(r"client command connect/\w+ \[0\]\.flashVer", _NOISE, "who the client is", "3.1", "clients' versions"),
    _row(r"client command [^/]*/value \[1\]", _NOISE, "it is the name of a stream mostly", "3.1", "names of streams"),
    _row(
        r"client (?!control|repeated)[^/]*/value message stream",
        _MATTERS,
        "the client uses the message stream that createStream's answer gave, or 0 if it did not understand that",
        "3.6 row 8",
        "message stream IDs",
    ),
    _row(r"client (command|control) .*", _LITTLE, _OWN_BUSINESS, "0.5"),
    # What a server answers.
    _row(r"server answer connect/\w+ \[0\]\.fmsVer", _NOISE, "nobody looks at it", "3.2", "servers' versions"),
    _row(r"server answer connect/\w+ \[\d\]\.secureToken.*", _MATTERS, "GStreamer stops at it without a token", "8"),
    _row(r"server answer connect/\w+ \[0\].*", _LITTLE, "no client looks at the server's properties", "3.2"),
    _row(r"server answer [^/]*/value \[1\]\.description", _NOISE, "it is for people", "3.2", "descriptions"),
    _row(r"server answer connect/type \[1\]: (object, ECMA array|ECMA array, object)", _LITTLE, "both are read", "0.1"),
    _row(r"server answer connect/\w+ \[1\]\.(?!code\b|level\b).*", _LITTLE, "clients look at the code only", "3.2"),
    _row(rf"server answer {_UNNEEDED}/.*", _LITTLE, "nobody needs this answer", "3.4"),
    _row(
        r"server answer [^/]*/\w+ transactionId.*",
        _MATTERS,
        "a client takes an answer for that of the call which had the same number, and passes over any other in silence",
        "3.6 rows 1 and 8",
        "transaction IDs",
    ),
    _row(
        r"server answer createStream/type \[0\].*",
        _MATTERS,
        "FFmpeg finds the stream's ID by its place, behind a null of one byte",
        "3.6 row 8",
    ),
    _row(r"server answer createStream/\w+ \[1\].*", _MATTERS, "it is the ID of the stream: a number, 1 mostly", "3.2"),
    # Statuses.
    _row(r"server status [^/]*/value transactionId", _LITTLE, "clients do not look at a status's number", "3.2"),
    _row(r"server status [^/]*/value \[1\]\.description", _NOISE, "it is for people", "3.2", "descriptions"),
    _row(r"server status [^/]*/\w+ \[1\]\.(?!code\b|level\b).*", _LITTLE, "level and code are looked at", "3.2"),
    _row(
        r"server status [^/]*/value message stream",
        _MATTERS,
        "GStreamer takes a status only on the message stream that it is about",
        "3.6 row 9",
        "message stream IDs",
    ),
    _row(
        r"server status [^/]*/type \[1\].*",
        _MATTERS,
        "FFmpeg, librtmp and OBS look for an object (AMF0 type 03) there, and pass over anything else",
        "3.6 row 9",
    ),
    _row(r"server status [^/]*/type \[0\].*", _MATTERS, "FFmpeg can pass over a null only", "3.6 row 9"),
    _row(r"server status [^/]*/value \[1\]\.(code|level)", _MATTERS, "clients go by level and code", "3.2"),
    _row(
        r"server (answer|status|command) [^/]*/value type",
        _MATTERS,
        "FFmpeg and GStreamer read commands of type 20 only",
        "3.6 row 7",
    ),
    _row(rf"server command {_HARMLESS}/.*", _LITTLE, "no client needs this command", "3.4"),
    # Control messages.
    _row(r"\w+ repeated .*", _NOISE, "it is a time, or a count of bytes", "2.8", "acknowledgements and pings"),
    _row(r"\w+ control set chunk size/value value", _LITTLE, "any size from 1 on is good, if it is used then", "2.5"),
    _row(
        r"\w+ control (window acknowledgement size|set peer bandwidth)/.*",
        _LITTLE,
        "no client waits for acknowledgements",
        "2.8",
    ),
    _row(r"\w+ control user control .*", _LITTLE, "what clients do with it does not depend on this", "2.6"),
    # Media and metadata.
    _row(
        r"server data [^/]*/type .*: (undefined, .*|.*, undefined)",
        _MATTERS,
        "FFmpeg stops playing at an undefined value in metadata",
        "3.3",
    ),
    _row(r"\w+ data [^/]*/value \[.*", _NOISE, "it describes the media", "5", "values of metadata"),
    _row(r"server data [^/]*/value type", _MATTERS, "FFmpeg's player passes over data of type 15", "3.3"),
    _row(r"\w+ data [^/]*/\w+ prefix", _LITTLE, "FFmpeg's player takes it with its prefix, too", "5"),
    _row(r"\w+ data [^/]*/\w+ \[.*", _LITTLE, "it describes the media; objects and ECMA arrays are read alike", "4"),
    _row(r"\w+ (audio|video) [^/]*/value payload", _NOISE, "it is media", "5", "payloads of media"),
    _row(r"\w+ (audio|video) [^/]*/\w+ (codec|enhanced|tracks)", _LITTLE, "it is other media", "7.1"),
    _row(
        r"server (audio|video|data) [^/]*/value message stream",
        _MATTERS,
        "GStreamer passes over media on another message stream than its own",
        "3.3",
        "message stream IDs",
    ),
    # Ends.
    _row(r"\w+ ending .*", _LITTLE, "connections end in many ways", "9"),
    _row(r".*", _MATTERS, "it is not the same", "3.2"),
)

PRESENCE = (
    _row(
        r"client command FCUnpublish",
        _MATTERS,
        "one client has got to its end, and the other has not: it was stopped, or lost its connection",
        "9",
    ),
    _row(
        rf"client command ({_UNNEEDED}|FCUnsubscribe|pause|seek|receiveAudio|receiveVideo)",
        _LITTLE,
        "not every client calls this, and none needs to",
        "3.1",
    ),
    _row(
        r"client (audio|video) (?!sequence|keyframe|audio).*|client data (?!onMetaData).*",
        _LITTLE,
        "it is other media",
        "7.1",
    ),
    _row(
        r"client (command|audio|video|data) .*",
        _MATTERS,
        "one client goes on here, and the other does not: it has not heard what it waits for, or heard it too late",
        "3.6",
    ),
    _row(r"client .*", _LITTLE, _OWN_BUSINESS, "0.5"),
    _row(
        r"server control user control stream eof .*",
        _LITTLE,
        "one stream was not played to its end; only GStreamer's player needs to be told so",
        "6",
    ),
    _row(r"server control abort", _MATTERS, "FFmpeg fails behind an Abort", "2.6"),
    _row(r"server (control|repeated) .*", _LITTLE, "clients get on with it, and without", "3.4"),
    _row(rf"server command {_HARMLESS}", _LITTLE, "clients get on with it, and without", "3.4"),
    _row(rf"server answer {_UNNEEDED}", _LITTLE, "clients get on with this answer, and without", "3.4"),
    _row(
        r"server answer (connect|createStream)",
        Weight.STOPS,
        "every client waits for this answer, and goes on only when it is there",
        "3.2",
    ),
    _row(r"server answer publish", _MATTERS, "MediaMTX's client stops at an answer to publish", "3.2"),
    _row(r"server answer (play)?", _MATTERS, "SRS's client leaves at an answer that it can't assign", "3.2"),
    _row(r"server answer .*", _LITTLE, "clients get on with this answer, and without", "3.4"),
    _row(
        r"server status NetStream\.(Publish|Play)\.Start",
        Weight.STOPS,
        "every client waits for this status, and goes on only when it is there",
        "3.2",
    ),
    _row(
        r"server status NetStream\.(Play\.(Reset|PublishNotify)|Data\.Start|Unpublish\.\w+|Unpause\.\w+|Pause\.\w+)",
        _LITTLE,
        "clients get on with it, and without",
        "3.4",
    ),
    _row(r"server data onMetaData", _MATTERS, "players learn from it what there is", "6"),
    _row(r"server data .*", _LITTLE, "players get on with it, and without", "5"),
    _row(
        r"server (audio|video) (sequence header|keyframe|configuration|color info)",
        _MATTERS,
        "a decoder can't begin without it",
        "6",
    ),
    _row(r"server (audio|video) (?!audio|interframe).*", _LITTLE, "players pass over it", "6"),
    _row(r"\w+ ending .*", _LITTLE, "one of them was not recorded to its end", "9"),
    _row(r".*", _MATTERS, "only one of them has it", "3.2"),
)

#: A line here has two steps: the one that stands elsewhere, and one that it has passed.
ORDER = (
    _row(r".*control user control stream eof.*", _MATTERS, "what follows the end is not heard", "6"),
    _row(r"server (control|repeated) .*", _LITTLE, "control messages may come in any order", "3.4"),
    _row(r".* \| server (control|repeated) .*", _LITTLE, "control messages may come in any order", "3.4"),
    _row(rf"server command {_HARMLESS}.*", _LITTLE, "it may come before the answer or behind it", "0.1"),
    _row(rf".* \| server command {_HARMLESS}", _LITTLE, "it may come before the answer or behind it", "0.1"),
    _row(r"server answer .* \| server answer .*", _LITTLE, "answers are known by their transaction IDs", "3.2"),
    _row(rf"server answer {_UNNEEDED} \| .*", _LITTLE, "nobody needs this answer", "3.4"),
    _row(rf".* \| server answer {_UNNEEDED}", _LITTLE, "nobody needs this answer", "3.4"),
    _row(
        r"server data [^O].* \| server (audio|video) .*|server (audio|video) .* \| server data .*",
        _LITTLE,
        "players take metadata and media in any order",
        "10.66",
    ),
    _row(r".*server data \|RtmpSampleAccess.*", _LITTLE, "only Flash looks at it", "5"),
    _row(
        r"server audio .* \| server video .*|server video .* \| server audio .*",
        _LITTLE,
        "audio and video do not depend on each other",
        "6",
    ),
    _row(r"client .*", _LITTLE, "a server is to take what a client says in any order", "3.6 row 10"),
    _row(r".*", _MATTERS, "what clients wait for is to come in this order", "6"),
)
