# -*- test-case-name: tests.benchmarks.test_run -*-
"""
A run: all measurements, one after the other, in an order that treats all servers alike: A B C, A B C, ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.arguments import Settings
from benchmarks.bench import Bench
from benchmarks.case import Case, Point, placeOf
from benchmarks.errors import BenchmarkError, MissingError
from benchmarks.load.orders import raiseFileLimit
from benchmarks.machine import aboutMachine
from benchmarks.results import Measurement, Results
from benchmarks.runningserver import onProcessor
from benchmarks.servers import ServerKind

__all__ = ["describeAll", "findServers", "measureAll"]


def findServers(settings: Settings) -> tuple[dict[str, str], dict[str, str]]:
    """
    Which of the servers are there.

    @return: by name: the version of each that is, and why each of the others is not.
    """
    versions: dict[str, str] = {}
    missing: dict[str, str] = {}
    wanted = {kind.name: kind for case in settings.cases for kind in settings.serversOf(case)}
    for name, kind in wanted.items():
        try:
            versions[name] = kind.find(settings.places)
        except MissingError as error:
            missing[name] = str(error)
    return versions, missing


def _aboutRun(settings: Settings, versions: dict[str, str], missing: dict[str, str]) -> dict[str, Any]:
    return {
        **aboutMachine(),
        "servers": versions,
        "missing": missing,
        "settings": {
            "cases": [case.name for case in settings.cases],
            "rounds": settings.rounds,
            "seconds": settings.seconds,
            "sizes": settings.sizes,
            "quick": settings.isQuick,
            "flush": settings.places.flush,
            "serverProcessor": settings.serverProcessor,
            "loadProcessor": settings.loadProcessor,
        },
    }


def _turns(settings: Settings, present: dict[str, str]) -> Iterator[tuple[Case, Point, int, ServerKind]]:
    for case in settings.cases:
        for point in case.points(settings.sizes, settings.isQuick):
            for number in range(1, settings.roundsOf(case) + 1):
                for kind in settings.serversOf(case):
                    if kind.name in present:
                        yield case, point, number, kind


def measureAll(settings: Settings, results: Results | None = None) -> Results:
    """
    Measure, and say on stderr how far it is.

    @param results: where measurements are added, so that an interrupted run has those that it had come to.
    """
    raiseFileLimit()
    versions, missing = findServers(settings)
    results = results or Results({})
    results.about.update(_aboutRun(settings, versions, missing))
    for name, why in missing.items():
        print(f"{name} is left out: {why}", file=sys.stderr)
    turns = list(_turns(settings, versions))
    with onProcessor(settings.loadProcessor):
        for done, (case, point, number, kind) in enumerate(turns, 1):
            print(
                f"{done}/{len(turns)} {case.name} {placeOf(point)} {kind.name}, round {number}",
                file=sys.stderr,
                flush=True,
            )
            bench = Bench(settings.places, settings.serverProcessor, settings.secondsOf(case), settings.isQuick)
            try:
                one = Measurement(case.name, kind.name, number, point, case.measure(bench, kind, point))
            except BenchmarkError as error:
                print(f"    {error}", file=sys.stderr, flush=True)
                one = Measurement(case.name, kind.name, number, point, error=str(error))
            results.measurements.append(one)
    return results


def describeAll(settings: Settings) -> str:
    """The cases with their sizes and servers, and which servers are there."""
    lines = []
    for case in settings.cases:
        points = case.points(settings.sizes, settings.isQuick)
        places = "; ".join(map(placeOf, points))
        servers = ", ".join(kind.name for kind in settings.serversOf(case))
        effort = f"{settings.roundsOf(case)} x {settings.secondsOf(case):g} s"
        lines += [f"{case.name}: {case.about}", f"    {places}", f"    {effort}; {servers}"]
    versions, missing = findServers(settings)
    lines += [f"{name}: {version}" for name, version in versions.items()]
    lines += [f"{name} is left out: {why}" for name, why in missing.items()]
    return "\n".join(lines)
