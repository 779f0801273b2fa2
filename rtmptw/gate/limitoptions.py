# -*- test-case-name: tests.gate.test_limitoptions -*-
"""
The limits at the command line of C{twistd rtmp}: C{--limit NAME=VALUE} sets one, C{--limits} shows them all, as
they are with the other options, whatever the order.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from math import inf

from twisted.logger import Logger
from twisted.python.usage import Options, UsageError

from rtmptw.gate.admission import allowedConnections, descriptors
from rtmptw.gate.processmemory import memoryBudget
from rtmptw.limits import Limit, Limits, describeLimits

__all__ = ["LimitOptions", "limitTable", "makeLimits"]

#: How the option is to be used, for its errors.
_EXAMPLE = "as --limit handshake-seconds=5; --limits shows them all"


#: Which limit should be no more than which other one, and what follows if it is.
_ORDER = (
    ("pingSeconds", "silenceSeconds", "who is silent is closed before it is pinged"),
    ("strangerMessageBytes", "strangerPartialBytes", "no message of that size gets through"),
    ("audioBytes", "partialBytes", "no message of that size gets through"),
    ("videoBytes", "partialBytes", "no message of that size gets through"),
    ("aggregateBytes", "partialBytes", "no message of that size gets through"),
    ("partialBytes", "allPartialBytes", "one publisher alone may be closed for all"),
    ("streams", "createdStreams", "nobody can have so many at a time"),
    ("behindBytes", "allTapeBytes", "viewers skip earlier than that"),
)

_log = Logger()


class LimitOptions(Options):
    """The options. They are a part of L{rtmptw.tap.Options}."""

    def __init__(self) -> None:
        super().__init__()
        #: C{limits}: by the name of the field.
        self.update(limits={}, showsLimits=False)

    # One line, because the help shows line breaks as they are here.
    def opt_limit(self, setting: str) -> None:
        """NAME=VALUE: another value for a limit, as handshake-seconds=5; --limits shows all of them; repeatable."""
        option, equals, text = setting.partition("=")
        named = {limit.option: limit for limit in describeLimits()}
        limit = named.get(option)
        if limit is None:
            near = get_close_matches(option.lower(), named, cutoff=0.75)
            guess = f"did you mean {' or '.join(near)}?" if near else _EXAMPLE
            raise UsageError(f"--limit {option}: there is no such limit; {guess}")
        if not equals:
            raise UsageError(f"--limit {option}: it needs a value, {_EXAMPLE}")
        self["limits"][limit.name] = _number(limit, text)

    def opt_limits(self) -> None:
        """Print all limits as they are with --limit: name, value, unit, allowed values, what they bound; then exit."""
        self["showsLimits"] = True

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the command line. The limits are shown when every C{--limit} is known."""
        super().parseOptions(options)
        if self["showsLimits"]:
            _print(limitTable(makeLimits(self)))
            raise SystemExit(0)


def _number(limit: Limit, text: str) -> float:
    """
    @raise UsageError: if it is no value that the limit may have.
    """
    try:
        value = int(text) if limit.isWhole else float(text)
    except ValueError:
        value = None
    if value is None or not limit.allows(value):
        unit = f", {limit.unit}" if limit.unit else ""
        raise UsageError(f"--limit {limit.option}={text}: it must be {limit.bounds}{unit}")
    return value


def limitTable(limits: Limits) -> list[str]:
    """All limits, a line each: name, value, unit, the values that it may have, what it bounds."""
    rows = [(limit.option, _value(limit), limit.unit, _range(limit), limit.text) for limit in describeLimits(limits)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"{option:{widths[0]}}  {value:>{widths[1]}} {unit:{widths[2]}}  {allowed:{widths[3]}}  {text}"
        for option, value, unit, allowed, text in rows
    ]


def _value(limit: Limit) -> str:
    """The value; where 0 stands for another one, that as well; and what is kept of one that is too large."""
    kept = limit.value
    if limit.name == "connections":
        kept = allowedConnections(int(limit.value), descriptors())
    elif limit.name == "memoryBytes":
        kept = limit.value or memoryBudget()
    number = f"{limit.value:.10g}"
    return number if kept == limit.value else f"{number} = {kept}" if not limit.value else f"{number}, but {kept}"


def _range(limit: Limit) -> str:
    most = "" if limit.most == inf else f"{limit.most:.10g}"
    return f"{limit.least:.10g}..{most}"


def _print(lines: Iterable[str]) -> None:
    """Print lines. Whoever reads them may have seen enough, as C{head} has after ten."""
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:
        # Python flushes it again at its end, and would complain then.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def makeLimits(options: LimitOptions) -> Limits:
    """The limits that the options ask for. Those that make no sense together are a warning in the log."""
    limits = Limits(**options["limits"])
    named = {limit.name: limit for limit in describeLimits(limits)}
    for less, more, consequence in _ORDER:
        if named[less].value > named[more].value:
            _log.warn(
                "--limit {less}={lessValue:g} is more than {more}={moreValue:g}: {consequence}",
                less=named[less].option,
                lessValue=named[less].value,
                more=named[more].option,
                moreValue=named[more].value,
                consequence=consequence,
            )
    return limits
