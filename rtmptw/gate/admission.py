# -*- test-case-name: tests.gate.test_admission -*-
"""
Admission: who gets in at all (hostile rows A1, A7 and A8).

It is decided at the accept, before there is anything that costs memory; the socket of who is refused is closed at once.

- A I{source} (L{rtmptw.gate.source}) has a number of connections, a number of strangers among them, and a rate.
  Networks that are trusted have not; by default these are 127.0.0.1 and ::1.
- All together have a number of connections: by default, as many as leave a fifth of the descriptors, and some more, to
  recordings, certificates and relays (row F15).
- A I{stranger} is who has neither published nor played yet. When there are too many, over TLS or in all, or when there
  are as many connections as there may be, the oldest stranger makes room for the new one.
- Who has once published or played is no stranger. But while there are as many connections as there may be, everybody is
  one whose streams are over, or who waits for a stream that nobody publishes: anybody can do that, with any name.
- An encoder publishes within a second or two, and who only holds a connection is older than that: so who has just come
  need not go, and the new one does not get in. Otherwise a flood that is fast enough would have everybody gone before
  he can publish. But if the oldest is one of many from its source, and the new one is not, it goes, however young: that
  is how an encoder gets in while there is such a flood. And so does who is trusted; a tenth more than all connections
  is kept for him.
- While memory is short (L{rtmptw.gate.memoryguard}), nobody gets in.

Whether a connection has become of use is not told by anybody: it is looked at when somebody may have to go for it, and
once a second; and whether it has ceased to be, once a second while there are as many as there may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger, LogLevel

from rtmptw.gate.network import Network, Networks, addressBytes
from rtmptw.gate.partings import Partings
from rtmptw.gate.refusals import Refusals
from rtmptw.gate.source import Source, Sources
from rtmptw.limits import Limits, Reached

if TYPE_CHECKING:
    from rtmptw.protocol import RTMPProtocol

__all__ = ["MOST_CONNECTIONS", "TRUSTED", "Admission", "allowedConnections", "descriptors"]

#: Whom no limit of an address is for: this machine, by these two addresses, and not by any other that it has.
TRUSTED: tuple[Network, ...] = (IPv4Network("127.0.0.1/32"), IPv6Network("::1/128"))

#: How many connections there may be if nobody says so; which part of the descriptors is for them, and how many of that
#: part are not.
MOST_CONNECTIONS = 4096
PART = 0.8
SPARE = 64

#: Fewer than so many are worth a warning, if nobody has asked for them.
MANY_CONNECTIONS = 1000

#: One more for so many connections may be those of networks that are trusted.
RESERVE = 10

#: For how long a stranger need not go for another one, seconds: four exchanges or more before a publish, on a line that
#: takes its time.
YOUNG_SECONDS = 2.0

#: How often all strangers are looked at while they are too many, seconds.
LOOK_SECONDS = 0.1

#: By the limit that was reached: what is said of the stranger that had to go.
_REASONS = {
    "connections": "neither publishes nor plays what is on, and had to go: too many connections",
    "strangers": "neither publishes nor plays what is on, and had to go: too many such connections",
    "tlsStrangers": "neither publishes nor plays what is on, and had to go: too many such connections over TLS",
}


def descriptors() -> int | None:
    """
    How many files and connections this process may have open.

    @return: L{None} if there is no such limit.
    """
    try:
        import resource
    except ImportError:
        return None
    number = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if number == resource.RLIM_INFINITY else number


def allowedConnections(limit: int, descriptors: int | None) -> int:
    """
    How many connections there may be.

    @param limit: L{Limits.connections}.
    @param descriptors: how many there are.
    @return: what was asked for, as far as there are descriptors for it and its L{RESERVE}.
    """
    if descriptors is None:
        return limit or MOST_CONNECTIONS
    if limit:
        return max(1, min(limit, (descriptors - SPARE) * RESERVE // (RESERVE + 1)))
    return max(1, min(MOST_CONNECTIONS, int(descriptors * PART) - SPARE))


class Admission:
    """
    The admission of one server.

    @ivar most: how many connections there may be.
    @ivar reserve: how many more of networks that are trusted.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        limits: Limits,
        reached: Reached,
        trusted: Iterable[Network] = TRUSTED,
        refuses: Callable[[], bool] = lambda: False,
    ) -> None:
        """
        @param trusted: the networks that no limit of an address is for.
        @param refuses: says whether nobody gets in for the time being, because memory is short.
        """
        self._clock = clock
        self._limits = limits
        self._reached = reached
        self._trusted = Networks(trusted)
        self._refuses = refuses
        available = descriptors()
        self.most = allowedConnections(limits.connections, available)
        self.reserve = self.most // RESERVE
        if self.most < (limits.connections or MOST_CONNECTIONS):
            self._tellMost(available)
        self._sources = Sources(limits)
        self._refusals = Refusals(replace(limits, connections=self.most))
        self._partings = Partings()
        #: All connections but those that had to go and are not gone yet: these will be, with the next turn.
        self._inside: dict[RTMPProtocol, Source | None] = {}
        self._leaving: dict[RTMPProtocol, Source | None] = {}
        #: And when they came. The oldest first.
        self._strangers: dict[RTMPProtocol, float] = {}
        self._tlsStrangers: dict[RTMPProtocol, float] = {}
        self._looked = float("-inf")

    def _tellMost(self, descriptors: int | None) -> None:
        """There are fewer connections than there were to be."""
        limit = self._limits.connections
        self._log.emit(
            LogLevel.info if not limit and self.most > MANY_CONNECTIONS else LogLevel.warn,
            "connections {limit}: this process may have but {descriptors} files and connections open (ulimit -n); "
            "there will be {most} connections at most",
            limit=limit or f"{MOST_CONNECTIONS} (by default)",
            descriptors=descriptors,
            most=self.most,
        )

    def admits(self, address: IAddress | None) -> bool:
        """
        Whether a new connection gets in. If it does, L{add} follows.

        @param address: who it is.
        """
        if self._refuses():
            self._reached.add("memoryBytes")
            return False
        now, host = self._clock.seconds(), getattr(address, "host", None)
        source = self._sourceOf(host, now)
        limit = "" if source is None else self._exceeded(source, now)
        limit = limit or self._crowded(source, now)
        if limit:
            self._reached.add(limit)
            self._refusals.add(b"" if source is None else source.key, str(host or address), limit, now)
        elif source is not None:
            source.take()
        return not limit

    def _sourceOf(self, host: object, now: float) -> Source | None:
        """
        @return: L{None} for who has no address, or is trusted.
        """
        address = addressBytes(host) if isinstance(host, str) else None
        return None if address is None or address in self._trusted else self._sources.at(address, now)

    def _exceeded(self, source: Source, now: float) -> str:
        limit = source.exceeded(self._limits, now)
        if limit == "addressStrangers" and self._look(source.strangers):
            limit = source.exceeded(self._limits, now)
        return limit

    def _crowded(self, source: Source | None, now: float) -> str:
        """
        @return: the limit of all together that one more from a source would exceed, if nobody has to go for it.
        """
        isFull = len(self._inside) >= self.most
        oldest = self._oldest(self._strangers) if isFull else self._surplus(self._strangers, self._limits.strangers - 1)
        if oldest is None and isFull:
            isReserved = source is None and len(self._inside) < self.most + self.reserve
            return "" if isReserved else "connections"
        if oldest is None or self._mustGo(oldest, source, now, 1):
            return ""
        return "connections" if isFull else "strangers"

    def origin(self, protocol: RTMPProtocol) -> str:
        """
        What a connection's address says of who it is: the address, or of IPv6 its network; nothing, if it is trusted,
        since many may be behind that.
        """
        source = self._inside.get(protocol)
        return "" if source is None else source.key.hex()

    def add(self, protocol: RTMPProtocol) -> None:
        """A connection has come. If it is one too many, the oldest stranger goes."""
        transport, now = protocol.transport, self._clock.seconds()
        host = None if transport is None else getattr(transport.getPeer(), "host", None)
        source = self._inside[protocol] = self._sourceOf(host, now)
        if source is not None:
            self._sources.came(source)
        self._unsettle(protocol, now)
        if protocol.secure:
            oldest = self._surplus(self._tlsStrangers, self._limits.tlsStrangers)
            if oldest is not None:
                # That it is encrypted could not be known before: it may have to go itself.
                self._evict(oldest if self._mustGo(oldest, source, now) else protocol, "tlsStrangers")
        oldest = self._surplus(self._strangers, self._limits.strangers)
        if oldest is not None:
            self._evict(oldest, "strangers")
        oldest = self._oldest(self._strangers) if len(self._inside) > self.most else None
        isReserved = source is None and len(self._inside) <= self.most + self.reserve
        if oldest is not None and not (oldest is protocol and isReserved):
            self._evict(oldest, "connections")

    def tells(self, protocol: RTMPProtocol) -> bool:
        """Whether the log is to have a line about the end of a connection. L{remove} follows."""
        isParting = protocol in self._leaving or not protocol.session.lastCommand
        return not isParting or self._partings.tells(self._clock.seconds())

    def remove(self, protocol: RTMPProtocol) -> None:
        """A connection has gone. Harmless when repeated."""
        self._settle(protocol)
        source = self._inside.pop(protocol, None) or self._leaving.pop(protocol, None)
        if source is not None:
            source.strangers.pop(protocol, None)
            self._sources.went(source)

    def second(self) -> None:
        """A second has passed."""
        now = self._clock.seconds()
        self._lookAtAll()
        if len(self._inside) >= self.most:
            self._lookForUseless(now)
        self._sources.forget(now)
        self._partings.second(now)

    # Strangers

    def _surplus(self, strangers: dict[RTMPProtocol, float], most: int) -> RTMPProtocol | None:
        """The oldest, if there are too many. Those who are none any more are found first, but not each time."""
        if len(strangers) > most and self._clock.seconds() - self._looked >= LOOK_SECONDS:
            self._lookAtAll()
        oldest = self._oldest(strangers) if len(strangers) > most else None
        return oldest if len(strangers) > most else None

    def _mustGo(self, oldest: RTMPProtocol, source: Source | None, now: float, more: int = 0) -> bool:
        """
        Whether a stranger must go for one from a source.

        @param more: how many strangers the source gets.
        """
        if source is None or now - self._strangers[oldest] >= YOUNG_SECONDS:
            return True
        own = self._inside[oldest]
        return own is not None and len(own.strangers) > len(source.strangers) + more

    def _lookAtAll(self) -> None:
        self._looked = self._clock.seconds()
        self._look(self._strangers)

    def _lookForUseless(self, now: float) -> None:
        """
        Find those that were of use, and are not any more. They are young: who publishes the next thing on the same
        connection has the time to do so.
        """
        for protocol in self._inside:
            if protocol not in self._strangers and not protocol.session.isOfUse:
                self._unsettle(protocol, now)

    def _look(self, strangers: Iterable[RTMPProtocol]) -> bool:
        """
        Find those that are strangers no more.

        @return: whether there were any.
        """
        known = [protocol for protocol in strangers if not self._isStranger(protocol)]
        for protocol in known:
            self._settle(protocol)
        return bool(known)

    def _oldest(self, strangers: dict[RTMPProtocol, float]) -> RTMPProtocol | None:
        """The oldest stranger, if there is one."""
        while strangers:
            protocol = next(iter(strangers))
            if self._isStranger(protocol):
                return protocol
            self._settle(protocol)
        return None

    def _isStranger(self, protocol: RTMPProtocol) -> bool:
        """Who waits for a stream that nobody publishes is a viewer as others are, until places are short."""
        session, isFull = protocol.session, len(self._inside) >= self.most
        return not (session.isOfUse if isFull else session.active)

    def _unsettle(self, protocol: RTMPProtocol, now: float) -> None:
        """It is a stranger from now on."""
        self._strangers[protocol] = now
        if protocol.secure:
            self._tlsStrangers[protocol] = now
        source = self._inside[protocol]
        if source is not None:
            source.strangers[protocol] = None

    def _settle(self, protocol: RTMPProtocol) -> None:
        """It is no stranger any more."""
        self._strangers.pop(protocol, None)
        self._tlsStrangers.pop(protocol, None)
        source = self._inside.get(protocol)
        if source is not None:
            source.strangers.pop(protocol, None)

    def _evict(self, protocol: RTMPProtocol, limit: str) -> None:
        self._settle(protocol)
        self._leaving[protocol] = self._inside.pop(protocol)
        self._reached.add(limit)
        protocol.abort(_REASONS[limit])
