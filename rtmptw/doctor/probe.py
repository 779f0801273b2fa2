# -*- test-case-name: tests.doctor.test_probe -*-
"""
A probe: one question to a server that no single client's visit answers.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.finding import Finding, Step
from rtmptw.dialects.visit import Visit
from rtmptw.doctor.target import Target

__all__ = ["Probe", "Untestable", "finding"]


class Untestable(Exception):
    """The question can't be put to this server; the text says why."""


@dataclass(frozen=True)
class Probe:
    """
    One question.

    @ivar name: what it is called at the command line.
    @ivar question: what is asked, for people.
    @ivar ask: asks it.
    @ivar plays: whether it can't be asked where nobody may play.
    """

    name: str
    question: str
    ask: Callable[[Target], Coroutine[Deferred[Any], Any, list[Finding]]]
    plays: bool = False


def finding(probe: str, cause: str, words: str, visit: Visit | None = None, step: Step = Step.MEDIA) -> Finding:
    """
    What a probe has found.

    @param visit: who has found it, if what came last is to be shown.
    """
    known = CAUSES[cause]
    came = () if visit is None else visit.since()[-8:]
    return Finding(known, next(iter(known.affected), ""), probe, step, words, None, came, None)
