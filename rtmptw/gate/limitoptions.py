# -*- test-case-name: tests.gate.test_limitoptions -*-
"""
The limits at the command line of C{twistd rtmp}: C{--limit NAME=VALUE} sets one, C{--limits} shows them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from twisted.python.usage import Options, UsageError

from rtmptw.limits import Limit, Limits, describeLimits

__all__ = ["LimitOptions", "limitTable", "makeLimits"]

#: How the option is to be used, for its errors.
_EXAMPLE = "as --limit handshake-seconds=5; --limits shows them all"


class LimitOptions(Options):
    """The options. They are a part of L{rtmptw.tap.Options}."""

    def __init__(self) -> None:
        super().__init__()
        #: By the name of the field.
        self.update(limits={})

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
        """Print all limits: name, default, unit, and what they bound; then exit."""
        print("\n".join(limitTable()))
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


def limitTable() -> Iterator[str]:
    """All limits, a line each: name, default, unit, what they bound."""
    rows = [(limit.option, f"{limit.value:.10g}", limit.unit, limit.text) for limit in describeLimits()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for option, value, unit, text in rows:
        yield f"{option:{widths[0]}}  {value:>{widths[1]}} {unit:{widths[2]}}  {text}"


def makeLimits(options: LimitOptions) -> Limits:
    """The limits that the options ask for."""
    return Limits(**options["limits"])
