# -*- test-case-name: tests.attackers.test_row -*-
"""
A row of the table of hostile input: what is done, by how many, how often.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.attackers.attacker import Attacker, Deed
from tests.attackers.speech import Speech

__all__ = ["REST", "Row", "atOnce", "saying"]

#: How long an attacker waits for its end when all is said, s.
REST = 1.0


@dataclass(frozen=True)
class Row:
    """
    @ivar name: its number in the table.
    @ivar about: what is done, one line.
    @ivar deed: what each attacker does.
    @ivar connections: how many there are at a time.
    @ivar rate: how many come in a second, at most.
    @ivar isSecure: whether they go to the port for TLS.
    @ivar sources: from how many addresses they come, at most.
    """

    name: str
    about: str
    deed: Deed
    connections: int = 8
    rate: float = 50.0
    isSecure: bool = False
    sources: int | None = None


async def atOnce(attacker: Attacker) -> None:
    """An opening that is none."""


def saying(opening: Deed, speech: Speech, isDeaf: bool = False, rest: float = REST) -> Deed:
    """
    A deed: go so far as anybody may go, then say what nobody should.

    @param opening: such as L{Attacker.connect}.
    @param isDeaf: whether answers are not read.
    @param rest: how long to stay then.
    """

    async def deed(attacker: Attacker) -> None:
        await opening(attacker)
        if isDeaf:
            attacker.deafen()
        for piece in speech(attacker.number):
            await attacker.say(piece)
        await attacker.rest(rest)

    return deed
