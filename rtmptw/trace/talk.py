# -*- test-case-name: tests.trace.test_talk -*-
"""
What two peers have said to each other so far, as far as it decides whether what comes next is right: the calls that
wait for an answer, the message streams, who has asked for acknowledgements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from rtmptw.trace.entry import Entry, HandshakeBlock, ReadMessage
from rtmptw.trace.segment import Side
from rtmptw.trace.values import COMMANDS, Values, readValues
from rtmptw.wire.command import messageStreamId
from rtmptw.wire.control import controlValue
from rtmptw.wire.message import MessageType

__all__ = ["Call", "Role", "Talk"]

#: How many calls are remembered. A client that makes more gets its oldest forgotten.
_MOST_CALLS = 1024

_ANSWERS = ("_result", "_error")


class Role(Enum):
    """What the client is there for, as soon as it has said so."""

    UNKNOWN = "unknown"
    PUBLISHER = "publisher"
    PLAYER = "player"


@dataclass(slots=True)
class Call:
    """
    A command of the client.

    @ivar name: such as C{"connect"}.
    @ivar transactionId: 0 asks for no answer.
    @ivar streamId: the message stream it came on.
    @ivar at: when, seconds.
    @ivar answered: when its C{_result} or C{_error} came, seconds.
    """

    name: str
    transactionId: float
    streamId: int
    at: float
    answered: float | None = None


@dataclass
class Talk:
    """
    What was said.

    @ivar blocks: the handshake, by the names of its blocks.
    @ivar calls: the client's commands, oldest first.
    @ivar role: of the client.
    @ivar streamIds: the message streams that createStream's answers gave; what is none is left out.
    @ivar asksForAcknowledgements: by side, whether it has sent a Window Acknowledgement Size.
    @ivar started: whether the server has said that publish or play goes on (Publish.Start, Play.Start).
    @ivar media: how many audio and video messages each side has sent.
    @ivar leaving: whether the client has said that it goes (FCUnpublish, deleteStream, closeStream).
    @ivar refused: whether the server has sent C{_error}, or a status of level "error".
    """

    blocks: dict[str, bytes] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    role: Role = Role.UNKNOWN
    streamIds: list[int] = field(default_factory=list)
    asksForAcknowledgements: dict[Side, bool] = field(default_factory=lambda: dict.fromkeys(Side, False))
    started: bool = False
    media: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    leaving: bool = False
    refused: bool = False

    def waiting(self, name: str = "") -> Call | None:
        """The oldest call that waits for its answer; of that name, if one is given."""
        return next((call for call in self.calls if call.answered is None and name in ("", call.name)), None)

    def asked(self, transactionId: float | None) -> Call | None:
        """The newest call with that transaction ID."""
        return next((call for call in reversed(self.calls) if call.transactionId == transactionId), None)

    def heard(self, entry: Entry) -> None:
        """Take into account what was said."""
        if isinstance(entry, HandshakeBlock):
            self.blocks[entry.name] = entry.data
        elif isinstance(entry, ReadMessage):
            type = entry.message.type
            if type in COMMANDS:
                command = self._clientCommand if entry.side is Side.CLIENT else self._serverCommand
                command(entry, readValues(entry.message))
            elif type in (MessageType.AUDIO, MessageType.VIDEO):
                self.media[entry.side] += 1
            elif type == MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE and controlValue(entry.message):
                self.asksForAcknowledgements[entry.side] = True

    def _clientCommand(self, entry: ReadMessage, values: Values) -> None:
        name = values.name
        if name in _ANSWERS:
            return
        if name in ("publish", "play"):
            # publish(false) ends it (wire facts 3.1).
            self.role = Role.PUBLISHER if name == "publish" else Role.PLAYER
            self.leaving = values.get(3) is False
        elif name in ("FCUnpublish", "deleteStream", "closeStream"):
            self.leaving = True
        self.calls.append(Call(name, values.transactionId or 0.0, entry.message.streamId, entry.at))
        del self.calls[:-_MOST_CALLS]

    def _serverCommand(self, entry: ReadMessage, values: Values) -> None:
        name = values.name
        if name in _ANSWERS:
            call = self.asked(values.transactionId)
            if call is not None and call.answered is None:
                call.answered = entry.at
            if name == "_error":
                self.refused = True
            streamId = messageStreamId(values.get(3))
            if call is not None and call.name == "createStream" and streamId is not None:
                self.streamIds.append(streamId)
                del self.streamIds[:-_MOST_CALLS]
        elif name == "onStatus":
            information = next((v.value for v in values.placed if isinstance(v.value, dict)), {})
            if information.get("level") == "error":
                self.refused = True
            elif information.get("code") in ("NetStream.Publish.Start", "NetStream.Play.Start"):
                self.started = True
