"""
Messages of any type: commands, data, control, aggregates, each as whoever receives it reads it, and as a line.

The input: the message type (1 byte: one of those that mean something, or any), and the payload.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from rtmptw.wire import amf0
from rtmptw.wire.aggregate import MAX_PARTS, splitAggregate
from rtmptw.wire.amf import UNDEFINED, AMFLimits
from rtmptw.wire.command import Command, messageStreamId
from rtmptw.wire.control import UserControl, controlValue
from rtmptw.wire.data import MAX_NAME, DataMessage, toPublish
from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.oneline import MAX_LINE, oneLine
from tests.fuzz import captured
from tests.fuzz.target import Target
from tests.fuzz.targets.amf0 import inAMF0
from tests.wire.test_amf import same

__all__ = ["TARGET", "check"]

_TYPES = tuple(MessageType)


def check(data: bytes) -> None:
    """A line comes out of anything, and of what can be read, what it says."""
    first = data[0] if data else 0
    type = int(_TYPES[first % len(_TYPES)]) if first < 0xE0 else first
    message = Message(type, 40, first & 3, data[1:])
    _checkLine(message)
    if type in (MessageType.COMMAND, MessageType.COMMAND_AMF3):
        _checkCommand(message)
    elif type in (MessageType.DATA, MessageType.DATA_AMF3):
        _checkData(message)
    elif type == MessageType.AGGREGATE:
        _checkAggregate(message)
    elif type == MessageType.USER_CONTROL:
        control = UserControl.decode(message.payload)
        assert (control is None) is (len(message.payload) < 2)
        if control is not None:
            assert UserControl.decode(control.encode().payload) == control
    else:
        value = controlValue(message)
        assert (value is None) is (len(message.payload) < 4)


def _checkLine(message: Message) -> None:
    for hidesNames in (False, True):
        line = oneLine(message, hidesNames)
        assert len(line) <= MAX_LINE and line.isascii() and line.isprintable(), ascii(line)


def _checkCommand(message: Message) -> None:
    try:
        command = Command.decode(message)
    except RemoteProtocolError:
        return
    assert same(Command.decodeShared(message).arguments, command.arguments)
    assert command.argument(len(command.arguments)) is None
    for index, value in enumerate(command.arguments):
        assert command.text(index) in (None, value)
        id = messageStreamId(value)
        assert id is None or 0 <= id <= 0xFFFFFFFF
    try:
        again = Command.decode(command.encode())
    except (LocalProtocolError, RemoteProtocolError):
        # What only AMF3 has; or what is too much when all that is repeated is written out.
        return
    assert (again.name, again.transactionId) == (command.name, command.transactionId)
    expected = list(map(inAMF0, (command.commandObject, *command.arguments)))
    assert same([again.commandObject, *again.arguments], expected)


def _checkData(message: Message) -> None:
    """What players are given is what was said, and would be given again as it is."""
    try:
        data = DataMessage.decode(message)
    except RemoteProtocolError:
        return
    except LocalProtocolError:
        # It can't be written for players: a Dictionary, say.
        raise AssertionError("data that can't be passed on is no reason for an error of ours") from None
    assert 0 <= len(data.name.encode("utf-8", "surrogateescape")) <= MAX_NAME
    again = DataMessage.decode(Message(MessageType.DATA, 0, 1, data.payload))
    if data.name not in ("@setDataFrame", "@clearDataFrame"):
        assert again.payload == data.payload and again.name == data.name, "it changes again"
        published = DataMessage.decode(Message(MessageType.DATA, 0, 1, toPublish(data.payload)))
        assert published.payload == data.payload
    assert UNDEFINED not in amf0.decode(data.payload, _GENEROUS)


_GENEROUS = AMFLimits(values=8192, keys=8192, stringBytes=1 << 24)


def _checkAggregate(message: Message) -> None:
    parts: list[Message] = []
    try:
        for part in splitAggregate(message):
            parts.append(part)
            _checkLine(part)
    except LimitExceeded:
        assert len(parts) == MAX_PARTS
    except RemoteProtocolError as error:
        assert error.offset is not None and error.offset < len(message.payload)
    assert len(parts) <= MAX_PARTS
    assert sum(len(part.payload) + 11 for part in parts) <= len(message.payload)
    assert all(0 <= part.timestamp <= 0xFFFFFFFF and part.streamId == message.streamId for part in parts)


def seeds() -> Iterator[bytes]:
    """What the captures have, by type, and aggregates."""
    index = {int(type): bytes((number,)) for number, type in enumerate(_TYPES)}
    for message in captured.heads(_TYPES):
        yield index[message.type] + message.payload
    for message in captured.heads((20,)):
        yield index[17] + b"\0" + message.payload
    for message in captured.heads((18,)):
        yield index[15] + b"\0" + message.payload
    part = b"\x08\0\0\x02\0\0\x05\0\0\0\0\xaf\x01\0\0\0\x0d"
    for payload in (part * 3, part + b"\x16" + part[1:], part[:-1], part * 2 + b"\x09\0\0\xff" + bytes(8)):
        yield index[22] + payload


TARGET = Target(check, seeds, 200)
