# -*- test-case-name: tests.compare.test_alignment -*-
"""
Which step of one conversation stands beside which of the other.

It is the longest common subsequence, with weights: an answer or a status holds the two sides together, a control
message may have moved, and two messages that are only of one family are laid beside each other if nothing better is
there. So a message more is one message more, and everything behind it stays where it was.

The work is bounded. What both begin and end with is found in one pass; what is left is compared each with each, as long
as it is not more than L{WINDOW} on a side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rtmptw.compare.step import Key, Step

__all__ = ["WINDOW", "Alignment", "Pair", "align"]

#: How many steps of a side are compared, each with each, behind those that both begin with.
WINDOW = 512

Pair = tuple[Step | None, Step | None]

#: How well two steps with the same key hold, by family.
_WEIGHTS = {
    "handshake": 9,
    "answer": 9,
    "status": 9,
    "command": 5,
    "data": 5,
    "audio": 5,
    "video": 5,
    "unreadable": 5,
    "ending": 5,
}
_ORDINARY = 3

#: For a status in the place of another (C{NetStream.Publish.BadName} for C{NetStream.Publish.Start}), and for an answer
#: beside one to nobody knows what.
_ALIKE = 1


@dataclass(frozen=True)
class Alignment:
    """
    Two sides beside each other.

    @ivar before: what both begin with.
    @ivar between: what had to be compared, each with each; L{None} where a side has nothing.
    @ivar after: what both end with.
    @ivar left: how many steps of each were not compared.
    """

    before: tuple[Pair, ...]
    between: tuple[Pair, ...]
    after: tuple[Pair, ...]
    left: tuple[int, int] = (0, 0)

    @property
    def pairs(self) -> Iterator[Pair]:
        """All of it, in order."""
        return chain(self.before, self.between, self.after)


def align(first: Sequence[Step], second: Sequence[Step]) -> Alignment:
    """
    Lay two sides beside each other.

    @param first: one conversation's steps, of one side.
    @param second: the other's, of the same side.
    """
    start, stop = 0, 0
    least = min(len(first), len(second))
    while start < least and first[start].key == second[start].key:
        start += 1
    while stop < least - start and first[-1 - stop].key == second[-1 - stop].key:
        stop += 1
    ends = len(first) - stop, len(second) - stop
    return Alignment(
        tuple(zip(first[:start], second[:start], strict=True)),
        tuple(_best(first[start : ends[0]][:WINDOW], second[start : ends[1]][:WINDOW])),
        tuple(zip(first[ends[0] :], second[ends[1] :], strict=True)),
        (max(0, ends[0] - start - WINDOW), max(0, ends[1] - start - WINDOW)),
    )


def _score(one: Key, other: Key) -> int:
    if one == other:
        return _WEIGHTS.get(one.family, _ORDINARY)
    if one.family != other.family:
        return 0
    if one.family == "status" and one.detail.rpartition(".")[0] == other.detail.rpartition(".")[0]:
        return _ALIKE
    return _ALIKE if one.family in ("status", "answer") and not (one.detail and other.detail) else 0


def _best(first: Sequence[Step], second: Sequence[Step]) -> list[Pair]:
    """Each with each."""
    # scores[i][j]: the best that can be made of first[i:] and second[j:].
    scores = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i in range(len(first) - 1, -1, -1):
        row, below, key = scores[i], scores[i + 1], first[i].key
        for j in range(len(second) - 1, -1, -1):
            best = below[j] if below[j] >= row[j + 1] else row[j + 1]
            score = _score(key, second[j].key)
            if score and score + below[j + 1] > best:
                best = score + below[j + 1]
            row[j] = best
    pairs: list[Pair] = []
    i = j = 0
    while i < len(first) and j < len(second):
        score = _score(first[i].key, second[j].key)
        if score and scores[i][j] == score + scores[i + 1][j + 1]:
            pairs.append((first[i], second[j]))
            i, j = i + 1, j + 1
        elif scores[i][j] == scores[i + 1][j]:
            pairs.append((first[i], None))
            i += 1
        else:
            pairs.append((None, second[j]))
            j += 1
    pairs += [(step, None) for step in first[i:]]
    pairs += [(None, step) for step in second[j:]]
    return pairs
