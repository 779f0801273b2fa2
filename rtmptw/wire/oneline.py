# -*- test-case-name: tests.wire.test_oneline -*-
"""
A message in one line, for people who look at a conversation.

::

    connect(1, {'app': 'live', 'type': 'nonprivate', ...})
    video keyframe avc1, 11034 bytes, 2000 ms, message stream 1

What a query has behind its equals signs is left out: it may be a key, or an answer to a question for a password. So is
what a URL has in front of its host: a user, and perhaps a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from copy import copy

from rtmptw.errors import RemoteProtocolError
from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS, AMFValue
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType, controlValue
from rtmptw.wire.media import describe
from rtmptw.wire.message import Message, MessageType

__all__ = ["MAX_LINE", "oneLine"]

#: The longest line, characters.
MAX_LINE = 300

#: What stands for a text that is left out.
_MASK = "***"

#: The value of one parameter of a query; and user and password of a URL. There is more than one way to write a question
#: mark twice (wire facts 8), so what follows a value is a part of it up to the next C{&}.
_QUERY_VALUE = re.compile(r"([?&][^=&?]{1,64}=)[^&]+")
_USER = re.compile(r"//[^/?#]*@")

#: What servers say to their clients; and what is no name in what clients say, and never left out.
_SERVERS = {"_result", "_error", "onStatus"}
_PLAIN = {"live", "record", "append", ""}
_PLAIN_MEMBERS = {"flashVer", "type"}

_VALUES = {
    MessageType.SET_CHUNK_SIZE,
    MessageType.ABORT,
    MessageType.ACKNOWLEDGEMENT,
    MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE,
    MessageType.SET_PEER_BANDWIDTH,
}


def oneLine(message: Message, hidesNames: bool = False) -> str:
    """
    Say what a message is. Whatever its payload holds, this does not raise, and the line is printable ASCII.

    @param hidesNames: leave out what a client calls a stream, wherever that may stand in its commands.
    """
    try:
        name = MessageType(message.type).name.lower().replace("_", " ")
    except ValueError:
        name = f"message type {message.type}"
    try:
        text = _content(message, name, hidesNames)
    except RemoteProtocolError as error:
        text = f"{name}, {len(message.payload)} bytes, unreadable: {_withoutSecrets(str(error))}"
    if message.streamId:
        text += f", message stream {message.streamId}"
    # Values are escaped where they are written, but the text of a fault may have a name from the wire in it.
    text = text.encode("ascii", "backslashreplace").decode("ascii")
    return text if len(text) <= MAX_LINE else f"{text[: MAX_LINE - 3]}..."


def _content(message: Message, name: str, hidesNames: bool) -> str:
    type, payload = message.type, message.payload
    if type in (MessageType.COMMAND, MessageType.COMMAND_AMF3):
        command = Command.decode(message)
        values = [command.commandObject, *command.arguments]
        if not hidesNames:
            shown = [_changed(value, _withoutSecrets) for value in values]
        elif command.name in _SERVERS:
            # A server repeats the name in its sentences.
            shown = [_withoutSentence(_changed(value, _withoutSecrets)) for value in values]
        else:
            shown = [_changed(value, _withoutName, _PLAIN_MEMBERS) for value in values]
        words = [f"{command.transactionId:g}", *map(ascii, shown)]
        return f"{_withoutSecrets(ascii(command.name)[1:-1])}({', '.join(words)})"
    if type == MessageType.DATA:
        values, fault = amf0.decodePrefix(payload, DATA_LIMITS)
        parts = [ascii(_changed(value, _withoutSecrets)) for value in values]
        parts += [f"then {_withoutSecrets(str(fault))}"] if fault else []
        return f"data {', '.join(parts or ['empty'])}, {message.timestamp} ms"
    if type in (MessageType.AUDIO, MessageType.VIDEO):
        tag = describe(type, payload)
        kind = "" if tag.kind.value == name else tag.kind.value
        return f"{' '.join(filter(None, (name, kind, tag.codec)))}, {len(payload)} bytes, {message.timestamp} ms"
    if type == MessageType.USER_CONTROL:
        control = UserControl.decode(payload)
        if control is not None:
            known = control.event in set(UserControlType)
            event = UserControlType(control.event).name.lower().replace("_", " ") if known else str(control.event)
            return f"user control {event} {control.value}{'' if control.extra is None else f' {control.extra}'}"
    value = controlValue(message) if type in _VALUES else None
    if value is not None:
        return f"{name} {value}"
    return f"{name}, {len(payload)} bytes"


def _changed(value: AMFValue, change: Callable[[str], str], plain: Container[object] = ()) -> AMFValue:
    """
    A value, with each text in it changed, and no secret in the names of members.

    @param plain: members with these names stay as they are.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        members = copy(value)
        members.clear()
        for key, part in value.items():
            members[_withoutSecrets(key)] = part if key in plain else _changed(part, change, plain)
        return members
    if isinstance(value, (list, tuple)):
        return [_changed(part, change, plain) for part in value]
    return value


def _withoutSecrets(text: str) -> str:
    return _QUERY_VALUE.sub(rf"\1{_MASK}", _USER.sub(f"//{_MASK}@", text))


def _withoutName(text: str) -> str:
    """
    What a client says, if it can't be the name of a stream: a player may have that in any text, such as the
    application, the tcUrl, or arguments of commands that only it knows.
    """
    return text if text in _PLAIN else _MASK


def _withoutSentence(value: AMFValue) -> AMFValue:
    """What a server says, without the sentence of a status."""
    if isinstance(value, dict):
        return {key: _MASK if key == "description" else part for key, part in value.items()}
    return value
