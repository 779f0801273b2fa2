# -*- test-case-name: tests.benchmarks.test_main -*-
"""
C{python -m benchmarks}: see its C{--help}.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.arguments import Settings, parse
from benchmarks.cases import CASES
from benchmarks.errors import MissingError
from benchmarks.plot import draw
from benchmarks.report import report
from benchmarks.results import Results
from benchmarks.run import describeAll, measureAll

__all__ = ["main"]

OK, FAILED = 0, 1


def _read(settings: Settings) -> Results:
    """
    Several runs as one; where and when is that of the last.

    @raise OSError: if a file can't be read.
    @raise ValueError: if it holds something else.
    """
    together = Results({})
    for file in settings.read:
        results = Results.read(file)
        servers = {**together.about.get("servers", {}), **results.about.get("servers", {})}
        together.about.update(results.about, servers=servers)
        together.measurements += results.measurements
    return together


def _show(settings: Settings, results: Results) -> None:
    """
    @raise MissingError: if there is no plot.
    @raise OSError: if a file can't be written.
    """
    print(report(CASES.values(), results))
    if settings.json is not None:
        results.write(settings.json)
    if settings.plot is not None:
        draw(results, settings.plot)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    @param arguments: those of the process, if they are not given.
    @return: the exit status.
    """
    settings = parse(arguments)
    if settings.isList:
        print(describeAll(settings))
        return OK
    results = Results({})
    isWhole = True
    try:
        if settings.read:
            results = _read(settings)
        else:
            measureAll(settings, results)
    except KeyboardInterrupt:
        isWhole = False
    except (OSError, ValueError) as error:
        print(f"python -m benchmarks: {error}", file=sys.stderr)
        return FAILED
    try:
        _show(settings, results)
    except (MissingError, OSError) as error:
        print(f"python -m benchmarks: {error}", file=sys.stderr)
        return FAILED
    isWhole = isWhole and bool(results.measurements)
    return OK if isWhole and not any(one.error for one in results.measurements) else FAILED


if __name__ == "__main__":
    raise SystemExit(main())
