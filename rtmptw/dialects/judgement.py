# -*- test-case-name: tests.dialects.test_judgement -*-
"""
What a client waits for, and what it does with a message that comes meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rtmptw.trace.entry import Violation
from rtmptw.wire.amf import AMFValue

__all__ = ["Awaited", "Expectation", "Judgement", "Verdict"]


class Expectation(Enum):
    """What a client waits for; the value is the command."""

    CONNECT = "connect"
    CREATE_STREAM = "createStream"
    PUBLISH = "publish"
    PLAY = "play"


@dataclass(frozen=True)
class Awaited:
    """
    An answer that is waited for.

    @ivar expectation: to what.
    @ivar transactionId: of that command.
    @ivar streamId: the message stream of publish or play.
    @ivar known: all transaction IDs that the client has sent.
    """

    expectation: Expectation
    transactionId: float
    streamId: int = 0
    known: frozenset[float] = frozenset()

    @property
    def call(self) -> str:
        """The command."""
        return self.expectation.value

    @property
    def isRequest(self) -> bool:
        """Whether it is publish or play, which are answered by a status."""
        return self.expectation in (Expectation.PUBLISH, Expectation.PLAY)


class Verdict(Enum):
    """
    What a client does with a message.

    @cvar TAKEN: it goes on.
    @cvar PASSED_OVER: it goes on waiting.
    @cvar LOST: it goes on waiting, and what was in the message is lost.
    @cvar REFUSED: it understands that the server does not want it, and ends.
    @cvar UNHEARD: the server does not want it, and it does not understand that: it goes on waiting.
    @cvar FATAL: it ends.
    """

    TAKEN = "taken"
    PASSED_OVER = "passed over"
    LOST = "lost"
    REFUSED = "refused"
    UNHEARD = "unheard"
    FATAL = "fatal"


@dataclass(frozen=True)
class Judgement:
    """
    What a client does with a message.

    @ivar verdict: that.
    @ivar violation: what is wrong with it; L{None} if nothing is.
    @ivar value: the message stream ID that the client takes from createStream's answer, or would take if it were
        lenient; the description of a refusal.
    @ivar isAnswer: whether it is what was waited for, be it wrong.
    """

    verdict: Verdict
    violation: Violation | None = None
    value: AMFValue = None
    isAnswer: bool = True
