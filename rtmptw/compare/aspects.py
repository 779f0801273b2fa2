# -*- test-case-name: tests.compare.test_aspects -*-
"""
What a step looks like: all of it, decoded to the field, in order, each field with the place of its bytes.

::

    type            20 command (AMF0)                       transactionId   1 (number)
    chunk stream    3                                       [0].fmsVer      "FMS/3,0,1,123" (string)
    message stream  0                                       [1]             object, 4 members
    ...                                                     [1].code        "NetConnection.Connect.Success" (string)

The arguments of a command are counted from behind the transaction ID: C{[0]} is the command object, C{[1]} the
information, or the stream ID that createStream is answered with.

A field may have a meaning beside its text: transaction ID 4 is, here, the one that createStream had. Two fields that
mean the same are the same, whatever they say; it is for L{rtmptw.compare.noise} to know what is to be done with those
that do not.

Fields are compared as they are, and made once more, with masks in the place of secrets, when they are to be shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rtmptw.compare.step import Step, Told
from rtmptw.compare.valuetree import ValueNode
from rtmptw.show.secrets import Secrets
from rtmptw.trace.entry import Ending, Entry, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.segment import Side
from rtmptw.trace.values import COMMANDS, DATA
from rtmptw.wire.amf import Absent, AMFValue, Date, Dictionary, ECMAArray, TypedObject, XMLDocument
from rtmptw.wire.control import UserControl, controlValue
from rtmptw.wire.data import CLEAR_DATA_FRAME, SET_DATA_FRAME
from rtmptw.wire.digest import (
    BLOCK_SIZE,
    CLIENT_KEY,
    CLIENT_SIGNING_KEY,
    SERVER_KEY,
    SERVER_SIGNING_KEY,
    Layout,
    findDigest,
    isSigned,
    readDigest,
)
from rtmptw.wire.media import describe
from rtmptw.wire.message import MessageType

__all__ = ["MOST_FIELDS", "Field", "aspects", "shorten"]

#: How many values of one message become fields; what is behind them is one field.
MOST_FIELDS = 256

#: The longest key in the name of a field, characters.
_LONGEST_KEY = 64

_EXTENDED = 0xFFFFFF

_TYPES = {
    **{int(type): type.name.lower().replace("_", " ") for type in MessageType},
    int(MessageType.COMMAND): "command (AMF0)",
    int(MessageType.COMMAND_AMF3): "command (AMF3)",
    int(MessageType.DATA): "data (AMF0)",
    int(MessageType.DATA_AMF3): "data (AMF3)",
}
#: What is said of a value besides its Python type.
_MARKERS = {0x07: "reference", 0x0C: "long", 0x11: "AMF3"}


@dataclass(frozen=True, slots=True)
class Field:
    """
    One field.

    @ivar name: the same in both conversations, such as C{"transactionId"}, C{"[1].code"}.
    @ivar text: what it holds, all of it, in printable characters.
    @ivar kind: the AMF type, for values; else empty.
    @ivar meaning: what it means in its own conversation, if that is more than its text.
    @ivar place: its first byte, counted from the first byte of its side; L{None} if it is nowhere in particular.
    """

    name: str
    text: str
    kind: str = ""
    meaning: str = ""
    place: int | None = None

    @property
    def isSame(self) -> str:
        """What is compared."""
        return self.meaning or self.text


def aspects(step: Step, told: Told, secrets: Secrets | None = None) -> dict[str, Field]:
    """
    All fields of a step, by name, in order. Whatever was said, this does not raise.

    @param told: the conversation that it is of.
    @param secrets: masks what must not be shown; by default, nothing is masked.
    """
    entry = step.entry
    if isinstance(entry, ReadMessage):
        fields = [*_header(entry, told), *_content(step, entry, told, secrets)]
    elif isinstance(entry, HandshakeBlock):
        fields = list(_handshake(entry, told.blocks))
    else:
        fields = list(_other(entry, secrets))
    return {field.name: field for field in fields}


def shorten(text: str, width: int) -> str:
    """A text that fits."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _header(entry: ReadMessage, told: Told) -> Iterator[Field]:
    message, first = entry.message, entry.chunks[0]
    yield Field("type", f"{message.type} {_TYPES.get(message.type, 'unknown')}", place=first.offset)
    yield Field("chunk stream", str(message.chunkStreamId), place=first.offset)
    yield Field("fmt", str(entry.fmt), place=first.offset)
    stamp = message.timestamp
    size = "" if not stamp else "extended" if stamp >= _EXTENDED else "not 0"
    yield Field("timestamp", f"{stamp} ms", "", size, first.offset)
    if not message.streamId:
        whose = "the connection's"
    else:
        whose = "as createStream's answer gave" if message.streamId in told.streamIds else "that nobody gave"
    yield Field("message stream", str(message.streamId), "", whose, first.offset)
    yield _chunks(entry)
    if any(chunk.extended is not None or chunk.lacksExtended for chunk in entry.chunks):
        lacking = [chunk for chunk in entry.chunks if chunk.lacksExtended]
        text = f"not repeated in {_counted(len(lacking), 'chunk')}" if lacking else "repeated in each chunk"
        yield Field("extended timestamp", text, place=(lacking or entry.chunks)[0].offset)


