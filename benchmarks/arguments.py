# -*- test-case-name: tests.benchmarks.test_arguments -*-
"""
The command line.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.case import Case
from benchmarks.cases import CASES
from benchmarks.cases.fanout import CASE as FANOUT
from benchmarks.plot import NO_MATPLOTLIB, hasMatplotlib
from benchmarks.servers import NMS_VARIABLE, SERVERS, Places, ServerKind

__all__ = ["Settings", "parse"]

_DESCRIPTION = """\
Measure RTMP servers: our own beside nginx-rtmp and node-media-server, one after the other and again, in one run.

Each measurement starts a server afresh on one processor; publishers and viewers have another one. CPU is that of the
server's processes over exactly the measured time. Some viewers check every message (loss, order, damage, latency), the
others count bytes. Figures are medians of the rounds. On a shared machine trust the ratios, not the milliseconds."""

_EXAMPLES = """\
cases:
{cases}

servers:
{servers}

examples:
  python -m benchmarks --quick --servers ours
      see whether everything runs: a few viewers, a second each
  python -m benchmarks fanout --sizes 200,1000 --servers ours,nginx --json fanout.json
      two sizes, two servers, five rounds: three minutes
  python -m benchmarks fanout --plot fanout.png
      all sizes and servers, and a plot (needs matplotlib: pip install -e '.[bench]')
  python -m benchmarks steady stalled --seconds 60
      shorter than their ten and two minutes
  python -m benchmarks --read fanout.json --read ingest.json --plot fanout.png
      the tables and the plot of earlier runs again

