"""
FLV files, as they come in pieces.

The input: whether a file header comes first (1 byte, odd: yes), cuts (L{tests.fuzz.pieces}), and the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rtmptw.errors import RemoteProtocolError
from rtmptw.wire.flv import FLVReader, FLVTag, encodeTag, fileHeader
from tests.fuzz import captured
from tests.fuzz.pieces import cut, takeCuts
from tests.fuzz.target import Target

__all__ = ["TARGET", "check"]


def _read(reader: FLVReader, pieces: Iterable[bytes]) -> tuple[list[FLVTag], str]:
    tags: list[FLVTag] = []
    try:
        for piece in pieces:
            tags += reader.feed(piece)
    except RemoteProtocolError as error:
        assert error.offset is not None
        return tags, str(error)
    return tags, ""


def check(data: bytes) -> None:
    """Whole or cut, the same tags; up to the good end it is a proper file; what was read is written alike."""
    sizes, file = takeCuts(data[1:])
    if data[:1] and data[0] & 1:
        file = fileHeader() + file
    whole, parts = FLVReader(), FLVReader()
    found = _read(whole, [file])
    assert _read(parts, cut(file, sizes)) == found, "it depends on the cuts"
    tags, fault = found
    if fault:
        assert not tags
        return
    assert (whole.goodEnd, whole.pending) == (parts.goodEnd, parts.pending)
    assert whole.goodEnd <= len(file)
    again = FLVReader()
    assert again.feed(file[: whole.goodEnd]) == tags and not again.pending
    written = fileHeader() + b"".join(encodeTag(tag.type, tag.timestamp, tag.payload, tag.isFiltered) for tag in tags)
    copies = FLVReader().feed(written)
    assert [(tag.type, tag.timestamp, tag.payload, tag.isFiltered) for tag in copies] == [
        (tag.type, tag.timestamp, tag.payload, tag.isFiltered) for tag in tags
    ]


def seeds() -> Iterator[bytes]:
    """Files with what the captures have, whole, cut off, and with a longer header."""
    tags = [encodeTag(message.type, message.timestamp, message.payload[:20]) for message in captured.heads((8, 9))]
    for start in range(0, len(tags), 7):
        yield b"\1\2\1\x20" + b"".join(tags[start : start + 7])
    yield b"\0\0" + fileHeader() + b"".join(tags[:3])[:-5]
    yield b"\0\1\3FLV\1\5\0\0\0\x10" + bytes(11) + tags[0] + bytes(15) + encodeTag(18, 1 << 31, b"\2\0\1a", True)


TARGET = Target(check, seeds, 500)
