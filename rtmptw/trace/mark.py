# -*- test-case-name: tests.trace.test_chunkwalker -*-
"""
Places in a chunk stream to come back to: where all was well, and where it first was not as announced.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Deviation", "Mark"]


@dataclass(frozen=True, slots=True)
class Mark:
    """
    A place between messages.

    @ivar offset: the next byte.
    @ivar chunkSize: the chunk size that is used there, bytes.
    @ivar announced: the one that its side has announced last.
    """

    offset: int
    chunkSize: int
    announced: int


@dataclass(frozen=True, slots=True)
class Deviation:
    """
    The first chunk that is not what was announced.

    @ivar offset: the first byte that a reader takes for something else than it is.
    @ivar expected: the chunk size that a reader uses there, bytes.
    @ivar length: the size of the message, bytes.
    """

    offset: int
    expected: int
    length: int
