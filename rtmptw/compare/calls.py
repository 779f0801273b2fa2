# -*- test-case-name: tests.compare.test_calls -*-
"""
Which call an answer is meant for, even if its transaction ID says another.

In a conversation that works, the transaction ID tells. But to lay the answer to connect of one server beside that of
another which has sent the wrong ID, it must be known for what it is: by its shape. The answer to connect has an object
with a code in it; the answer to createStream has a number behind a null (wire facts 3.2).

Times do not count here: saved bytes may have none. So all calls are known before the first answer is looked at.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from rtmptw.wire.amf import AMFValue

__all__ = ["ANSWERS", "Called", "Calls"]

ANSWERS = ("_result", "_error")

#: How many calls with one transaction ID are looked at.
_MOST_SAME = 16

#: What is answered with a number.
_NUMBERS = ("createStream", "getStreamLength")

#: Which calls a status is about, by how its code begins; the likeliest first.
_STATUSES = {
    "NetStream.Publish": ("publish",),
    "NetStream.Unpublish": ("deleteStream", "closeStream", "FCUnpublish"),
    "NetStream.Play": ("play", "play2"),
    "NetStream.Data": ("play",),
    "NetStream.Pause": ("pause",),
    "NetStream.Unpause": ("pause",),
    "NetStream.Seek": ("seek",),
}


@dataclass(slots=True)
class Called:
    """
    A command of the client.

    @ivar name: such as C{"connect"}.
    @ivar transactionId: 0 asks for no answer; L{None} if it has none.
    @ivar index: the how-manieth thing of the client's side it is.
    @ivar answered: whether an answer was found.
    """

    name: str
    transactionId: float | None
    index: int
    answered: bool = False


class Calls:
    """All calls of one conversation."""

    def __init__(self) -> None:
        self._byId: dict[float, list[Called]] = defaultdict(list)
        self._waiting: dict[str, deque[Called]] = defaultdict(deque)
        self._last: dict[str, Called] = {}

    def made(self, name: str, transactionId: float | None, index: int) -> None:
        """The client has called."""
        called = Called(name, transactionId, index)
        if transactionId is not None:
            self._byId[transactionId].append(called)
        self._waiting[name].append(called)
        self._last[name] = called

    def has(self, name: str) -> bool:
        """Whether there was such a call."""
        return name in self._last

    def holders(self, transactionId: float | None) -> list[str]:
        """The names of the calls that have this transaction ID, oldest first."""
        if transactionId is None:
            return []
        return [called.name for called in self._byId.get(transactionId, [])[:_MOST_SAME]]

    def answered(self, values: Sequence[AMFValue], transactionId: float | None) -> Called | None:
        """
        An answer has come.

        @param values: all of it, name first.
        @return: the call that it is meant for, or L{None}.
        """
        called = self._meant(values, transactionId)
        if called is not None:
            called.answered = True
        return called

    def status(self, code: str) -> Called | None:
        """
        A status has come.

        @param code: empty if it has none.
        @return: the newest call that it may be about, or L{None}.
        """
        for beginning, names in _STATUSES.items():
            if code.startswith(f"{beginning}."):
                return next((self._last[name] for name in names if name in self._last), None)
        return None if code else self._last.get("publish") or self._last.get("play")

    def _meant(self, values: Sequence[AMFValue], transactionId: float | None) -> Called | None:
        same = [] if transactionId is None else self._byId.get(transactionId, [])[-_MOST_SAME:]
        owner = next((called for called in reversed(same) if not called.answered), same[-1] if same else None)
        rest = values[2:]
        connect = self._next("connect")
        if connect is not None and any(isinstance(value, dict) for value in rest):
            return connect
        number = rest[1] if len(rest) > 1 else None
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            if owner is not None and owner.name in _NUMBERS:
                return owner
            return self._next("createStream") or owner
        return owner

    def _next(self, name: str) -> Called | None:
        """The oldest call of that name without an answer."""
        waiting = self._waiting[name]
        while waiting and waiting[0].answered:
            waiting.popleft()
        return waiting[0] if waiting else None
