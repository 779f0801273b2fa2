"""
The handshake, either side: any bytes, cut anywhere, with right and wrong digests.

The input: how it is done (1 byte, see below), how long the stream is (2 bytes), cuts (L{tests.fuzz.pieces}), and what
the stream is made of, repeated as often as it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rtmptw.errors import RemoteProtocolError
from rtmptw.wire.digest import (
    BLOCK_SIZE,
    CLIENT_KEY,
    CLIENT_SIGNING_KEY,
    DIGEST_SIZE,
    SERVER_KEY,
    SERVER_SIGNING_KEY,
    Layout,
    findDigest,
    isSigned,
    placeDigest,
    readDigest,
    sign,
)
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ClientHandshake, Handshake, ServerHandshake
from tests.fuzz import captured
from tests.fuzz.pieces import cut, takeCuts
from tests.fuzz.target import Target

__all__ = ["TARGET", "check"]

#: The bits of the first byte: we are the client; our C1 has a digest; in the other layout; the peer's block is given a
#: right digest; in the other layout; its last block is signed.
_CLIENT, _DIGEST, _OTHER, _PLACED, _PLACED_OTHER, _SIGNED = 1, 2, 4, 8, 16, 32

#: The longest stream: the handshake, and something behind it.
_LONGEST = HANDSHAKE_SIZE + 64

#: Blocks of random bytes would differ from run to run.
_PLAIN_C1 = bytes(BLOCK_SIZE)


def _make(how: int) -> Handshake:
    if not how & _CLIENT:
        return ServerHandshake(bytes)
    return ClientHandshake(bytes, bool(how & _DIGEST), Layout.KEY_FIRST if how & _OTHER else Layout.DIGEST_FIRST)


def _stream(how: int, size: int, content: bytes, ours: bytes) -> bytes:
    """What the peer sends."""
    content = content or b"\3"
    data = (content * (size // len(content) + 1))[:size]
    if how & _PLACED and size > BLOCK_SIZE:
        layout = Layout.KEY_FIRST if how & _PLACED_OTHER else Layout.DIGEST_FIRST
        key = SERVER_KEY if how & _CLIENT else CLIENT_KEY
        data = b"\3" + placeDigest(data[1 : 1 + BLOCK_SIZE], layout, key) + data[1 + BLOCK_SIZE :]
    if how & _SIGNED and how & _DIGEST and how & _CLIENT and size >= HANDSHAKE_SIZE:
        layout = Layout.KEY_FIRST if how & _OTHER else Layout.DIGEST_FIRST
        last = data[1 + BLOCK_SIZE : HANDSHAKE_SIZE - DIGEST_SIZE]
        signed = sign(last, SERVER_SIGNING_KEY, readDigest(ours[1:], layout))
        data = data[: 1 + BLOCK_SIZE] + signed + data[HANDSHAKE_SIZE:]
    return data


def _feed(handshake: Handshake, pieces: Iterable[bytes]) -> tuple[bytes, bytes | None, str]:
    """What is answered, what is left behind the end, and what was wrong."""
    answers, rest = b"", None
    try:
        for piece in pieces:
            if rest is not None:
                rest += piece
                continue
            answer, rest = handshake.feed(piece)
            answers += answer
    except RemoteProtocolError as error:
        return answers, rest, str(error)
    return answers, rest, ""


def check(data: bytes) -> None:
    """
    Whole or cut, the answer is the same, and what is behind the handshake is what was sent there. A right digest is
    found, and answered rightly.
    """
    how, size = (data[0], int.from_bytes(data[1:3], "big") % _LONGEST) if data else (0, 0)
    sizes, content = takeCuts(data[3:])
    whole, parts = _make(how), _make(how)
    ours = whole.start()
    assert parts.start() == ours
    stream = _stream(how, size, content, ours)
    found = _feed(whole, [stream])
    assert _feed(parts, cut(stream, sizes, again=False)) == found, "it depends on the cuts"
    answers, rest, fault = found
    if stream[:1] != b"\3":
        assert bool(fault) is bool(stream) and rest is None and not answers
    else:
        assert not fault
        assert rest == (stream[HANDSHAKE_SIZE:] if size >= HANDSHAKE_SIZE else None)
        complete = size >= HANDSHAKE_SIZE if how & _CLIENT else size > BLOCK_SIZE
        assert len(answers) == (0 if not complete else BLOCK_SIZE if how & _CLIENT else HANDSHAKE_SIZE)
        if complete:
            _checkAnswer(how, stream, answers, whole)


def _checkAnswer(how: int, stream: bytes, answers: bytes, handshake: Handshake) -> None:
    """The answer to whole blocks."""
    theirs = stream[1 : 1 + BLOCK_SIZE]
    if isinstance(handshake, ServerHandshake):
        layout = findDigest(theirs, CLIENT_KEY) if any(theirs[4:8]) else None
        assert handshake.layout is layout
        if layout is None:
            assert answers[1 + BLOCK_SIZE :] == theirs and not any(answers[5:9])
        else:
            assert findDigest(answers[1 : 1 + BLOCK_SIZE], SERVER_KEY) is layout
            assert isSigned(answers[1 + BLOCK_SIZE :], SERVER_SIGNING_KEY, readDigest(theirs, layout))
        if how & _PLACED and any(theirs[4:8]):
            assert layout is not None, "a right digest was not found"
    else:
        assert isinstance(handshake, ClientHandshake)
        if handshake.layout is None:
            assert answers == theirs
        else:
            assert isSigned(answers, CLIENT_SIGNING_KEY, readDigest(theirs, handshake.layout))
        if how & _SIGNED and how & _DIGEST:
            assert handshake.s2Echoes, "a right signature is not seen"


def seeds() -> Iterator[bytes]:
    """The handshakes of all captures, whole and in pieces; short ones of each kind."""
    for name in (*captured.CLIENTS, *captured.SERVERS):
        how = _CLIENT | _DIGEST if name in captured.SERVERS else 0
        yield bytes((how,)) + HANDSHAKE_SIZE.to_bytes(2, "big") + b"\1\xff" + captured.blocks(name)
    for how in range(64):
        for size in (1, 1537, HANDSHAKE_SIZE + 5):
            yield bytes((how,)) + size.to_bytes(2, "big") + b"\2\x07\xe0" + b"\3\0\0\0\0\x09\0\x7c\2"
    for first in b"\0\6\x16GPH\xff":
        yield b"\0\0\5\1\1" + bytes((first,))


TARGET = Target(check, seeds, 3200)
