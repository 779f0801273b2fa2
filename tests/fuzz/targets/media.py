"""
Audio and video messages: what a server reads of them.

The input: the message type (1 byte: even audio, odd video), and the payload.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.errors import RemoteProtocolError
from rtmptw.live.headers import HeaderCache
from rtmptw.wire.enhanced import FOURCCS, MAX_TRACKS, readEnhanced
from rtmptw.wire.media import MediaKind, classify, describe, headerKeys
from rtmptw.wire.message import Message, MessageType
from tests.fuzz import captured
from tests.fuzz.target import Target

__all__ = ["TARGET", "check"]


def check(data: bytes) -> None:
    """Nothing raises; the fast way says the same as the slow one; every track lies within the message."""
    type = MessageType.VIDEO if data[:1] and data[0] & 1 else MessageType.AUDIO
    payload = data[1:]
    tag, kind = describe(type, payload), classify(type, payload)
    assert kind is tag.kind, "the two differ"
    assert bool(tag.error) is (kind is MediaKind.UNKNOWN)
    assert (kind is MediaKind.EMPTY) == (not payload)
    assert len(tag.tracks) <= MAX_TRACKS and 0 <= tag.nanoseconds <= 999_999
    for track in tag.tracks:
        assert 0 < track.start <= track.end <= len(payload) and 0 <= track.id < 256
        assert -(1 << 23) <= track.compositionTime < 1 << 23 and track.codec.isprintable()
    keys = headerKeys(type, payload)
    assert bool(keys) is kind.isHeader, "a header without a key"
    for key in keys:
        assert key.codec in ("", "other") or key.codec in FOURCCS
    if kind.isHeader or kind.isKeyframe:
        assert tag.tracks
    if tag.isEnhanced:
        try:
            readEnhanced(payload, type == MessageType.VIDEO)
        except RemoteProtocolError as error:
            assert error.offset is not None and 0 <= error.offset <= len(payload)
    _remember(type, payload, len(keys))


def _remember(type: int, payload: bytes, keys: int) -> None:
    """What is kept of it for late joiners is bounded, and is the message itself."""
    headers = HeaderCache()
    headers.see(Message(type, 0, 1, payload))
    assert not headers.see(Message(type, 5, 1, payload)), "the same header counts as another one"
    kept = headers.messages(9)
    assert [message.payload for message in kept] == ([payload] if keys else [])
    assert headers.changes == keys


def seeds() -> Iterator[bytes]:
    """What the captures have, and the forms that they do not have."""
    for message in captured.heads((8, 9)):
        yield bytes((message.type & 1,)) + message.payload
    for text in (
        "01 96 11 68 76 63 31 00 00 00 05 00 00 00 00 00 01 00 00 01 aa",
        "01 96 21 61 76 63 31 00 00 00 04 00 00 00 aa 68 76 63 31 07 00 00 03 00 00 00",
        "01 97 00 ff 01 68 76 63 31 00",
        "01 97 02 00 12 34 01 68 76 63 31 00 00 00",
        "01 d4 68 76 63 31 00", "01 d6 04 68 76 63 31 01 00", "01 d1 00", "00 95 00 4f 70 75 73 01",
        "00 94 4f 70 75 73 00 01", "01 95 68 76 63 31", "01 57 00", "00 af 02",
    ):  # fmt: skip
        yield bytes.fromhex(text)


TARGET = Target(check, seeds, 160)
