# -*- test-case-name: tests.attackers.test_rows -*-
"""
Rows A1 to A8: before anything is said, and in the handshake.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import MessageType
from tests.attackers.attacker import Attacker
from tests.attackers.row import Row, atOnce, saying
from tests.attackers.speech import C0C1, C2, PICTURE, command, media, picks, tag

__all__ = ["ROWS", "clientHello", "drip"]

#: How long between two bytes of who drips, s: the deadline of a handshake is 10 s.
DRIP = 9.0

#: How long one stays who says nothing, s: longer than the deadline.
SILENCE = 60.0

#: How long one stays who only connects, s.
MOMENT = 0.1

_VERSION = b"\x80\x00\x07\x02"

#: First bytes that are no RTMP: none, RTMPE, HTTP, TLS.
_MISTAKES = (
    bytes(1537),
    b"\x06" + bytes(1536),
    b"GET /live/x.flv HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(506),
)


def _offsets() -> Iterator[bytes]:
    """C1 with the largest offset of a digest in either place, both, the smallest, and some that are just out."""
    for first in (255, 0, 182, 183):
        for second in (255, 0):
            block = bytearray(bytes(4) + _VERSION + C0C1[9:])
            block[8:12] = bytes((first,)) * 4
            block[772:776] = bytes((second,)) * 4
            yield b"\x03" + bytes(block)


_C1S = tuple(_offsets())


@cache
def clientHello() -> bytes:
    """The first thing that a TLS client says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    # It waits for the answer.
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


async def _silence(attacker: Attacker) -> None:
    await attacker.rest(SILENCE)


async def drip(attacker: Attacker, data: bytes = C0C1, begin: int = 1) -> None:
    """Some bytes, and then one from time to time."""
    await attacker.say(data[:begin])
    for position in range(begin, len(data)):
        await attacker.rest(DRIP)
        await attacker.say(data[position : position + 1])


async def _hostileDigest(attacker: Attacker) -> None:
    await attacker.say(_C1S[attacker.number % len(_C1S)])
    await attacker.hear(HANDSHAKE_SIZE)
    await attacker.say(C2 + command("connect", 1.0, {"app": attacker.goal.app}))
    await attacker.hearOf(b"_result", b"_error")


async def _wrongEcho(attacker: Attacker) -> None:
    await attacker.say(C0C1)
    await attacker.hear(HANDSHAKE_SIZE)
    await attacker.say(bytes((attacker.number * 37 % 256,)) * len(C2))
    await attacker.say(command("connect", 1.0, {"app": attacker.goal.app}))
    await attacker.hearOf(b"_result", b"_error")


async def _everything(attacker: Attacker) -> None:
    """Does not wait for anything; for every second one it is far more than may be held."""
    words = [C0C1, C2, command("connect", 1.0, {"app": attacker.goal.app}), command("createStream", 2.0)]
    words += [command("publish", 3.0, None, f"attack{attacker.number}", "live", streamId=1), media(100)]
    if attacker.number % 2:
        words += [tag(PICTURE + bytes(60000), MessageType.VIDEO, time=40 * number) for number in range(30)]
    await attacker.say(b"".join(words))
    await attacker.rest(1.0)


async def _halfTLS(attacker: Attacker) -> None:
    """All of the first flight, or it drips."""
    hello = clientHello()
    if attacker.number % 2:
        await drip(attacker, hello, 5)
    else:
        await attacker.say(hello)
    await attacker.rest(SILENCE)


async def _moment(attacker: Attacker) -> None:
    await attacker.rest(MOMENT)


ROWS = (
    Row("A1", "10,000 connects without a byte", _silence, 10_000, 2000),
    Row("A2", "C0 and C1 dripped, a byte in 9 s", drip, 2000, 1000),
    Row("A3", "C0 of 0, RTMPE, HTTP, TLS", saying(atOnce, picks(*_MISTAKES)), 50, 200),
    Row("A4", "C1 with hostile digest offsets", _hostileDigest, 16, 200),
    Row("A5", "wrong C2", _wrongEcho, 16, 200),
    Row("A6", "everything in one write, before the verdict", _everything, 16, 50),
    Row("A7", "2,000 half TLS handshakes", _halfTLS, 2000, 500, isSecure=True),
    Row("A8", "5,000 connects a second, from many addresses", _moment, 2000, 5000),
    Row("A8-one", "5,000 connects a second, from one address", _moment, 2000, 5000, sources=1),
)
