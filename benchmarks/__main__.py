# -*- test-case-name: tests.benchmarks.test_main -*-
"""
C{python -m benchmarks}: see its C{--help}.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from benchmarks.arguments import Settings, parse
from benchmarks.cases import CASES
from benchmarks.errors import MissingError
from benchmarks.plot import draw
from benchmarks.report import report
from benchmarks.results import Results
from benchmarks.run import describeAll, measureAll

__all__ = ["main"]

OK, FAILED = 0, 1

#: What ends a run: Ctrl-C, C{kill}, and a terminal that is closed.
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def _interruptible() -> Iterator[None]:
    """
    Whatever ends the run raises L{KeyboardInterrupt}, once, so that no server and no file is left behind; another
    signal does not disturb the clean-up. What this process was told to ignore, as by C{nohup}, it ignores.
    """
    before = {number: signal.getsignal(number) for number in _ENDS}
    ours = [number for number, action in before.items() if action != signal.SIG_IGN]

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for number in ours:
            signal.signal(number, interrupt)
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


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


def _show(settings: Settings, results: Results, isWhole: bool) -> None:
    """
    @raise MissingError: if there is no plot.
    @raise OSError: if a file can't be written.
    """
    # First what lasts: the terminal may be gone.
    if settings.json is not None:
        results.write(settings.json)
    print(report(CASES.values(), results, isWhole))
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
            with _interruptible():
                measureAll(settings, results)
    except KeyboardInterrupt:
        isWhole = False
    except (OSError, ValueError) as error:
        print(f"python -m benchmarks: {error}", file=sys.stderr)
        return FAILED
    try:
        _show(settings, results, isWhole)
    except (MissingError, OSError) as error:
        print(f"python -m benchmarks: {error}", file=sys.stderr)
        return FAILED
    isWhole = isWhole and bool(results.measurements)
    return OK if isWhole and not any(one.error for one in results.measurements) else FAILED


if __name__ == "__main__":
    raise SystemExit(main())