def _chunks(entry: ReadMessage) -> Field:
    """How it was cut (wire facts 2.5)."""
    sizes = [chunk.size for chunk in entry.chunks]
    text = " + ".join(map(str, sizes[:3])) + (f" + ... ({len(sizes)})" if len(sizes) > 3 else "")
    cut = set(sizes[:-1]) or ({sizes[0]} if sizes[0] > entry.chunkSize else {entry.chunkSize})
    # Set Chunk Size may have come between its chunks: then they have several sizes.
    meaning = "as announced"
    if len(cut) == 1 and cut != {entry.chunkSize}:
        meaning = f"not at the chunk size, {entry.chunkSize}"
    return Field("chunks", f"{text} bytes", "", meaning, entry.chunks[0].offset + entry.chunks[0].headerSize)


def _content(step: Step, entry: ReadMessage, told: Told, secrets: Secrets | None) -> Iterator[Field]:
    message, place = entry.message, entry.place(0)
    type = message.type
    if type in COMMANDS or type in DATA:
        yield from _values(step, entry, told, secrets)
    elif type == MessageType.USER_CONTROL:
        control = UserControl.decode(message.payload)
        if control is not None:
            yield Field("event", str(control.event), place=place)
            yield Field("value", str(control.value), place=entry.place(2))
            if control.extra is not None:
                yield Field("second value", str(control.extra), place=entry.place(6))
    elif type in (MessageType.AUDIO, MessageType.VIDEO):
        tag = describe(type, message.payload)
        yield Field("codec", tag.codec, place=place)
        yield Field("enhanced", "yes" if tag.isEnhanced else "no", place=place)
        if tag.multitrack is not None:
            yield Field("tracks", str(len(tag.tracks)), place=place)
        yield _bytes("payload", message.payload, place)
    elif 1 <= type <= 6 and (value := controlValue(message)) is not None:
        yield Field("value", f"{value:,}", place=place)
        if type == MessageType.SET_PEER_BANDWIDTH:
            yield Field("limit", message.payload[4:5].hex(), place=entry.place(4))
    else:
        yield _bytes("payload", message.payload, place)


def _bytes(name: str, data: bytes, place: int) -> Field:
    """Bytes that are not looked into, nor shown: there may be a secret in them."""
    return Field(name, f"{len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()[:12]}", place=place)


def _values(step: Step, entry: ReadMessage, told: Told, secrets: Secrets | None) -> Iterator[Field]:
    """The values of a command or data message."""
    names = ["name", "transactionId"]
    if entry.message.type in DATA:
        names = ["prefix", "name"] if step.name in (SET_DATA_FRAME, CLEAR_DATA_FRAME) else ["name"]
    shown: Sequence[AMFValue] = [node.value for node in step.values]
    fault = step.fault
    if secrets is not None:
        shown, fault = secrets.values(entry)
    # What real readers look for at a place is called by that place, whatever is there (wire facts 3.2).
    names += [f"[{index}]" for index in range(len(step.values) - len(names))]
    found = 0
    for name, node, value in zip(names, step.values, shown, strict=False):
        for field in _tree(name, node, value, entry):
            found += 1
            if found > MOST_FIELDS:
                yield _bytes("more", entry.message.payload[node.start :], entry.place(node.start))
                return
            yield _whose(field, step, told) if field.name == "transactionId" else field
    if fault:
        yield Field("unreadable", _printable(fault), place=entry.place(step.values[-1].stop if step.values else 0))


def _whose(field: Field, step: Step, told: Told) -> Field:
    """Whose transaction ID it is."""
    if step.key.family != "answer":
        return field
    holders = told.calls.holders(step.transactionId)
    if step.transactionId is None:
        meaning = "no number"
    elif step.key.detail in holders:
        meaning = f"{step.key.detail}'s"
    else:
        meaning = f"{holders[-1]}'s" if holders else "no call's"
    return Field(field.name, field.text, field.kind, meaning, field.place)


def _tree(name: str, node: ValueNode, shown: AMFValue, entry: ReadMessage) -> Iterator[Field]:
    """
    A value and what lies in it.

    @param shown: the same, as it may be shown.
    """
    place = entry.place(node.start)
    yield Field(name, _text(shown), ", ".join(filter(None, (_MARKERS.get(node.marker), _kind(node.value)))), "", place)
    if not node.parts:
        # What a reference stands for, or AMF3 holds, has no places.
        yield from _inner(name, shown, place)
        return
    members = list(_members(name, shown))
    if len(members) == len(node.parts):
        for (inner, member), part in zip(members, node.parts, strict=True):
            yield from _tree(inner, part, member, entry)
    else:
        # A key that stands there twice has one value for us: the last. Which one a peer takes is its own affair.
        for inner, member in members:
            yield Field(inner, _text(member), _kind(member), "", place)
            yield from _inner(inner, member, place)


