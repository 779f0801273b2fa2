# -*- test-case-name: tests.show.test_jsonlines -*-
"""
A trace for programs: a JSON object in a line for each entry, with the same masks as the lines for people.

Every object has a C{kind}: "handshake", "message", "unreadable" or "ending"; or "note", and then it has C{words} about
a C{connection} and no more. The others have::

    connection    number, from 1 on
    at            seconds since the connection began
    side          "client" or "server": who says it
    offset        its first byte, in the stream of its side, which begins with C0 or S0
    violations    a list of {"cause", "severity", "words", "offset"}; severity is "stops", "loses" or "advice"

and, by kind::

    handshake     name "C0".."S2", size, version (a number in C0 and S0, "9.0.124.2" in C1 and S1), digest ("digest
                  first", "key first" or null; C1 and S1), answer ("copy", "signed", "neither" or null: C2 and S2)
    message       type, typeName, timestamp (ms), messageStream, chunkStream, fmt (of the first chunk), size, chunkSize
                  (what its side has announced); and, by type:
                  commands and data: name, transactionId (number or null; commands), values (all of them), fault (why
                  they can't be read to the end, or null)
                  audio and video: media {"media", "codec", "enhanced", "compositionTime", "tracks", "error"}
                  control: event (user control: its number), value, extra (numbers or null)
    unreadable    reason, size (so far; all that comes behind it can't be read either)
    ending        how ("closed", "reset" or other words), unfinished (what was half said, or how much could not be read;
                  or "")

With C{--chunks}, a message has C{chunks}: a list of {"offset", "fmt", "chunkStream", "header", "headerSize", "size",
"extended", "lacksExtended"}, where C{header} is its bytes. With C{--hex}, what has bytes has C{hex}, the first of its
payload, with C{**} for what is hidden.

Values of AMF that JSON can't hold are objects with one key that says what they are, and more if there is more to say::

    {"undefined": true}  {"unsupported": true}  {"number": "NaN"}  {"date": ms, "zone": minutes}  {"xml": "..."}
    {"ecma": {...}}  {"typed": "class", "members": {...}}  {"bytes": size}
    {"vector": "int", "items": [...]}  {"dictionary": [[key, value], ...]}
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from rtmptw.show.line import MAX_BYTES, SHOWN_HANDSHAKE, LineOptions, contentOf
from rtmptw.show.wording import answered, digestOf, kindOf, versionOf
from rtmptw.trace.entry import Ending, Entry, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.values import COMMANDS, DATA
from rtmptw.wire.amf import Absent, AMFValue, Date, Dictionary, ECMAArray, TypedObject, Vector, XMLDocument
from rtmptw.wire.control import UserControl, controlValue
from rtmptw.wire.media import describe
from rtmptw.wire.message import Message, MessageType

__all__ = ["amfToJSON", "jsonLine", "jsonNote"]


def jsonLine(entry: Entry, options: LineOptions, blocks: Mapping[str, bytes] | None = None, connection: int = 1) -> str:
    """
    Show an entry.

    @param blocks: the handshake so far, by the names of its blocks.
    @param connection: its number.
    @return: the line, without its end.
    """
    secrets = options.secrets
    line: dict[str, Any] = {
        "kind": "",
        "connection": connection,
        "at": round(entry.at, 6),
        "side": entry.side.value,
        "offset": entry.offset,
    }
    if isinstance(entry, HandshakeBlock):
        line.update(_handshake(entry, blocks or {}))
        data, limit = entry.data, SHOWN_HANDSHAKE
    elif isinstance(entry, ReadMessage):
        line.update(_message(entry, options))
        data, limit = entry.message.payload, MAX_BYTES
    elif isinstance(entry, Unreadable):
        reason = entry.reason if secrets is None else secrets.about(entry.reason)
        line.update(kind="unreadable", size=entry.size, reason=reason)
        data, limit = entry.data, MAX_BYTES
    else:
        assert isinstance(entry, Ending)
        line.update(kind="ending", how=entry.how, unfinished=entry.unfinished)
        data, limit = b"", 0
    if options.hex and limit:
        line["hex"] = _hex(entry, data[:limit], options)
    line["violations"] = [
        {
            "cause": violation.cause.name,
            "severity": violation.cause.severity.value,
            "words": violation.words if secrets is None else secrets.remark(violation.words),
            "offset": violation.offset,
        }
        for violation in entry.violations
    ]
    return json.dumps(line, allow_nan=False)


def jsonNote(words: str, connection: int = 1) -> str:
    """Words about a connection as a whole, as a line without its end."""
    return json.dumps({"kind": "note", "connection": connection, "words": words})


def amfToJSON(value: AMFValue) -> Any:
    """A value of AMF as JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, Absent):
        return {value.value: True}
    if isinstance(value, Date):
        return {"date": amfToJSON(value.ms), "zone": value.zone}
    if isinstance(value, XMLDocument):
        return {"xml": str(value)}
    if isinstance(value, bytes):
        return {"bytes": len(value)}
    if isinstance(value, dict):
        members = {name: amfToJSON(member) for name, member in value.items()}
        if isinstance(value, TypedObject):
            return {"typed": value.className, "members": members}
        return {"ecma": members} if isinstance(value, ECMAArray) else members
    if isinstance(value, Dictionary):
        return {"dictionary": [[amfToJSON(key), amfToJSON(item)] for key, item in value]}
    if isinstance(value, (list, tuple)):
        items = [amfToJSON(item) for item in value]
        return {"vector": value.kind, "items": items} if isinstance(value, Vector) else items
    return value


