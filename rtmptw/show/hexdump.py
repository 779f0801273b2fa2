# -*- test-case-name: tests.show.test_hexdump -*-
"""
Bytes for people: sixteen in a row, with their place in the stream in front of them and their characters behind them.

::

    3073  03 00 00 00 00[00]8e 14  00 00 00 00 02 00 07 63  |...............c|
                         ^^

A byte that is to blame stands in brackets, and has carets below it. What is hidden is C{**}.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

__all__ = ["hexdump"]

#: Bytes in a row, and where the gap in its middle is.
_ROW = 16
_GAP = 8

#: How wide the places are, characters.
_PLACE = 14


def hexdump(
    data: bytes, offset: int = 0, marks: Collection[int] = (), hidden: Iterable[tuple[int, int]] = ()
) -> Iterator[str]:
    """
    Show bytes.

    @param offset: the place of the first one, in the stream of its side.
    @param marks: the places of bytes that are to blame.
    @param hidden: from where to where nothing is to be shown: the place of the first byte, and the one behind the last.
    """
    secret = bytearray(len(data))
    for start, stop in hidden:
        first, last = max(0, start - offset), min(len(data), stop - offset)
        if first < last:
            secret[first:last] = b"\1" * (last - first)
    for position in range(0, len(data), _ROW):
        row = data[position : position + _ROW]
        cells = [
            "**" if isSecret else f"{byte:02x}"
            for byte, isSecret in zip(row, secret[position : position + _ROW], strict=True)
        ]
        marked = {mark - offset - position for mark in marks} & set(range(len(row)))
        text = "".join(
            "*" if cell == "**" else chr(byte) if 32 <= byte < 127 else "."
            for cell, byte in zip(cells, row, strict=True)
        )
        yield f"{offset + position:{_PLACE}} {_cells(cells, marked)} |{text}|"
        if marked:
            carets = ["^^" if index in marked else "  " for index in range(len(row))]
            yield f"{'':{_PLACE}} {_cells(carets, set())}".rstrip()


def _cells(cells: list[str], marked: set[int]) -> str:
    """The bytes of a row. A bracket takes the place of a space."""
    text = ""
    for index in range(_ROW + 1):
        opens, closes = index in marked, index - 1 in marked
        if index == _GAP:
            # Two spaces: room for a bracket of each kind.
            text += "]" if closes else " "
            closes = False
        text += "[" if opens else "]" if closes else " "
        text += cells[index] if index < len(cells) else "  " * (index < _ROW)
    return text
