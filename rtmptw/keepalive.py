# -*- test-case-name: tests.test_keepalive -*-
"""
Peers that are gone without a word: a cable that is pulled, a machine that is switched off (hostile rows F1 and F2).

The system asks a silent peer whether it is there. Left to itself it begins after two hours; here, after some seconds.
And it waits for a peer's system to acknowledge what was sent: left to itself for a quarter of an hour, here for some
seconds, where it can be told (Linux; RFC 5482).
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.interfaces import ISystemHandle, ITCPTransport
from twisted.protocols.policies import ProtocolWrapper

__all__ = ["COUNT", "IDLE_SECONDS", "INTERVAL_SECONDS", "USER_TIMEOUT_SECONDS", "keepAlive"]

#: How long a peer may be silent before it is asked, how long between questions (seconds), and how many there are: who
#: is gone is noticed after half a minute.
IDLE_SECONDS = 15
INTERVAL_SECONDS = 5
COUNT = 3

#: The default of L{rtmptw.limits.Limits.userTimeoutSeconds}.
USER_TIMEOUT_SECONDS = 20.0

#: The longest that the system can be told, ms: it keeps it in 31 bits.
_MOST_MILLISECONDS = 0x7FFFFFFF


def keepAlive(transport: ITCPTransport, userTimeoutSeconds: float = USER_TIMEOUT_SECONDS) -> None:
    """
    Have the system see to it that the peer is there; as far as it can, also below TLS.

    @param userTimeoutSeconds: how long a peer's system may take to acknowledge what was sent.
    """
    transport.setTcpKeepAlive(True)
    inner: object = transport
    while isinstance(inner, ProtocolWrapper):
        inner = inner.transport
    system = ISystemHandle(inner, None)
    handle: Any = None if system is None else system.getHandle()
    if getattr(handle, "family", None) in (socket.AF_INET, socket.AF_INET6):
        # Not every system has all of them.
        for name, value in (
            ("TCP_KEEPIDLE", IDLE_SECONDS),
            ("TCP_KEEPINTVL", INTERVAL_SECONDS),
            ("TCP_KEEPCNT", COUNT),
            ("TCP_USER_TIMEOUT", min(int(userTimeoutSeconds * 1000), _MOST_MILLISECONDS)),
        ):
            if hasattr(socket, name):
                handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
