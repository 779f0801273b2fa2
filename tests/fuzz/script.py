"""
A script: what happens, step by step, written so that any bytes are one.

A step is a byte and what its kind asks for: the upper three bits say to whom it happens, the lower five what::

    who (3 bits) | kind (5 bits, modulo the number of kinds) | BYTE: 1 byte; LONG: 4 bytes; BLOB: size (2 bytes), bytes

What is missing at the end is 0 or empty. So a fuzzer may change anything and has a script again, and L{Language.mutate}
can add, drop, move and bend whole steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from random import Random
from typing import NamedTuple

from tests.fuzz.target import Scramble

__all__ = ["MAX_STEPS", "Field", "Language", "Step"]

#: How many steps of a script count.
MAX_STEPS = 60

_KIND = 0x1F
_MAX_BLOB = 0xFFFF


class Field(Enum):
    """What a step may have behind its first byte."""

    BYTE = 1
    LONG = 4
    BLOB = 2  #: the size of its size


class Step(NamedTuple):
    """
    One step.

    @ivar kind: what happens.
    @ivar who: to whom, 0 to 7.
    @ivar numbers: the values of its fields of fixed size, in their order.
    @ivar blob: the value of its field of any size, if it has one.
    """

    kind: str
    who: int = 0
    numbers: tuple[int, ...] = ()
    blob: bytes = b""


class Language:
    """
    The kinds of steps that there are.
    """

    def __init__(self, kinds: Mapping[str, tuple[Field, ...]], phrases: int = 0) -> None:
        """
        @param kinds: the fields of each kind. A field of any size comes last.
        @param phrases: how many different values a field of one byte is likely to have.
        """
        self._kinds = dict(kinds)
        self._names = list(kinds)
        self._phrases = phrases or 256

    def read(self, data: bytes) -> list[Step]:
        """The steps that these bytes are, up to L{MAX_STEPS}."""
        steps: list[Step] = []
        position = 0
        while position < len(data) and len(steps) < MAX_STEPS:
            first = data[position]
            kind = self._names[(first & _KIND) % len(self._names)]
            position += 1
            numbers, blob = [], b""
            for field in self._kinds[kind]:
                number = int.from_bytes(data[position : position + field.value], "big")
                position += field.value
                if field is Field.BLOB:
                    blob = data[position : position + number]
                    position += number
                else:
                    numbers.append(number)
            steps.append(Step(kind, first >> 5, tuple(numbers), blob))
        return steps

    def write(self, steps: Iterable[Step]) -> bytes:
        """The bytes that are these steps."""
        parts = []
        for step in steps:
            parts.append(bytes((step.who << 5 | self._names.index(step.kind),)))
            numbers = iter(step.numbers)
            for field in self._kinds[step.kind]:
                if field is Field.BLOB:
                    blob = step.blob[:_MAX_BLOB]
                    parts.append(len(blob).to_bytes(2, "big") + blob)
                else:
                    parts.append(next(numbers, 0).to_bytes(field.value, "big"))
        return b"".join(parts)

    def mutate(self, data: bytes, most: int, random: Random, scramble: Scramble) -> bytes:
        """See L{tests.fuzz.target.Mutation}: half of the time without regard to steps."""
        if random.random() < 0.3:
            return scramble(data, most)
        steps = self.read(data)
        for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
            self._bend(steps, random, scramble)
        changed = self.write(steps)
        return changed[:most] if changed else scramble(data, most)

    def mutateBehind(self, data: bytes, most: int, random: Random, scramble: Scramble, hows: int = 256) -> bytes:
        """
        The same behind a byte that says how it is to be; at times that is another one.

        @param hows: how many such bytes mean something.
        """
        how = bytes((random.randrange(hows),)) if random.random() < 0.05 else data[:1] or b"\0"
        return how + self.mutate(data[1:], most - 1, random, scramble)

    def _bend(self, steps: list[Step], random: Random, scramble: Scramble) -> None:
        """One change."""
        place = random.randrange(len(steps) + 1)
        choice = random.randrange(7)
        if choice <= 1 or not steps:
            steps.insert(place, self._make(random))
            return
        place = min(place, len(steps) - 1)
        step = steps[place]
        if choice == 2:
            del steps[place]
        elif choice == 3:
            start = random.randrange(len(steps))
            steps[place:place] = steps[start : start + random.choice((1, 1, 2, 5))]
        elif choice == 4:
            steps.insert(random.randrange(len(steps)), steps.pop(place))
        elif choice == 5 and step.blob:
            steps[place] = step._replace(blob=scramble(step.blob, len(step.blob) + 64))
        else:
            steps[place] = self._change(step, random)

    def _make(self, random: Random) -> Step:
        kind = random.choice(self._names)
        numbers = [self._number(field, random) for field in self._kinds[kind] if field is not Field.BLOB]
        return Step(kind, random.choice((0, 0, 0, 1, 1, 2)), tuple(numbers), random.randbytes(random.choice((0, 1, 9))))

    def _change(self, step: Step, random: Random) -> Step:
        fields = [field for field in self._kinds[step.kind] if field is not Field.BLOB]
        if not fields or random.random() < 0.25:
            return step._replace(who=random.choice((0, 1, 2)))
        index = random.randrange(len(fields))
        numbers = list(step.numbers)
        numbers[index] = self._number(fields[index], random)
        return step._replace(numbers=tuple(numbers))

    def _number(self, field: Field, random: Random) -> int:
        if field is Field.BYTE:
            return random.randrange(256) if random.random() < 0.2 else random.randrange(self._phrases) & 0xFF
        return random.choice((0, 1, 40, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0x7FFFFFFF, 0xFFFFFFFF, random.getrandbits(32)))
