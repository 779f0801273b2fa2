"""
Bytes in pieces, and where they are cut is part of the input.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["cut", "takeCuts"]


def takeCuts(data: bytes) -> tuple[list[int], bytes]:
    """
    Take the sizes of pieces from the beginning of an input: how many there are (1 byte, modulo 16), then a byte each.

    @return: the sizes, and the rest of the input.
    """
    count = data[0] % 16 if data else 0
    # Small ones as they are; large ones so that they reach over blocks and chunks.
    sizes = [size if size < 0xC0 else (size - 0xBF) * 61 for size in data[1 : 1 + count]]
    return sizes, data[1 + count :]


def cut(data: bytes, sizes: list[int], again: bool = True) -> Iterator[bytes]:
    """
    The pieces.

    @param sizes: theirs. Without one that is more than 0: one by one.
    @param again: whether it begins anew behind the last of these sizes; else the rest is one piece.
    """
    sizes = sizes if any(sizes) else [1]
    position = turn = 0
    while position < len(data):
        size = len(data) if turn >= len(sizes) and not again else sizes[turn % len(sizes)]
        yield data[position : position + size]
        position += size
        turn += 1
