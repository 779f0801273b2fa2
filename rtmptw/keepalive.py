# -*- test-case-name: tests.test_keepalive -*-
"""
Peers that are gone without a word: a cable that is pulled, a machine that is switched off (hostile rows F1 and F2).

The system asks a silent peer whether it is there. Left to itself it begins after two hours; here, after some seconds.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.interfaces import ISystemHandle, ITCPTransport
from twisted.protocols.policies import ProtocolWrapper

__all__ = ["COUNT", "IDLE_SECONDS", "INTERVAL_SECONDS", "keepAlive"]

#: How long a peer may be silent before it is asked, how long between questions (seconds), and how many there are: who
#: is gone is noticed after half a minute.
IDLE_SECONDS = 15
INTERVAL_SECONDS = 5
COUNT = 3


def keepAlive(transport: ITCPTransport) -> None:
    """
    Have the system see to it that the peer is there; as far as it can, also below TLS.
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
        ):
            if hasattr(socket, name):
                handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
