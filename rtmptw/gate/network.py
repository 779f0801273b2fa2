# -*- test-case-name: tests.gate.test_network -*-
"""
Networks: addresses that begin with the same bits (CIDR, RFC 4632).

An IPv4 address in the form of an IPv6 one (C{::ffff:192.0.2.7}, which is what a socket for both shows) is an IPv4
address, here as everywhere.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_interface

__all__ = ["Network", "Networks", "addressBytes", "readNetwork"]

Network = IPv4Network | IPv6Network

#: What an IPv4 address in IPv6 form begins with, and how many bits that is.
_MAPPED = bytes(10) + b"\xff\xff"
_MAPPED_BITS = 96


def readNetwork(text: str) -> Network:
    """
    Read C{"10.0.0.0/8"}, C{"192.0.2.7"}, C{"2001:db8::/32"}.

    @raise ValueError: which says what is wrong.
    """
    try:
        # What stands behind a % is the interface of one link, in any characters: a network has none.
        interface = ip_interface("" if "%" in text else text)
    except ValueError:
        raise ValueError(f"{text!a} is no network: 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32") from None
    network: Network = interface.network
    if interface.ip != network.network_address:
        raise ValueError(f"{text} has bits behind its prefix: the network is {network}")
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((int(mapped), network.prefixlen - _MAPPED_BITS))
    return network


def addressBytes(host: str) -> bytes | None:
    """
    An address as it is in a header of IP: 4 bytes, or 16.

    @param host: as the system writes it; an address of a link has its interface behind it.
    @return: L{None} for what is no address.
    """
    try:
        if ":" not in host:
            return socket.inet_pton(socket.AF_INET, host)
        address = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    except (OSError, ValueError):
        return None
    return address[12:] if address.startswith(_MAPPED) else address


class Networks:
    """Some of them. To ask is cheap: it is done for each connection of a flood."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._parts = [
            (network.max_prefixlen // 8, int(network.netmask), int(network.network_address)) for network in networks
        ]

    def __contains__(self, address: bytes) -> bool:
        """
        @param address: see L{addressBytes}.
        """
        size, number = len(address), int.from_bytes(address)
        return any(size == length and number & mask == start for length, mask, start in self._parts)
