# -*- test-case-name: tests.compare.test_step -*-
"""
The steps of a conversation: what is laid beside the steps of another.

A step is an entry with a name that the other conversation knows too: "the answer to connect", "the first keyframe".
What only repeats itself is no step of its own: of media, acknowledgements, pings and metadata the first of each kind
is one, and all are counted (L{rtmptw.compare.totals}). An entry in which something is wrong for the first time is
always one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rtmptw.compare.calls import ANSWERS, Called, Calls
from rtmptw.compare.totals import Totals
from rtmptw.compare.valuetree import ValueNode, readTree
from rtmptw.trace.entry import Ending, Entry, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.segment import Side
from rtmptw.trace.values import COMMANDS, DATA
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.command import messageStreamId
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.data import CLEAR_DATA_FRAME, SET_DATA_FRAME
from rtmptw.wire.media import classify
from rtmptw.wire.message import Message, MessageType

__all__ = ["Key", "Step", "Told", "listen"]

_MEDIA: dict[int, str] = {MessageType.AUDIO: "audio", MessageType.VIDEO: "video"}

#: Families of which only the first of each kind is a step.
_REPEATED = frozenset(("audio", "video", "data", "repeated"))

#: Control messages that come as often as they like, and those whose value says what they are about (wire facts 2.6).
_ENDLESS = frozenset((UserControlType.PING_REQUEST, UserControlType.PING_RESPONSE))
_ABOUT_STREAM = frozenset(
    (
        UserControlType.STREAM_BEGIN,
        UserControlType.STREAM_EOF,
        UserControlType.STREAM_DRY,
        UserControlType.STREAM_IS_RECORDED,
    )
)

#: The longest name of a step, characters: it is a peer's text.
_LONGEST_NAME = 64


class Key(NamedTuple):
    """
    What a step is, in terms that mean the same in both conversations.

    @ivar family: C{"handshake"}, C{"answer"}, C{"status"}, C{"command"}, C{"control"}, C{"repeated"}, C{"data"},
        C{"audio"}, C{"video"}, C{"other"}, C{"unreadable"} or C{"ending"}.
    @ivar detail: which one of it: the call that is answered, the code of a status, the name of a command, and so on.
    """

    family: str
    detail: str


@dataclass(slots=True)
class Step:
    """
    One step.

    @ivar entry: what was said.
    @ivar key: what it is.
    @ivar values: those of a command or data message.
    @ivar fault: why the next value can't be read; empty if all can.
    @ivar called: for an answer or a status: the call that it is about.
    @ivar index: the how-manieth thing of its side it is.
    @ivar place: the how-manieth step of the conversation it is.
    """

    entry: Entry
    key: Key
    index: int
    values: tuple[ValueNode, ...] = ()
    fault: str = ""
    called: Called | None = None
    place: int = 0

    def value(self, position: int) -> AMFValue:
        """One value; L{None} also if there are not so many."""
        return self.values[position].value if position < len(self.values) else None

    @property
    def transactionId(self) -> float | None:
        """The second value, if it is a number."""
        value = self.value(1)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    @property
    def name(self) -> str:
        """The first value, if it is a string."""
        value = self.value(0)
        return value if isinstance(value, str) else ""


@dataclass
class Told:
    """
    One conversation, as far as it is compared.

    @ivar steps: by side.
    @ivar calls: the client's commands.
    @ivar blocks: the handshake, by the names of its blocks.
    @ivar streamIds: the message streams that createStream's answers gave.
    @ivar causes: what is wrong anywhere: side, and name of the cause.
    @ivar totals: what there is of everything that comes often.
    """

    steps: dict[Side, list[Step]] = field(default_factory=lambda: {side: [] for side in Side})
    calls: Calls = field(default_factory=Calls)
    blocks: dict[str, bytes] = field(default_factory=dict)
    streamIds: set[int] = field(default_factory=set)
    causes: set[tuple[Side, str]] = field(default_factory=set)
    totals: Totals = field(default_factory=Totals)

    def inOrder(self) -> list[Step]:
        """All steps in the order of the conversation."""
        return sorted((step for steps in self.steps.values() for step in steps), key=lambda step: step.place)


def listen(entries: Sequence[Entry]) -> Told:
    """
    Take in a conversation. Whatever was said, this does not raise.

    @param entries: both sides', each side's in its order; if none has a time, the sides may stand one behind the other.
    """
    told = Told()
    seen: set[tuple[Side, Key]] = set()
    # The client first: an answer is known by the call that it answers.
    for side in (Side.CLIENT, Side.SERVER):
        for index, entry in enumerate(entry for entry in entries if entry.side is side):
            step = _step(told, entry, index)
            told.totals.count(step.entry, step.key.family)
            news = {(side, violation.cause.name) for violation in entry.violations} - told.causes
            told.causes |= news
            if step.key.family in _REPEATED and (side, step.key) in seen and not news:
                continue
            seen.add((side, step.key))
            told.steps[side].append(step)
    _order(told, entries)
    return told


def _step(told: Told, entry: Entry, index: int) -> Step:
    if isinstance(entry, ReadMessage):
        if entry.message.type in COMMANDS:
            return _command(told, entry, index)
        if entry.message.type in DATA:
            return _data(entry, index)
        return Step(entry, _messageKey(entry.message), index)
    if isinstance(entry, HandshakeBlock):
        told.blocks[entry.name] = entry.data
        return Step(entry, Key("handshake", entry.name), index)
    return Step(entry, Key("unreadable" if isinstance(entry, Unreadable) else "ending", ""), index)


def _command(told: Told, entry: ReadMessage, index: int) -> Step:
    values, fault = readTree(entry.message)
    step = Step(entry, Key("command", ""), index, values, "" if fault is None else str(fault))
    name = step.name
    plain = [node.value for node in values]
    if entry.side is Side.CLIENT:
        if name not in ANSWERS:
            told.calls.made(name, step.transactionId, index)
        step.key = Key("command", name[:_LONGEST_NAME])
    elif name in ANSWERS:
        step.called = told.calls.answered(plain, step.transactionId)
        step.key = Key("answer", "" if step.called is None else step.called.name[:_LONGEST_NAME])
        streamId = messageStreamId(plain[3]) if len(plain) > 3 else None
        if step.key.detail == "createStream" and streamId:
            told.streamIds.add(streamId)
    elif name == "onStatus":
        code = next((value["code"] for value in plain if isinstance(value, dict) and "code" in value), "")
        code = code if isinstance(code, str) else ""
        step.called = told.calls.status(code)
        step.key = Key("status", code[:_LONGEST_NAME])
    else:
        step.key = Key("command", name[:_LONGEST_NAME])
    return step


def _data(entry: ReadMessage, index: int) -> Step:
    values, fault = readTree(entry.message)
    step = Step(entry, Key("data", ""), index, values, "" if fault is None else str(fault))
    name = step.value(1) if step.name in (SET_DATA_FRAME, CLEAR_DATA_FRAME) else step.name
    step.key = Key("data", name[:_LONGEST_NAME] if isinstance(name, str) else "")
    return step


def _messageKey(message: Message) -> Key:
    type = message.type
    if type in _MEDIA:
        return Key(_MEDIA[type], classify(type, message.payload).value)
    if type == MessageType.USER_CONTROL:
        control = UserControl.decode(message.payload)
        if control is None:
            return Key("control", "user control, too short")
        known = control.event in set(UserControlType)
        event = UserControlType(control.event).name.lower().replace("_", " ") if known else f"event {control.event}"
        about = f" {control.value}" if control.event in _ABOUT_STREAM else ""
        return Key("repeated" if control.event in _ENDLESS else "control", f"user control {event}{about}")
    if type == MessageType.ACKNOWLEDGEMENT:
        return Key("repeated", "acknowledgement")
    if 1 <= type <= 6:
        return Key("control", MessageType(type).name.lower().replace("_", " "))
    try:
        return Key("other", MessageType(type).name.lower().replace("_", " "))
    except ValueError:
        return Key("other", f"message type {type}")


def _order(told: Told, entries: Iterable[Entry]) -> None:
    """
    Number the steps in the order of the conversation.

    With times that is the order in which they came. Without, it is the order that makes sense: each answer behind its
    call, and what stands before an answer on the server's side before it.
    """
    client, server = told.steps[Side.CLIENT], told.steps[Side.SERVER]
    if len({entry.at for entry in entries if not isinstance(entry, Ending)}) > 1:
        places = {id(entry): place for place, entry in enumerate(entries)}
        ordered = sorted((*client, *server), key=lambda step: places[id(step.entry)])
    else:
        anchors: list[tuple[float, int, Step]] = [(step.index, 0, step) for step in client]
        anchor = float("inf")
        for step in reversed(server):
            if step.called is not None:
                anchor = min(anchor, step.called.index)
            elif step.key.family == "handshake":
                # They come when C0 and C1 have been sent (wire facts 1.4).
                anchor = min(anchor, 1)
            anchors.append((anchor, 1, step))
        anchors.sort(key=lambda each: (each[0], each[1], each[2].index))
        ordered = [step for _, _, step in anchors]
    for place, step in enumerate(ordered):
        step.place = place
