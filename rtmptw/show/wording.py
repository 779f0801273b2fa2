# -*- test-case-name: tests.show.test_wording -*-
"""
What was said, in words::

    connect(1, {app: "live", type: "nonprivate", flashVer: "FMLE/3.0 (compatible; Lavf59.27.100)", ...
    Set Chunk Size 4096
    video keyframe avc1, cts 80 ms
    S2: a copy of C1

Whatever it was, the words are printable ASCII, and not too many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rtmptw.trace.entry import Ending, Entry, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.values import COMMANDS, DATA
from rtmptw.wire import digest
from rtmptw.wire.amf import Absent, AMFValue, Date, Dictionary, ECMAArray, TypedObject, Vector, XMLDocument
from rtmptw.wire.control import BandwidthLimit, UserControl, UserControlType, controlValue
from rtmptw.wire.digest import BLOCK_SIZE, Layout
from rtmptw.wire.media import MediaTag, describe
from rtmptw.wire.message import Message, MessageType

__all__ = [
    "ENDS",
    "MAX_WORDS",
    "Answer",
    "answered",
    "digestOf",
    "kindOf",
    "printable",
    "valueWords",
    "versionOf",
    "wording",
]

#: The most characters for one entry, and for one text in it.
MAX_WORDS = 480
_MAX_TEXT = 80

#: How a side ends (L{rtmptw.capture.leg}), in the words of TCP.
ENDS = {"closed": "closed (FIN)", "reset": "reset (RST)", "dropped": "dropped, as the other side was gone"}

#: What a message type is called.
_KINDS: dict[int, str] = {
    MessageType.AUDIO: "audio",
    MessageType.VIDEO: "video",
    MessageType.DATA: "data",
    MessageType.DATA_AMF3: "data (AMF3)",
    MessageType.COMMAND: "command",
    MessageType.COMMAND_AMF3: "command (AMF3)",
    MessageType.SHARED_OBJECT: "shared object",
    MessageType.SHARED_OBJECT_AMF3: "shared object (AMF3)",
    MessageType.AGGREGATE: "aggregate",
    **dict.fromkeys(range(1, 7), "control"),
}

#: Control messages with one number (RTMP 1.0, section 5.4).
_CONTROLS: dict[int, str] = {
    MessageType.SET_CHUNK_SIZE: "Set Chunk Size",
    MessageType.ABORT: "Abort Message, chunk stream",
    MessageType.ACKNOWLEDGEMENT: "Acknowledgement",
    MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE: "Window Acknowledgement Size",
    MessageType.SET_PEER_BANDWIDTH: "Set Peer Bandwidth",
}

_MEDIA = frozenset((MessageType.AUDIO, MessageType.VIDEO))

#: A name that needs no quotation marks.
_IDENTIFIER = re.compile(r"[A-Za-z_@|$][A-Za-z0-9_.@|$-]{0,63}")

#: Which key each block of the handshake is made with.
_DIGEST_KEYS = {"C1": digest.CLIENT_KEY, "S1": digest.SERVER_KEY}

#: What a C2 or S2 answers, and the key that it is signed with.
_ANSWERS = {"C2": ("S1", digest.CLIENT_SIGNING_KEY), "S2": ("C1", digest.SERVER_SIGNING_KEY)}

#: How C2 or S2 answers: C{"copy"}, C{"signed"} or C{"neither"}; C{None} if it is not known what it answers.
Answer = str | None

_LAYOUTS = {Layout.DIGEST_FIRST: "digest first", Layout.KEY_FIRST: "key first"}


def wording(
    entry: Entry, values: Sequence[AMFValue] = (), fault: str = "", blocks: Mapping[str, bytes] | None = None
) -> str:
    """
    Say what an entry is.

    @param values: of a command or data message, as they may be shown.
    @param fault: why they can't be read to the end.
    @param blocks: the handshake so far, by the names of its blocks: to tell what C2 and S2 are.
    """
    if isinstance(entry, HandshakeBlock):
        return _handshakeWords(entry, blocks or {})
    if isinstance(entry, ReadMessage):
        return _cut(_messageWords(entry.message, values, fault))
    if isinstance(entry, Unreadable):
        # How much it will be is not known yet.
        return _cut([f"can't be read from here on: {printable(entry.reason)}"])
    assert isinstance(entry, Ending)
    words = printable(ENDS.get(entry.how, entry.how))
    return _cut([f"{words}; left over: {printable(entry.unfinished)}" if entry.unfinished else words])


def kindOf(type: int) -> str:
    """What a message type is called."""
    return _KINDS.get(type, "unknown")


def versionOf(block: HandshakeBlock) -> str:
    """The version in a C1 or S1, as C{"9.0.124.2"}; empty for the others."""
    return ".".join(map(str, block.data[4:8])) if block.name in _DIGEST_KEYS else ""


def digestOf(block: HandshakeBlock) -> str:
    """The layout of the digest in a C1 or S1; empty if there is none, and for the others."""
    key = _DIGEST_KEYS.get(block.name)
    layout = digest.findDigest(block.data, key) if key is not None and len(block.data) == BLOCK_SIZE else None
    return _LAYOUTS[layout] if layout is not None else ""


def answered(block: HandshakeBlock, blocks: Mapping[str, bytes]) -> Answer:
    """What a C2 or S2 is."""
    asked, key = _ANSWERS.get(block.name, ("", b""))
    question = blocks.get(asked, b"")
    if len(question) != BLOCK_SIZE or len(block.data) != BLOCK_SIZE:
        return None
    # The time of its reading may stand in the second four bytes (RTMP 1.0, section 5.2.4).
    if block.data[:4] + block.data[8:] == question[:4] + question[8:]:
        return "copy"
    layout = digest.findDigest(question, _DIGEST_KEYS[asked])
    if layout is not None and digest.isSigned(block.data, key, digest.readDigest(question, layout)):
        return "signed"
    return "neither"


def printable(text: str) -> str:
    """The same in printable ASCII."""
    return json.dumps(text)[1:-1].replace('\\"', '"').replace("\x7f", "\\u007f")


def valueWords(value: AMFValue) -> str:
    """One value."""
    return _cut(_valueWords(value))


def _cut(parts: Iterable[str]) -> str:
    """Join, but not more than there is room for."""
    text = ""
    for part in parts:
        text += part
        if len(text) > MAX_WORDS:
            return f"{text[:MAX_WORDS]}..."
    return text


def _handshakeWords(block: HandshakeBlock, blocks: Mapping[str, bytes]) -> str:
    if len(block.data) == 1:
        return f"{block.name}: version {block.data[0]}"
    if block.name in _DIGEST_KEYS:
        layout = digestOf(block)
        time = int.from_bytes(block.data[:4], "big")
        return (
            f"{block.name}: time {time}, version {versionOf(block)}, {f'digest ({layout})' if layout else 'no digest'}"
        )
    asked = _ANSWERS[block.name][0]
    answer = {
        "copy": f"a copy of {asked}",
        "signed": f"signed, as an answer to {asked}'s digest",
        "neither": f"neither a copy of {asked} nor an answer to its digest",
        None: f"{asked} is not known",
    }
    return f"{block.name}: {answer[answered(block, blocks)]}"


def _messageWords(message: Message, values: Sequence[AMFValue], fault: str) -> Iterator[str]:
    type = message.type
    if type in COMMANDS or type in DATA:
        yield from _valuesWords(values, type in COMMANDS)
        if fault:
            yield f", then unreadable: {printable(fault)}" if values else f"unreadable: {printable(fault)}"
        elif not values:
            yield f"{kindOf(type)}, empty"
    elif type in _MEDIA:
        yield _mediaWords(kindOf(type), describe(type, message.payload))
    elif type == MessageType.USER_CONTROL:
        yield _userControlWords(message.payload)
    elif type in _CONTROLS:
        yield _controlWords(message)
    else:
        yield kindOf(type) if type in _KINDS else f"a message of the unknown type {type}"


def _valuesWords(values: Sequence[AMFValue], isCommand: bool) -> Iterator[str]:
    """A command as a call, data as a row."""
    if isCommand and values and isinstance(values[0], str):
        yield f"{_nameWords(values[0])}("
        yield from _listWords(values[1:])
        yield ")"
    else:
        yield "data " * bool(values)
        yield from _listWords(values)


def _listWords(values: Iterable[AMFValue]) -> Iterator[str]:
    for position, value in enumerate(values):
        if position:
            yield ", "
        yield from _valueWords(value)


def _valueWords(value: AMFValue) -> Iterator[str]:
    if value is None or isinstance(value, bool):
        yield {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, (int, float)):
        yield f"{value:.15g}"
    elif isinstance(value, str):
        yield f"XML {_textWords(value)}" if isinstance(value, XMLDocument) else _textWords(value)
    elif isinstance(value, Absent):
        yield value.value
    elif isinstance(value, Date):
        yield f"date {value.ms:.15g} ms"
    elif isinstance(value, bytes):
        yield f"{len(value)} bytes"
    elif isinstance(value, dict):
        yield from _objectWords(value)
    elif isinstance(value, Dictionary):
        yield "dictionary {"
        for position, (key, item) in enumerate(value):
            yield ", " if position else ""
            yield from _valueWords(key)
            yield ": "
            yield from _valueWords(item)
        yield "}"
    else:
        yield f"vector of {value.kind} [" if isinstance(value, Vector) else "["
        yield from _listWords(value)
        yield "]"


def _objectWords(value: Mapping[str, AMFValue]) -> Iterator[str]:
    """An object; which of the two kinds it is matters to clients (wire facts 3.2)."""
    if isinstance(value, TypedObject):
        yield f"{_nameWords(value.className)} "
    yield "ECMA {" if isinstance(value, ECMAArray) else "{"
    for position, (name, member) in enumerate(value.items()):
        yield f"{', ' if position else ''}{_nameWords(name)}: "
        yield from _valueWords(member)
    yield "}"


def _nameWords(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else _textWords(name)


def _textWords(text: str) -> str:
    shown = f'"{json.dumps(text[:_MAX_TEXT])[1:-1]}"'.replace("\x7f", "\\u007f")
    return shown if len(text) <= _MAX_TEXT else f"{shown}... ({len(text):,} characters)"


def _mediaWords(kind: str, tag: MediaTag) -> str:
    words = [kind, "" if tag.kind.value == kind else tag.kind.value, printable(tag.codec)]
    parts = [" ".join(filter(None, words))]
    if tag.multitrack is not None:
        codecs = [f"{track.id} {printable(track.codec)}" for track in tag.tracks]
        parts.append(f"tracks {', '.join(codecs)}" if len(codecs) > 1 else f"track {''.join(codecs)}")
    if tag.compositionTime:
        parts.append(f"cts {tag.compositionTime} ms")
    if tag.error:
        parts.append(printable(tag.error))
    return ", ".join(parts)


def _controlWords(message: Message) -> str:
    name, value = _CONTROLS[message.type], controlValue(message)
    if value is None:
        return f"{name}, cut short"
    if message.type == MessageType.SET_PEER_BANDWIDTH:
        limit = message.payload[4] if len(message.payload) > 4 else -1
        known = limit in set(BandwidthLimit)
        return f"{name} {value} {BandwidthLimit(limit).name.lower() if known else 'without a known limit type'}"
    return f"{name} {value}"


def _userControlWords(payload: bytes) -> str:
    control = UserControl.decode(payload)
    if control is None:
        return "user control, cut short"
    if control.event not in set(UserControlType):
        return f"user control of the unknown type {control.event}, {control.value}"
    name = UserControlType(control.event).name.replace("_", " ").title().replace("Eof", "EOF").replace("Swf", "SWF")
    return f"{name} {control.value}{'' if control.extra is None else f', {control.extra} ms'}"
