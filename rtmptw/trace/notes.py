# -*- test-case-name: tests.trace.test_notes -*-
"""
What the rules keep in mind of a conversation beside L{Talk}: what matters only to say what is wrong, such as what has
been told before, or when a side has ended.

A trace without times (C{at} is 0 for all) may give one side whole and then the other. So nothing here that compares
the two sides' order says anything unless the clock has gone on between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rtmptw.trace.entry import Ending, Entry, ReadMessage, Unreadable, Violation
from rtmptw.trace.segment import Side
from rtmptw.trace.talk import Role, Talk
from rtmptw.trace.values import COMMANDS, Values
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import MessageType

__all__ = ["CLOSES", "MEDIA", "RESETS", "Notes", "statusCode"]

MEDIA = frozenset((MessageType.AUDIO, MessageType.VIDEO, MessageType.AGGREGATE))

#: The words for an end that a side has made itself; others, as the end of a file, say nothing of it.
CLOSES = frozenset(("FIN", "closed"))
RESETS = frozenset(("RST", "reset"))

#: What ends players but rtmp2src (wire facts 3.3).
_END_CODES = frozenset(("NetStream.Play.UnpublishNotify", "NetStream.Play.Stop", "NetStream.Play.Complete"))

#: Calls without whose answer a client does not go on: an C{_error} to one of them is a refusal.
_NEEDED = frozenset(("connect", "createStream", "publish", "play"))


@dataclass
class Notes:
    """
    What is kept in mind.

    @ivar told: the causes that are told once, with the side, and have been.
    @ivar read: how many messages of each side could be read.
    @ivar lost: the sides of which a part could not be read.
    @ivar ended: when each side has ended by itself, seconds.
    @ivar last: when each side has said its last, seconds.
    @ivar wantsAMF3: whether the client has spoken AMF3, or asked for it.
    @ivar plays: whether the client has asked to play; it may publish too.
    @ivar statuses: how many statuses the server has sent on message streams since the client has asked for one.
    @ivar refusal: when the server has refused what the client can't go on without, seconds; L{None} if it has not, or
        has said yes since.
    @ivar mediaAtStart: how many audio and video messages the client had sent when the server said Publish.Start;
        L{None} while nothing is published.
    @ivar mediaAt: when the client has sent its last audio or video, seconds.
    @ivar suspect: an answer that may have been meant for createStream.
    @ivar onlyResult: what is to be said if nothing but C{_result} comes to publish or play.
    @ivar endWords: what the server has told a player of its stream's end since the last media, with its offset:
        C{"eof"}, C{"notify"}.
    @ivar endWordsAt: when it did, seconds.
    """

    told: set[object] = field(default_factory=set)
    read: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    lost: set[Side] = field(default_factory=set)
    ended: dict[Side, float] = field(default_factory=dict)
    last: dict[Side, float] = field(default_factory=dict)
    wantsAMF3: bool = False
    plays: bool = False
    statuses: int = 0
    refusal: float | None = None
    mediaAtStart: int | None = None
    mediaAt: float = 0.0
    suspect: Violation | None = None
    onlyResult: Violation | None = None
    endWords: dict[str, int] = field(default_factory=dict)
    endWordsAt: float = 0.0

    def heard(self, talk: Talk, entry: Entry, values: Values) -> None:
        """
        Take into account what was said, when the rules have looked at it.

        @param talk: what was said before.
        """
        if isinstance(entry, ReadMessage):
            self._message(talk, entry, values)
        elif isinstance(entry, Unreadable):
            self.lost.add(entry.side)
        elif isinstance(entry, Ending) and entry.how in CLOSES | RESETS:
            self.ended.setdefault(entry.side, entry.at)
        if not isinstance(entry, Ending):
            self.last[entry.side] = entry.at

    def _message(self, talk: Talk, entry: ReadMessage, values: Values) -> None:
        self.read[entry.side] += 1
        type = entry.message.type
        if entry.side is Side.CLIENT:
            if type in MEDIA:
                self.mediaAt = entry.at
            elif type in COMMANDS:
                self._clientCommand(entry, values)
        elif type in MEDIA:
            self.endWords.clear()
        elif type == MessageType.USER_CONTROL:
            control = UserControl.decode(entry.message.payload)
            if control is not None and control.event == UserControlType.STREAM_EOF:
                self._endWord("eof", talk, entry)
        elif values.name == "onStatus":
            self._status(talk, entry, statusCode(values))
        elif values.name == "_error":
            call = talk.asked(values.transactionId)
            if call is not None and call.name in _NEEDED:
                self.refusal = entry.at

    def _clientCommand(self, entry: ReadMessage, values: Values) -> None:
        parameters = values.get(2)
        if entry.message.type == MessageType.COMMAND_AMF3 or (
            values.name == "connect" and isinstance(parameters, dict) and parameters.get("objectEncoding") == 3
        ):
            self.wantsAMF3 = True
        self.plays = self.plays or values.name == "play"

    def _status(self, talk: Talk, entry: ReadMessage, status: tuple[AMFValue, AMFValue]) -> None:
        level, code = status
        if talk.role is not Role.UNKNOWN and entry.message.streamId:
            self.statuses += 1
        if level == "error":
            self.refusal = entry.at
        elif code == "NetStream.Publish.Start":
            self.refusal = None
            self.mediaAtStart = talk.media[Side.CLIENT]
        elif code == "NetStream.Play.Start":
            self.refusal = None
        elif code == "NetStream.Unpublish.Success":
            self.mediaAtStart = None
        elif code == "NetStream.Pause.Notify":
            # StreamEOF stands beside it, and is no end (wire facts 6).
            self.endWords.clear()
            self.endWords["pause"] = entry.offset
        elif code in _END_CODES:
            self._endWord("notify", talk, entry)

    def _endWord(self, word: str, talk: Talk, entry: ReadMessage) -> None:
        # nginx-rtmp sends StreamEOF also to a player that has said that it goes.
        if not talk.leaving:
            self.endWords.setdefault(word, entry.place(0))
            self.endWordsAt = entry.at


def statusCode(values: Values) -> tuple[AMFValue, AMFValue]:
    """Level and code of a status; L{None} for what is not there."""
    objects = [placed.value for placed in values.placed if isinstance(placed.value, dict)]
    fourth = values.get(3)
    information = fourth if isinstance(fourth, dict) else next(iter(objects), {})
    return information.get("level"), information.get("code")
