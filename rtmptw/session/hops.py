# -*- test-case-name: tests.session.test_hops -*-
"""
The servers that a stream comes through, or goes on to: so that relays do not run in circles (hostile row F13).

Every server of ours has an identity. When a relay connects, it names the servers that the stream has been at, and its
own, in a property of connect that other servers pass over::

    encoder --> A --[A]--> B --[A, B]--> C --[A, B, C]--> A: refused, it has been here

When it connects to fetch a stream for somebody who relays it on, it names those who are to have it, in the same way. A
server of ours that is asked by a relay tells its own identity in its answer.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from rtmptw.errors import StatusError
from rtmptw.wire.amf import AMFValue

__all__ = ["MAX_HOPS", "checkHops", "hopParameters", "hopProperties", "identityOf", "newIdentity", "readHops"]

#: Through how many servers a stream may go.
MAX_HOPS = 4

#: The property of connect, and that of its answer.
_PATH = "relayPath"
_IDENTITY = "relayId"

_PATTERN = re.compile("[0-9a-f]{16}")


def newIdentity() -> str:
    """An identity that nobody else has."""
    return secrets.token_hex(8)


def readHops(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """
    The servers that a connect names.

    @param parameters: its command object.
    @return: none if it is not from a relay of ours, and no more than one too many.
    """
    path = parameters.get(_PATH)
    return tuple(_PATTERN.findall(path[: 17 * (MAX_HOPS + 1)])) if isinstance(path, str) else ()


def identityOf(properties: Mapping[str, object]) -> tuple[str, ...]:
    """
    The identity that a server has told.

    @param properties: of its answer to connect.
    @return: one, or none.
    """
    identity = properties.get(_IDENTITY)
    return (identity,) if isinstance(identity, str) and _PATTERN.fullmatch(identity) else ()


def checkHops(hops: tuple[str, ...], identity: str) -> None:
    """
    @param identity: our own.
    @raise StatusError: if the stream has been here, or has come too far.
    """
    if identity in hops:
        raise StatusError("the relays run in a circle: this stream comes from this server")
    if len(hops) > MAX_HOPS:
        raise StatusError(f"the stream has come through more than {MAX_HOPS} servers")


def hopParameters(hops: tuple[str, ...]) -> dict[str, AMFValue]:
    """What a relay adds to its connect; its own identity is the last one."""
    return {_PATH: " ".join(hops)}


def hopProperties(hops: tuple[str, ...], identity: str) -> dict[str, AMFValue]:
    """What a server adds to its answer, if it is a relay that asks."""
    return {_IDENTITY: identity} if hops else {}