Exit status: 0 if all was measured, 1 if something could not be, 2 for a mistake in the command line."""

_FLUSH = re.compile(r"\d+(\.\d+)?:\d+(\.\d+)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)

#: What the server ours allows, ms.
_LONGEST_FLUSH = 10_000.0


@dataclass(frozen=True)
class Settings:
    """
    What is to be done.

    @ivar cases: in order.
    @ivar servers: in order; L{None} for those of each case.
    @ivar rounds: L{None} for those of each case.
    @ivar seconds: L{None} for those of each case.
    @ivar sizes: L{None} for those of each case.
    @ivar isQuick: whether it is only to be seen that everything runs.
    @ivar isList: whether the cases and their sizes are only to be listed.
    @ivar places: what the servers are to be told.
    @ivar serverProcessor: its number; L{None} for any.
    @ivar loadProcessor: its number; L{None} for any.
    @ivar json: where results go.
    @ivar plot: where the plot goes.
    @ivar read: results of earlier runs, to be shown in place of measuring.
    """

    cases: tuple[Case, ...]
    servers: tuple[ServerKind, ...] | None = None
    rounds: int | None = None
    seconds: float | None = None
    sizes: tuple[int, ...] | None = None
    isQuick: bool = False
    isList: bool = False
    places: Places = field(default_factory=Places)
    serverProcessor: int | None = None
    loadProcessor: int | None = None
    json: Path | None = None
    plot: Path | None = None
    read: tuple[Path, ...] = ()

    def serversOf(self, case: Case) -> tuple[ServerKind, ...]:
        """Whom a case measures, in the order of L{SERVERS}."""
        if self.servers is not None and not case.isOwn:
            return self.servers
        return tuple(kind for name, kind in SERVERS.items() if name in case.servers)

    def roundsOf(self, case: Case) -> int:
        """How many times."""
        return self.rounds or (1 if self.isQuick else case.rounds)

    def secondsOf(self, case: Case) -> float:
        """How long."""
        return self.seconds or (1.0 if self.isQuick else case.seconds)


def _positive(text: str) -> int:
    if not _WHOLE.fullmatch(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: it must be a whole number, 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: it must be seconds, more than 0")
    return number


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(_positive(part) for part in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text}: it must be whole numbers, 1 or more, with commas between, such as 200,1000"
        ) from None


def _servers(text: str) -> tuple[ServerKind, ...]:
    unknown = [name for name in text.split(",") if name not in SERVERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(SERVERS)}")
    return tuple(SERVERS[name] for name in dict.fromkeys(text.split(",")))


def _flush(text: str) -> str:
    if not _FLUSH.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text}: it must be MIN:MAX, ms, such as 0:100")
    least, most = map(float, text.split(":"))
    # The same as the server's own limits: it would refuse to start.
    if not least <= most <= _LONGEST_FLUSH:
        raise argparse.ArgumentTypeError(f"{text}: MIN must not be more than MAX, nor MAX more than 10000 ms")
    return text


def _processor(text: str) -> int | None:
    if text == "any":
        return None
    allowed = {str(number): number for number in sorted(os.sched_getaffinity(0))}
    if text not in allowed:
        raise argparse.ArgumentTypeError(f"{text}: this process may use {', '.join(allowed)}, or any")
    return allowed[text]


def _lines(names: dict[str, str]) -> str:
    width = max(map(len, names))
    return "\n".join(f"  {name.ljust(width)}  {about}" for name, about in names.items())


def _parser() -> argparse.ArgumentParser:
    cases = {name: case.about for name, case in CASES.items()}
    servers = {name: kind.about for name, kind in SERVERS.items()}
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=_DESCRIPTION,
        epilog=_EXAMPLES.format(cases=_lines(cases), servers=_lines(servers)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    allowed = sorted(os.sched_getaffinity(0))
    # A single processor is better than none; the report says how busy it was.
    forServer, forLoad = allowed[0], allowed[min(1, len(allowed) - 1)]
    add = parser.add_argument
    add("cases", nargs="*", metavar="case", help="what to measure; all, if none is named")
    add("--rounds", type=_positive, metavar="N", help="measure each server so often (default 5; 1 for the longest)")
    add(
        "--seconds",
        type=_seconds,
        metavar="S",
        help="how long each measurement is (default 6, stalled 120, steady 600)",
    )
    add("--sizes", type=_sizes, metavar="N,N", help="viewers, publishers or streams, whatever a case has; see --list")
    add("--servers", type=_servers, metavar="NAME,NAME", help="whom to measure; see below")
    add("--flush", type=_flush, metavar="MIN:MAX", help="the --flush of the server ours, ms (default: its own)")
    add("--nms", metavar="DIR", help=f"where 'npm install node-media-server' was run (default: ${NMS_VARIABLE})")
    add("--json", type=Path, metavar="FILE", help="write every single measurement, versions and settings")
    add("--plot", type=Path, metavar="FILE.png", help="draw the CPU of fanout over its viewers")
    add("--read", type=Path, metavar="FILE", action="append", default=[], help="show earlier results; repeatable")
    aboutCPU = "processor of {}, or any (default %(default)s)"
    add("--server-cpu", type=_processor, default=forServer, metavar="N", help=aboutCPU.format("the server"))
    add("--load-cpu", type=_processor, default=forLoad, metavar="N", help=aboutCPU.format("publishers and viewers"))
    add("--quick", action="store_true", help="a few viewers, a second, one round: to see that everything runs")
    add("--list", action="store_true", help="list cases with their sizes, and whether each server is there; then end")
    return parser


def _checkWritable(file: Path) -> None:
    """
    Try it, and leave nothing behind: permissions alone do not tell.

    @raise OSError: if it can't be written.
    """
    isNew = not file.exists()
    file.open("ab").close()
    if isNew:
        file.unlink()


def _refuseOutputs(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """
    Refuse what could not be kept, before anybody waits hours for it.

    @raise SystemExit: if there is such.
    """
    if options.plot is not None:
        if not hasMatplotlib():
            parser.error(NO_MATPLOTLIB)
        if options.cases and not options.read and FANOUT.name not in options.cases:
            parser.error(f"argument --plot: it draws {FANOUT.name}, which is not among the cases")
    for option, file in (("--json", options.json), ("--plot", options.plot)):
        if file is None:
            continue
        try:
            _checkWritable(file)
        except OSError as error:
            parser.error(f"argument {option}: {file} can't be written: {error.strerror}")


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """
    @param arguments: those of the process, if they are not given.
    @raise SystemExit: for C{--help}, and for a mistake, which is told.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(CASES)}")
    if not options.list:
        _refuseOutputs(parser, options)
    return Settings(
        tuple(CASES[name] for name in dict.fromkeys(options.cases or CASES)),
        options.servers,
        options.rounds,
        options.seconds,
        options.sizes,
        options.quick,
        options.list,
        Places(options.flush, options.nms),
        options.server_cpu,
        options.load_cpu,
        options.json,
        options.plot,
        tuple(options.read),
    )