def _handshake(entry: HandshakeBlock, blocks: Mapping[str, bytes]) -> dict[str, Any]:
    line: dict[str, Any] = {"kind": "handshake", "name": entry.name, "size": len(entry.data)}
    number = entry.name[1:]
    if number == "0":
        line["version"] = entry.data[0]
    elif number == "1":
        line.update(version=versionOf(entry), digest=digestOf(entry) or None)
    else:
        line["answer"] = answered(entry, blocks)
    return line


def _message(entry: ReadMessage, options: LineOptions) -> dict[str, Any]:
    message = entry.message
    line: dict[str, Any] = {
        "kind": "message",
        "type": int(message.type),
        "typeName": kindOf(message.type),
        "timestamp": message.timestamp,
        "messageStream": message.streamId,
        "chunkStream": message.chunkStreamId,
        "fmt": entry.fmt,
        "size": len(message.payload),
        "chunkSize": entry.chunkSize,
    }
    if message.type in COMMANDS | DATA:
        line.update(_values(entry, options))
    elif message.type in (MessageType.AUDIO, MessageType.VIDEO):
        line["media"] = _media(message)
    elif 1 <= message.type <= 6:
        line.update(_control(message))
    if options.chunks:
        line["chunks"] = [
            {
                "offset": chunk.offset,
                "fmt": chunk.fmt,
                "chunkStream": chunk.chunkStreamId,
                "header": chunk.header.hex(),
                "headerSize": chunk.headerSize,
                "size": chunk.size,
                "extended": chunk.extended,
                "lacksExtended": chunk.lacksExtended,
            }
            for chunk in entry.chunks
        ]
    return line


def _values(entry: ReadMessage, options: LineOptions) -> dict[str, Any]:
    values, fault = contentOf(entry, options.secrets)
    line: dict[str, Any] = {"name": values[0] if values and isinstance(values[0], str) else ""}
    if entry.message.type in COMMANDS:
        second = values[1] if len(values) > 1 else None
        isNumber = isinstance(second, (int, float)) and not isinstance(second, bool)
        line["transactionId"] = amfToJSON(second) if isNumber else None
    return {**line, "values": [amfToJSON(value) for value in values], "fault": fault or None}


def _media(message: Message) -> dict[str, Any]:
    tag = describe(message.type, message.payload)
    return {
        "media": tag.kind.value,
        "codec": tag.codec,
        "enhanced": tag.isEnhanced,
        "compositionTime": tag.compositionTime,
        "tracks": [track.id for track in tag.tracks],
        "error": tag.error or None,
    }


def _control(message: Message) -> dict[str, Any]:
    if message.type == MessageType.USER_CONTROL:
        control = UserControl.decode(message.payload)
        if control is None:
            return {"event": None, "value": None, "extra": None}
        return {"event": control.event, "value": control.value, "extra": control.extra}
    hasLimit = message.type == MessageType.SET_PEER_BANDWIDTH and len(message.payload) > 4
    return {"value": controlValue(message), "extra": message.payload[4] if hasLimit else None}


def _hex(entry: Entry, data: bytes, options: LineOptions) -> str:
    cells = [f"{byte:02x}" for byte in data]
    for start, stop in [] if options.secrets is None else options.secrets.hidden(entry, len(data)):
        last = min(stop, len(cells))
        cells[start:last] = ["**"] * (last - start)
    return "".join(cells)
