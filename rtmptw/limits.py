# -*- test-case-name: tests.test_limits -*-
"""
The limits: how much a peer, an address, or all of them together may ask of a server, and how long anything may take.

Real clients stay far below them. Each limit is a field of L{Limits} with a default, a unit and a reason, can be set by
C{twistd rtmp --limit NAME=VALUE}, and has a counter: how often it was reached (L{Reached}). What can't be set is not
here: that a chunk size is not 0, that no class is looked up by a name from the wire, and that no name leads out of the
directory of recordings are rules, and no limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from math import inf, isfinite
from typing import Any, NamedTuple

from twisted.logger import Logger

from rtmptw.errors import LimitExceeded, RTMPError
from rtmptw.wire.amf import AMFLimits
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, MessageType

__all__ = ["NEWS_SECONDS", "Limit", "LimitNews", "Limits", "Reached", "describeLimits", "optionName"]

_KIB, _MIB, _GIB = 1024, 1024 * 1024, 1024 * 1024 * 1024

#: The longest time that may be set, seconds: no timer that the system knows overflows.
_DAY = 24.0 * 60 * 60

#: The least seconds between two lines in the log about what was reached.
NEWS_SECONDS = 60.0


def _limit(default: float, unit: str, text: str, least: float = 1, most: float = inf) -> Any:
    """A field of L{Limits}; C{least} and C{most} are the values that it may have."""
    return field(default=default, metadata={"unit": unit, "text": text, "least": least, "most": most})


@dataclass(frozen=True)
class Limits:
    """
    All limits of one server, or client. What each means stands beside it, and in C{twistd rtmp --limits}.

    @raise ValueError: if a value is out of its bounds, and which.
    """

    # Connections
    connections: int = _limit(0, "", "connections in all; 0: as many as there are descriptors for, 4096 at most", 0)
    strangers: int = _limit(1024, "", "connections that neither publish nor play yet; the oldest makes room")
    tlsStrangers: int = _limit(512, "", "connections over TLS that neither publish nor play yet")
    addressConnections: int = _limit(64, "", "connections from one address (IPv6: from one /64)")
    addressStrangers: int = _limit(16, "", "connections from one address that neither publish nor play yet")
    addressRate: float = _limit(20.0, "/s", "new connections from one address in a second, in the long run", 0.01)
    addressBurst: int = _limit(40, "", "new connections from one address at once")
    memoryBytes: int = _limit(0, "bytes", "memory of the process; 0: what the machine or its control group has", 0)

    # Time
    handshakeSeconds: float = _limit(10.0, "s", "from the accept to the end of the handshake, TLS included", 0.1, _DAY)
    idleSeconds: float = _limit(20.0, "s", "connected, and neither publishing nor playing", 0.1, _DAY)
    verdictSeconds: float = _limit(30.0, "s", "for the application to decide", 1, _DAY)
    firstMediaSeconds: float = _limit(20.0, "s", "from a publish to its first audio, video or data", 0.1, _DAY)
    pingSeconds: float = _limit(10.0, "s", "silence of a publisher before it is pinged", 0.1, _DAY)
    silenceSeconds: float = _limit(15.0, "s", "silence of a publisher before it is closed", 0.1, _DAY)
    messageSeconds: float = _limit(30.0, "s", "for one message to be completed", 0.1, _DAY)
    stallSeconds: float = _limit(15.0, "s", "a peer takes nothing of what waits for it", 0.1, _DAY)
    lingerSeconds: float = _limit(5.0, "s", "for a peer to close its side after we have closed ours", 0.1, _DAY)
    userTimeoutSeconds: float = _limit(20.0, "s", "for a peer's system to acknowledge what was sent (TCP)", 1, _DAY)

    # What a peer may send
    strangerMessageBytes: int = _limit(
        64 * _KIB, "bytes", "a message of a peer that may not publish yet", _KIB, MAX_MESSAGE_SIZE
    )
    strangerPartialBytes: int = _limit(
        128 * _KIB, "bytes", "messages half sent, of a peer that may not publish yet", _KIB
    )
    heldBytes: int = _limit(128 * _KIB, "bytes", "kept of a peer while the application decides about it", _KIB)
    commandBytes: int = _limit(
        64 * _KIB, "bytes", "a message that is neither audio, video nor data", _KIB, MAX_MESSAGE_SIZE
    )
    dataBytes: int = _limit(256 * _KIB, "bytes", "a data message", _KIB, MAX_MESSAGE_SIZE)
    audioBytes: int = _limit(512 * _KIB, "bytes", "an audio message", 1, MAX_MESSAGE_SIZE)
    videoBytes: int = _limit(8 * _MIB, "bytes", "a video message", 1, MAX_MESSAGE_SIZE)
    aggregateBytes: int = _limit(2 * _MIB, "bytes", "an aggregate", 1, MAX_MESSAGE_SIZE)
    partialBytes: int = _limit(16 * _MIB, "bytes", "messages half sent, of one publisher", _KIB)
    allPartialBytes: int = _limit(
        256 * _MIB, "bytes", "messages half sent, of all together; the largest is closed", _KIB
    )
    partialMessages: int = _limit(16, "", "messages half sent at a time, of one connection")
    chunkStreams: int = _limit(64, "", "chunk streams of one connection", 8)
    smallChunks: int = _limit(50_000, "/s", "chunks of under 64 bytes; then reading pauses for the rest of the second")
    emptyMessages: int = _limit(2_000, "/s", "messages without a body; then reading pauses for the rest of the second")
    commands: int = _limit(100, "/s", "commands and user controls; then reading pauses for the rest of the second")
    pings: int = _limit(10, "/s", "pings that are answered")
    amfDepth: int = _limit(32, "", "levels of values in one another", 4, 128)
    amfRepeatedBytes: int = _limit(_MIB, "bytes", "that references repeat, in one command or data message", 0)
    commandValues: int = _limit(1024, "", "values in a command", 16)
    commandKeys: int = _limit(256, "", "members of one object in a command", 16)
    commandStringBytes: int = _limit(4096, "bytes", "one string in a command", 256)
    dataValues: int = _limit(4096, "", "values in a data message", 16)
    dataStringBytes: int = _limit(64 * _KIB, "bytes", "one string in a data message", 256)
    streams: int = _limit(8, "", "message streams of one connection at a time")
    createdStreams: int = _limit(64, "", "message streams of one connection in all")
    requestsAtOnce: int = _limit(10, "", "publishes and plays of one connection at once")
    requestsPerMinute: float = _limit(7.5, "/min", "publishes and plays of one connection, in the long run", 0.1)
    unreadBytes: int = _limit(64 * _KIB, "bytes", "answers for a peer that asks and does not read", 1024)

    # What is kept for viewers
    behindBytes: int = _limit(8 * _MIB, "bytes", "that a viewer may be behind before it skips", 1024)
    behindSeconds: float = _limit(5.0, "s", "that a viewer may be behind before it skips", 0.1, _DAY)
    restSeconds: float = _limit(120.0, "s", "for a viewer to take the rest when the publisher has ended", 0.1, _DAY)
    allTapeBytes: int = _limit(256 * _MIB, "bytes", "kept of all streams for late joiners; the largest forgets", 1024)

    # Recording
    recordings: int = _limit(64, "", "recordings at a time")
    recordingQueueBytes: int = _limit(16 * _MIB, "bytes", "waiting for the disk before the publisher is held", 1024)
    diskStallSeconds: float = _limit(
        5.0, "s", "a disk stands still, or holds up viewers, before it is left behind", 0.1, _DAY
    )
    diskFreeBytes: int = _limit(_GIB, "bytes", "left free on the disk of the recordings", 0)
    diskFreePercent: float = _limit(5.0, "%", "left free on the disk of the recordings, at most 50 GiB", 0, 100)

    # Who may
    wrongProofs: int = _limit(10, "/min", "wrong passwords, keys or signatures from one address")
    challenges: int = _limit(4096, "", "challenges that wait for their answer")

    def __post_init__(self) -> None:
        for limit in describeLimits(self):
            if not limit.allows(limit.value):
                raise ValueError(f"{limit.name}: {limit.value!r} is not {limit.bounds}")

    @cached_property
    def ofStrangers(self) -> ReadLimits:
        """How much somebody may make us keep who may not publish yet."""
        return ReadLimits(
            messageSize={},
            otherMessageSize=self.strangerMessageBytes,
            partialBytes=self.strangerPartialBytes,
            partialMessages=self.partialMessages,
            chunkStreams=self.chunkStreams,
            isStranger=True,
        )

    @cached_property
    def ofPublishers(self) -> ReadLimits:
        """How much somebody may make us keep who sends media."""
        return ReadLimits(
            messageSize={
                MessageType.AUDIO: self.audioBytes,
                MessageType.VIDEO: self.videoBytes,
                MessageType.DATA: self.dataBytes,
                MessageType.DATA_AMF3: self.dataBytes,
                MessageType.AGGREGATE: self.aggregateBytes,
            },
            otherMessageSize=self.commandBytes,
            partialBytes=self.partialBytes,
            partialMessages=self.partialMessages,
            chunkStreams=self.chunkStreams,
        )

    @cached_property
    def ofCommands(self) -> AMFLimits:
        """How much a command may hold."""
        return AMFLimits(
            depth=self.amfDepth,
            values=self.commandValues,
            keys=self.commandKeys,
            stringBytes=self.commandStringBytes,
            repeatedBytes=self.amfRepeatedBytes,
        )

    @cached_property
    def ofData(self) -> AMFLimits:
        """How much a data message may hold. The keys of its objects are bounded by the values."""
        return AMFLimits(
            depth=self.amfDepth,
            values=self.dataValues,
            keys=self.dataValues,
            stringBytes=self.dataStringBytes,
            repeatedBytes=self.amfRepeatedBytes,
            carrier="data",
        )


class Limit(NamedTuple):
    """
    One limit, for people.

    @ivar name: the name of the field, as C{handshakeSeconds}.
    @ivar option: the name on the command line, as C{handshake-seconds}.
    @ivar isWhole: whether it is a whole number.
    @ivar unit: of the value; empty, if it is a plain number.
    @ivar text: what it bounds.
    @ivar least: the least value that it may have.
    @ivar most: the largest one; infinite, if there is none.
    """

    name: str
    option: str
    value: float
    isWhole: bool
    unit: str
    text: str
    least: float
    most: float

    def allows(self, value: float) -> bool:
        """Whether it may have this value."""
        return isfinite(value) and (isinstance(value, int) or not self.isWhole) and self.least <= value <= self.most

    @property
    def bounds(self) -> str:
        """Which values it may have, in words."""
        kind = "a whole number" if self.isWhole else "a number"
        if self.most == inf:
            return f"{kind}, {self.least:.10g} or more"
        return f"{kind} from {self.least:.10g} to {self.most:.10g}"


@cache
def optionName(name: str) -> str:
    """What C{--limit} calls a limit: C{handshake-seconds} for C{handshakeSeconds}."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


