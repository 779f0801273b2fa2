# -*- test-case-name: tests.auth.test_addresses -*-
"""
Who may do what by where he comes from: networks that are allowed and denied.

::

    allow publish:10.0.0.0/8     who is in 10.0.0.0/8 may publish, and others not
    deny play:192.0.2.7          this one may not play
    deny fe80::/10               neither publish nor play

For publish, and for play, the first that fits counts. Where none fits, it is no if anything was allowed there, and yes
if not. C{all} is everybody, C{unix} whoever comes through a UNIX socket. An IPv4 address in the form of an IPv6 one
(C{::ffff:192.0.2.7}, which is what a socket for both shows) is an IPv4 address.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from rtmptw.auth.rule import ACTIONS
from rtmptw.gate.network import Network, readNetwork

__all__ = ["AddressList", "AddressRange", "addressOf", "readRange"]

_Address = IPv4Address | IPv6Address

_ALL, _UNIX = "all", "unix"


def addressOf(peer: str) -> _Address | None:
    """
    The address of a peer, an IPv4 one if it is that.

    @param peer: L{rtmptw.requests.ConnectRequest.peer}, such as C{"127.0.0.1:40312"} or C{"[::1]:40312"}.
    @return: L{None} for what has none, as a UNIX socket.
    """
    host = peer.rpartition(":")[0].strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        # An address of a link has its interface behind it.
        return address.ipv4_mapped or IPv6Address(int(address))
    return address


@dataclass(frozen=True)
class AddressRange:
    """
    One line of a list.

    @ivar allows: whether it allows or denies.
    @ivar actions: what: some of L{rtmptw.auth.rule.ACTIONS}.
    @ivar network: a network; or C{"all"} or C{"unix"}.
    """

    allows: bool
    actions: tuple[str, ...]
    network: Network | str

    def fits(self, address: _Address | None) -> bool:
        """Whether an address, or L{None}, is in it."""
        if isinstance(self.network, str):
            return self.network == _ALL or address is None
        return address is not None and address in self.network


def readRange(text: str, allows: bool) -> AddressRange:
    """
    Read C{"publish:10.0.0.0/8"}, C{"play:all"}, C{"2001:db8::/32"}.

    @raise ValueError: which says what is wrong.
    """
    head, colon, rest = text.partition(":")
    actions = (head,) if colon and head in ACTIONS else ACTIONS
    network = rest if colon and head in ACTIONS else text
    if network in (_ALL, _UNIX):
        return AddressRange(allows, actions, network)
    try:
        return AddressRange(allows, actions, readNetwork(network))
    except ValueError as error:
        raise ValueError(f"{error} (or all, or unix; publish: or play: may be before)") from None


class AddressList:
    """All of them, in their order."""

    def __init__(self, ranges: tuple[AddressRange, ...] = ()) -> None:
        self._ranges = {action: [range for range in ranges if action in range.actions] for action in ACTIONS}

    def allows(self, action: str, peer: str) -> bool:
        """
        Whether a peer may do something, as far as this list is concerned.

        @param action: one of L{rtmptw.auth.rule.ACTIONS}.
        @param peer: see L{addressOf}.
        """
        ranges = self._ranges[action]
        address = addressOf(peer)
        for range in ranges:
            if range.fits(address):
                return range.allows
        return not any(range.allows for range in ranges)