def _inner(name: str, value: AMFValue, place: int) -> Iterator[Field]:
    """What lies in a value whose parts have no places of their own."""
    for inner, member in _members(name, value):
        yield Field(inner, _text(member), _kind(member), "", place)
        yield from _inner(inner, member, place)


def _members(name: str, value: AMFValue) -> Iterator[tuple[str, AMFValue]]:
    """The parts of a value, with their names."""
    if isinstance(value, dict):
        yield from ((f"{name}.{_printable(shorten(key, _LONGEST_KEY))}", member) for key, member in value.items())
    elif isinstance(value, (list, tuple)) and not isinstance(value, Dictionary):
        yield from ((f"{name}[{index}]", member) for index, member in enumerate(value))


#: The AMF type of a Python value; the first that fits.
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (XMLDocument, "XML"),
    (str, "string"),
    (bytes, "bytes"),
    (Date, "date"),
    (TypedObject, "typed object"),
    (ECMAArray, "ECMA array"),
    (dict, "object"),
    (Dictionary, "dictionary"),
    (list, "strict array"),
)


def _kind(value: AMFValue) -> str:
    if isinstance(value, Absent):
        return value.value
    return next((name for type, name in _KINDS if isinstance(value, type)), "null")


def _text(value: AMFValue) -> str:
    if isinstance(value, dict):
        return ""
    if isinstance(value, Dictionary):
        digest = hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()[:12]
        return f"{_counted(len(value), 'pair')}, SHA-256 {digest}"
    if isinstance(value, (list, tuple)):
        return _counted(len(value), "element")
    if value is None or isinstance(value, Absent):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:.17g}"
    if isinstance(value, str):
        return f'"{_printable(value)}"'
    return _printable(repr(value))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _printable(text: str) -> str:
    """In ASCII, on one line, and not to be confused with another text."""
    return text.encode("unicode_escape").decode("ascii")


def _handshake(entry: HandshakeBlock, blocks: dict[str, bytes]) -> Iterator[Field]:
    """One block (wire facts 1)."""
    data, name, offset = entry.data, entry.name, entry.offset
    if len(data) != BLOCK_SIZE:
        yield Field("version", data.hex(), place=offset)
        return
    yield Field("time", str(int.from_bytes(data[:4], "big")), place=offset)
    if name[1] == "1":
        yield Field("version", data[4:8].hex(" "), place=offset + 4)
        layout = findDigest(data, CLIENT_KEY if entry.side is Side.CLIENT else SERVER_KEY)
        place = None if layout is None else offset + layout.digestOffset(data)
        yield Field("digest", _LAYOUTS[layout], place=place)
    else:
        yield Field("is", _reply(entry, blocks), place=offset + 8)
    yield Field("random", f"SHA-256 {hashlib.sha256(data[8:]).hexdigest()[:12]}", place=offset + 8)


_LAYOUTS = {
    None: "none, or a wrong one",
    Layout.DIGEST_FIRST: "right, digest first (base 8)",
    Layout.KEY_FIRST: "right, key first (base 772)",
}


def _reply(entry: HandshakeBlock, blocks: dict[str, bytes]) -> str:
    """What C2 or S2 is to the block that it answers (wire facts 1.2)."""
    fromClient = entry.side is Side.CLIENT
    asked = "S1" if fromClient else "C1"
    block = blocks.get(asked)
    if block is None or len(block) != BLOCK_SIZE:
        return f"there is no {asked}"
    # Bytes 4 to 7 may hold its own time (wire facts 1.1).
    if entry.data[:4] == block[:4] and entry.data[8:] == block[8:]:
        return f"a copy of {asked}"
    layout = findDigest(block, SERVER_KEY if fromClient else CLIENT_KEY)
    key = CLIENT_SIGNING_KEY if fromClient else SERVER_SIGNING_KEY
    if layout is not None and isSigned(entry.data, key, readDigest(block, layout)):
        return f"signed, for {asked}'s digest"
    return f"neither a copy of {asked} nor signed for its digest"


def _other(entry: Entry, secrets: Secrets | None) -> Iterator[Field]:
    """Bytes that are no RTMP, or an end."""
    if isinstance(entry, Unreadable):
        reason = entry.reason if secrets is None else secrets.remark(entry.reason)
        yield Field("reason", _printable(reason), place=entry.offset)
        yield Field("size", f"{entry.size:,} bytes", place=entry.offset)
    elif isinstance(entry, Ending):
        yield Field("how", _printable(entry.how), place=entry.offset)
        yield Field("half said", _printable(entry.unfinished) or "nothing", place=entry.offset)