def describeLimits(limits: Limits | None = None) -> Iterator[Limit]:
    """
    All limits, in their order.

    @param limits: by default, the defaults.
    """
    for each in fields(Limits):
        value: Any = each.default if limits is None else getattr(limits, each.name)
        metadata = each.metadata
        yield Limit(
            each.name,
            optionName(each.name),
            value,
            each.type == "int",
            metadata["unit"],
            metadata["text"],
            metadata["least"],
            metadata["most"],
        )


class Reached:
    """
    How often each limit of a server was reached.

    @ivar counts: by the name of the limit.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def add(self, limit: str, count: int = 1) -> None:
        """
        A limit was reached.

        @param limit: the name of a field of L{Limits}.
        """
        self.counts[limit] += count

    def excess(self, error: RTMPError) -> None:
        """Something was given up because of an error. If that was for a limit, it was reached."""
        if isinstance(error, LimitExceeded) and error.limit:
            self.add(error.limit)

    def news(self) -> str:
        """What was reached since the last call of this, as C{"pings 3, tls-strangers 12"}; nothing, if nothing was."""
        new, self._told = self.counts - self._told, Counter(self.counts)
        return ", ".join(f"{optionName(limit)} {count}" for limit, count in sorted(new.items()))


class LimitNews:
    """
    What was reached, in the log: a line when there is anything new, and at most one in L{NEWS_SECONDS}.
    """

    _log = Logger()

    def __init__(self, reached: Reached) -> None:
        self._reached = reached
        self._next = 0.0

    def second(self, now: float) -> None:
        """
        A second has passed, more or less.

        @param now: by the clock of the server, seconds.
        """
        if now >= self._next and self.tell():
            self._next = now + NEWS_SECONDS

    def tell(self) -> bool:
        """
        Tell what there is now.

        @return: whether there was anything new.
        """
        news = self._reached.news()
        if news:
            self._log.warn("limits reached since the last such line: {news}", news=news)
        return bool(news)
